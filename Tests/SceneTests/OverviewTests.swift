import Geometry
import Scene
import TestSupport
import Testing

@Suite("The overview in the corner")
struct OverviewTests {
  /// A map of some clusters, enlarged about a place of the screen.
  private func zoomed(seed: Int = 1, animated: Bool = true, notches: Int = 8) -> Stage {
    var stage = Stage(animated: animated)
    stage.load(300)
    stage.lay(clusteredPoints(300, seed: seed))
    stage.settle()
    for _ in 0..<notches {
      stage.send(.scrolled(dx: 0, dy: 1, at: Point(x: 420, y: 330), []))
      stage.settle()
    }
    return stage
  }

  @Test("it is there while a part of the map is seen, and not for the whole, a small window, or who does not want it")
  func visibility() throws {
    var stage = zoomed(notches: 0)
    #expect(stage.scene.overview == nil)
    stage = zoomed()
    let overview = try #require(stage.scene.overview)
    let viewport = stage.scene.camera.viewport
    #expect(overview.rect.intersection(viewport) == overview.rect)
    #expect(overview.rect.width * 3 < viewport.width && overview.rect.height * 3 < viewport.height)
    #expect(Rect(overview.rect).insetBy(-1).contains(overview.view.center))
    // Its shape is that of what it shows.
    let shape = overview.layout.width / overview.layout.height
    #expect(abs(Double(overview.rect.width) / Double(overview.rect.height) / shape - 1) < 0.03)
    stage.press(.character("w"))
    #expect(stage.scene.overview == nil)
    stage.press(.character("w"))
    #expect(stage.scene.overview == overview)
    stage.send(.viewportChanged(PixelRect(x: 0, y: 40, width: 360, height: 240), uiScale: 1))
    #expect(stage.scene.overview == nil)
    stage.send(.viewportChanged(viewport, uiScale: 1))
    #expect(stage.scene.overview != nil)
    stage.press(.character("0"))
    stage.settle()
    #expect(stage.scene.overview == nil)
  }

  @Test("what is in view is drawn as a part of what is shown, at every place", arguments: 0..<8)
  func proportion(seed: Int) throws {
    var stage = zoomed(seed: seed)
    var numbers = SplitMix64(seed: UInt64(seed))
    for _ in 0..<5 {
      let way = Point(x: .random(in: -200...200, using: &numbers), y: .random(in: -150...150, using: &numbers))
      stage.drag(from: Point(x: 400, y: 300), to: Point(x: 400, y: 300) + way)
      stage.settle()
      guard let overview = stage.scene.overview else { continue }
      let seen = stage.scene.camera.visibleLayout
      let unit = Double(overview.rect.width) / overview.layout.width
      #expect(abs(overview.view.width - seen.width * unit) < 1.5)
      #expect(abs(overview.view.center.x - Double(overview.rect.x) - (seen.center.x - overview.layout.x) * unit) < 1.5)
    }
  }

  @Test("the part in view follows the hand that drags it, a press elsewhere leads there, and neither opens anything")
  func dragged() throws {
    var stage = zoomed()
    let overview = try #require(stage.scene.overview)
    let center = stage.scene.camera.center
    let scale = stage.scene.camera.scale
    let unit = overview.layout.width / Double(overview.rect.width)
    let way = Point(x: 11, y: -7)
    stage.drag(from: overview.view.center, to: overview.view.center + way)
    #expect(!stage.scene.wantsTicks)
    let moved = stage.scene.camera.center - center
    #expect(abs(moved.x - way.x * unit) < unit && abs(moved.y - way.y * unit) < unit)
    #expect(stage.scene.camera.scale == scale)
    // Into the opposite corner.
    let now = try #require(stage.scene.overview)
    let target = Rect(now.rect).insetBy(20)
    let corner = Point(
      x: now.view.center.x < target.center.x ? target.maxX : target.minX,
      y: now.view.center.y < target.center.y ? target.maxY : target.minY)
    #expect(!now.view.contains(corner))
    stage.click(corner)
    stage.settle()
    let end = try #require(stage.scene.overview)
    #expect((end.view.center - corner).length < 2.5)
    #expect(stage.scene.opened == nil && stage.scene.selection.isEmpty)
    // A drag beyond the edge keeps the map in view.
    stage.drag(from: end.view.center, to: Point(x: 5000, y: -5000))
    let bounds = end.layout
    #expect(bounds.contains(stage.scene.camera.center))
  }

  @Test("pictures beneath it cannot be pointed at, and the wheel over it zooms the middle of the map")
  func covered() throws {
    var stage = zoomed(notches: 5)
    let overview = try #require(stage.scene.overview)
    // A picture that lies beneath the overview, where there is one.
    let rect = Rect(overview.rect)
    for column in 0..<12 {
      for row in 0..<9 {
        let point = Point(
          x: rect.x + rect.width * (Double(column) + 0.5) / 12, y: rect.y + rect.height * (Double(row) + 0.5) / 9)
        stage.send(.pointerMoved(point, []))
        #expect(stage.scene.hovered == nil)
      }
    }
    let center = stage.scene.camera.center
    stage.send(.scrolled(dx: 0, dy: 1, at: rect.center, []))
    stage.settle()
    #expect((stage.scene.camera.center - center).length < 1e-6)
  }

  @Test("whether it is wanted is kept with the view")
  func kept() {
    var stage = zoomed()
    stage.press(.character("w"))
    let state = stage.scene.viewState
    #expect(state.showsOverview == false)
    var other = Stage()
    other.send(.restored(state))
    #expect(!other.scene.showsOverview)
  }
}
