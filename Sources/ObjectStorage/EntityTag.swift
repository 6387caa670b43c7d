/// An ETag in few bytes: nearly all are an MD5 in hexadecimal, those of multipart uploads with the number of parts behind
/// it, and a listing may hold a million of them.
enum EntityTag: Hashable, Sendable {
  /// `parts` is 0 for an object that was written at once.
  case digest(UInt64, UInt64, parts: UInt32)
  case text(String)

  init(_ text: String) { self = Self.digest(of: Array(text.utf8)[...]) ?? .text(text) }

  /// Without quotes, if there are any.
  init(bytes: [UInt8]) {
    let quote = UInt8(ascii: "\"")
    let inner =
      bytes.count >= 2 && bytes.first == quote && bytes.last == quote ? bytes.dropFirst().dropLast() : bytes[...]
    self = Self.digest(of: inner) ?? .text(String(decoding: inner, as: UTF8.self))
  }

  var text: String {
    switch self {
    case .text(let text): return text
    case .digest(let high, let low, let parts):
      let digits = String(unsafeUninitializedCapacity: 32) { buffer in
        for index in 0..<32 {
          let word = index < 16 ? high : low
          let digit = UInt8(truncatingIfNeeded: word >> (60 - 4 * UInt64(index % 16))) & 15
          buffer[index] = digit < 10 ? digit + UInt8(ascii: "0") : digit - 10 + UInt8(ascii: "a")
        }
        return 32
      }
      return parts == 0 ? digits : "\(digits)-\(parts)"
    }
  }

  /// Only what `text` gives back byte for byte.
  private static func digest(of bytes: ArraySlice<UInt8>) -> EntityTag? {
    guard bytes.count >= 32 else { return nil }
    var words: (UInt64, UInt64) = (0, 0)
    for (index, byte) in bytes.prefix(32).enumerated() {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      default: return nil
      }
      if index < 16 { words.0 = words.0 << 4 | UInt64(digit) } else { words.1 = words.1 << 4 | UInt64(digit) }
    }
    let rest = bytes.dropFirst(32)
    if rest.isEmpty { return .digest(words.0, words.1, parts: 0) }
    guard rest.first == UInt8(ascii: "-"), let parts = UInt32(String(decoding: rest.dropFirst(), as: UTF8.self)),
      parts > 0, "-\(parts)".utf8.elementsEqual(rest)
    else { return nil }
    return .digest(words.0, words.1, parts: parts)
  }
}
