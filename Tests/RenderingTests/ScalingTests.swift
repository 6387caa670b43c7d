import Geometry
import Rendering
import TestSupport
import Testing

@Suite("Scaling, and the full-size view", .computing)
struct ScalingTests {
  func randomPixels(_ count: Int, opaque: Bool, _ numbers: inout SplitMix64) -> [UInt32] {
    (0..<count).map { _ in
      let alpha: UInt32 = opaque ? 255 : .random(in: 0...255, using: &numbers)
      return alpha << 24 | .random(in: 0...alpha, using: &numbers) << 16
        | .random(in: 0...alpha, using: &numbers) << 8 | .random(in: 0...alpha, using: &numbers)
    }
  }

  func draw(
    _ pixels: [UInt32], _ width: Int, _ height: Int, in rect: Rect, scale: Double = 1, isOpaque: Bool = true,
    backdrop: OriginalRenderer.Backdrop = .none, into buffer: Buffer, clip: PixelRect? = nil
  ) -> PixelRect {
    var renderer = OriginalRenderer()
    return pixels.withUnsafeBufferPointer {
      renderer.render(
        PixelSource(pixels: $0.baseAddress!, width: width, height: height, isOpaque: isOpaque), in: rect,
        pixelScale: scale, backdrop: backdrop, into: buffer.pixels, stride: buffer.width,
        clip: clip ?? PixelRect(x: 0, y: 0, width: buffer.width, height: buffer.height))
    }
  }

  @Test("smaller pictures are area averages, to within the rounding of two passes", arguments: 0..<12)
  func areaAverages(seed: Int) {
    var numbers = SplitMix64(seed: UInt64(seed))
    let (width, height) = (Int.random(in: 2...70, using: &numbers), Int.random(in: 2...70, using: &numbers))
    let (w, h) = (Int.random(in: 1...width, using: &numbers), Int.random(in: 1...height, using: &numbers))
    let pixels = randomPixels(width * height, opaque: true, &numbers)
    let buffer = Buffer(width: w, height: h)
    _ = draw(pixels, width, height, in: Rect(x: 0, y: 0, width: Double(w), height: Double(h)), into: buffer)
    func coverage(_ index: Int, _ source: Int, _ target: Int) -> [(Int, Double)] {
      let step = Double(source) / Double(target)
      let (low, high) = (Double(index) * step, Double(index + 1) * step)
      return (Int(low)..<min(source, Int(high.rounded(.up)))).map { place in
        (place, max(0, min(high, Double(place + 1)) - max(low, Double(place))) / step)
      }
    }
    for y in 0..<h {
      for x in 0..<w {
        for shift in [UInt32(0), 8, 16, 24] {
          var sum = 0.0
          for (row, a) in coverage(y, height, h) {
            for (column, b) in coverage(x, width, w) {
              sum += a * b * Double((pixels[row * width + column] >> shift) & 0xFF)
            }
          }
          #expect(abs(Double((buffer[x, y] >> shift) & 0xFF) - sum) < 3)
        }
      }
    }
  }

  @Test("flat colours stay exactly what they are at any size", arguments: [1, 2, 3, 7, 50, 99, 100, 101, 333])
  func flat(size: Int) {
    let pixels = [UInt32](repeating: 0xFF12_89FE, count: 100 * 60)
    let buffer = Buffer(width: size, height: size)
    _ = draw(pixels, 100, 60, in: Rect(x: 0, y: 0, width: Double(size), height: Double(size)), into: buffer)
    #expect(buffer.array.allSatisfy { $0 == 0xFF12_89FE })
  }

  @Test("larger pictures are interpolated between pixel centres")
  func interpolated() {
    let buffer = Buffer(width: 8, height: 1)
    _ = draw(
      [0xFF00_0000, 0xFFC8_C8C8], 2, 1, in: Rect(x: 0, y: 0, width: 8, height: 1), scale: 2, into: buffer)
    #expect(buffer.array.map { $0 & 0xFF } == [0, 0, 25, 75, 125, 175, 200, 200])
  }

  @Test("at four times and more every pixel is a square")
  func squares() {
    let buffer = Buffer(width: 8, height: 4)
    _ = draw(
      [0xFF00_0001, 0xFF00_0002], 2, 1, in: Rect(x: 0, y: 0, width: 8, height: 4), scale: 4, into: buffer)
    #expect((0..<4).allSatisfy { y in (0..<8).allSatisfy { buffer[$0, y] == (0xFF00_0001 + ($0 < 4 ? 0 : 1)) } })
  }

