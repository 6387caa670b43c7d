import CFlight
import Geometry

/// Which pixels of a rectangle are hidden beneath opaque pictures, one bit each: pictures are told from front to back, and
/// those of which nothing would be seen need not be drawn.
struct Coverage: ~Copyable {
  /// The rows of pixels; then, for each group of them, what is hidden in all: few enough to stay close to the processor, and
  /// most of what is asked for is hidden altogether.
  private var words: UnsafeMutablePointer<UInt64>
  private var groups: UnsafeMutablePointer<UInt64>
  /// The binary logarithm of their rows.
  private var groupBits = 0
  private var capacity = 0
  private var wordsPerRow = 0
  private var origin = (x: 0, y: 0)
  private var extent = (width: 0, height: 0)

  init() {
    words = .allocate(capacity: 0)
    groups = words
  }

  deinit { words.deallocate() }

  /// Begins with a rectangle of which everything can be seen.
  /// - Parameter height: Of those that are looked for with `band`, at most.
  mutating func reset(_ rect: PixelRect, groupedForHeight height: Int = 5) {
    // So that they meet two groups at most; a group of one row is that row.
    groupBits = 0
    while 1 << groupBits < height - 1 { groupBits += 1 }
    // One more, for what is read beyond the last.
    wordsPerRow = (rect.width + 63) / 64 + 1
    origin = (rect.x, rect.y)
    extent = (rect.width, rect.height)
    let groupCount = (rect.height + 1 << groupBits - 1) >> groupBits
    let rows = groupCount << groupBits
    let count = max(1, wordsPerRow * (groupBits > 0 ? rows + groupCount : rows))
    if count > capacity {
      words.deallocate()
      words = .allocate(capacity: count)
      capacity = count
    }
    words.initialize(repeating: 0, count: count)
    groups = groupBits > 0 ? words + wordsPerRow * rows : words
  }

  /// So many columns are in the word that begins with the byte of the first, wherever that is.
  private static let narrow = 57

  /// Calls `body` with the part of a rectangle that each of some words of a row holds: the word's byte in the row, and the
  /// columns in it. Whether all calls returned true; there is none after the first that did not.
  @inline(__always)
  private func eachWord(_ rect: PixelRect, _ body: (_ byte: Int, _ bits: UInt64) -> Bool) -> Bool {
    let low = rect.x &- origin.x
    if rect.width <= Self.narrow { return body(low >> 3, (1 << UInt64(rect.width) &- 1) << UInt64(low & 7)) }
    let last = low &+ rect.width &- 1
    for word in low >> 6...last >> 6 {
      var bits = ~UInt64(0)
      if word == low >> 6 { bits <<= UInt64(low & 63) }
      if word == last >> 6 { bits &= ~0 >> UInt64(63 &- last & 63) }
      if !body(word &* 8, bits) { return false }
    }
    return true
  }

