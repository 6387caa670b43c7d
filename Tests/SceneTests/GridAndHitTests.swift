import Geometry
import Scene
import TestSupport
import Testing

@Suite("What is drawn, and what can be hit", .computing)
struct GridAndHitTests {
  @Test("the grid finds what a search of all pictures finds", arguments: 0..<12)
  func bruteForce(seed: Int) {
    var numbers = SplitMix64(seed: UInt64(seed))
    var stage = Stage()
    stage.load(300)
    stage.lay(clusteredPoints(300, seed: seed))
    for _ in 0..<seed { stage.send(.scrolled(dx: 0, dy: 0.9, at: Point(x: 400, y: 300), [])) }
    var found: [Sprite] = []
    for _ in 0..<40 {
      let rect = PixelRect(
        x: .random(in: -100...1100, using: &numbers), y: .random(in: -100...800, using: &numbers),
        width: .random(in: 1...400, using: &numbers), height: .random(in: 1...400, using: &numbers))
      stage.scene.collectSprites(in: rect, into: &found)
      let expected = (0..<300).filter { slot in
        stage.scene.spriteRect(of: slot).map { !$0.intersection(rect).isEmpty } ?? false
      }
      #expect(found.map { Int($0.slot) }.sorted() == expected)
      #expect(found.allSatisfy { $0.rect == stage.scene.spriteRect(of: Int($0.slot)) })
    }
  }

  @Test("where too many lie on one another the same ones are drawn from any rectangle, and zooming in only adds")
  func capIsStable() {
    var stage = Stage(width: 600, height: 400)
    let count = 30_000
    stage.load(count)
    stage.lay(clusteredPoints(count, seed: 5, clusters: 3))
    var all: [Sprite] = []
    var part: [Sprite] = []
    var before: Set<Int32>?
    for _ in 0..<10 {
      stage.scene.collectSprites(in: stage.scene.camera.viewport, into: &all)
      #expect(!all.isEmpty)
      let window = PixelRect(x: 200, y: 150, width: 90, height: 70)
      stage.scene.collectSprites(in: window, into: &part)
      #expect(part == all.filter { !$0.rect.intersection(window).isEmpty })
      let drawn = Set(all.map(\.slot))
      if let before {
        // Of what was drawn and is still in view, nothing may be gone.
        let inView = before.filter { slot in
          stage.scene.spriteRect(of: Int(slot)).map {
            !$0.intersection(stage.scene.camera.viewport).isEmpty
          } ?? false
        }
        #expect(inView.isSubset(of: drawn))
      } else {
        #expect(drawn.count < count)
      }
      before = drawn
      stage.send(.scrolled(dx: 0, dy: 1.5, at: Point(x: 250, y: 180), []))
    }
  }

  @Test(
    "the topmost picture is hit, nothing outside the viewport, and what is not drawn cannot be hit", arguments: 0..<6)
  func hit(seed: Int) {
    var numbers = SplitMix64(seed: UInt64(seed) &+ 77)
    let count = seed % 2 == 0 ? 400 : 25_000
    var stage = Stage()
    stage.load(count)
    stage.lay(clusteredPoints(count, seed: seed, clusters: 3))
    var sprites: [Sprite] = []
    stage.scene.collectSprites(in: stage.scene.camera.viewport, into: &sprites)
    for _ in 0..<200 {
      let point = Point(x: .random(in: -20...1020, using: &numbers), y: .random(in: 0...760, using: &numbers))
      let isInside = Rect(stage.scene.camera.viewport).contains(point)
      let topmost = sprites.last { $0.rect.contains(x: Int(point.x.rounded(.down)), y: Int(point.y)) }
      #expect(stage.scene.picture(at: point) == (isInside ? topmost.map { Int($0.slot) } : nil))
    }
  }

  @Test("pictures keep their order when others move")
  func orderIsStable() {
    var stage = Stage()
    stage.load(200)
    stage.lay(clusteredPoints(200, seed: 1))
    var first: [Sprite] = []
    var second: [Sprite] = []
    let everything = PixelRect(x: -5000, y: -5000, width: 20000, height: 20000)
    stage.scene.collectSprites(in: everything, into: &first)
    stage.lay(clusteredPoints(200, seed: 2))
    stage.scene.collectSprites(in: everything, into: &second)
    #expect(first.map(\.slot) == second.map(\.slot))
  }

  @Test("pictures grow with the zoom, less than the distances between them")
  func sizes() {
    var stage = Stage()
    stage.load(2000)
    stage.lay(clusteredPoints(2000, seed: 3))
    let side = Double(stage.scene.spriteSide)
    let scale = stage.scene.camera.scale
    #expect(side >= 12 && side <= 60)
    for _ in 0..<4 { stage.send(.scrolled(dx: 0, dy: 1.5, at: Point(x: 500, y: 300), [])) }
    let growth = Double(stage.scene.spriteSide) / side
    #expect(growth > 1.5 && growth < 0.95 * stage.scene.camera.scale / scale)
  }

  @Test("one, two and three pictures, and identical places, are shown")
  func few() {
    for count in 1...3 {
      for spread in [0.0, 5.0] {
        var stage = Stage()
        stage.load(count)
        stage.lay((0..<count).map { Point(x: Double($0) * spread, y: 0) })
        #expect(stage.scene.visibleCount == count)
        #expect(stage.scene.spriteSide > 60)
        #expect(stage.scene.camera.scale.isFinite && stage.scene.camera.scale > 0)
      }
    }
  }

  @Test("positions that are no numbers do no harm")
  func notANumber() {
    var stage = Stage()
    stage.load(5)
    stage.lay([
      Point(x: .nan, y: 0), Point(x: .infinity, y: 1), Point(x: 1, y: 1), Point(x: 2, y: 3), Point(x: -4, y: 2),
    ])
    #expect(stage.scene.visibleCount == 5)
    stage.lay([Point(x: .nan, y: .nan), Point(x: .nan, y: .nan)])
    #expect(stage.scene.camera.scale.isFinite)
  }
}
