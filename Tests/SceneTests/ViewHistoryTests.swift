import Geometry
import Scene
import TestSupport
import Testing

@Suite("Back and forward of the view")
struct ViewHistoryTests {
  private func close(_ one: Camera, _ other: Camera) -> Bool {
    abs(one.scale / other.scale - 1) < 1e-6 && (one.center - other.center).length * one.scale < 1e-3
  }

  /// Turns the wheel far enough for another view.
  private func zoom(_ stage: inout Stage, at point: Point, by notches: Int = 5) {
    for _ in 0..<abs(notches) {
      stage.send(.scrolled(dx: 0, dy: notches > 0 ? 1 : -1, at: point, []))
      stage.settle()
    }
  }

  @Test("Backspace leads back to each view, as far as the whole map, and Shift+Backspace forward again")
  func backAndForward() {
    var stage = Stage.lattice()
    let whole = stage.scene.camera
    zoom(&stage, at: Point(x: 300, y: 200))
    let first = stage.scene.camera
    stage.drag(from: Point(x: 700, y: 300), to: Point(x: 100, y: 500))
    stage.settle()
    let second = stage.scene.camera
    stage.press(.backspace)
    stage.settle()
    #expect(close(stage.scene.camera, first))
    stage.press(.backspace, .shift)
    stage.settle()
    #expect(close(stage.scene.camera, second))
    for _ in 0..<9 {
      stage.press(.backspace)
      stage.settle()
    }
    #expect(close(stage.scene.camera, whole))
    // The whole map is the whole map in a window of another size, too.
    #expect(!stage.scene.handHasTouchedCamera)
    for _ in 0..<9 {
      stage.press(.backspace, .shift)
      stage.settle()
    }
    #expect(close(stage.scene.camera, second))
  }

  @Test("many small movements are one view, and a new one takes the place of those ahead")
  func merged() {
    var stage = Stage.lattice()
    let whole = stage.scene.camera
    for _ in 0..<12 {
      stage.send(.scrolled(dx: 0, dy: 0.2, at: Point(x: 400, y: 300), []))
      stage.settle()
    }
    stage.press(.backspace)
    stage.settle()
    #expect(close(stage.scene.camera, whole))
    zoom(&stage, at: Point(x: 800, y: 600), by: 3)
    let other = stage.scene.camera
    stage.press(.backspace, .shift)
    stage.settle()
    #expect(close(stage.scene.camera, other))
  }

  @Test("the buttons at the side of a mouse do the same, and leave a picture at full size", arguments: [true, false])
  func buttons(animated: Bool) throws {
    var stage = Stage(animated: animated)
    stage.load(24)
    stage.lay((0..<24).map { Point(x: Double($0 % 6) * 10, y: Double($0 / 6) * 10) })
    stage.settle()
    let whole = stage.scene.camera
    zoom(&stage, at: Point(x: 300, y: 200), by: 3)
    let near = stage.scene.camera
    func press(_ button: Int) {
      stage.send(.pointerPressed(Point(x: 500, y: 300), button: button, clickCount: 1, []))
      stage.send(.pointerReleased(Point(x: 500, y: 300), button: button, []))
      stage.settle()
    }
    press(8)
    #expect(close(stage.scene.camera, whole))
    press(9)
    #expect(close(stage.scene.camera, near))
    stage.click(
      try #require(
        stage.place(0).flatMap { Rect(stage.scene.camera.viewport).contains($0) ? $0 : nil } ?? stage.place(8)))
    stage.settle()
    if stage.scene.opened != nil {
      press(8)
      #expect(stage.scene.opened == nil && close(stage.scene.camera, near))
    }
  }

  @Test("wherever the hand has been, going all the way back and forward again ends where it was", arguments: 0..<10)
  func random(seed: Int) {
    var stage = Stage.lattice()
    var numbers = SplitMix64(seed: UInt64(seed))
    for _ in 0..<25 {
      let point = Point(x: .random(in: 20...980, using: &numbers), y: .random(in: 60...700, using: &numbers))
      switch Int.random(in: 0..<5, using: &numbers) {
      case 0: zoom(&stage, at: point, by: 2)
      case 1: zoom(&stage, at: point, by: -2)
      case 2:
        stage.drag(
          from: point,
          to: point + Point(x: .random(in: -400...400, using: &numbers), y: .random(in: -300...300, using: &numbers)))
      case 3: stage.press(.character("0"))
      default: stage.press(.backspace)
      }
      if stage.scene.opened != nil { stage.press(.escape) }
      stage.settle()
    }
    // The last view is noted, also where it only moved a little.
    let end = stage.scene.camera
    var ahead = 0
    while ahead < 60 {
      let before = stage.scene.camera
      stage.press(.backspace, .shift)
      stage.settle()
      if close(stage.scene.camera, before) { break }
      ahead += 1
    }
    for _ in 0..<ahead {
      stage.press(.backspace)
      stage.settle()
    }
    #expect(close(stage.scene.camera, end))
    for _ in 0..<7 {
      stage.press(.backspace)
      stage.settle()
    }
    #expect(stage.scene.camera.scale > 0 && stage.scene.camera.scale.isFinite)
  }
}
