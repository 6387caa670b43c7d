import Geometry

/// Which pixels of a rectangle are hidden beneath opaque pictures, one bit each: pictures are told from front to back, and
/// those of which nothing would be seen need not be drawn.
struct Coverage: ~Copyable {
  private var words: UnsafeMutablePointer<UInt64>
  private var capacity = 0
  private var wordsPerRow = 0
  private var origin = (x: 0, y: 0)

  init() { words = .allocate(capacity: 0) }

  deinit { words.deallocate() }

  /// Begins with a rectangle of which everything can be seen.
  mutating func reset(_ rect: PixelRect) {
    wordsPerRow = (rect.width + 63) / 64
    origin = (rect.x, rect.y)
    let count = max(1, wordsPerRow * rect.height)
    if count > capacity {
      words.deallocate()
      words = .allocate(capacity: count)
      capacity = count
    }
    words.initialize(repeating: 0, count: count)
  }

  /// The words of a row that a span of columns touches, and the bits of the first and the last one.
  @inline(__always)
  private func span(_ rect: PixelRect) -> (first: Int, last: Int, head: UInt64, tail: UInt64) {
    let low = rect.x &- origin.x
    let high = low &+ rect.width &- 1
    return (low >> 6, high >> 6, ~0 << UInt64(low & 63), ~0 >> UInt64(63 &- high & 63))
  }

  /// Whether nothing of a part of the rectangle can be seen; it is not empty.
  @inline(__always)
  func hides(_ rect: PixelRect) -> Bool {
    let (first, last, head, tail) = span(rect)
    var row = words + (rect.y &- origin.y) &* wordsPerRow
    var rows = rect.height
    if first == last {
      let bits = head & tail
      while rows > 0 {
        if row[first] & bits != bits { return false }
        row += wordsPerRow
        rows &-= 1
      }
      return true
    }
    while rows > 0 {
      if row[first] & head != head || row[last] & tail != tail { return false }
      var word = first &+ 1
      while word < last {
        if row[word] != ~0 { return false }
        word &+= 1
      }
      row += wordsPerRow
      rows &-= 1
    }
    return true
  }

  /// Hides a part of the rectangle; it is not empty.
  @inline(__always)
  func hide(_ rect: PixelRect) {
    let (first, last, head, tail) = span(rect)
    var row = words + (rect.y &- origin.y) &* wordsPerRow
    var rows = rect.height
    if first == last {
      let bits = head & tail
      while rows > 0 {
        row[first] |= bits
        row += wordsPerRow
        rows &-= 1
      }
      return
    }
    while rows > 0 {
      row[first] |= head
      row[last] |= tail
      var word = first &+ 1
      while word < last {
        row[word] = ~0
        word &+= 1
      }
      row += wordsPerRow
      rows &-= 1
    }
  }
}
