import Geometry
import Synchronization

/// An original with its halved copies, so that it can be drawn at any scale at the price of the pixels on the screen.
///
/// Made on a background queue: every level is the box average of 2 × 2 pixels of the one before. Levels of a picture too
/// large for memory lie in a file (`PyramidBuilder`); parts of them are brought into memory by `Part.load`, and what is
/// not there is drawn from a smaller level.
public final class OriginalPyramid: Sendable {
  /// Size of the upright original in pixels.
  public let width, height: Int
  /// Whether no pixel lets anything through.
  public let isOpaque: Bool
  /// How the levels, which are as the picture is stored, are turned to be upright.
  let turn: QuarterTurn
  let levels: [Level]
  private let file: MappedPixels?
  /// What of the levels in the file is in memory.
  private let loaded = Mutex(Loaded())

  /// One level.
  struct Level: Sendable {
    enum Pixels: Sendable {
      case memory([UInt32])
      /// In the file, from this pixel on.
      case file(Int)
    }

    let width, height: Int
    let pixels: Pixels
  }

  private struct Loaded {
    var parts: [(level: Int, rect: PixelRect)] = []
    var bytes = 0
  }

  /// Below this side a further level would not be worth its entry.
  private static let smallestSide = 256
  /// When more of the file would be in memory, all that was brought there is given back before.
  private static let mostLoadedBytes = 192 << 20

  /// Builds the levels; takes some milliseconds a megapixel.
  public convenience init(width: Int, height: Int, pixels: [UInt32], isOpaque: Bool) {
    precondition(width > 0 && height > 0 && pixels.count >= width * height)
    var levels = [Level(width: width, height: height, pixels: .memory(pixels))]
    var last = pixels
    for (width, height) in Self.sizes(width: width, height: height).dropFirst() {
      let from = levels[levels.count - 1].width
      last = [UInt32](unsafeUninitializedCapacity: width * height) { target, count in
        last.withUnsafeBufferPointer { source in
          guard let source = source.baseAddress, let target = target.baseAddress else { return }
          for y in 0..<height {
            Self.halve(source + 2 * y * from, source + (2 * y + 1) * from, into: target + y * width, count: width)
          }
        }
        count = width * height
      }
      levels.append(Level(width: width, height: height, pixels: .memory(last)))
    }
    self.init(levels: levels, file: nil, turn: .none, isOpaque: isOpaque)
  }

  init(levels: [Level], file: MappedPixels?, turn: QuarterTurn, isOpaque: Bool) {
    let largest = levels[0]
    (width, height) =
      turn.swapsSides ? (largest.height, largest.width) : (largest.width, largest.height)
    self.levels = levels
    self.file = file
    self.turn = turn
    self.isOpaque = isOpaque
  }

  /// The sizes of the levels, the largest first.
  static func sizes(width: Int, height: Int) -> [(width: Int, height: Int)] {
    var sizes = [(width, height)]
    var (width, height) = (width, height)
    while max(width, height) >= 2 * smallestSide, min(width, height) >= 2 {
      (width, height) = (width / 2, height / 2)
      sizes.append((width, height))
    }
    return sizes
  }

  /// Averages 2 × 2 pixels of two rows.
  static func halve(
    _ upper: UnsafePointer<UInt32>, _ lower: UnsafePointer<UInt32>, into out: UnsafeMutablePointer<UInt32>, count: Int
  ) {
    for x in 0..<count {
      let (a, b, c, d) = (upper[2 &* x], upper[2 &* x &+ 1], lower[2 &* x], lower[2 &* x &+ 1])
      // Two channels at a time in halves of a word, with the sum of four rounded to the nearest.
      let even = (a & 0xFF00FF) &+ (b & 0xFF00FF) &+ (c & 0xFF00FF) &+ (d & 0xFF00FF) &+ 0x020002
      let odd =
        ((a >> 8) & 0xFF00FF) &+ ((b >> 8) & 0xFF00FF) &+ ((c >> 8) & 0xFF00FF) &+ ((d >> 8) & 0xFF00FF) &+ 0x020002
      out[x] = ((even >> 2) & 0xFF00FF) | (((odd >> 2) & 0xFF00FF) << 8)
    }
  }

  // MARK: Drawing

  /// The smallest level that is at least `minimumWidth` pixels of the stored picture wide, or the original.
  func level(minimumWidth: Int) -> Int { levels.lastIndex { $0.width >= minimumWidth } ?? 0 }

  /// The pixels of a level, for as long as `body` runs.
  func withLevel<Result>(_ index: Int, _ body: (PixelSource) throws -> Result) rethrows -> Result {
    let level = levels[index]
    switch level.pixels {
    case .memory(let pixels):
      return try pixels.withUnsafeBufferPointer { pixels in
        guard let base = pixels.baseAddress else { preconditionFailure("a level has pixels") }
        return try body(PixelSource(pixels: base, width: level.width, height: level.height, isOpaque: isOpaque))
      }
    case .file(let start):
      guard let file else { preconditionFailure("a level in a file has one") }
      return try withExtendedLifetime(file) {
        try body(
          PixelSource(
            pixels: file.pixels + start, width: level.width, height: level.height, isOpaque: isOpaque))
      }
    }
  }

  /// The smallest level that is at least `minimumWidth` pixels wide (or the original), for as long as `body` runs.
  public func withSource<Result>(minimumWidth: Int, _ body: (PixelSource) throws -> Result) rethrows -> Result {
    try withLevel(level(minimumWidth: minimumWidth), body)
  }

  // MARK: What lies in the file

  /// A part of a level that is not in memory.
  public struct Part: Sendable {
    let pyramid: OriginalPyramid
    let level: Int
    let rect: PixelRect

    /// Brings it there. Blocking; never on the main thread.
    public func load() { pyramid.load(level, rect) }
  }

  /// The parts of a level that are in memory and meet `rect`; nil where all of the level always is.
  func loadedParts(of index: Int, meeting rect: PixelRect) -> [PixelRect]? {
    guard case .file = levels[index].pixels else { return nil }
    return loaded.withLock { loaded in
      loaded.parts.filter { $0.level == index }.map { $0.rect.intersection(rect) }.filter { !$0.isEmpty }
    }
  }

  private func load(_ index: Int, _ rect: PixelRect) {
    guard let file, !rect.isEmpty else { return }
    let bytes = rect.area * 4
    // What is near stays: it may be on the screen.
    let kept = loaded.withLock { loaded -> [(level: Int, rect: PixelRect)]? in
      guard loaded.bytes + bytes > Self.mostLoadedBytes else { return nil }
      loaded.parts.removeAll { $0.level != index || $0.rect.intersection(rect).isEmpty }
      if loaded.parts.count > 2 { loaded.parts.removeFirst(loaded.parts.count - 2) }
      loaded.bytes = loaded.parts.reduce(0) { $0 + $1.rect.area * 4 }
      return loaded.parts
    }
    if let kept {
      file.release()
      for part in kept { populate(part.level, part.rect, file) }
    }
    populate(index, rect, file)
    loaded.withLock { loaded in
      loaded.parts.removeAll { $0.level == index && $0.rect.intersection(rect) == $0.rect }
      loaded.parts.append((index, rect))
      loaded.bytes += bytes
    }
  }

  private func populate(_ index: Int, _ rect: PixelRect, _ file: MappedPixels) {
    guard case .file(let start) = levels[index].pixels else { return }
    let width = levels[index].width
    for row in rect.y..<rect.maxY { file.populate(start + row * width + rect.x, count: rect.width) }
  }
}