  @inline(__always)
  private func byte(_ first: UnsafeMutablePointer<UInt64>, _ row: Int, _ byte: Int) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(first + row &* wordsPerRow) + byte
  }

  /// Whether nothing of a part of the rectangle can be seen; it is not empty.
  @inline(__always)
  func hides(_ rect: PixelRect) -> Bool {
    let top = rect.y &- origin.y
    let end = top &+ rect.height
    return eachWord(rect) { byte, bits in areHidden(byte, bits, top: top, end: end) }
  }

  /// Whether the columns of a word are hidden in all rows from `top` to before `end`, counted from the rectangle's first.
  @inline(__always)
  private func areHidden(_ byte: Int, _ bits: UInt64, top: Int, end: Int) -> Bool {
    var group = top &>> groupBits
    var bytes = self.byte(groups, group, byte)
    while bytes.loadUnaligned(as: UInt64.self) & bits == bits {
      group &+= 1
      if group &<< groupBits >= end { return true }
      bytes += wordsPerRow &* 8
    }
    var row = max(top, group &<< groupBits)
    bytes = self.byte(words, row, byte)
    while row < end {
      if bytes.loadUnaligned(as: UInt64.self) & bits != bits { return false }
      row &+= 1
      bytes += wordsPerRow &* 8
    }
    return true
  }

  /// Hides a part of the rectangle; it is not empty.
  @inline(__always)
  mutating func hide(_ rect: PixelRect) {
    let top = rect.y &- origin.y
    let end = top &+ rect.height
    _ = eachWord(rect) { byte, bits in
      var bytes = self.byte(words, top, byte)
      for _ in top..<end {
        bytes.storeBytes(of: bytes.loadUnaligned(as: UInt64.self) | bits, as: UInt64.self)
        bytes += wordsPerRow &* 8
      }
      noteHidden(byte, bits, top: top, end: end)
      return true
    }
  }

  /// The same of a part of so few columns that they are in one word, from column `x`; and from row `top` to before `end`.
  @inline(__always)
  func hides(x: Int, width: Int, top: Int, end: Int) -> Bool {
    let low = x &- origin.x
    let bits = (UInt64(1) &<< UInt64(width) &- 1) &<< UInt64(low & 7)
    return areHidden(low >> 3, bits, top: top &- origin.y, end: end &- origin.y)
  }

  /// The rectangle and the groups of its rows, for `cf_find_seen`: valid until the next `reset`, and as they are then.
  var band: cf_band {
    cf_band(
      left: Int32(origin.x), right: Int32(origin.x + extent.width), top: Int32(origin.y),
      bottom: Int32(origin.y + extent.height), groups: UnsafeRawPointer(groups).assumingMemoryBound(to: UInt8.self),
      group_bytes: wordsPerRow * 8, group_bits: Int32(groupBits))
  }

  /// Hides such a part, and calls `body` with each of its rows of which something could be seen: the row, and a bit for each
  /// column from `x` on that could be.
  @inline(__always)
  mutating func hide(x: Int, width: Int, top: Int, end: Int, _ body: (_ row: Int, _ seen: UInt64) -> Void) {
    let low = x &- origin.x
    let shift = UInt64(low & 7)
    let bits = (UInt64(1) &<< UInt64(width) &- 1) &<< shift
    var row = top
    while row < end {
      let word = byte(words, row &- origin.y, low >> 3)
      let hidden = word.loadUnaligned(as: UInt64.self)
      if hidden & bits != bits {
        body(row, (~hidden & bits) &>> shift)
        word.storeBytes(of: hidden | bits, as: UInt64.self)
      }
      row &+= 1
    }
    noteHidden(low >> 3, bits, top: top &- origin.y, end: end &- origin.y)
  }

  /// Of the rows of a picture, of at most 16 columns and 12 rows, a bit for each column that can be seen.
  struct SeenRows {
    private var words: (UInt64, UInt64, UInt64) = (0, 0, 0)

    @inline(__always)
    subscript(row: Int) -> UInt64 {
      get {
        let word = row < 4 ? words.0 : row < 8 ? words.1 : words.2
        return word &>> UInt64(row & 3 &* 16) & 0xFFFF
      }
      set {
        let bits = newValue &<< UInt64(row & 3 &* 16)
        switch row >> 2 {
        case 0: words.0 |= bits
        case 1: words.1 |= bits
        default: words.2 |= bits
        }
      }
    }
  }

  /// What can be seen of such a part.
  @inline(__always)
  func seen(x: Int, width: Int, top: Int, end: Int) -> SeenRows {
    let low = x &- origin.x
    let bits = UInt64(1) &<< UInt64(width) &- 1
    var result = SeenRows()
    var row = top
    while row < end {
      let hidden = byte(words, row &- origin.y, low >> 3).loadUnaligned(as: UInt64.self) &>> UInt64(low & 7)
      result[row &- top] = ~hidden & bits
      row &+= 1
    }
    return result
  }

  /// Takes over what is hidden in all rows of a group.
  @inline(__always)
  private func noteHidden(_ byte: Int, _ bits: UInt64, top: Int, end: Int) {
    guard groupBits > 0 else { return }
    var group = top &>> groupBits
    var bytes = self.byte(words, group &<< groupBits, byte)
    while group &<< groupBits < end {
      var all = bits
      for _ in 0..<1 &<< groupBits {
        all &= bytes.loadUnaligned(as: UInt64.self)
        bytes += wordsPerRow &* 8
      }
      let hidden = self.byte(groups, group, byte)
      hidden.storeBytes(of: hidden.loadUnaligned(as: UInt64.self) | all, as: UInt64.self)
      group &+= 1
    }
  }

  /// What can be seen of a part of at most two columns and rows: of both rows, a bit for each column. A second row is inside
  /// of the rectangle even if the part has only one.
  @inline(__always)
  func seenOfTwo(x: Int, width: Int, y: Int, height: Int) -> (UInt64, UInt64) {
    let low = x &- origin.x
    let bytes = byte(words, y &- origin.y, low >> 3)
    let bits = UInt64(1) &<< UInt64(width) &- 1
    let first = ~bytes.loadUnaligned(as: UInt64.self) &>> UInt64(low & 7)
    let second = ~(bytes + wordsPerRow &* 8).loadUnaligned(as: UInt64.self) &>> UInt64(low & 7)
    return (first & bits, second & bits & (0 &- UInt64(height &- 1)))
  }

  /// Hides such a part.
  @inline(__always)
  mutating func hideTwo(x: Int, width: Int, y: Int, height: Int) {
    let low = x &- origin.x
    let bytes = byte(words, y &- origin.y, low >> 3)
    let bits = (UInt64(1) &<< UInt64(width) &- 1) &<< UInt64(low & 7)
    bytes.storeBytes(of: bytes.loadUnaligned(as: UInt64.self) | bits, as: UInt64.self)
    let below = bytes + wordsPerRow &* 8
    below.storeBytes(of: below.loadUnaligned(as: UInt64.self) | bits & (0 &- UInt64(height &- 1)), as: UInt64.self)
  }

  /// Whether one pixel is hidden.
  @inline(__always)
  func hidesPixel(x: Int, y: Int) -> Bool {
    let column = x &- origin.x
    return words[(y &- origin.y) &* wordsPerRow &+ column >> 6] & (UInt64(1) &<< UInt64(column & 63)) != 0
  }

  /// Hides one pixel.
  @inline(__always)
  mutating func hidePixel(x: Int, y: Int) {
    let column = x &- origin.x
    words[(y &- origin.y) &* wordsPerRow &+ column >> 6] |= UInt64(1) &<< UInt64(column & 63)
  }
}
