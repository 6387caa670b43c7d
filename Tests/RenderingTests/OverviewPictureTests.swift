import Atlas
import Drawing
import Geometry
import Rendering
import Scene
import TestSupport
import Testing

@Suite("What lies over the map", .computing)
struct OverviewPictureTests {
  private static let canvas: UInt32 = 0xFF17_181A

  /// A map of pictures of one colour, enlarged so that a part of it is seen.
  private func zoomed(_ positions: [Point]) throws -> (scene: Scene, atlas: Atlas) {
    let atlas = try makeAtlas(positions.map { _ in (1, true) }) { slot, _, _ in color(of: slot) }
    var scene = makeScene(
      viewport: PixelRect(x: 0, y: 0, width: 800, height: 600), aspects: positions.map { _ in 1 },
      positions: positions)
    for _ in 0..<4 { _ = scene.handle(.scrolled(dx: 0, dy: 1, at: Point(x: 300, y: 200), [])) }
    return (scene, atlas)
  }

  private func draw(_ overview: Overview, _ picture: OverviewPicture) -> Buffer {
    let buffer = Buffer(width: 800, height: 600, Self.canvas)
    let canvas = Canvas(pixels: buffer.pixels, width: 800, height: 600, stride: 800)
    OverviewPicture.draw(overview, picture, on: canvas, theme: .dark, unit: 1)
    canvas.flush()
    return buffer
  }

  @Test("the overview has a dot of each picture's colour where the picture is")
  func dots() throws {
    let positions = (0..<20).map { Point(x: Double($0 % 5) * 10, y: Double($0 / 5) * 10) }
    let (scene, atlas) = try zoomed(positions)
    let overview = try #require(scene.overview)
    let picture = OverviewPicture(try #require(scene.overviewRequest), atlas: atlas)
    let image = draw(overview, picture)
    let unit = Double(overview.rect.width) / overview.layout.width
    var seen = 0
    for slot in positions.indices {
      let place = scene.camera.toLayout(Rect(try #require(scene.spriteRect(of: slot))).center)
      let point = Point(
        x: Double(overview.rect.x) + (place.x - overview.layout.x) * unit,
        y: Double(overview.rect.y) + (place.y - overview.layout.y) * unit)
      // Of what is in view, the colour is the picture's own; the rest is shaded.
      guard overview.view.insetBy(4).contains(point) else { continue }
      seen += 1
      #expect(image[Int(point.x), Int(point.y)] == color(of: slot))
    }
    #expect(seen > 0)
  }

  @Test("while some are selected, the overview shows the others fainter")
  func selection() throws {
    let positions = (0..<20).map { Point(x: Double($0 % 5) * 10, y: Double($0 / 5) * 10) }
    let (start, atlas) = try zoomed(positions)
    var scene = start
    let before = OverviewPicture(try #require(scene.overviewRequest), atlas: atlas)
    _ = scene.handle(.select(slots: [7]))
    let request = try #require(scene.overviewRequest)
    #expect(request.key != before.key)
    func brightness(_ picture: OverviewPicture) throws -> Int {
      let overview = try #require(scene.overview)
      let image = draw(overview, picture)
      let rect = overview.rect
      return (rect.y..<rect.maxY).reduce(0) { sum, y in
        (rect.x..<rect.maxX).reduce(sum) { $0 + Int(image[$1, y] >> 8 & 255) }
      }
    }
    #expect(try brightness(OverviewPicture(request, atlas: atlas)) < brightness(before))
  }

  @Test("what is new is marked at its corner, inside the map alone, and nothing else is touched")
  func marks() throws {
    let positions = (0..<6).map { Point(x: Double($0 % 3) * 10, y: Double($0 / 3) * 10) }
    let atlas = try makeAtlas(positions.map { _ in (1, true) }) { slot, _, _ in color(of: slot) }
    let viewport = PixelRect(x: 10, y: 12, width: 300, height: 200)
    var scene = makeScene(viewport: viewport, aspects: positions.map { _ in 1 }, positions: positions)
    var renderer = MapRenderer(background: Self.canvas)
    let plain = Buffer(width: 330, height: 230)
    renderer.render(into: plain.pixels, stride: plain.width, rect: viewport, scene: scene, atlas: atlas)
    let marked = Buffer(width: 330, height: 230)
    renderer.render(into: marked.pixels, stride: marked.width, rect: viewport, scene: scene, atlas: atlas)
    renderer.drawUnseenMarks(into: marked.pixels, stride: marked.width, scene: scene, theme: .dark)
    #expect(marked.array == plain.array)
    _ = scene.handle(.unseen(slots: [4]))
    renderer.drawUnseenMarks(into: marked.pixels, stride: marked.width, scene: scene, theme: .dark)
    let rect = try #require(scene.spriteRect(of: 4))
    let changed = (0..<230).flatMap { y in (0..<330).map { (x: $0, y: y) } }.filter {
      plain[$0.x, $0.y] != marked[$0.x, $0.y]
    }
    #expect(changed.count > 40 && changed.count < 200)
    #expect(changed.allSatisfy { abs($0.x - rect.maxX) < 16 && abs($0.y - rect.y) < 16 })
    #expect(marked[rect.maxX - 4, rect.y + 4] == Theme.dark.text.argb)
    // The corner of the uppermost one at the right is out of sight: nothing is drawn beside the map.
    for _ in 0..<4 { _ = scene.handle(.scrolled(dx: 0, dy: 1, at: Rect(rect).center, [])) }
    _ = scene.handle(.unseen(slots: Array(positions.indices)))
    renderer.drawUnseenMarks(into: marked.pixels, stride: marked.width, scene: scene, theme: .dark)
    for row in 0..<230 {
      for column in 0..<330 where !viewport.contains(x: column, y: row) {
        #expect(marked[column, row] == plain[column, row])
      }
    }
  }
}
