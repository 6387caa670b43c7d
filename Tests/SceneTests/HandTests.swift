import Geometry
import Scene
import TestSupport
import Testing

@Suite("The hand", .computing)
struct HandTests {
  /// A map of 100 pictures on a wide lattice, so that there are empty places.
  func lattice(uiScale: Double = 1, animated: Bool = true) -> Stage {
    var stage = Stage(uiScale: uiScale, animated: animated)
    stage.load(100)
    stage.lay((0..<100).map { Point(x: Double($0 % 10), y: Double($0 / 10)) })
    // Far enough in for gaps between pictures.
    stage.send(.scrolled(dx: 0, dy: 7.5, at: Point(x: 500, y: 390), []))
    stage.wait(0.5)
    stage.wishes = []
    return stage
  }

  func emptyPlace(_ stage: Stage) -> Point {
    for y in stride(from: 60.0, to: 700, by: 7) {
      for x in stride(from: 20.0, to: 980, by: 7) where stage.scene.picture(at: Point(x: x, y: y)) == nil {
        return Point(x: x, y: y)
      }
    }
    Issue.record("no empty place")
    return .zero
  }

  func picturePlace(_ stage: Stage) -> (slot: Int, point: Point) {
    for slot in 0..<100 {
      if let point = stage.place(slot), stage.scene.picture(at: point) == slot { return (slot, point) }
    }
    Issue.record("no picture in view")
    return (0, .zero)
  }

  @Test("the wheel zooms smoothly and keeps the point under the pointer at every frame")
  func wheel() {
    var stage = lattice()
    let pointer = Point(x: 333, y: 222)
    let held = stage.scene.camera.toLayout(pointer)
    let start = stage.scene.camera.scale
    stage.send(.scrolled(dx: 0, dy: 1, at: pointer, []))
    #expect(stage.scene.camera.scale == start)
    var scales: [Double] = []
    while stage.scene.wantsTicks, scales.count < 60 {
      stage.wait(1.0 / 60)
      scales.append(stage.scene.camera.scale)
      #expect(stage.scene.camera.toScreen(held).distance(to: pointer) < 1e-6)
    }
    #expect(scales == scales.sorted())
    #expect(abs(stage.scene.camera.scale / start - 1.25) < 1e-9)
    let frames = scales.prefix { $0 < start * 1.25 * (1 - 1e-9) }.count
    #expect(frames >= 6 && frames <= 11)
    #expect(stage.scene.handHasTouchedCamera)
  }

  @Test("a touchpad's fractions are followed at once")
  func touchpad() {
    var stage = lattice()
    let pointer = Point(x: 600, y: 500)
    let held = stage.scene.camera.toLayout(pointer)
    let start = stage.scene.camera.scale
    stage.send(.scrolled(dx: 0, dy: -0.3, at: pointer, []))
    #expect(stage.scene.camera.scale < start)
    #expect(stage.scene.camera.toScreen(held).distance(to: pointer) < 1e-6)
  }

  @Test("zooming ends where there is nothing more to see, both ways")
  func limits() {
    var stage = lattice(animated: false)
    for _ in 0..<200 { stage.send(.scrolled(dx: 0, dy: -1, at: Point(x: 1, y: 50), [])) }
    let least = stage.scene.camera.scale
    stage.send(.scrolled(dx: 0, dy: -1, at: Point(x: 1, y: 50), []))
    #expect(stage.scene.camera.scale == least)
    for _ in 0..<200 { stage.send(.scrolled(dx: 0, dy: 1, at: Point(x: 1, y: 50), [])) }
    #expect(stage.scene.camera.scale > 50 * least && stage.scene.camera.scale.isFinite)
  }

  @Test("a press that moves less than the threshold is a click and opens on release", arguments: [1.0, 2.0])
  func clickOpens(uiScale: Double) {
    var stage = lattice(uiScale: uiScale)
    let (slot, point) = picturePlace(stage)
    stage.send(.pointerPressed(point, button: 1, clickCount: 1, []))
    stage.send(.pointerMoved(point + Point(x: 7 * uiScale, y: 0), []))
    #expect(stage.wishes.isEmpty && stage.scene.opened == nil)
    stage.send(.pointerReleased(point + Point(x: 7 * uiScale, y: 0), button: 1, []))
    #expect(stage.wishes.contains(.openOriginal(slot: slot)))
    #expect(stage.scene.opened?.slot == slot)
  }