  @Test("at 100 % every pixel is copied, wherever the picture lies")
  func actualSize() {
    var numbers = SplitMix64(seed: 4)
    let pixels = randomPixels(30 * 20, opaque: true, &numbers)
    let buffer = Buffer(width: 50, height: 40)
    let drawn = draw(pixels, 30, 20, in: Rect(x: 7.4, y: 9.6, width: 30, height: 20), into: buffer)
    #expect(drawn == PixelRect(x: 7, y: 10, width: 30, height: 20))
    for y in 0..<20 {
      for x in 0..<30 { #expect(buffer[x + 7, y + 10] == pixels[y * 30 + x]) }
    }
  }

  @Test("a part is computed as it is in the whole, and nothing else is touched", arguments: 0..<10)
  func partial(seed: Int) {
    var numbers = SplitMix64(seed: UInt64(seed))
    let pixels = randomPixels(40 * 50, opaque: seed % 2 == 0, &numbers)
    let rect = Rect(
      x: .random(in: -80...10, using: &numbers), y: .random(in: -80...10, using: &numbers),
      width: .random(in: 15...150, using: &numbers), height: .random(in: 15...150, using: &numbers))
    let whole = Buffer(width: 70, height: 60, 0xFF40_5060)
    let part = Buffer(width: 70, height: 60, 0xFF40_5060)
    let clip = PixelRect(x: 11, y: 7, width: 33, height: 29)
    let backdrop = OriginalRenderer.Backdrop.checkerboard(0xFF80_8080, 0xFF90_9090, side: 5)
    _ = draw(pixels, 40, 50, in: rect, isOpaque: seed % 2 == 0, backdrop: backdrop, into: whole)
    _ = draw(pixels, 40, 50, in: rect, isOpaque: seed % 2 == 0, backdrop: backdrop, into: part, clip: clip)
    for y in 0..<60 {
      for x in 0..<70 { #expect(part[x, y] == (clip.contains(x: x, y: y) ? whole[x, y] : 0xFF40_5060)) }
    }
  }

  @Test("transparent pixels are composed by the rule of over, rounded to the nearest", arguments: 0..<4)
  func over(seed: Int) {
    var numbers = SplitMix64(seed: UInt64(seed))
    let pixels = randomPixels(400, opaque: false, &numbers)
    let below: UInt32 = 0xFF20_C0E1
    let buffer = Buffer(width: 20, height: 20)
    _ = draw(
      pixels, 20, 20, in: Rect(x: 0, y: 0, width: 20, height: 20), isOpaque: false, backdrop: .color(below),
      into: buffer)
    for index in 0..<400 {
      let alpha = pixels[index] >> 24
      for shift in [UInt32(0), 8, 16, 24] {
        let source = (pixels[index] >> shift) & 0xFF
        let expected = source + UInt32((Double((below >> shift) & 0xFF) * Double(255 - alpha) / 255).rounded())
        #expect((buffer.array[index] >> shift) & 0xFF == expected)
      }
    }
  }

  @Test("a reduced level shows the same picture as the original")
  func pyramid() {
    var pixels: [UInt32] = []
    for y in 0..<900 {
      for x in 0..<1200 { pixels.append(0xFF00_0000 | UInt32(x * 255 / 1199) << 16 | UInt32(y * 255 / 899) << 8) }
    }
    let pyramid = OriginalPyramid(width: 1200, height: 900, pixels: pixels, isOpaque: true)
    let direct = Buffer(width: 100, height: 75)
    let reduced = Buffer(width: 100, height: 75)
    let rect = Rect(x: 0, y: 0, width: 100, height: 75)
    _ = draw(pixels, 1200, 900, in: rect, into: direct)
    var renderer = OriginalRenderer()
    renderer.render(
      pyramid, in: rect, backdrop: .none, into: reduced.pixels, stride: 100,
      clip: PixelRect(x: 0, y: 0, width: 100, height: 75))
    pyramid.withSource(minimumWidth: 100) { #expect($0.width < 1200 && $0.width >= 100) }
    for (a, b) in zip(direct.array, reduced.array) {
      for shift in [UInt32(0), 8, 16] {
        #expect(abs(Int((a >> shift) & 0xFF) - Int((b >> shift) & 0xFF)) <= 3)
      }
    }
  }
}
