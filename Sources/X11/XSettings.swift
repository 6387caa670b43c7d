/// The desktop's settings as its settings daemon publishes them (the XSETTINGS specification, property format version 0.5).
struct XSettings: Equatable {
  private(set) var integers: [String: Int] = [:]
  private(set) var strings: [String: String] = [:]

  init() {}

  /// Reads as many settings as are well formed; what follows damage is left out.
  init(parsing bytes: [UInt8]) {
    guard bytes.count >= 12, bytes[0] <= 1 else { return }
    var reader = ByteReader(bytes: bytes, isBigEndian: bytes[0] == 1, offset: 8)
    guard let count = reader.integer32() else { return }
    for _ in 0..<max(0, count) {
      guard let kind = reader.byte(), reader.skip(1), let nameLength = reader.integer16(),
        let name = reader.paddedString(nameLength), reader.skip(4)
      else { return }
      switch kind {
      case 0:
        guard let value = reader.integer32() else { return }
        integers[name] = value
      case 1:
        guard let length = reader.integer32(), let value = reader.paddedString(length) else { return }
        strings[name] = value
      case 2:
        guard reader.skip(8) else { return }
      default:
        return
      }
    }
  }
}

private struct ByteReader {
  let bytes: [UInt8]
  let isBigEndian: Bool
  var offset: Int

  mutating func skip(_ count: Int) -> Bool {
    guard count >= 0, count <= bytes.count - offset else { return false }
    offset += count
    return true
  }

  mutating func byte() -> UInt8? {
    guard offset < bytes.count else { return nil }
    defer { offset += 1 }
    return bytes[offset]
  }

  private mutating func unsigned(_ size: Int) -> UInt32? {
    let start = offset
    guard skip(size) else { return nil }
    let part = bytes[start..<start + size]
    let ordered = isBigEndian ? Array(part) : part.reversed()
    return ordered.reduce(0) { $0 << 8 | UInt32($1) }
  }

  mutating func integer16() -> Int? { unsigned(2).map { Int($0) } }

  mutating func integer32() -> Int? { unsigned(4).map { Int(Int32(bitPattern: $0)) } }

  /// A string whose room in the property is a multiple of 4 bytes.
  mutating func paddedString(_ length: Int) -> String? {
    let start = offset
    guard length >= 0, length <= bytes.count, skip((length + 3) & ~3) else { return nil }
    return String(decoding: bytes[start..<start + length], as: UTF8.self)
  }
}
