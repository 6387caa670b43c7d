/// An array in NumPy's NPY format, version 1.0 (numpy.lib.format): C order, little-endian.
public struct NPYArray: Sendable, Equatable {
  /// Element types that the store uses.
  public enum Element: String, Sendable {
    case float32 = "<f4"
    case int32 = "<i4"
    case uint64 = "<u8"

    var size: Int { self == .uint64 ? 8 : 4 }
  }

  /// The type of the elements.
  public let element: Element
  /// The length of each dimension.
  public let shape: [Int]
  /// The elements' bytes.
  let data: [UInt8]

  private init(element: Element, shape: [Int], data: [UInt8]) {
    precondition(data.count == shape.reduce(element.size, *))
    self.element = element
    self.shape = shape
    self.data = data
  }

  /// An array of 32-bit floats.
  public init(_ values: [Float], shape: [Int]) {
    self.init(element: .float32, shape: shape, data: values.withUnsafeBytes { Array($0) })
  }

  /// An array of 32-bit integers.
  public init(_ values: [Int32], shape: [Int]) {
    self.init(element: .int32, shape: shape, data: values.withUnsafeBytes { Array($0) })
  }

  /// An array of unsigned 64-bit integers.
  public init(_ values: [UInt64], shape: [Int]) {
    self.init(element: .uint64, shape: shape, data: values.withUnsafeBytes { Array($0) })
  }

  /// The elements, when they are floats.
  public var floats: [Float]? { values(of: .float32) }
  /// The elements, when they are 32-bit integers.
  public var integers: [Int32]? { values(of: .int32) }
  /// The elements, when they are unsigned 64-bit integers.
  public var unsignedIntegers: [UInt64]? { values(of: .uint64) }

  private func values<Value: BitwiseCopyable>(of wanted: Element) -> [Value]? {
    guard element == wanted else { return nil }
    let count = data.count / MemoryLayout<Value>.size
    return [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
      data.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
      initialized = count
    }
  }

  /// The file's bytes.
  public var fileBytes: [UInt8] {
    let shapeText = shape.count == 1 ? "(\(shape[0]),)" : "(" + shape.map(String.init).joined(separator: ", ") + ")"
    var header = Array("{'descr': '\(element.rawValue)', 'fortran_order': False, 'shape': \(shapeText), }".utf8)
    header += [UInt8](repeating: UInt8(ascii: " "), count: 63 - (10 + header.count) % 64)
    header.append(UInt8(ascii: "\n"))
    return Self.magic + [UInt8(header.count & 255), UInt8(header.count >> 8)] + header + data
  }

  /// The array in a file's bytes; nil for anything but what `fileBytes` makes.
  public init?(fileBytes: [UInt8]) {
    guard fileBytes.count >= 10, Array(fileBytes[..<8]) == Self.magic else { return nil }
    let start = 10 + Int(fileBytes[8]) + Int(fileBytes[9]) << 8
    guard start <= fileBytes.count else { return nil }
    let header = String(decoding: fileBytes[10..<start], as: UTF8.self)
    let parts = header.split(separator: "'", omittingEmptySubsequences: false)
    guard let open = header.lastIndex(of: "("), let end = header.lastIndex(of: ")"), open < end, parts.count > 3,
      parts[1] == "descr", let element = Element(rawValue: String(parts[3])), header.contains("'fortran_order': False")
    else { return nil }
    var count = 1
    var shape: [Int] = []
    for length in header[header.index(after: open)..<end].split(whereSeparator: { $0 == "," || $0 == " " }) {
      guard let value = Int(length), value >= 0 else { return nil }
      let (product, overflows) = count.multipliedReportingOverflow(by: value)
      guard !overflows else { return nil }
      count = product
      shape.append(value)
    }
    guard count <= fileBytes.count, fileBytes.count - start == count * element.size else { return nil }
    self.init(element: element, shape: shape, data: Array(fileBytes[start...]))
  }

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
}
