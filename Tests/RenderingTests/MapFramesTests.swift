import Geometry
import Scene
import TestSupport
import Testing

@testable import Rendering

@Suite("The frames of the map", .computing)
struct MapFramesTests {
  typealias Mixture = MapRendererTests.Mixture

  static func frames(_ budget: MapFrames.Budget) -> MapFrames {
    MapFrames(renderer: MapRenderer(background: MapRendererTests.canvas), budget: budget)
  }

  /// Everything at once, whatever it takes.
  static let generous = MapFrames.Budget(direct: .infinity, refinement: .infinity)
  /// One band at a time, and never a whole frame once it is known what one takes.
  static let stingy = MapFrames.Budget(direct: 0, refinement: 0)

  func update(_ frames: MapFrames, _ mixture: Mixture) -> MapFrames.Update {
    frames.update(width: mixture.width, height: mixture.height, scene: mixture.scene, atlas: mixture.atlas)
  }

  /// The viewport's pixels.
  func shown(_ frames: MapFrames, _ mixture: Mixture) -> [UInt32] {
    let viewport = mixture.scene.camera.viewport
    guard let pixels = frames.pixels else { return [] }
    return (viewport.y..<viewport.maxY).flatMap { row in
      Array(UnsafeBufferPointer(start: pixels + row * frames.stride + viewport.x, count: viewport.width))
    }
  }

  /// What a renderer without any memory draws.
  func fresh(_ mixture: Mixture, _ quality: Scene.Quality? = nil) -> [UInt32] {
    let buffer = Buffer(width: mixture.width, height: mixture.height)
    let viewport = mixture.scene.camera.viewport
    var renderer = MapRenderer(background: MapRendererTests.canvas)
    renderer.render(
      into: buffer.pixels, stride: buffer.width, rect: viewport, scene: mixture.scene, atlas: mixture.atlas,
      quality: quality)
    return (viewport.y..<viewport.maxY).flatMap { row in
      (viewport.x..<viewport.maxX).map { buffer[$0, row] }
    }
  }

  func pan(_ mixture: inout Mixture, _ way: Point) {
    let start = Point(x: 110, y: 90)
    _ = mixture.scene.handle(.pointerPressed(start, button: 1, clickCount: 1, []))
    _ = mixture.scene.handle(.pointerMoved(start + way, []))
    _ = mixture.scene.handle(.pointerReleased(start + way, button: 1, []))
  }

  @Test("a frame that several threads draw is byte for byte that of one, and counts as many pictures", arguments: 0..<4)
  func together(seed: Int) throws {
    var mixture = try Mixture(seed: seed, count: 900)
    if seed == 2 { mixture.label(by: .folder) }
    if seed == 3 { _ = mixture.scene.handle(.select(slots: Array(stride(from: 0, to: 900, by: 5)))) }
    let alone = Self.frames(Self.generous)
    let frames = MapFrames(
      renderer: MapRenderer(background: MapRendererTests.canvas), budget: Self.generous, threads: seed + 2)
    // After the first frame it is known that others are worth it.
    frames.largestLoneFrame = 0
    for step in 0..<6 {
      _ = update(frames, mixture)
      _ = update(alone, mixture)
      #expect(shown(frames, mixture) == fresh(mixture))
      // One that is seen in one band alone, and hidden in the one where it begins, is not counted.
      #expect(abs(frames.drawnCount - alone.drawnCount) <= alone.drawnCount / 50)
      _ = mixture.scene.handle(.scrolled(dx: 0, dy: 0.4, at: Point(x: 100, y: 90), []))
      for tick in 0..<30 { _ = mixture.scene.handle(.tick(seconds: Double(step) + Double(tick) / 60)) }
    }
  }

  @Test("a pan by moving memory is byte for byte the picture of a full redraw", arguments: 0..<8)
  func panned(seed: Int) throws {
    var numbers = SplitMix64(seed: UInt64(seed) &+ 31)
    var mixture = try Mixture(seed: seed, count: seed < 4 ? 60 : 900)
    // Half of them with frames in the colours of classes.
    if seed % 2 == 1 { mixture.label(by: .folder) }
    let frames = Self.frames(Self.generous)
    var kinds: Set<String> = []
    for step in 0..<60 {
      if step % 12 == 0 {
        _ = mixture.scene.handle(.scrolled(dx: 0, dy: 0.8, at: Point(x: 100, y: 90), []))
        for tick in 0..<20 { _ = mixture.scene.handle(.tick(seconds: Double(step) + Double(tick) / 60)) }
      }
      // Dimmed ones and selected ones are moved as well.
      if step == 17 || step == 40 {
        _ = mixture.scene.handle(.select(slots: (0..<60).filter { _ in Bool.random(using: &numbers) }))
      } else if step == 52 {
        _ = mixture.scene.handle(.select(slots: []))
      }
      // Beyond the threshold of a drag, to either side.
      pan(
        &mixture,
        Point(
          x: .random(in: 9...60, using: &numbers) * (Bool.random(using: &numbers) ? 1 : -1),
          y: .random(in: -45...45, using: &numbers)))
      switch update(frames, mixture).kind {
      case .panned: kinds.insert("panned")
      case .redrawn: kinds.insert("redrawn")
      default: break
      }
      #expect(shown(frames, mixture) == fresh(mixture))
    }
    #expect(kinds == ["panned", "redrawn"])
  }

