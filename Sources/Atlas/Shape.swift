/// The dimensions of all levels of one slot in one word, so that a reader gets them by a single atomic load.
///
/// From the lowest bit: width − 1 and height − 1 of the level of 4 px in 2 bits each, of 8 px in 3 bits each, and so on
/// to 7 bits each for 128 px (54 bits in all); bit 61 in memory alone: the pixels lie in the overflow; bit 62 opaque;
/// bit 63 published.
struct Shape: Equatable {
  var word: UInt64

  init(word: UInt64) { self.word = word }

  /// Nil when a level is missing, empty or larger than its cell.
  init?(levels: [(width: Int, height: Int)], isOpaque: Bool) {
    guard levels.count == thumbnailLevels.count else { return nil }
    var word = UInt64(1) << 63 | (isOpaque ? 1 << 62 : 0)
    for (index, size) in levels.enumerated() {
      let side = thumbnailLevels[index]
      guard (1...side).contains(size.width), (1...side).contains(size.height) else { return nil }
      let (bits, shift) = Self.place(index)
      word |= UInt64(size.width - 1) << shift | UInt64(size.height - 1) << (shift + bits)
    }
    self.word = word
  }

  var isPublished: Bool { word >> 63 != 0 }
  var isInOverflow: Bool { word >> 61 & 1 != 0 }
  /// The shape as records have it.
  var recorded: Shape { Shape(word: word & ~(1 << 61)) }
  var inOverflow: Shape { Shape(word: word | 1 << 61) }
  var isOpaque: Bool { word >> 62 & 1 != 0 }

  @inline(__always)
  func size(_ level: Int) -> (width: Int, height: Int) {
    let (bits, shift) = Self.place(level)
    let mask = UInt64(1) << bits - 1
    return (Int(word >> shift & mask) + 1, Int(word >> (shift + bits) & mask) + 1)
  }

  /// Level `i` takes two fields of i + 2 bits after 2 × (2 + 3 + … + (i + 1)) bits.
  @inline(__always)
  private static func place(_ level: Int) -> (bits: UInt64, shift: UInt64) {
    (UInt64(level + 2), UInt64(level * (level + 3)))
  }
}
