/// A small array in memory, in NumPy's NPY format as we write it: version 1.0, C order, little-endian.
public struct NPYArray: Sendable, Equatable {
  /// What it is of, and how large.
  public let header: NPYHeader
  /// The elements' bytes.
  let data: [UInt8]

  /// The length of each dimension.
  public var shape: [Int] { header.shape }

  private init(_ element: NPYElement, shape: [Int], data: [UInt8]) {
    guard let header = try? NPYHeader(element: element, shape: shape), header.dataSize == data.count else {
      preconditionFailure("\(data.count) bytes do not fill the shape \(shape)")
    }
    self.header = header
    self.data = data
  }

  /// An array of 32-bit floats.
  public init(_ values: [Float], shape: [Int]) {
    self.init(.float32, shape: shape, data: values.withUnsafeBytes { Array($0) })
  }

  /// An array of 32-bit integers.
  public init(_ values: [Int32], shape: [Int]) {
    self.init(.int32, shape: shape, data: values.withUnsafeBytes { Array($0) })
  }

  /// An array of unsigned 64-bit integers.
  public init(_ values: [UInt64], shape: [Int]) {
    self.init(.uint64, shape: shape, data: values.withUnsafeBytes { Array($0) })
  }

  /// The elements, when they are floats.
  public var floats: [Float]? { values(of: .float32) }
  /// The elements, when they are 32-bit integers.
  public var integers: [Int32]? { values(of: .int32) }
  /// The elements, when they are unsigned 64-bit integers.
  public var unsignedIntegers: [UInt64]? { values(of: .uint64) }

  private func values<Value: BitwiseCopyable>(of wanted: NPYElement) -> [Value]? {
    guard header.element == wanted else { return nil }
    let count = data.count / MemoryLayout<Value>.size
    return [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
      data.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
      initialized = count
    }
  }

  /// The file's bytes.
  public var fileBytes: [UInt8] { header.encoded + data }

  /// The array in a file's bytes; nil for anything but what `fileBytes` makes.
  public init?(fileBytes: [UInt8]) {
    guard let header = try? NPYHeader(parsing: fileBytes), !header.isBigEndian, !header.isFortranOrder,
      [.float32, .int32, .uint64].contains(header.element)
    else { return nil }
    let start = header.encoded.count
    guard fileBytes.count - start == header.dataSize, fileBytes.starts(with: header.encoded) else { return nil }
    self.header = header
    data = Array(fileBytes[start...])
  }
}
