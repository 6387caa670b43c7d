import Arrangements
import Atlas
import Geometry
import TestSupport
import Testing

@testable import Rendering
@testable import Scene

/// Pictures of a flight, against a plain drawing of each.
@Suite("The pictures of a flight", .computing)
struct FlightRenderingTests {
  private static let count = 21_000
  private static let canvas = MapRendererTests.canvas
  private static let (width, height) = (260, 210)

  /// Pictures of all shapes of at most 4 pixels, some transparent.
  private static let atlas = Task {
    let atlas = try Atlas.temporary()
    var numbers = SplitMix64(seed: 3)
    for slot in 0..<count {
      let (width, height) = ([4, 4, 3, 4, 1][slot % 5], [4, 2, 4, 3, 4][slot % 5])
      let isOpaque = slot % 4 != 1
      let pixels = (0..<width * height).map { _ -> UInt32 in
        if isOpaque { return 0xFF00_0000 | UInt32.random(in: 0...0xFF_FFFF, using: &numbers) }
        let alpha = UInt32.random(in: 0...255, using: &numbers)
        // Every third of them as dark as the canvas.
        let level = slot % 12 == 1 ? 0 : alpha * UInt32.random(in: 0...255, using: &numbers) / 255
        return alpha << 24 | level << 16 | level / 2 << 8 | level
      }
      try atlas.store(
        slot: slot, levels: thumbnailLevels.map { _ in (width, height, pixels) }, averageColor: pixels[0],
        isOpaque: isOpaque)
    }
    return atlas
  }

  /// A scene in the middle of a flight; the last slot is known and not ready, unless all are.
  /// - Parameters:
  ///   - size: The extent of its viewport.
  ///   - isIntoGrid: They are about to arrive in a grid.
  private func flight(
    selected: [Int] = [], areAllReady: Bool = false, size: (width: Int, height: Int) = (width - 20, height - 30),
    isIntoGrid: Bool = false, pictureSize: Double = 1
  ) throws -> Scene {
    var numbers = SplitMix64(seed: 9)
    let shapes = [1, 2, 0.75, 4.0 / 3, 0.25]
    var scene = makeScene(
      viewport: PixelRect(x: 7, y: 11, width: size.width, height: size.height),
      aspects: (0..<Self.count).map { shapes[$0 % 5] }, positions: randomPoints(Self.count, &numbers),
      ready: { areAllReady || $0 != Self.count - 1 })
    _ = scene.handle(.select(slots: selected))
    _ = scene.handle(.pictureSize(pictureSize))
    _ = scene.handle(.animationEnabled(true))
    if isIntoGrid {
      _ = scene.handle(.arrangementMode(.grid))
      let request = try #require(scene.arrangementRequest)
      _ = scene.handle(.arranged(try request.computed(), .grid, version: request.version))
      for tick in 0..<30 { _ = scene.handle(.tick(seconds: 100 + Double(tick) / 60)) }
      return scene
    }
    let points = randomPoints(Self.count, &numbers)
    _ = scene.handle(
      .layout(
        slots: points.indices.map { Int32($0) }, positions: points.flatMap { [Float($0.x), Float($0.y)] },
        isFinal: true, animated: true))
    for tick in 0..<10 { _ = scene.handle(.tick(seconds: 100 + Double(tick) / 60)) }
    return scene
  }

  /// What `drawFlight` draws, and a plain drawing of the same, picture by picture.
  private func drawings(
    of scene: Scene, _ atlas: Atlas, isPrepared: Bool = true
  ) -> (flight: [UInt32], plain: [UInt32]) {
    let frames = MapFrames(renderer: MapRenderer(background: Self.canvas))
    if isPrepared { frames.flightRequest(scene, atlas: atlas).map { frames.take($0.made()) } }
    let (drawn, plain) = (
      Buffer(width: Self.width, height: Self.height), Buffer(width: Self.width, height: Self.height)
    )
    #expect(
      frames.drawFlight(
        into: drawn.pixels, stride: drawn.width, width: Self.width, height: Self.height, scene: scene, atlas: atlas))

