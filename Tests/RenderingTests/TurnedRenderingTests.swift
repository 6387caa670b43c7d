import Geometry
import Rendering
import TestSupport
import Testing

@Suite("Pictures turned by quarters", .computing)
struct TurnedRenderingTests {
  /// Where in the upright picture a pixel of the turned one comes from.
  private func origin(_ x: Int, _ y: Int, of turn: QuarterTurn, width: Int, height: Int) -> (x: Int, y: Int) {
    switch turn {
    case .none: (x, y)
    case .right: (y, width - 1 - x)
    case .half: (width - 1 - x, height - 1 - y)
    case .left: (height - 1 - y, x)
    }
  }

  private func randomPixels(_ count: Int, opaque: Bool, _ numbers: inout SplitMix64) -> [UInt32] {
    (0..<count).map { _ in
      let alpha: UInt32 = opaque ? 255 : .random(in: 0...255, using: &numbers)
      return alpha << 24 | .random(in: 0...alpha, using: &numbers) << 16
        | .random(in: 0...alpha, using: &numbers) << 8 | .random(in: 0...alpha, using: &numbers)
    }
  }

  @Test(
    "are, byte for byte, the upright picture turned, in any clip, and nothing else is touched", arguments: 0..<40)
  func equalsTurnedPicture(seed: Int) throws {
    var numbers = SplitMix64(seed: UInt64(seed))
    let turn = QuarterTurn.allCases[seed % 4]
    let (width, height) = (Int.random(in: 1...90, using: &numbers), Int.random(in: 1...90, using: &numbers))
    let isOpaque = Bool.random(using: &numbers)
    let pixels = randomPixels(width * height, opaque: isOpaque, &numbers)
    let backdrop: OriginalRenderer.Backdrop = [
      .none, .color(0xFF30_5070), .checkerboard(0xFF80_8080, 0xFF90_9090, side: 7),
    ][Int.random(in: 0..<3, using: &numbers)]
    // The size at which pixels are copied, too.
    let isCopied = Int.random(in: 0..<3, using: &numbers) == 0
    let size = turn.applied(
      to: isCopied
        ? Size(width: Double(width), height: Double(height))
        : Size(
          width: Double(Int.random(in: 1...200, using: &numbers)),
          height: Double(Int.random(in: 1...200, using: &numbers))))
    let left = Int.random(in: -150...70, using: &numbers)
    let top = Int.random(in: -150...60, using: &numbers)
    let pixelScale = Bool.random(using: &numbers) ? 1.0 : 5.0
    let clip = PixelRect(
      x: Int.random(in: 0...40, using: &numbers), y: Int.random(in: 0...40, using: &numbers),
      width: Int.random(in: 1...80, using: &numbers), height: Int.random(in: 1...80, using: &numbers)
    ).intersection(PixelRect(x: 0, y: 0, width: 97, height: 83))
    let before = randomPixels(97 * 83, opaque: true, &numbers)
    let turned = Buffer(width: 97, height: 83)
    for index in before.indices { turned.pixels[index] = before[index] }

    var renderer = OriginalRenderer()
    // A fraction that rounding takes away changes nothing.
    let drawn = pixels.withUnsafeBufferPointer {
      renderer.render(
        PixelSource(pixels: $0.baseAddress!, width: width, height: height, isOpaque: isOpaque), turned: turn,
        in: Rect(x: Double(left) + 0.3, y: Double(top) - 0.3, width: size.width, height: size.height),
        pixelScale: pixelScale, backdrop: backdrop, into: turned.pixels, stride: 97, clip: clip)
    }

    let (wide, high) = (Int(size.width), Int(size.height))
    let whole = PixelRect(x: left, y: top, width: wide, height: high)
    #expect(drawn == whole.intersection(clip) || (drawn.isEmpty && whole.intersection(clip).isEmpty))
    // The upright picture on what lies behind the turned one, turned back.
    let upright = Buffer(width: turn.swapsSides ? high : wide, height: turn.swapsSides ? wide : high)
    for y in 0..<high {
      for x in 0..<wide where (0..<97).contains(left + x) && (0..<83).contains(top + y) {
        let from = origin(x, y, of: turn, width: wide, height: high)
        upright.pixels[from.y * upright.width + from.x] = before[(top + y) * 97 + left + x]
      }
    }
    pixels.withUnsafeBufferPointer {
      _ = renderer.render(
        PixelSource(pixels: $0.baseAddress!, width: width, height: height, isOpaque: isOpaque),
        in: Rect(x: 0, y: 0, width: Double(upright.width), height: Double(upright.height)), pixelScale: pixelScale,
        backdrop: backdrop, into: upright.pixels, stride: upright.width,
        clip: PixelRect(x: 0, y: 0, width: upright.width, height: upright.height))
    }
    var differences = 0
    for y in 0..<83 {
      for x in 0..<97 {
        var expected = before[y * 97 + x]
        if whole.intersection(clip).contains(x: x, y: y) {
          let from = origin(x - left, y - top, of: turn, width: wide, height: high)
          expected = upright[from.x, from.y]
        }
        if turned[x, y] != expected { differences += 1 }
      }
    }
    #expect(differences == 0, "\(turn), \(width) × \(height) as \(wide) × \(high)")
  }

  @Test("take the level of a pyramid that the upright picture would take", arguments: QuarterTurn.allCases)
  func pyramid(turn: QuarterTurn) {
    var numbers = SplitMix64(seed: 8)
    let pixels = randomPixels(1100 * 700, opaque: true, &numbers)
    let pyramid = OriginalPyramid(width: 1100, height: 700, pixels: pixels, isOpaque: true)
    let size = turn.applied(to: Size(width: 220, height: 140))
    let buffer = Buffer(width: Int(size.width), height: Int(size.height))
    let upright = Buffer(width: 220, height: 140)
    var renderer = OriginalRenderer()
    renderer.render(
      pyramid, turned: turn, in: Rect(x: 0, y: 0, width: size.width, height: size.height), backdrop: .none,
      into: buffer.pixels, stride: buffer.width,
      clip: PixelRect(x: 0, y: 0, width: buffer.width, height: buffer.height))
    renderer.render(
      pyramid, in: Rect(x: 0, y: 0, width: 220, height: 140), backdrop: .none, into: upright.pixels, stride: 220,
      clip: PixelRect(x: 0, y: 0, width: 220, height: 140))
    let equal = (0..<buffer.height).allSatisfy { y in
      (0..<buffer.width).allSatisfy { x in
        let from = origin(x, y, of: turn, width: buffer.width, height: buffer.height)
        return buffer[x, y] == upright[from.x, from.y]
      }
    }
    #expect(equal)
  }
}
