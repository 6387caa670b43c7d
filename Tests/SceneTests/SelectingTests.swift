import Geometry
import Scene
import TestSupport
import Testing

@Suite("Selecting")
struct SelectingTests {
  @Test("Ctrl+click selects a picture and again drops it, and opens nothing")
  func toggled() throws {
    var stage = Stage.lattice()
    let place = try #require(stage.place(8))
    for expected in [[8], []] {
      stage.send(.pointerPressed(place, button: 1, clickCount: 1, .control))
      stage.send(.pointerReleased(place, button: 1, .control))
      #expect(stage.scene.selection.slots == expected)
      #expect(stage.scene.opened == nil)
    }
    #expect(stage.wishes.contains(.selectionChanged))
  }

  @Test("of many that are added, those are told that were not there, each once")
  func insertedMany() {
    var selection = Selection([3, 700])
    #expect(selection.insert(contentsOf: [64, 3, -1, 64, 700, 9]) == [64, 9])
    #expect(selection.slots == [3, 9, 64, 700] && selection.count == 4)
    #expect(selection.insert(contentsOf: selection.slots).isEmpty)
  }

  @Test("two quick Ctrl+clicks on one picture are a click each")
  func quickClicks() throws {
    var stage = Stage.lattice()
    let place = try #require(stage.place(8))
    for count in [1, 2] {
      stage.send(.pointerPressed(place, button: 1, clickCount: count, .control))
      stage.send(.pointerReleased(place, button: 1, .control))
    }
    #expect(stage.scene.selection.isEmpty && stage.scene.opened == nil)
  }

  @Test("Shift and a drag select what has its middle in the rectangle, and the map stays where it is")
  func rectangle() throws {
    var stage = Stage.lattice()
    let camera = stage.scene.camera
    let (first, last) = (try #require(stage.place(7)), try #require(stage.place(15)))
    stage.drag(from: first - Point(x: 9, y: 9), to: last + Point(x: 9, y: 9), .shift)
    #expect(stage.scene.selection.slots == [7, 8, 9, 13, 14, 15])
    #expect(stage.scene.camera == camera && stage.scene.marquee == nil)
    stage.drag(from: last + Point(x: 9, y: 9), to: try #require(stage.place(14)) - Point(x: 9, y: 9), [.shift, .alt])
    #expect(stage.scene.selection.slots == [7, 8, 9, 13])
  }

  @Test("a lasso selects exactly what lies in its polygon", arguments: 0..<20)
  func lasso(seed: Int) {
    var stage = Stage()
    stage.load(300)
    stage.lay(clusteredPoints(300, seed: seed))
    stage.settle()
    var numbers = SplitMix64(seed: UInt64(seed))
    let corners = (0..<7).map { _ in
      Point(x: .random(in: 50...950, using: &numbers), y: .random(in: 60...700, using: &numbers))
    }
    stage.send(.pointerPressed(corners[0], button: 1, clickCount: 1, .control))
    for corner in corners.dropFirst() { stage.send(.pointerMoved(corner, .control)) }
    stage.send(.pointerReleased(corners[6], button: 1, .control))
    let expected = (0..<300).filter { slot in
      // The winding number, counted another way: by angles, its parity.
      guard let place = stage.place(slot) else { return false }
      var crossings = 0
      for (index, corner) in corners.enumerated() {
        let next = corners[(index + 1) % corners.count]
        let (low, high) = corner.y < next.y ? (corner, next) : (next, corner)
        guard low.y <= place.y, place.y < high.y else { continue }
        let side = (high.x - low.x) * (place.y - low.y) - (high.y - low.y) * (place.x - low.x)
        if side > 0 { crossings += 1 }
      }
      return crossings % 2 == 1
    }
    #expect(stage.scene.selection.slots == expected)
  }

  @Test("all, the others, none: by the keyboard")
  func keyboard() {
    var stage = Stage.lattice()
    stage.press(.character("a"), .control)
    #expect(stage.scene.selection.count == 24)
    stage.press(.character("i"))
    #expect(stage.scene.selection.isEmpty)
    stage.press(.right)
    stage.press(.character(" "))
    #expect(stage.scene.selection.slots == [stage.scene.focused].compactMap { $0 })
    stage.press(.character("i"), .control)
    #expect(stage.scene.selection.count == 23)
    stage.press(.escape)
    #expect(stage.scene.selection.isEmpty && !stage.wishes.contains(.escape))
    stage.press(.escape)
    #expect(stage.wishes.contains(.escape))
  }

  @Test("copying is about the whole selection, in the order of the slots")
  func copying() {
    var stage = Stage.lattice()
    stage.send(.select(slots: [9, 2, 17, 400]))
    stage.press(.character("c"), .control)
    #expect(stage.wishes.last == .copyAddress(slots: [2, 9, 17]))
  }

  @Test("a picture that is left out is selected no more")
  func removed() {
    var stage = Stage.lattice()
    stage.send(.select(slots: [3, 4]))
    stage.send(.imagesRemoved(slots: [4]))
    #expect(stage.scene.selection.slots == [3])
  }

  @Test("z shows the whole selection, and nothing far from it")
  func fitted() throws {
    var stage = Stage.lattice()
    stage.send(.select(slots: [0, 1, 6]))
    stage.press(.character("z"))
    stage.settle()
    let viewport = stage.scene.camera.viewport
    for slot in [0, 1, 6] {
      let rect = try #require(stage.scene.spriteRect(of: slot))
      #expect(rect.intersection(viewport) == rect)
    }
    let far = try #require(stage.scene.spriteRect(of: 23))
    #expect(far.intersection(viewport).isEmpty)
  }

  @Test("selected pictures are drawn after all others, wherever they lie in a heap", arguments: [300, 30_000])
  func onTop(count: Int) {
    var stage = Stage()
    stage.load(count)
    stage.lay(clusteredPoints(count, seed: 3))
    stage.settle()
    var numbers = SplitMix64(seed: 5)
    let chosen = Set((0..<40).map { _ in Int.random(in: 0..<count, using: &numbers) })
    stage.send(.select(slots: Array(chosen)))
    var sprites: [Sprite] = []
    stage.scene.collectSprites(in: stage.scene.camera.viewport, into: &sprites)
    #expect(Set(sprites.suffix(chosen.count).map { Int($0.slot) }) == chosen)
    #expect(Set(sprites.map(\.slot)).count == sprites.count)
  }
}
