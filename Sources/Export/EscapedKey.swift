/// A key as the files of this room write it: UTF-8 as it is, but control characters and bytes that are no UTF-8 as `\xNN`,
/// and a backslash as two, so that every key can be had back and no two are written alike.
public func escapedKey(_ bytes: [UInt8]) -> String {
  var result = ""
  result.reserveCapacity(bytes.count)
  var decoder = UTF8()
  var position = 0
  while position < bytes.count {
    // One scalar at a time, to know which bytes are at fault when there is none.
    var rest = bytes[position...].prefix(4).makeIterator()
    switch decoder.decode(&rest) {
    case .scalarValue(let scalar) where scalar == "\\":
      result += "\\\\"
      position += 1
    case .scalarValue(let scalar) where scalar.properties.generalCategory != .control:
      result.unicodeScalars.append(scalar)
      position += UTF8.width(scalar)
    case .scalarValue(let scalar):
      for byte in bytes[position..<position + UTF8.width(scalar)] { result += escape(byte) }
      position += UTF8.width(scalar)
    case .error, .emptyInput:
      result += escape(bytes[position])
      position += 1
    }
    decoder = UTF8()
  }
  return result
}

private func escape(_ byte: UInt8) -> String {
  let digits = String(byte, radix: 16)
  return "\\x" + (digits.count < 2 ? "0" : "") + digits
}
