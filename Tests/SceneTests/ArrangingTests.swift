import Arrangements
import Geometry
import Scene
import TestSupport
import Testing

@Suite("Arrangements of a layout")
struct ArrangingTests {
  func stage(_ count: Int, animated: Bool = true) -> Stage {
    var stage = Stage(animated: animated)
    stage.load(count)
    stage.lay(clusteredPoints(count, seed: 11))
    stage.settle()
    return stage
  }

  /// Computes what the scene wants, as the window does.
  func answer(_ stage: inout Stage) throws {
    let request = try #require(stage.scene.arrangementRequest)
    stage.send(.arranged(try request.computed(), request.mode, version: request.version))
  }

  func sprites(_ stage: Stage) -> [Sprite] {
    var sprites: [Sprite] = []
    stage.scene.collectSprites(in: stage.scene.camera.viewport, into: &sprites)
    return sprites
  }

  /// The largest part of a picture, in pixels a side, that another one covers.
  func overlap(_ sprites: [Sprite]) -> Int {
    var worst = 0
    for (index, one) in sprites.enumerated() {
      for other in sprites[(index + 1)...] {
        let shared = one.rect.intersection(other.rect)
        if !shared.isEmpty { worst = max(worst, min(shared.width, shared.height)) }
      }
    }
    return worst
  }

  @Test("g goes from free to spread to grid and back to exactly the free map", arguments: [true, false])
  func cycle(animated: Bool) throws {
    var stage = stage(150, animated: animated)
    let free = sprites(stage)
    #expect(overlap(free) > 2)
    for mode in [ArrangementMode.spread, .grid] {
      stage.press(.character("g"))
      #expect(stage.scene.mode == mode && stage.wishes.contains(.arrange))
      try answer(&stage)
      stage.settle()
      let arranged = sprites(stage)
      #expect(arranged.count == 150)
      // Whole pixels: two neighbours may touch.
      #expect(overlap(arranged) <= 1)
    }
    stage.press(.character("g"))
    #expect(stage.scene.mode == .free && stage.scene.arrangementRequest == nil)
    stage.settle()
    #expect(sprites(stage) == free)
  }

  @Test("in a grid the pictures stand in rows and columns, each in a cell of its own")
  func grid() throws {
    var stage = stage(120)
    stage.send(.arrangementMode(.grid))
    try answer(&stage)
    stage.settle()
    let places = (0..<120).compactMap { stage.place($0) }
    #expect(Set(places.map { Int($0.y) / 4 }).count <= 12)
    #expect(Set(places).count == 120)
  }

  @Test("the change is a motion: nothing jumps from one frame to the next")
  func smooth() throws {
    var stage = stage(100)
    stage.send(.arrangementMode(.grid))
    let before = (0..<100).compactMap { stage.place($0) }
    try answer(&stage)
    stage.wait(1.0 / 60)
    let after = (0..<100).compactMap { stage.place($0) }
    let way = zip(before, after).map { $0.distance(to: $1) }.max() ?? 0
    #expect(way < 90)
    var frames = 0
    while stage.scene.wantsTicks {
      stage.wait(1.0 / 60)
      frames += 1
    }
    #expect(frames > 10 && frames < 120)
  }

  @Test("an answer that comes too late is not taken")
  func late() throws {
    var stage = stage(80)
    stage.send(.arrangementMode(.grid))
    let request = try #require(stage.scene.arrangementRequest)
    let result = try request.computed()
    stage.send(.arrangementMode(.free))
    let free = sprites(stage)
    stage.send(.arranged(result, .grid, version: request.version))
    stage.settle()
    #expect(sprites(stage) == free)
    stage.send(.arrangementMode(.grid))
    stage.lay(clusteredPoints(80, seed: 12))
    stage.send(.arranged(result, .grid, version: request.version))
    stage.settle()
    #expect(overlap(sprites(stage)) > 2)
  }

