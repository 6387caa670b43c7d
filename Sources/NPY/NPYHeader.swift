/// What an NPY file says of its array before the elements begin, versions 1 to 3 (numpy.lib.format): the magic bytes, the
/// version, the length of the text, and a Python dictionary with `descr`, `fortran_order` and `shape`.
public struct NPYHeader: Hashable, Sendable {
  /// The type of the elements.
  public let element: NPYElement
  /// Whether the high byte of an element comes first.
  public let isBigEndian: Bool
  /// Whether the first index runs fastest: a matrix lies column after column.
  public let isFortranOrder: Bool
  /// The length of each dimension; empty for a single number.
  public let shape: [Int]
  /// Bytes of all elements together.
  public let dataSize: Int

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// So many bytes are needed to know how long the header is.
  static let prefixSize = 12
  /// No plain array needs more text; records with thousands of fields do, and are no matrix.
  static let maximumTextLength = 65_535

  /// A header in little-endian C order.
  /// - Throws: `NPYError.tooManyElements` when the bytes of the array cannot be counted.
  public init(element: NPYElement, shape: [Int]) throws(NPYError) {
    try self.init(element: element, isBigEndian: false, isFortranOrder: false, shape: shape)
  }

  init(element: NPYElement, isBigEndian: Bool, isFortranOrder: Bool, shape: [Int]) throws(NPYError) {
    // A dimension of 0 makes the product 0 however long the others are, so those are counted by themselves.
    var size = element.size
    for length in shape where length != 0 {
      let (product, overflows) = size.multipliedReportingOverflow(by: length)
      guard !overflows, length > 0 else { throw .tooManyElements(shape) }
      size = product
    }
    self.element = element
    self.isBigEndian = isBigEndian
    self.isFortranOrder = isFortranOrder
    self.shape = shape
    dataSize = shape.contains(0) ? 0 : size
  }

  /// The header's bytes, in version 1.0, filled up so that the elements begin at a multiple of 64.
  public var encoded: [UInt8] {
    let order = element.size == 1 ? "|" : isBigEndian ? ">" : "<"
    let shapeText = shape.count == 1 ? "(\(shape[0]),)" : "(" + shape.map(String.init).joined(separator: ", ") + ")"
    let fortran = isFortranOrder ? "True" : "False"
    var text = Array(
      "{'descr': '\(order)\(element.rawValue)', 'fortran_order': \(fortran), 'shape': \(shapeText), }".utf8)
    text += [UInt8](repeating: UInt8(ascii: " "), count: 63 - (10 + text.count) % 64)
    text.append(UInt8(ascii: "\n"))
    return Self.magic + [1, 0, UInt8(text.count & 255), UInt8(text.count >> 8)] + text
  }

  /// Where the elements begin, by the first bytes of a file: `prefixSize` of them, or all there are.
  static func dataOffset(prefix: [UInt8]) throws(NPYError) -> Int {
    guard prefix.starts(with: magic.prefix(prefix.count)) else { throw .notNPY }
    guard prefix.count >= 8 else { throw prefix.count < magic.count ? .notNPY : .headerCutOff }
    let major = Int(prefix[6])
    guard (1...3).contains(major) else { throw .unknownVersion(major) }
    let lengthBytes = major == 1 ? 2 : 4
    guard prefix.count >= 8 + lengthBytes else { throw .headerCutOff }
    let length = prefix[8..<8 + lengthBytes].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= maximumTextLength else { throw .headerTooLong(length) }
    guard 8 + lengthBytes + length >= prefixSize else { throw .malformedHeader("it is empty") }
    return 8 + lengthBytes + length
  }

  /// Reads a header from everything that comes before the elements.
  init(parsing bytes: [UInt8]) throws(NPYError) {
    let end = try Self.dataOffset(prefix: Array(bytes.prefix(Self.prefixSize)))
    guard bytes.count >= end else { throw .headerCutOff }
    let start = bytes[6] == 1 ? 10 : 12
    var text = PythonText(bytes[start..<end])
    var type: (element: NPYElement, isBigEndian: Bool)?
    var isFortranOrder: Bool?
    var shape: [Int]?
    try text.expect("{")
    while !text.skip("}") {
      let key = try text.string()
      try text.expect(":")
      switch key {
      case "descr" where type == nil: type = try Self.type(&text)
      case "fortran_order" where isFortranOrder == nil: isFortranOrder = try text.boolean()
      case "shape" where shape == nil: shape = try text.integers()
      default: throw .malformedHeader("it has an unexpected entry “\(key)”")
      }
      if !text.skip(",") {
        try text.expect("}")
        break
      }
    }
    guard text.isAtEnd else { throw .malformedHeader("something follows the description") }
    guard let type, let isFortranOrder, let shape else {
      throw .malformedHeader("descr, fortran_order or shape is missing")
    }
    try self.init(
      element: type.element, isBigEndian: type.isBigEndian, isFortranOrder: isFortranOrder, shape: shape)
  }

  private static func type(_ text: inout PythonText) throws(NPYError) -> (NPYElement, Bool) {
    if text.isNext("[") { throw .unsupportedType("records of several fields") }
    let name = try text.string()
    var code = Substring(name)
    let order = code.popFirst()
    guard let order, "<>|=".contains(order), let element = NPYElement(rawValue: String(code)),
      order != "|" || element.size == 1
    else {
      let kinds: [Character: String] = [
        "O": "Python objects", "U": "text", "S": "text", "a": "text", "c": "complex numbers", "M": "dates",
        "m": "durations", "V": "raw bytes",
      ]
      throw .unsupportedType(code.first.flatMap { kinds[$0] } ?? "of the type “\(name)”")
    }
    return (element, order == ">" && element.size > 1)
  }
}
