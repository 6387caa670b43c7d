import Atlas
import Drawing
import Geometry
import Rendering
import Scene
import TestSupport
import Testing

@Suite("The map's renderer", .computing)
struct MapRendererTests {
  static let canvas: UInt32 = 0xFF17_181A

  /// Overlapping pictures of all shapes, some transparent, some not ready.
  struct Mixture {
    let atlas: Atlas
    var scene: Scene
    var width = 240
    var height = 180

    init(seed: Int, count: Int = 60) throws {
      var numbers = SplitMix64(seed: UInt64(seed))
      let shapes = (0..<count).map { (aspect: [1.0, 1.6, 0.5, 3][$0 % 4], isOpaque: $0 % 3 != 0) }
      atlas = try makeAtlas(shapes) { slot, x, y in
        let level = UInt32(40 + 180 * x) << 16 | UInt32(30 + 200 * y) << 8 | UInt32(slot * 37 % 256)
        if shapes[slot].isOpaque { return 0xFF00_0000 | level }
        // Premultiplied with a soft edge.
        let alpha = UInt32(255 * min(1, max(0, 1.4 - 2.4 * ((x - 0.5) * (x - 0.5) + (y - 0.5) * (y - 0.5)) * 4)))
        var pixel = alpha << 24
        for shift in [UInt32(0), 8, 16] { pixel |= ((level >> shift) & 0xFF) * alpha / 255 << shift }
        return pixel
      }
      scene = makeScene(
        viewport: PixelRect(x: 12, y: 20, width: width - 30, height: height - 33), aspects: shapes.map(\.aspect),
        positions: randomPoints(count, &numbers), ready: { $0 % 11 != 5 })
    }
  }

  @Test("a frame drawn in rectangles is the frame drawn at once", arguments: 0..<4)
  func bands(seed: Int) throws {
    let mixture = try Mixture(seed: seed)
    var renderer = MapRenderer(background: Self.canvas)
    let whole = Buffer(width: mixture.width, height: mixture.height)
    let pieces = Buffer(width: mixture.width, height: mixture.height)
    renderer.render(
      into: whole.pixels, stride: whole.width, rect: mixture.scene.camera.viewport, scene: mixture.scene,
      atlas: mixture.atlas)
    for y in stride(from: 0, to: mixture.height, by: 29) {
      for x in stride(from: 0, to: mixture.width, by: 41) {
        renderer.render(
          into: pieces.pixels, stride: pieces.width, rect: PixelRect(x: x, y: y, width: 41, height: 29),
          scene: mixture.scene, atlas: mixture.atlas)
      }
    }
    #expect(whole.array == pieces.array)
  }

  @Test("what is not selected is dimmed towards the canvas, what is selected is drawn as ever, and the canvas stays")
  func dimmed() throws {
    let atlas = try makeAtlas((0..<9).map { _ in (1, true) }) { slot, _, _ in color(of: slot) }
    var scene = makeScene(
      viewport: PixelRect(x: 0, y: 0, width: 300, height: 300), aspects: (0..<9).map { _ in 1 },
      positions: (0..<9).map { Point(x: Double($0 % 3), y: Double($0 / 3)) })
    _ = scene.handle(.select(slots: [4]))
    var renderer = MapRenderer(background: Self.canvas)
    let buffer = Buffer(width: 300, height: 300)
    renderer.render(
      into: buffer.pixels, stride: 300, rect: scene.camera.viewport, scene: scene, atlas: atlas)
    for slot in 0..<9 {
      let rect = try #require(scene.spriteRect(of: slot))
      let shown = buffer[rect.x + rect.width / 2, rect.y + rect.height / 2]
      if slot == 4 {
        #expect(shown == color(of: 4))
        continue
      }
      for shift in [UInt32(0), 8, 16] {
        func channel(_ pixel: UInt32) -> Int { Int(pixel >> shift & 0xFF) }
        let (was, canvas) = (channel(color(of: slot)), channel(Self.canvas))
        #expect(abs(channel(shown) - canvas) <= abs(was - canvas) * 3 / 10 + 1)
      }
    }
    #expect(buffer[1, 1] == Self.canvas)
  }