  @Test("however little time there is, the picture ends in exactly the bytes of a full redraw", arguments: 0..<8)
  func refined(seed: Int) throws {
    var numbers = SplitMix64(seed: UInt64(seed) &+ 99)
    var mixture = try Mixture(seed: seed, count: seed % 2 == 0 ? 60 : 1500)
    if seed >= 4 { mixture.label(by: .size) }
    let frames = Self.frames(Self.stingy)
    var likenesses = 0
    var time = 100.0
    for _ in 0..<12 {
      for _ in 0..<Int.random(in: 1...8, using: &numbers) {
        time += 1.0 / 60
        switch Int.random(in: 0..<5, using: &numbers) {
        case 0:
          pan(&mixture, Point(x: .random(in: 9...150, using: &numbers), y: .random(in: -60...60, using: &numbers)))
        case 1:
          _ = mixture.scene.handle(
            .scrolled(
              dx: 0, dy: .random(in: -1.3...1.5, using: &numbers), at: Point(x: 60, y: 120), []))
        case 2: _ = mixture.scene.handle(.imagesReady([(Int.random(in: 0..<60, using: &numbers), 1.25)]))
        case 3: _ = mixture.scene.handle(.select(slots: [Int.random(in: 0..<60, using: &numbers), 7, 30]))
        default: frames.invalidate()
        }
        _ = mixture.scene.handle(.tick(seconds: time))
        if update(frames, mixture).kind == .reprojected { likenesses += 1 }
      }
      // The hand rests.
      time += 1
      _ = mixture.scene.handle(.tick(seconds: time))
      _ = mixture.scene.handle(.tick(seconds: time + 1))
      time += 1
      var updates = 0
      while update(frames, mixture).isUnfinished {
        updates += 1
        try #require(updates < 50)
      }
      #expect(mixture.scene.quality == .sharp)
      #expect(shown(frames, mixture) == fresh(mixture, .sharp))
      let last = update(frames, mixture)
      #expect(last.kind == .unchanged && !last.isUnfinished)
    }
    #expect(likenesses > 5)
  }