  @Test("a press that moves farther pans and never opens", arguments: [1.0, 2.0])
  func dragPans(uiScale: Double) {
    var stage = lattice(uiScale: uiScale)
    let (_, point) = picturePlace(stage)
    let held = stage.scene.camera.toLayout(point)
    let end = point + Point(x: 9 * uiScale, y: 30)
    stage.drag(from: point, to: end)
    #expect(stage.scene.opened == nil)
    #expect(!stage.wishes.contains { if case .openOriginal = $0 { true } else { false } })
    #expect(stage.scene.camera.toScreen(held).distance(to: end) < 1e-6)
    #expect(stage.wishes.contains(.cursorChanged(.dragging)))
    #expect(stage.scene.cursor != .dragging)
    stage.settle()
    #expect(stage.wishes.contains(.saveViewState))
  }

  @Test("dragging back to the start is still no click")
  func dragAndBack() {
    var stage = lattice()
    let (_, point) = picturePlace(stage)
    stage.send(.pointerPressed(point, button: 1, clickCount: 1, []))
    stage.send(.pointerMoved(point + Point(x: 40, y: 0), []))
    stage.send(.pointerMoved(point, []))
    stage.send(.pointerReleased(point, button: 1, []))
    #expect(stage.scene.opened == nil)
  }

  @Test("a map that is thrown glides on and stops; one that is held before it is let go does not")
  func thrown() {
    for isHeld in [false, true] {
      var stage = lattice()
      stage.send(.pointerPressed(Point(x: 300, y: 300), button: 1, clickCount: 1, []))
      for step in 1...12 {
        stage.send(.pointerMoved(Point(x: 300 + 20 * Double(step), y: 300), []))
        stage.wait(1.0 / 60)
      }
      if isHeld { stage.wait(0.4) }
      stage.send(.pointerReleased(Point(x: 540, y: 300), button: 1, []))
      let before = stage.scene.camera.center
      stage.settle()
      let way = (before.x - stage.scene.camera.center.x) * stage.scene.camera.scale
      #expect(isHeld ? way < 2 : way > 30)
      #expect(!stage.scene.wantsTicks)
    }
  }

  @Test("a double click on an empty place shows the whole map, and the camera follows again")
  func doubleClickFits() {
    var stage = lattice()
    let place = emptyPlace(stage)
    #expect(stage.scene.handHasTouchedCamera)
    stage.click(place)
    stage.click(place, count: 2)
    stage.settle()
    #expect(!stage.scene.handHasTouchedCamera)
    #expect(stage.scene.visibleCount == 100)
  }

  @Test("a double click on a picture opens it and does nothing else")
  func doubleClickOpens() {
    var stage = lattice()
    let (slot, point) = picturePlace(stage)
    let camera = stage.scene.camera
    stage.click(point)
    stage.click(point, count: 2)
    stage.settle()
    #expect(stage.scene.opened?.slot == slot && stage.scene.opened?.fits == true)
    #expect(stage.scene.camera == camera)
    #expect(stage.wishes.filter { $0 == .openOriginal(slot: slot) }.count == 1)
  }

  @Test("other buttons, and places beside the map, do nothing")
  func otherButtons() {
    var stage = lattice()
    let (_, point) = picturePlace(stage)
    for button in [2, 8] {
      stage.send(.pointerPressed(point, button: button, clickCount: 1, []))
      stage.send(.pointerReleased(point, button: button, []))
    }
    stage.click(Point(x: 500, y: 10))
    #expect(stage.scene.opened == nil && stage.wishes.isEmpty)
  }

  @Test("pointing at a picture is told once, and leaving it too")
  func hover() {
    var stage = lattice()
    let (slot, point) = picturePlace(stage)
    stage.send(.pointerMoved(point, []))
    stage.send(.pointerMoved(point + Point(x: 1, y: 0), []))
    #expect(stage.wishes == [.hoverChanged(slot: slot), .cursorChanged(.pointer)])
    stage.send(.pointerLeft)
    #expect(stage.scene.hovered == nil && stage.wishes.last == .cursorChanged(.arrow))
  }

