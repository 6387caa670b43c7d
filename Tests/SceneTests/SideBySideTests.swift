import Geometry
import Scene
import TestSupport
import Testing

@Suite("Pictures turned, and several side by side") struct SideBySideTests {
  /// A map on which the first pictures are selected.
  private func stage(selected count: Int, of all: Int = 40, uiScale: Double = 1) -> Stage {
    var stage = Stage(uiScale: uiScale, animated: false)
    stage.load(all)
    stage.lay((0..<all).map { Point(x: Double($0 % 8), y: Double($0 / 8)) })
    stage.send(.select(slots: Array(0..<count)))
    stage.wishes = []
    return stage
  }

  @Test("four quarters lead back, three to the right are one to the left, and the middle of the view stays")
  func turning() throws {
    var stage = stage(selected: 1)
    stage.press(.character("v"))
    stage.send(.originalSize(slot: 0, Size(width: 4000, height: 1000)))
    let upright = try #require(stage.scene.opened)
    stage.press(.character("r"))
    let right = try #require(stage.scene.opened)
    #expect(right.turn == .right && right.imageSize == Size(width: 1000, height: 4000))
    #expect(right.fits && abs(right.rect.height - 700) < 1e-6)
    for _ in 0..<2 { stage.press(.character("r")) }
    let left = try #require(stage.scene.opened)
    stage.press(.character("r"))
    #expect(stage.scene.opened == upright)
    stage.press(.character("R"), .shift)
    #expect(stage.scene.opened == left && left.turn == .left)

    // A point of the picture in the middle of the window stays there when the picture is turned about it.
    stage.press(.character("r"))
    stage.press(.character("1"))
    stage.send(.scrolled(dx: 0, dy: 0.5, at: Point(x: 700, y: 300), []))
    let before = try #require(stage.scene.opened)
    stage.press(.character("r"))
    let after = try #require(stage.scene.opened)
    #expect(after.scale == before.scale)
    #expect(abs(after.center.x - (1000 - before.center.y)) < 1e-6 && abs(after.center.y - before.center.x) < 1e-6)
  }

  @Test("a picture stays turned while the location is open, whenever its size becomes known")
  func remembered() {
    var stage = stage(selected: 1)
    stage.press(.character("v"))
    stage.press(.character("r"))
    stage.press(.escape)
    #expect(stage.scene.opened == nil)
    stage.press(.character("v"))
    #expect(stage.scene.opened?.turn == .right)
    stage.send(.originalSize(slot: 0, Size(width: 300, height: 200)))
    #expect(stage.scene.opened?.imageSize == Size(width: 200, height: 300))
  }