  @Test("a likeness shows the picture that is under the pointer where it is, also beyond what was seen before")
  func likeness() throws {
    let atlas = try makeAtlas((0..<400).map { _ in (1, true) }) { slot, _, _ in color(of: slot) }
    let positions = (0..<400).map { Point(x: Double($0 % 20), y: Double($0 / 20)) }
    var scene = makeScene(
      viewport: PixelRect(x: 0, y: 0, width: 400, height: 400), aspects: positions.map { _ in 1 },
      positions: positions)
    let frames = Self.frames(Self.stingy)
    _ = frames.update(width: 400, height: 400, scene: scene, atlas: atlas)
    for notches in [0.4, -0.9] {
      let anchor = Point(x: 150.5, y: 230.5)
      let held = scene.picture(at: anchor)
      let before = scene.camera.toLayout(anchor)
      _ = scene.handle(.scrolled(dx: 0, dy: notches, at: anchor, []))
      #expect((scene.camera.toLayout(anchor) - before).length * scene.camera.scale < 1e-6)
      let update = frames.update(width: 400, height: 400, scene: scene, atlas: atlas)
      #expect(update.kind == .reprojected && update.isUnfinished)
      let pixels = try #require(frames.pixels)
      if let held { #expect(pixels[230 * 400 + 150] == color(of: held)) }
      // In the corner that came into view is drawn what belongs there.
      if notches < 0 {
        let corner = scene.picture(at: Point(x: 3, y: 3)).map { color(of: $0) } ?? MapRendererTests.canvas
        #expect(pixels[3 * 400 + 3] == corner)
      }
    }
  }

  @Test("the same frame again costs nothing, a new thumbnail is drawn")
  func update() throws {
    var mixture = try Mixture(seed: 8)
    let frames = Self.frames(Self.generous)
    #expect(update(frames, mixture).kind == .redrawn)
    #expect(update(frames, mixture).kind == .unchanged)
    _ = mixture.scene.handle(.imagesReady([(5, 1)]))
    #expect(update(frames, mixture).kind == .redrawn)
    frames.invalidate()
    #expect(update(frames, mixture).kind == .redrawn)
    frames.renderer.background = 0xFFFF_FFFF
    #expect(update(frames, mixture).kind == .redrawn)
    #expect(update(frames, mixture).kind == .unchanged)
  }

  @Test(
    "windows of all sizes are filled, by bands and at once alike",
    arguments: [(1, 1, 1.0), (7, 90, 1), (320, 240, 1), (3840, 2160, 2)])
  func sizes(width: Int, height: Int, scale: Double) throws {
    var mixture = try Mixture(seed: 4, count: 300)
    mixture.width = width
    mixture.height = height
    let viewport = PixelRect(x: 0, y: height / 20, width: width, height: height - height / 20)
    _ = mixture.scene.handle(.viewportChanged(viewport, uiScale: scale))
    let whole = Self.frames(Self.generous)
    let parts = Self.frames(Self.stingy)
    _ = update(whole, mixture)
    _ = update(parts, mixture)
    _ = mixture.scene.handle(.scrolled(dx: 0, dy: 0.7, at: Point(x: Double(width) / 3, y: Double(height) / 2), []))
    _ = mixture.scene.handle(.tick(seconds: 10))
    _ = mixture.scene.handle(.tick(seconds: 20))
    while update(parts, mixture).isUnfinished {}
    while update(whole, mixture).isUnfinished {}
    let expected = fresh(mixture, .sharp)
    #expect(shown(whole, mixture) == expected)
    #expect(shown(parts, mixture) == expected)
  }

  @Test(
    "a better picture of the same view keeps the one that it replaces, for a soft change, until there is another view",
    arguments: [Self.generous, Self.stingy])
  func soft(budget: MapFrames.Budget) throws {
    var mixture = try Mixture(seed: 5, count: 900)
    let frames = Self.frames(budget)
    frames.keepsFormer = true
    while update(frames, mixture).isUnfinished {}
    let before = shown(frames, mixture)
    frames.dropFormer()
    func mixed(_ share: Double) -> [UInt32] {
      let viewport = mixture.scene.camera.viewport
      let buffer = Buffer(width: mixture.width, height: mixture.height)
      frames.copyMixed(viewport, share: share, into: buffer.pixels, stride: buffer.width)
      return (viewport.y..<viewport.maxY).flatMap { row in
        (viewport.x..<viewport.maxX).map { buffer[$0, row] }
      }
    }
    frames.invalidate()
    while update(frames, mixture).isUnfinished {}
    #expect(frames.formerPixels != nil)
    #expect(mixed(0) == before)
    #expect(mixed(1) == shown(frames, mixture))
    #expect(shown(frames, mixture) == fresh(mixture))
    frames.dropFormer()
    #expect(frames.formerPixels == nil)

    frames.invalidate()
    while update(frames, mixture).isUnfinished {}
    #expect(frames.formerPixels != nil)
    pan(&mixture, Point(x: 23, y: -17))
    while update(frames, mixture).isUnfinished {}
    #expect(frames.formerPixels == nil)
    #expect(shown(frames, mixture) == fresh(mixture))
  }

  @Test("while thumbnails keep coming in, pictures keep being finished")
  func arrivals() throws {
    let mixture = try Mixture(seed: 3, count: 1500)
    let frames = Self.frames(Self.stingy)
    _ = update(frames, mixture)
    var refined = 0
    // Without any time at all, a low band each is drawn.
    for _ in 0..<150 {
      frames.invalidate()
      if update(frames, mixture).kind == .refined { refined += 1 }
    }
    #expect(refined >= 8)
  }

  @Test("what lies beneath opaque pictures is not drawn, and that is not to be seen", arguments: 0..<4)
  func hidden(seed: Int) throws {
    // Without a single opaque picture nothing is hidden; the same pixels said to be transparent show what is lost.
    var numbers = SplitMix64(seed: UInt64(seed))
    let points = (0..<3000).map { _ in
      Point(x: .random(in: -3...3, using: &numbers), y: .random(in: -2...2, using: &numbers))
    }
    let aspects = (0..<3000).map { [1, 1.7, 0.6][$0 % 3] }
    func picture(opaque: Bool) throws -> ([UInt32], Int) {
      let atlas = try makeAtlas(aspects.map { ($0, opaque) }) { slot, x, _ in
        color(of: slot) ^ (x < 0.5 ? 0x0000_1F1F : 0)
      }
      let scene = makeScene(
        viewport: PixelRect(x: 5, y: 3, width: 211, height: 133), aspects: aspects, positions: points)
      let buffer = Buffer(width: 230, height: 140)
      var renderer = MapRenderer(background: MapRendererTests.canvas)
      let count = renderer.render(
        into: buffer.pixels, stride: 230, rect: scene.camera.viewport, scene: scene, atlas: atlas)
      return (buffer.array, count)
    }
    let (opaque, seen) = try picture(opaque: true)
    let (transparent, drawn) = try picture(opaque: false)
    #expect(opaque == transparent)
    #expect(seen < drawn && seen > 100)
  }
}