    let blitter = Blitter(target: plain.pixels, stride: plain.width)
    let viewport = scene.camera.viewport
    blitter.fill(viewport, Self.canvas)
    var sprites: [Sprite] = []
    scene.collectSprites(in: viewport, into: &sprites)
    var placeholder = Placeholder()
    placeholder.prepare(side: scene.spriteSide, background: Self.canvas)
    var isFaded = scene.selection.isEmpty
    func fade() {
      blitter.fade(viewport, towards: Self.canvas, keeping: UInt32(256 * MapRenderer.dimmedShare))
      isFaded = true
    }
    for sprite in sprites {
      if !isFaded, scene.selection.contains(Int(sprite.slot)) { fade() }
      let (rect, visible) = (sprite.rect, sprite.rect.intersection(viewport))
      guard sprite.isReady, let level = atlas.level(0, of: Int(sprite.slot)) else {
        placeholder.draw(rect, clip: visible, blitter: blitter)
        continue
      }
      let average = atlas.averageColor(Int(sprite.slot))
      if !isPrepared {
        blitter.blend(visible, average)
        continue
      }
      if atlas.isOpaque(Int(sprite.slot)) == false, Contrast.vanishes(average, on: Self.canvas) {
        blitter.fill(visible, Contrast.tile(on: Self.canvas))
      }
      for y in visible.y..<visible.maxY {
        for x in visible.x..<visible.maxX {
          let column = (2 * (x - rect.x) + 1) * level.width / (2 * rect.width)
          let row = (2 * (y - rect.y) + 1) * level.height / (2 * rect.height)
          let place = y * plain.width + x
          plain.pixels[place] = Blitter.over(level.pixels[row * level.width + column], plain.pixels[place])
        }
      }
    }
    if !isFaded { fade() }
    return (drawn.array, plain.array)
  }

  @Test("each is its smallest level, in the order of the scene, and nothing outside the viewport is touched")
  func drawn() async throws {
    let scene = try flight()
    #expect(scene.isFlying && scene.spriteSide <= FlightPictures.largestSide)
    let (flight, plain) = drawings(of: scene, try await Self.atlas.value)
    let isSame = flight == plain
    #expect(isSame)
  }

  @Test("from front to back, where all are ready, the same is drawn, also where they are cut off, and of one pixel")
  func frontToBack() async throws {
    var sides: Set<Int> = []
    for (size, isIntoGrid, pictureSize) in [
      ((Self.width - 20, Self.height - 30), false, 1.0), ((131, 97), false, 1), ((240, 180), true, 1),
      ((60, 45), true, 1), ((241, 177), false, 0.34), ((241, 177), false, 0.5), ((141, 107), false, 0.67),
    ] {
      let scene = try flight(areAllReady: true, size: size, isIntoGrid: isIntoGrid, pictureSize: pictureSize)
      #expect(scene.isFlying)
      sides.insert(scene.spriteSide)
      #expect(scene.spriteSide <= FlightPictures.largestSide)
      let (flight, plain) = drawings(of: scene, try await Self.atlas.value)
      let isSame = flight == plain
      #expect(isSame, "\(scene.spriteSide) pixels")
    }
    #expect(sides.isSuperset(of: [1, 2, 3, 4]), "\(sides)")
  }

  @Test("those that are not selected are dimmed, beneath those that are")
  func selected() async throws {
    let (flight, plain) = drawings(
      of: try flight(selected: Array(stride(from: 0, to: Self.count, by: 7))), try await Self.atlas.value)
    let isSame = flight == plain
    #expect(isSame)
    // Of a few that lie elsewhere, the rest is dimmed all the same.
    let alone = drawings(of: try self.flight(selected: [Self.count - 1]), try await Self.atlas.value)
    let isSameAlone = alone.flight == alone.plain
    #expect(isSameAlone)
  }

  @Test("until their pixels are copied, they are seen in their average colour")
  func notPrepared() async throws {
    let (flight, plain) = drawings(of: try flight(), try await Self.atlas.value, isPrepared: false)
    let isSame = flight == plain
    #expect(isSame)
  }

  @Test("pixels that were copied in another order are found, and no others are taken for them")
  func otherOrder() async throws {
    let atlas = try await Self.atlas.value
    var scene = try flight()
    let frames = MapFrames(renderer: MapRenderer(background: Self.canvas))
    let request = try #require(frames.flightRequest(scene, atlas: atlas))
    frames.take(request.made())
    #expect(frames.flightRequest(scene, atlas: atlas) == nil)
    // Without these, others have their ranks.
    _ = scene.handle(.imagesRemoved(slots: Array(stride(from: 0, to: 900, by: 3))))
    let (stale, fresh, other) = (
      Buffer(width: Self.width, height: Self.height), Buffer(width: Self.width, height: Self.height),
      Buffer(width: Self.width, height: Self.height)
    )
    func draw(_ buffer: Buffer, from atlas: Atlas) {
      #expect(
        frames.drawFlight(
          into: buffer.pixels, stride: buffer.width, width: Self.width, height: Self.height, scene: scene,
          atlas: atlas))
    }
    draw(stale, from: atlas)
    let renewed = try #require(frames.flightRequest(scene, atlas: atlas))
    frames.take(renewed.made())
    draw(fresh, from: atlas)
    let isSame = stale.array == fresh.array
    #expect(isSame)
    // Those of another collection are none.
    draw(other, from: try Atlas.temporary())
    let isOther = other.array != fresh.array
    #expect(isOther)
  }

  @Test("what is damaged, or missing, is not drawn from anything else")
  func missing() async throws {
    let atlas = try Atlas.temporary()
    for slot in 0..<Self.count where slot % 2 == 0 {
      let pixels = [color(of: slot), color(of: slot + 1)]
      try atlas.store(
        slot: slot, levels: thumbnailLevels.map { _ in (2, 1, pixels) }, averageColor: color(of: slot + 2),
        isOpaque: true)
    }
    atlas.release(level: 0)
    let (flight, plain) = drawings(of: try flight(), atlas)
    let isSame = flight == plain
    #expect(isSame)
  }

  @Test("from the landing on it becomes the picture of the map at rest, and stays that")
  func landed() async throws {
    let atlas = try await Self.atlas.value
    var scene = try flight()
    let buffer = Buffer(width: Self.width, height: Self.height)
    let frames = MapFrames(renderer: MapRenderer(background: Self.canvas), budget: MapFramesTests.stingy)
    var time = 100.0 + 9.0 / 60
    var flights = 0
    while frames.drawFlight(
      into: buffer.pixels, stride: buffer.width, width: Self.width, height: Self.height, scene: scene, atlas: atlas)
    {
      flights += 1
      time += 1.0 / 60
      if scene.handle(.tick(seconds: time)).contains(.index), let index = scene.indexRequest?.made() {
        _ = scene.handle(.indexed(index))
      }
    }
    #expect(flights > 10 && scene.hasLanded)
    for _ in 0..<60 {
      time += 1.0 / 60
      _ = scene.handle(.tick(seconds: time))
      _ = frames.update(width: Self.width, height: Self.height, scene: scene, atlas: atlas)
    }
    #expect(!scene.wantsTicks && scene.quality == .sharp)
    let rest = Buffer(width: Self.width, height: Self.height)
    var renderer = MapRenderer(background: Self.canvas)
    let viewport = scene.camera.viewport
    renderer.render(into: rest.pixels, stride: rest.width, rect: viewport, scene: scene, atlas: atlas)
    let pixels = try #require(frames.pixels)
    for row in viewport.y..<viewport.maxY {
      let shown = UnsafeBufferPointer(start: pixels + row * frames.stride + viewport.x, count: viewport.width)
      #expect(shown.elementsEqual((viewport.x..<viewport.maxX).map { rest[$0, row] }))
    }
  }
}
