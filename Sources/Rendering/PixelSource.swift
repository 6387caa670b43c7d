/// Pixels to be drawn: premultiplied ARGB32, rows without gaps. Whoever hands it on keeps the memory alive meanwhile.
public struct PixelSource {
  /// The first pixel of the first row.
  public let pixels: UnsafePointer<UInt32>
  /// Extent in pixels, at least 1 × 1.
  public let width, height: Int
  /// Whether no pixel lets anything through.
  public let isOpaque: Bool

  /// A view of `width * height` pixels.
  public init(pixels: UnsafePointer<UInt32>, width: Int, height: Int, isOpaque: Bool) {
    precondition(width > 0 && height > 0)
    self.pixels = pixels
    self.width = width
    self.height = height
    self.isOpaque = isOpaque
  }
}

/// Pixels of pictures that are larger on the map than the largest thumbnail.
public protocol OriginalSource {
  /// Pixels of a picture whose longest side is at least `minimumSide` where the original has that much; nil when there
  /// are none at hand better than the largest thumbnail. Called on the thread that draws, for visible pictures only: an
  /// answer of nil is the place to note what is wanted. The memory must last until the frame is drawn.
  func pixels(slot: Int, minimumSide: Int) -> PixelSource?
}

/// An original with its halved copies, so that it can be drawn at any scale at the price of the pixels on the screen.
///
/// Made on a background queue: every level is the box average of 2 × 2 pixels of the one before.
public final class OriginalPyramid: Sendable {
  /// Size of the original in pixels.
  public let width, height: Int
  /// Whether no pixel lets anything through.
  public let isOpaque: Bool
  private let levels: [Level]

  private struct Level: Sendable {
    let width, height: Int
    let pixels: [UInt32]
  }

  /// Below this side a further level would not be worth its entry.
  private static let smallestSide = 256

  /// Builds the levels; takes some milliseconds a megapixel.
  public init(width: Int, height: Int, pixels: [UInt32], isOpaque: Bool) {
    precondition(width > 0 && height > 0 && pixels.count >= width * height)
    self.width = width
    self.height = height
    self.isOpaque = isOpaque
    var levels = [Level(width: width, height: height, pixels: pixels)]
    while let last = levels.last, max(last.width, last.height) >= 2 * Self.smallestSide,
      min(last.width, last.height) >= 2
    {
      levels.append(Self.halved(last))
    }
    self.levels = levels
  }

  private static func halved(_ level: Level) -> Level {
    let (width, height) = (level.width / 2, level.height / 2)
    let pixels = [UInt32](unsafeUninitializedCapacity: width * height) { target, count in
      level.pixels.withUnsafeBufferPointer { source in
        guard let source = source.baseAddress, let target = target.baseAddress else { return }
        for y in 0..<height {
          let upper = source + 2 * y * level.width
          let lower = upper + level.width
          let out = target + y * width
          for x in 0..<width {
            let (a, b, c, d) = (upper[2 &* x], upper[2 &* x &+ 1], lower[2 &* x], lower[2 &* x &+ 1])
            // Two channels at a time in halves of a word, with the sum of four rounded to the nearest.
            let even = (a & 0xFF00FF) &+ (b & 0xFF00FF) &+ (c & 0xFF00FF) &+ (d & 0xFF00FF) &+ 0x020002
            let odd =
              ((a >> 8) & 0xFF00FF) &+ ((b >> 8) & 0xFF00FF) &+ ((c >> 8) & 0xFF00FF) &+ ((d >> 8) & 0xFF00FF)
              &+ 0x020002
            out[x] = ((even >> 2) & 0xFF00FF) | (((odd >> 2) & 0xFF00FF) << 8)
          }
        }
      }
      count = width * height
    }
    return Level(width: width, height: height, pixels: pixels)
  }

  /// The smallest level that is at least `minimumWidth` pixels wide (or the original), for as long as `body` runs.
  public func withSource<Result>(minimumWidth: Int, _ body: (PixelSource) throws -> Result) rethrows -> Result {
    let level = levels.last { $0.width >= minimumWidth } ?? levels[0]
    return try level.pixels.withUnsafeBufferPointer { pixels in
      guard let base = pixels.baseAddress else { preconditionFailure("a level has pixels") }
      return try body(PixelSource(pixels: base, width: level.width, height: level.height, isOpaque: isOpaque))
    }
  }
}