  @Test("the selected ones lie side by side, none over another, all in the window", arguments: 2...16, [1.0, 2.0])
  func cells(count: Int, uiScale: Double) throws {
    let stage = {
      var stage = self.stage(selected: count, uiScale: uiScale)
      stage.press(.character("v"))
      return stage
    }()
    let images = stage.scene.sideBySide
    #expect(images.map(\.slot) == Array(0..<count))
    #expect(stage.scene.opened == images[0])
    #expect(stage.wishes.filter { if case .openOriginal = $0 { true } else { false } }.count == count)
    for (index, image) in images.enumerated() {
      let cell = image.viewport
      #expect(cell.intersection(stage.scene.camera.viewport) == cell && cell.width > 20 && cell.height > 20)
      #expect(image.fits)
      #expect(Rect(cell).insetBy(-0.01).contains(Point(x: image.rect.minX, y: image.rect.minY)))
      #expect(Rect(cell).insetBy(-0.01).contains(Point(x: image.rect.maxX, y: image.rect.maxY)))
      for other in images[..<index] { #expect(cell.intersection(other.viewport).isEmpty) }
    }
  }

  @Test("all show the same part, in shares of their own sizes, whichever the hand moves")
  func together() throws {
    var stage = stage(selected: 4)
    stage.press(.character("v"))
    for slot in 0..<4 {
      stage.send(.originalSize(slot: slot, Size(width: Double(800 * (slot + 1)), height: Double(600 * (slot + 1)))))
    }
    let third = try #require(stage.scene.sideBySide.first { $0.slot == 2 })
    let point = Rect(third.viewport).center + Point(x: 20, y: 10)
    for _ in 0..<6 { stage.send(.scrolled(dx: 0, dy: 1, at: point, [])) }
    #expect(stage.scene.opened?.slot == 2, "the picture under the pointer has the keyboard")
    stage.drag(from: point, to: point + Point(x: -35, y: 18))
    let leader = try #require(stage.scene.opened)
    #expect(!leader.fits && leader.center.x > 1200)
    for image in stage.scene.sideBySide {
      #expect(abs(image.center.x / image.imageSize.width - leader.center.x / leader.imageSize.width) < 1e-9)
      #expect(abs(image.center.y / image.imageSize.height - leader.center.y / leader.imageSize.height) < 1e-9)
      #expect(abs(image.rect.width - leader.rect.width) < 1e-6)
    }
    stage.press(.character("0"))
    #expect(stage.scene.sideBySide.allSatisfy { $0.fits })
  }

  @Test("arrows go from picture to picture, Return shows one alone, Esc leads to the map")
  func keys() {
    var stage = stage(selected: 6)
    stage.press(.character("v"))
    let columns = stage.scene.sideBySide.count { $0.viewport.y == stage.scene.sideBySide[0].viewport.y }
    stage.press(.right)
    #expect(stage.scene.opened?.slot == 1)
    stage.press(.left)
    stage.press(.left)
    #expect(stage.scene.opened?.slot == 0)
    stage.press(.down)
    #expect(stage.scene.opened?.slot == (columns < 6 ? columns : 0))
    let slot = stage.scene.opened?.slot
    stage.press(.return)
    #expect(stage.scene.sideBySide.isEmpty && stage.scene.opened?.slot == slot)
    #expect(stage.scene.opened?.viewport == stage.scene.camera.viewport)
    stage.press(.escape)
    #expect(stage.scene.opened == nil && stage.scene.selection.count == 6)
  }

  @Test("without a selection it is refused, with the reason")
  func refused() {
    var stage = stage(selected: 0)
    stage.press(.character("v"))
    #expect(stage.scene.opened == nil && stage.scene.sideBySide.isEmpty)
    #expect(stage.wishes == [.refused(.nothingToCompare)])
  }

  @Test("of very many the first are shown, and how many there are is told", arguments: [17, 40])
  func limited(count: Int) {
    var stage = stage(selected: count)
    let selected = stage.scene.selection.slots
    stage.press(.character("v"))
    #expect(stage.scene.sideBySide.map(\.slot) == Array(selected.prefix(Scene.mostSideBySide)))
    #expect(stage.wishes.contains(.sideBySideLimited(of: count)))
  }

  @Test("the window's size, the room of the details, and pictures that vanish are followed")
  func changes() {
    var stage = stage(selected: 3)
    stage.press(.character("v"))
    stage.send(.aside(width: 300))
    #expect(stage.scene.sideBySide.allSatisfy { $0.viewport.maxX <= 700 })
    stage.send(.viewportChanged(PixelRect(x: 0, y: 40, width: 640, height: 400), uiScale: 1))
    #expect(stage.scene.sideBySide.allSatisfy { $0.viewport.maxX <= 340 && $0.viewport.maxY <= 440 })
    stage.send(.aside(width: 0))
    #expect(stage.scene.sideBySide.map(\.viewport.maxX).max() == 640)
    stage.send(.imagesRemoved(slots: [2]))
    #expect(stage.scene.opened == nil && stage.scene.sideBySide.isEmpty)
  }

  @Test("details, the ground and turning are of the opened picture alone")
  func onTheMap() {
    var stage = stage(selected: 0)
    for key in ["r", "R", "b", "e"] as [Character] { stage.press(.character(key)) }
    #expect(Set(stage.wishes) == [.refused(.nothingOpened), .refused(.noPicture)] && stage.scene.opened == nil)
    stage.press(.right)
    stage.wishes = []
    stage.press(.character("e"))
    #expect(stage.scene.opened != nil && stage.wishes.contains(.showDetails))
    stage.press(.character("b"))
    #expect(stage.wishes.last == .nextBackdrop)
  }
}
