/// Decodes the LZW data of a GIF frame (GIF89a, appendix F) to palette indices, as many at a time as are asked for.
struct LZWDecoder: ~Copyable {
  /// Why there are no more indices.
  enum End {
    /// The data says so, or its blocks end.
    case regular
    case fileEnds
    case damaged
  }

  /// Set when there are no more.
  private(set) var end: End?

  private let bytes: UnsafeBufferPointer<UInt8>
  /// Where the length of the next block is.
  private var nextBlock: Int
  private var place = 0
  private var blockEnd = 0
  private var bits: UInt32 = 0
  private var bitCount = 0

  private let firstSize: Int
  private let clear: Int
  private var size: Int
  private var previous = 0
  /// The code of which a part is still to be written, and how much.
  private var waiting = 0
  private var waitingCount = 0

  private static let largestSize = 12
  private static let capacity = 1 << largestSize
  /// How many codes mean something; each is a string of indices: that of another code, and one more.
  private var codeCount: Int
  private let prefixes: UnsafeMutablePointer<UInt16>
  private let lengths: UnsafeMutablePointer<UInt16>
  private let firsts: UnsafeMutablePointer<UInt8>
  private let lasts: UnsafeMutablePointer<UInt8>

  /// A decoder of the data whose first byte, the size of its smallest codes, is at `offset`. That is below twelve.
  init(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) {
    self.bytes = bytes
    nextBlock = offset + 1
    let bitsAnIndex = min(Int(bytes[offset]), Self.largestSize - 1)
    clear = 1 << bitsAnIndex
    firstSize = bitsAnIndex + 1
    size = firstSize
    codeCount = clear + 2
    prefixes = .allocate(capacity: Self.capacity)
    lengths = .allocate(capacity: Self.capacity)
    firsts = .allocate(capacity: Self.capacity)
    lasts = .allocate(capacity: Self.capacity)
    prefixes.initialize(repeating: 0, count: Self.capacity)
    lengths.initialize(repeating: 0, count: Self.capacity)
    firsts.initialize(repeating: 0, count: Self.capacity)
    lasts.initialize(repeating: 0, count: Self.capacity)
    for code in 0..<clear {
      (lengths[code], firsts[code], lasts[code]) = (
        1, UInt8(truncatingIfNeeded: code), UInt8(truncatingIfNeeded: code)
      )
    }
    if let code = codeAfterClear() {
      previous = code
      (waiting, waitingCount) = (code, 1)
    }
  }

  deinit {
    prefixes.deallocate()
    lengths.deallocate()
    firsts.deallocate()
    lasts.deallocate()
  }

  /// Decodes up to `count` indices. Returns how many; fewer at the end.
  mutating func decode(into indices: UnsafeMutablePointer<UInt8>, count: Int) -> Int {
    var done = 0
    while done < count {
      if waitingCount == 0, !decodeCode() { break }
      let written = min(waitingCount, count - done)
      // A string is written from its end, of which a part may have to wait.
      var code = waiting
      for _ in 0..<waitingCount - written { code = Int(prefixes[code]) }
      var place = done + written
      for _ in 0..<written {
        place -= 1
        indices[place] = lasts[code]
        code = Int(prefixes[code])
      }
      done += written
      waitingCount -= written
    }
    return done
  }

  /// Reads the next code, whose string then waits.
  private mutating func decodeCode() -> Bool {
    guard end == nil, var code = nextCode() else { return false }
    if code == clear + 1 {
      end = .regular
      return false
    }
    if code > codeCount {
      end = .damaged
      return false
    }
    if code == clear {
      guard let first = codeAfterClear() else { return false }
      code = first
    } else if codeCount < Self.capacity {
      prefixes[codeCount] = UInt16(previous)
      lengths[codeCount] = lengths[previous] + 1
      firsts[codeCount] = firsts[previous]
      // The code that is made may be the one that was read.
      lasts[codeCount] = firsts[code < codeCount ? code : previous]
      codeCount += 1
      if codeCount == 1 << size, size < Self.largestSize { size += 1 }
    }
    previous = code
    (waiting, waitingCount) = (code, Int(lengths[code]))
    return true
  }

  /// Forgets all strings and reads a code, which can only be an index.
  private mutating func codeAfterClear() -> Int? {
    size = firstSize
    codeCount = clear + 2
    while let code = nextCode() {
      if code == clear { continue }
      if code < clear { return code }
      end = .damaged
      break
    }
    return nil
  }

  private mutating func nextCode() -> Int? {
    // One bit more than the code has: what ends with the very last bit is not read by libvips either, as its library asks
    // for the byte behind it. Encoders end with a code of their own.
    while bitCount <= size {
      if place == blockEnd, !beginBlock() { return nil }
      bits |= UInt32(bytes[place]) << UInt32(bitCount)
      place += 1
      bitCount += 8
    }
    let code = Int(bits & (1 << UInt32(size) - 1))
    bits >>= UInt32(size)
    bitCount -= size
    return code
  }

  private mutating func beginBlock() -> Bool {
    guard nextBlock < bytes.count, nextBlock + Int(bytes[nextBlock]) < bytes.count else {
      end = .fileEnds
      return false
    }
    let count = Int(bytes[nextBlock])
    place = nextBlock + 1
    nextBlock = place + count
    blockEnd = nextBlock
    if count == 0 { end = .regular }
    return count > 0
  }
}