  @Test("nothing outside the viewport is touched")
  func clipped() throws {
    let mixture = try Mixture(seed: 3)
    var renderer = MapRenderer(background: Self.canvas)
    let buffer = Buffer(width: mixture.width, height: mixture.height, 0xFFAB_CDEF)
    renderer.render(
      into: buffer.pixels, stride: buffer.width, rect: PixelRect(x: -50, y: -50, width: 999, height: 999),
      scene: mixture.scene, atlas: mixture.atlas)
    let viewport = mixture.scene.camera.viewport
    for y in 0..<buffer.height {
      for x in 0..<buffer.width where !viewport.contains(x: x, y: y) { #expect(buffer[x, y] == 0xFFAB_CDEF) }
    }
  }

  @Test("what is hit is what is seen, pixel by pixel", arguments: 0..<3)
  func hit(seed: Int) throws {
    var numbers = SplitMix64(seed: UInt64(seed))
    let count = 80
    let aspects = (0..<count).map { [1.0, 1.5, 0.4][$0 % 3] }
    let atlas = try makeAtlas(aspects.map { ($0, true) }) { slot, _, _ in color(of: slot) }
    let scene = makeScene(
      viewport: PixelRect(x: 0, y: 0, width: 200, height: 150), aspects: aspects,
      positions: randomPoints(count, &numbers))
    var renderer = MapRenderer(background: Self.canvas)
    let buffer = Buffer(width: 200, height: 150)
    renderer.render(
      into: buffer.pixels, stride: 200, rect: scene.camera.viewport, scene: scene, atlas: atlas)
    var seen: Set<Int> = []
    for y in 0..<150 {
      for x in 0..<200 {
        let slot = scene.picture(at: Point(x: Double(x) + 0.3, y: Double(y) + 0.9))
        if let slot { seen.insert(slot) }
        #expect(buffer[x, y] == slot.map { color(of: $0) } ?? Self.canvas)
      }
    }
    #expect(renderer.seenCount(scene: scene, atlas: atlas) == seen.count)
  }

  @Test("four flat pictures in a grid are where they should be")
  func golden() throws {
    let atlas = try makeAtlas([(1, true), (2, true), (0.5, true), (1, true)]) { slot, _, _ in color(of: slot) }
    var scene = Scene(viewport: PixelRect(x: 0, y: 0, width: 72, height: 72), uiScale: 1, isAnimationEnabled: false)
    _ = scene.handle(.imagesAdded(slots: [0, 1, 2, 3]))
    _ = scene.handle(.imagesReady([(0, 1), (1, 2), (2, 0.5)]))
    _ = scene.handle(.listingComplete)
    var renderer = MapRenderer(background: 0xFF00_0000)
    let buffer = Buffer(width: 72, height: 72)
    renderer.render(into: buffer.pixels, stride: 72, rect: scene.camera.viewport, scene: scene, atlas: atlas)
    // Margin 16, cells of 20, pictures of 18 in their middles; the last one is a rounded placeholder.
    var drawn = [String]()
    for y in stride(from: 1, to: 72, by: 4) {
      drawn.append(
        stride(from: 1, to: 72, by: 4).map { x in
          switch buffer[x, y] {
          case color(of: 0): "0"
          case color(of: 1): "1"
          case color(of: 2): "2"
          case 0xFF00_0000: "."
          default: "p"
          }
        }.joined())
    }
    let picture = [
      "..................",
      "..................",
      "..................",
      "..................",
      "....00000.........",
      "....00000.........",
      "....0000011111....",
      "....0000011111....",
      "....00000.........",
      "......22.ppppp....",
      "......22.ppppp....",
      "......22.ppppp....",
      "......22.ppppp....",
      "......22.ppppp....",
      "..................",
      "..................",
      "..................",
      "..................",
    ]
    #expect(drawn == picture)
  }

  @Test("black drawings on nothing are seen on a dark canvas, white ones on a light canvas")
  func vanishing() throws {
    for (ink, canvas) in [(UInt32(0xFF00_0000), Self.canvas), (0xFFFF_FFFF, 0xFFF2_F2F0)] {
      // A round blot: transparent outside.
      let atlas = try makeAtlas([(1, false)]) { _, x, y in
        (x - 0.5) * (x - 0.5) + (y - 0.5) * (y - 0.5) < 0.1 ? ink : 0
      }
      let scene = makeScene(
        viewport: PixelRect(x: 0, y: 0, width: 200, height: 200), aspects: [1], positions: [.zero])
      var renderer = MapRenderer(background: canvas)
      let buffer = Buffer(width: 200, height: 200)
      renderer.render(into: buffer.pixels, stride: 200, rect: scene.camera.viewport, scene: scene, atlas: atlas)
      let rect = try #require(scene.spriteRect(of: 0))
      let beside = buffer[rect.x + 2, rect.y + 2]
      #expect(buffer[100, 100] == ink && beside != canvas)
      #expect(abs(Int(beside & 0xFF) - Int(ink & 0xFF)) > 80)
    }
  }

  @Test("a picture larger than its thumbnail is drawn from the original where there is one")
  func originals() throws {
    struct Source: OriginalSource {
      let original: Buffer
      func pixels(slot: Int, minimumSide: Int) -> PixelSource? {
        guard slot == 0, minimumSide > 128 else { return nil }
        return PixelSource(
          pixels: original.pixels, width: original.width, height: original.height, isOpaque: true)
      }
    }
    let atlas = try makeAtlas([(1, true)]) { _, _, _ in 0xFF10_2030 }
    var scene = makeScene(viewport: PixelRect(x: 0, y: 0, width: 600, height: 600), aspects: [1], positions: [.zero])
    for _ in 0..<30 { _ = scene.handle(.scrolled(dx: 0, dy: 1, at: Point(x: 300, y: 300), [])) }
    #expect(scene.spriteSide > 128)
    let source = Source(original: Buffer(width: 800, height: 800, 0xFFAA_BBCC))
    var renderer = MapRenderer(background: Self.canvas)
    let buffer = Buffer(width: 600, height: 600)
    renderer.render(into: buffer.pixels, stride: 600, rect: scene.camera.viewport, scene: scene, atlas: atlas)
    #expect(buffer[300, 300] == 0xFF10_2030)
    renderer.render(
      into: buffer.pixels, stride: 600, rect: scene.camera.viewport, scene: scene, atlas: atlas, originals: source)
    #expect(buffer[300, 300] == 0xFFAA_BBCC)
  }

  @Test("the overlay touches only what it says, and frames the picture under the pointer")
  func overlay() throws {
    var mixture = try Mixture(seed: 2, count: 12)
    let slot = try #require(
      (0..<12).first { slot in
        guard mixture.scene.isReady(slot), let rect = mixture.scene.spriteRect(of: slot) else { return false }
        return mixture.scene.picture(at: Rect(rect).center) == slot
      })
    let rect = try #require(mixture.scene.spriteRect(of: slot))
    _ = mixture.scene.handle(.pointerMoved(Rect(rect).center, []))
    var renderer = MapRenderer(background: Self.canvas)
    let buffer = Buffer(width: mixture.width, height: mixture.height)
    renderer.render(
      into: buffer.pixels, stride: buffer.width, rect: mixture.scene.camera.viewport, scene: mixture.scene,
      atlas: mixture.atlas)
    let before = buffer.array
    let canvas = Canvas(pixels: buffer.pixels, width: buffer.width, height: buffer.height, stride: buffer.width)
    let touched = renderer.drawOverlay(
      on: canvas, pixels: buffer.pixels, stride: buffer.width, scene: mixture.scene, atlas: mixture.atlas,
      theme: .dark, font: Font(family: "sans", size: 11), label: PictureLabel(title: "a.png", detail: "3 × 4"))
    #expect(!touched.isEmpty && touched.intersection(mixture.scene.camera.viewport) == touched)
    var changed = 0
    for (index, pixel) in buffer.array.enumerated() where pixel != before[index] {
      changed += 1
      #expect(touched.contains(x: index % buffer.width, y: index / buffer.width))
    }
    #expect(changed > 20)
  }
}

