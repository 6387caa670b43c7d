import Atlas
import Dispatch
import Foundation
import Imaging
import Synchronization

/// A collection that nobody photographed: every picture has pixels, shape and transparency of its own. Made once and kept in
/// a directory for the next run.
struct SyntheticCollection {
  let atlas: Atlas
  let count: Int

  /// Opens the collection in `directory`, or makes it there.
  ///
  /// Up to 200,000 pictures have originals of 64 to 128 px and more; beyond that they are icons of 12 to 24 px, so that the
  /// levels fit on a disk.
  init(count: Int, directory: String) throws {
    self.count = count
    atlas = try Atlas(directory: directory)
    let complete = directory + "/complete"
    if FileManager.default.fileExists(atPath: complete) { return }
    FileHandle.standardError.write(Data("Making \(count) pictures in \(directory)\n".utf8))
    let atlas = atlas
    let failure = Mutex<String?>(nil)
    let block = 1024
    DispatchQueue.concurrentPerform(iterations: (count + block - 1) / block) { index in
      for slot in index * block..<min(count, (index + 1) * block) {
        guard failure.withLock({ $0 == nil }) else { return }
        do {
          try Self.store(slot, isIcon: count > 200_000, in: atlas)
        } catch {
          failure.withLock { $0 = "\(error)" }
        }
      }
    }
    if let failure = failure.withLock({ $0 }) { throw BenchError(failure) }
    try atlas.flush()
    try Data().write(to: URL(fileURLWithPath: complete))
  }

  private static func store(_ slot: Int, isIcon: Bool, in atlas: Atlas) throws {
    let image = image(slot, isIcon: isIcon)
    let pyramid = ThumbnailPyramid(of: image)
    try atlas.store(
      slot: slot, levels: pyramid.levels.map { ($0.width, $0.height, $0.pixels) }, averageColor: pyramid.averageColor,
      isOpaque: image.isOpaque)
  }

  /// The picture of a slot.
  static func image(_ slot: Int, isIcon: Bool = false) -> PixelImage {
    var random = Generator(seed: UInt64(slot))
    let side = isIcon ? random.number(12, 24) : min(128, random.number(64, 160))
    let aspect = [1, 1.5, 0.667, 1.333, 1.778, 0.75][Int(random.next() % 6)]
    let isOpaque = random.next() % 10 != 0
    let colors = (random.next(), random.next())
    let waves = (Double(random.number(1, 9)), Double(random.number(1, 9)))
    return picture(side: side, aspect: aspect, isOpaque: isOpaque, colors: colors, waves: waves)
  }

  /// Two colours mixed by waves; round and transparent outside where it is not opaque.
  private static func picture(
    side: Int, aspect: Double, isOpaque: Bool, colors: (UInt64, UInt64), waves: (Double, Double)
  ) -> PixelImage {
    let width = aspect >= 1 ? side : max(1, Int(Double(side) * aspect))
    let height = aspect >= 1 ? max(1, Int(Double(side) / aspect)) : side
    let rows = (0..<height).map { sin(Double($0) / Double(height) * waves.0 * 6.28) }
    let columns = (0..<width).map { cos(Double($0) / Double(width) * waves.1 * 6.28) }
    var pixels = [UInt32](repeating: 0, count: width * height)
    for y in 0..<height {
      for x in 0..<width {
        if !isOpaque {
          let (u, v) = (Double(2 * x + 1) / Double(width) - 1, Double(2 * y + 1) / Double(height) - 1)
          if u * u + v * v > 1 { continue }
        }
        let share = UInt64(127.5 + 63.7 * (rows[y] + columns[x]))
        var pixel: UInt32 = 0xFF00_0000
        for shift in [UInt64(0), 8, 16] {
          let level = (colors.0 >> shift & 255) * share + (colors.1 >> shift & 255) * (255 - share)
          pixel |= UInt32(level / 255) << UInt32(shift)
        }
        pixels[y * width + x] = pixel
      }
    }
    return PixelImage(width: width, height: height, pixels: pixels, isOpaque: isOpaque)
  }

  /// Places as a t-SNE layout has them: clusters of many sizes and densities in a disc.
  func layout(seed: UInt64) -> [Float] { Self.layout(count: count, seed: seed) }

  /// The same, of so many pictures.
  static func layout(count: Int, seed: UInt64) -> [Float] {
    var random = Generator(seed: seed)
    // The clusters are the same in every layout; where they lie is not.
    var sizes = Generator(seed: 5)
    let clusters = (0..<80).map { _ in
      let (radius, angle) = (random.unit().squareRoot() * 40, random.unit() * 2 * .pi)
      return (x: radius * cos(angle), y: radius * sin(angle), spread: 1 + 4 * sizes.unit(), weight: 0.2 + sizes.unit())
    }
    var ends: [Double] = []
    for cluster in clusters { ends.append((ends.last ?? 0) + cluster.weight) }
    var positions = [Float](repeating: 0, count: 2 * count)
    for slot in 0..<count {
      var own = Generator(seed: UInt64(slot) &* 77)
      let place = own.unit() * (ends.last ?? 1)
      let cluster = clusters[ends.firstIndex { $0 >= place } ?? 0]
      // A disc with a soft edge.
      let radius = cluster.spread * (own.unit().squareRoot() + 0.3 * own.unit() * own.unit())
      let angle = own.unit() * 2 * .pi + Double(seed)
      positions[2 * slot] = Float(cluster.x + radius * cos(angle))
      positions[2 * slot + 1] = Float(cluster.y + radius * sin(angle))
    }
    return positions
  }
}

/// SplitMix64 (Steele, Lea, Flood 2014): a seed makes the same numbers everywhere.
struct Generator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func unit() -> Double { Double(next() >> 11) / Double(1 << 53) }
  mutating func number(_ low: Int, _ high: Int) -> Int { low + Int(next() % UInt64(high - low + 1)) }
}

/// What went wrong, as a sentence.
struct BenchError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
