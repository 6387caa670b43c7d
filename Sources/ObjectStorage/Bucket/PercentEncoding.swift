/// Percent encoding of RFC 3986, on bytes.
enum PercentEncoding {
  /// What stays as it is in the path of a request, besides letters and digits: S3 signs exactly this set.
  static let keySafe: Set<UInt8> = Set("-._~/".utf8)
  /// What stays as it is in a query.
  static let querySafe: Set<UInt8> = Set("-._~".utf8)

  private static let digits = Array("0123456789ABCDEF".utf8)

  static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }

  static func append(_ byte: UInt8, to text: inout [UInt8]) {
    text.append(UInt8(ascii: "%"))
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }

  /// Everything but letters, digits and `safe` as `%XX`.
  static func encode(_ bytes: some Sequence<UInt8>, safe: Set<UInt8>) -> [UInt8] {
    var encoded: [UInt8] = []
    for byte in bytes {
      if isAlphanumeric(byte) || safe.contains(byte) {
        encoded.append(byte)
      } else {
        append(byte, to: &encoded)
      }
    }
    return encoded
  }

  static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// The bytes meant. A `%` that begins no escape stands for itself.
  /// - Parameter plusIsSpace: As S3 writes keys in listings of `encoding-type=url`.
  static func decode(_ text: some RandomAccessCollection<UInt8>, plusIsSpace: Bool = false) -> [UInt8] {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(text.count)
    var index = text.startIndex
    while index != text.endIndex {
      let byte = text[index]
      text.formIndex(after: &index)
      if byte == UInt8(ascii: "%") {
        if let high = text[index...].first.flatMap(hexadecimalValue),
          let low = text[index...].dropFirst().first.flatMap(hexadecimalValue)
        {
          decoded.append(high << 4 | low)
          text.formIndex(&index, offsetBy: 2)
          continue
        }
      } else if plusIsSpace, byte == UInt8(ascii: "+") {
        decoded.append(UInt8(ascii: " "))
        continue
      }
      decoded.append(byte)
    }
    return decoded
  }
}
