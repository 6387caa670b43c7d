/// Lists of URIs as programs hand files over (RFC 2483, RFC 8089).
enum URIList {
  /// The paths of the `file:` URIs; other schemes and comments are left out.
  static func paths(in bytes: [UInt8]) -> [String] {
    bytes.split { $0 == 0x0a || $0 == 0x0d || $0 == 0 }.compactMap { path(of: Array($0)) }
  }

  private static func path(of uri: [UInt8]) -> String? {
    let scheme = Array("file:".utf8)
    guard uri.count > scheme.count,
      zip(uri, scheme).allSatisfy({ $0 | 0x20 == $1 || $0 == $1 })
    else { return nil }
    var rest = uri.dropFirst(scheme.count)
    if rest.starts(with: [0x2f, 0x2f]) {
      // The host is this one, whatever it is called.
      rest = rest.dropFirst(2).drop { $0 != 0x2f }
    }
    guard rest.first == 0x2f else { return nil }
    let decoded = percentDecoded(rest)
    return decoded.contains(0) ? nil : String(decoding: decoded, as: UTF8.self)
  }

  private static func percentDecoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    var rest = bytes
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2, let high = hexValue(rest[rest.startIndex]),
        let low = hexValue(rest[rest.startIndex + 1])
      {
        result.append(high << 4 | low)
        rest = rest.dropFirst(2)
      } else {
        result.append(byte)
      }
    }
    return result
  }

  private static func hexValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x41 + 10
    case 0x61...0x66: digit - 0x61 + 10
    default: nil
    }
  }
}