  @Test("a new layout is arranged again when it is complete, and lies on the old free one as ever")
  func relaid() throws {
    var stage = stage(80)
    stage.send(.arrangementMode(.grid))
    try answer(&stage)
    stage.settle()
    stage.wishes = []
    stage.lay(clusteredPoints(80, seed: 11), isFinal: false, animated: true)
    #expect(stage.wishes.isEmpty && stage.scene.arrangementRequest == nil)
    stage.lay(clusteredPoints(80, seed: 11).map { Point(x: -$0.y, y: $0.x) }, animated: true)
    #expect(stage.wishes == [.arrange])
    try answer(&stage)
    stage.settle()
    #expect(overlap(sprites(stage)) <= 1)
    // Turned back by the quarter that the second one was turned.
    let first = self.stage(80)
    stage.send(.arrangementMode(.free))
    stage.settle()
    for slot in 0..<80 {
      let (old, new) = (try #require(first.layoutPlace(slot)), try #require(stage.layoutPlace(slot)))
      #expect((old - new).length < 12)
    }
  }

  @Test("arrangement and picture size come back with the view")
  func restored() throws {
    var stage = stage(60)
    stage.send(.arrangementMode(.spread))
    try answer(&stage)
    stage.press(.character("]"))
    stage.settle()
    #expect(stage.wishes.contains(.saveViewState))
    var again = Stage()
    again.load(60)
    again.send(.restored(stage.scene.viewState))
    again.lay(clusteredPoints(60, seed: 11))
    #expect(again.scene.mode == .spread && again.scene.pictureSize == 1.25)
    try answer(&again)
    again.settle()
    #expect(sprites(again) == sprites(stage))
  }

  @Test("the camera comes back to where it was left in an arrangement, time after time", arguments: ["spread", "grid"])
  func cameraRestored(name: String) throws {
    let mode = try #require(ArrangementMode.allCases.first { "\($0)" == name })
    var stage = stage(200)
    stage.send(.arrangementMode(mode))
    try answer(&stage)
    stage.settle()
    stage.send(.scrolled(dx: 0, dy: 5, at: Point(x: 400, y: 300), []))
    stage.settle()
    let left = sprites(stage)
    for _ in 0..<3 {
      var again = Stage()
      again.load(200)
      again.send(.restored(stage.scene.viewState))
      again.lay(clusteredPoints(200, seed: 11))
      again.settle()
      try answer(&again)
      again.settle()
      #expect(sprites(again) == left)
      stage = again
    }
    // Whoever moves the map before the arrangement is there goes on looking at the same picture.
    var moved = Stage()
    moved.load(200)
    moved.send(.restored(stage.scene.viewState))
    moved.lay(clusteredPoints(200, seed: 11))
    moved.send(.scrolled(dx: 0, dy: 1, at: Point(x: 400, y: 300), []))
    moved.settle()
    let scale = moved.scene.camera.scale
    try answer(&moved)
    moved.settle()
    #expect(moved.scene.camera.scale != scale)
  }

  @Test("arranged pictures never hide one another, however large they are wanted")
  func neverTooLarge() throws {
    for mode in [ArrangementMode.spread, .grid] {
      var stage = stage(150)
      stage.send(.arrangementMode(mode))
      try answer(&stage)
      stage.settle()
      stage.send(.pictureSize(4))
      stage.settle()
      #expect(overlap(sprites(stage)) <= 1 && stage.scene.isPictureSizeLimited)
      stage.send(.pictureSize(0.5))
      #expect(!stage.scene.isPictureSizeLimited)
    }
  }

  @Test("] and [ enlarge the pictures by as much as they shrink them, within limits, and move none of them")
  func pictureSize() {
    var stage = stage(60)
    stage.send(.scrolled(dx: 0, dy: 3, at: Point(x: 400, y: 300), []))
    stage.settle()
    let (before, places) = (sprites(stage), (0..<60).map { stage.layoutPlace($0) })
    let side = stage.scene.spriteSide
    stage.press(.character("]"))
    stage.settle()
    #expect(abs(Double(stage.scene.spriteSide) - 1.25 * Double(side)) <= 1.5)
    for (old, new) in zip(places, (0..<60).map({ stage.layoutPlace($0) })) {
      #expect(((old ?? .zero) - (new ?? .zero)).length * stage.scene.camera.scale < 2)
    }
    stage.press(.character("["))
    stage.settle()
    #expect(sprites(stage) == before)
    for _ in 0..<20 { stage.press(.character("]")) }
    #expect(stage.scene.pictureSize == 4)
    for _ in 0..<20 { stage.press(.character("[")) }
    #expect(stage.scene.pictureSize == 0.25)
  }

  @Test("who looks at a part of the map goes on looking at the same picture")
  func anchored() throws {
    var stage = stage(200)
    let place = try #require(stage.place(17))
    stage.send(.pointerMoved(place, []))
    let held = try #require(stage.scene.hovered)
    stage.send(.scrolled(dx: 0, dy: 4, at: place, []))
    stage.settle()
    let before = try #require(stage.place(held))
    stage.send(.arrangementMode(.grid))
    try answer(&stage)
    stage.settle()
    #expect(try #require(stage.place(held)).distance(to: before) < 12)
  }
}