  @Test("arrows go to the next picture of a lattice, and on to the border")
  func arrows() throws {
    var stage = Stage()
    stage.load(100)
    stage.lay((0..<100).map { Point(x: Double($0 % 10), y: Double($0 / 10)) })
    stage.press(.right)
    let start = try #require(stage.scene.focused)
    #expect([44, 45, 54, 55].contains(start))
    stage.press(.right)
    #expect(stage.scene.focused == start + 1)
    stage.press(.down)
    #expect(stage.scene.focused == start + 11)
    stage.press(.left)
    stage.press(.up)
    #expect(stage.scene.focused == start)
    for _ in 0..<20 { stage.press(.right) }
    #expect((stage.scene.focused ?? 0) % 10 == 9)
    stage.press(.return)
    #expect(stage.scene.opened?.slot == stage.scene.focused)
  }

  @Test("the focused picture is brought into view")
  func reveal() throws {
    var stage = lattice()
    for _ in 0..<12 {
      stage.press(.right)
      stage.settle()
      let rect = try #require(stage.scene.focused.flatMap { stage.scene.spriteRect(of: $0) })
      #expect(rect.intersection(stage.scene.camera.viewport) == rect)
    }
  }

  @Test("all of several pictures in one place can be reached by arrows")
  func twins() {
    var stage = Stage()
    stage.load(6)
    stage.lay([
      Point(x: 0, y: 0), Point(x: 5, y: 0), Point(x: 5, y: 0), Point(x: 5, y: 0), Point(x: 10, y: 0),
      Point(x: 10, y: 9),
    ])
    #expect(stage.scene.neighbor(of: 1, .right) == 2)
    #expect(stage.scene.neighbor(of: 2, .right) == 3)
    #expect(stage.scene.neighbor(of: 3, .right) == 4)
    #expect(stage.scene.neighbor(of: 3, .left) == 2)
    #expect(stage.scene.neighbor(of: 1, .left) == 0)
  }

  @Test("Shift and an arrow pan as long as they are held", arguments: [true, false])
  func heldPan(byRelease: Bool) {
    var stage = lattice()
    stage.send(.key(.right, .shift, isRepeat: false))
    let start = stage.scene.camera.center.x
    stage.send(.key(.right, .shift, isRepeat: true))
    stage.wait(0.5)
    let way = (stage.scene.camera.center.x - start) * stage.scene.camera.scale
    #expect(way > 300 && way < 900)
    stage.send(byRelease ? .keyReleased(.right) : .focusLost)
    let end = stage.scene.camera.center
    stage.settle()
    #expect(stage.scene.camera.center == end && !stage.scene.wantsTicks)
  }

  @Test("every key of the table is there once, and does what its row says")
  func keyTable() {
    var seen: Set<String> = []
    for row in KeyBinding.table {
      #expect(seen.insert("\(row.key) \(row.modifiers.rawValue)").inserted)
      #expect(KeyBinding.command(for: row.key, row.modifiers) == row.command)
    }
    for row in KeySection.all.flatMap(\.rows) { #expect(row.label.isEmpty == row.description.isEmpty) }
    for section in KeySection.all { #expect(section.rows.first?.label.isEmpty == false) }
    #expect(KeyBinding.command(for: .character("?"), .shift) == .showKeys)
    #expect(KeyBinding.command(for: .character("y"), []) == nil)
    #expect(KeyBinding.command(for: .character("p"), .control) == nil)
  }

  @Test("keys that the window acts on are passed on")
  func passedOn() {
    var stage = lattice()
    let expected: [(SceneKey, Modifiers, SceneEffect)] = [
      (.character("l"), [], .focusLocation), (.character("l"), .control, .focusLocation), (.f5, [], .refresh),
      (.character("r"), .control, .refresh), (.character("p"), [], .showProblems), (.character("t"), [], .switchTheme),
      (.f11, [], .toggleFullScreen), (.character("f"), [], .toggleFullScreen), (.character("q"), .control, .quit),
      (.character("w"), .control, .quit), (.character("s"), [], .stopHere), (.character("c"), [], .continueLayout),
      (.character("?"), .shift, .showKeys), (.escape, [], .escape),
    ]
    for (key, modifiers, effect) in expected {
      stage.wishes = []
      stage.press(key, modifiers)
      #expect(stage.wishes.contains(effect))
    }
  }

  @Test("copying and opening elsewhere are about the picture at hand")
  func atHand() {
    var stage = lattice()
    stage.press(.character("c"), .control)
    #expect(stage.wishes == [.refused(.noPicture)])
    let (slot, point) = picturePlace(stage)
    stage.send(.pointerMoved(point, []))
    stage.press(.character("c"), .control)
    stage.press(.character("o"))
    #expect(stage.wishes.contains(.copyAddress(slots: [slot])) && stage.wishes.contains(.openExternally(slot: slot)))
  }
}