@Suite("Levels that are not in memory", .computing)
struct ResidencyTests {
  @Test("are not read, but told; a smaller one is shown meanwhile, or the average colour")
  func missing() throws {
    let atlas = try makeAtlas([(1, true)]) { _, x, _ in x < 0.5 ? 0xFF20_4060 : 0xFF60_8020 }
    let scene = makeScene(viewport: PixelRect(x: 0, y: 0, width: 300, height: 300), aspects: [1], positions: [.zero])
    #expect(scene.spriteSide > 64)
    var renderer = MapRenderer(background: 0xFF00_0000)
    renderer.readsResidentLevelsOnly = true
    let buffer = Buffer(width: 300, height: 300)
    func draw() {
      renderer.render(into: buffer.pixels, stride: 300, rect: scene.camera.viewport, scene: scene, atlas: atlas)
    }
    func leftIsDark() -> Bool { buffer[130, 150] == 0xFF20_4060 && buffer[170, 150] == 0xFF60_8020 }
    draw()
    #expect(leftIsDark() && renderer.takeMissing().isEmpty)
    atlas.release(level: 5)
    draw()
    #expect(leftIsDark())
    let missed = renderer.takeMissing()
    #expect(missed.map(\.level) == [5] && missed.first?.slots == [0])
    #expect(renderer.takeMissing().isEmpty)
    for level in 0..<5 { atlas.release(level: level) }
    draw()
    #expect(buffer[130, 150] == atlas.info(0)?.averageColor && buffer[170, 150] == buffer[130, 150])
    atlas.prefetch(slots: [0], level: 5)
    _ = renderer.takeMissing()
    draw()
    #expect(leftIsDark() && renderer.takeMissing().isEmpty)
  }
}
