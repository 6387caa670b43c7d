/// A pull parser for the XML that S3 speaks: elements, text, the five named and the numeric entities.
///
/// Strict and bounded: document types, other entities, unbalanced elements and deep nesting are errors, so that no
/// answer can grow beyond its own size in memory.
struct XMLScanner {
  enum Token: Equatable {
    /// The element's name without its namespace prefix.
    case start(String)
    case end
    /// Decoded; never empty. An element's text may come in parts.
    case text([UInt8])
  }

  struct Failure: Error, Equatable {
    var reason: String
    /// Where, in bytes from the beginning.
    var offset: Int
  }

  static let maximumDepth = 32

  private let bytes: [UInt8]
  private var position = 0
  private var open: [Range<Int>] = []
  private var closesAtOnce = false
  private var hasRoot = false

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  /// How many elements are open.
  var depth: Int { open.count }

  private func failure(_ reason: String) -> Failure { Failure(reason: reason, offset: position) }

  private func isNext(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard position + count <= bytes.count else { return false }
    return text.withUTF8Buffer { $0.elementsEqual(bytes[position..<position + count]) }
  }

  /// Moves behind the next `text`.
  private mutating func skip(past text: StaticString) throws(Failure) {
    let first = text.withUTF8Buffer { $0[0] }
    while position < bytes.count {
      if bytes[position] == first, isNext(text) {
        position += text.utf8CodeUnitCount
        return
      }
      position += 1
    }
    throw failure("it ends too early")
  }

  /// The next token; nil at the end of a complete document.
  mutating func next() throws(Failure) -> Token? {
    if closesAtOnce {
      closesAtOnce = false
      open.removeLast()
      return .end
    }
    while position < bytes.count {
      guard bytes[position] == UInt8(ascii: "<") else {
        if let text = try text() { return .text(text) }
        continue
      }
      if isNext("<?") {
        try skip(past: "?>")
      } else if isNext("<!--") {
        position += 4
        try skip(past: "-->")
      } else if isNext("<![CDATA[") {
        let start = position + 9
        try skip(past: "]]>")
        guard !open.isEmpty else { throw failure("text outside of the document") }
        if position - 3 > start { return .text(Array(bytes[start..<position - 3])) }
      } else if isNext("<!") {
        throw failure("document types are not allowed")
      } else if isNext("</") {
        return try endTag()
      } else {
        return try startTag()
      }
    }
    guard open.isEmpty, hasRoot else { throw failure("it ends too early") }
    return nil
  }

  private mutating func name() throws(Failure) -> Range<Int> {
    let start = position
    while position < bytes.count, !Self.endsName(bytes[position]) { position += 1 }
    guard position > start, position < bytes.count else { throw failure("an element has no name") }
    return start..<position
  }

  private static func endsName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ">"), UInt8(ascii: "/"), UInt8(ascii: "<"), UInt8(ascii: "="), UInt8(ascii: "\""),
      0...0x20:
      true
    default: false
    }
  }

  private mutating func skipSpace() {
    while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
  }

  private mutating func endTag() throws(Failure) -> Token {
    position += 2
    let found = try name()
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: ">") else { throw failure("an end tag is broken") }
    guard let expected = open.popLast(), bytes[expected] == bytes[found] else { throw failure("elements overlap") }
    position += 1
    return .end
  }

  private mutating func startTag() throws(Failure) -> Token {
    guard !open.isEmpty || !hasRoot else { throw failure("it has two roots") }
    guard open.count < Self.maximumDepth else { throw failure("elements lie too deep") }
    position += 1
    let found = try name()
    while true {
      skipSpace()
      guard position < bytes.count else { throw failure("it ends too early") }
      if bytes[position] == UInt8(ascii: ">") {
        position += 1
        break
      }
      if isNext("/>") {
        position += 2
        closesAtOnce = true
        break
      }
      // An attribute, of which S3 has none that matters.
      _ = try name()
      skipSpace()
      guard bytes[position] == UInt8(ascii: "=") else { throw failure("an attribute is broken") }
      position += 1
      skipSpace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") || bytes[position] == UInt8(ascii: "'") else {
        throw failure("an attribute is broken")
      }
      let quote = bytes[position]
      position += 1
      while position < bytes.count, bytes[position] != quote { position += 1 }
      guard position < bytes.count else { throw failure("it ends too early") }
      position += 1
    }
    open.append(found)
    hasRoot = true
    let local = bytes[found].lastIndex(of: UInt8(ascii: ":")).map { bytes[($0 + 1)..<found.upperBound] } ?? bytes[found]
    return .start(String(decoding: local, as: UTF8.self))
  }

  /// Text up to the next `<`; nil for white space outside of the root.
  private mutating func text() throws(Failure) -> [UInt8]? {
    let start = position
    var hasEntity = false
    while position < bytes.count, bytes[position] != UInt8(ascii: "<") {
      if bytes[position] == UInt8(ascii: "&") { hasEntity = true }
      position += 1
    }
    let raw = bytes[start..<position]
    if open.isEmpty {
      guard raw.allSatisfy({ $0 <= 0x20 }) else { throw failure("text outside of the document") }
      return nil
    }
    return hasEntity ? try decodeEntities(raw) : Array(raw)
  }

  private func decodeEntities(_ raw: ArraySlice<UInt8>) throws(Failure) -> [UInt8] {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(raw.count)
    var index = raw.startIndex
    while index < raw.endIndex {
      guard raw[index] == UInt8(ascii: "&") else {
        decoded.append(raw[index])
        index += 1
        continue
      }
      guard let end = raw[index...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else {
        throw failure("an entity is broken")
      }
      let entity = String(decoding: raw[(index + 1)..<end], as: UTF8.self)
      switch entity {
      case "amp": decoded.append(UInt8(ascii: "&"))
      case "lt": decoded.append(UInt8(ascii: "<"))
      case "gt": decoded.append(UInt8(ascii: ">"))
      case "quot": decoded.append(UInt8(ascii: "\""))
      case "apos": decoded.append(UInt8(ascii: "'"))
      default:
        let digits = entity.hasPrefix("#x") ? entity.dropFirst(2) : entity.dropFirst(1)
        guard entity.hasPrefix("#"), digits.allSatisfy({ $0.isHexDigit }),
          let value = UInt32(digits, radix: entity.hasPrefix("#x") ? 16 : 10), let scalar = Unicode.Scalar(value)
        else { throw failure("it uses the entity “&\(entity);”") }
        decoded.append(contentsOf: Array(String(scalar).utf8))
      }
      index = end + 1
    }
    return decoded
  }
}
