import Numerics

/// The rows of a matrix of any element type and order, as 32-bit floats.
// @unchecked: the pointer is only read, and `owner` keeps its memory alive and unchanged.
struct NPYRows: FeatureRows, @unchecked Sendable {
  private let header: NPYHeader
  private let owner: StableBytes
  private let start: UnsafeRawPointer

  let rowCount: Int
  let dimension: Int

  init(header: NPYHeader, owner: StableBytes, start: UnsafeRawPointer) {
    self.header = header
    self.owner = owner
    self.start = start
    rowCount = header.shape[0]
    dimension = header.shape[1]
  }

  func copyRows(_ range: Range<Int>, into target: UnsafeMutablePointer<Float>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowCount)
    if header.element == .float32, !header.isBigEndian, !header.isFortranOrder {
      let bytes = UnsafeRawBufferPointer(
        start: start + range.lowerBound * dimension * 4, count: range.count * dimension * 4)
      UnsafeMutableRawBufferPointer(start: target, count: bytes.count).copyMemory(from: bytes)
      return
    }
    switch header.element {
    case .float16: copy(range, target, as: UInt16.self) { Self.float(half: $0) }
    case .float32: copy(range, target, as: UInt32.self) { Float(bitPattern: $0) }
    case .float64: copy(range, target, as: UInt64.self) { Float(Double(bitPattern: $0)) }
    case .bool, .uint8: copy(range, target, as: UInt8.self) { Float($0) }
    case .int8: copy(range, target, as: Int8.self) { Float($0) }
    case .int16: copy(range, target, as: Int16.self) { Float($0) }
    case .int32: copy(range, target, as: Int32.self) { Float($0) }
    case .int64: copy(range, target, as: Int64.self) { Float($0) }
    case .uint16: copy(range, target, as: UInt16.self) { Float($0) }
    case .uint32: copy(range, target, as: UInt32.self) { Float($0) }
    case .uint64: copy(range, target, as: UInt64.self) { Float($0) }
    }
  }

  // Inlined with its type and conversion, so that each becomes a loop the compiler can vectorise. Elements need not be
  // aligned: a header may have any length.
  @inline(__always)
  private func copy<Stored: FixedWidthInteger & BitwiseCopyable>(
    _ range: Range<Int>, _ target: UnsafeMutablePointer<Float>, as type: Stored.Type, _ convert: (Stored) -> Float
  ) {
    let size = MemoryLayout<Stored>.size
    func load(_ element: UnsafeRawPointer) -> Stored { element.loadUnaligned(as: Stored.self) }
    if !header.isFortranOrder {
      let source = start + range.lowerBound * dimension * size
      if header.isBigEndian {
        for i in 0..<range.count * dimension { target[i] = convert(load(source + i * size).byteSwapped) }
      } else {
        for i in 0..<range.count * dimension { target[i] = convert(load(source + i * size)) }
      }
      return
    }
    for column in 0..<dimension {
      let source = start + (column * rowCount + range.lowerBound) * size
      for row in 0..<range.count {
        let value = load(source + row * size)
        target[row * dimension + column] = convert(header.isBigEndian ? value.byteSwapped : value)
      }
    }
  }

  /// A 16-bit float, by arithmetic that vectorises on every processor: its exponent and fraction stand at the upper end of
  /// a 32-bit float's, whose exponent counts from 127 instead of 15.
  @inline(__always)
  static func float(half bits: UInt16) -> Float {
    let magnitude = UInt32(bits & 0x7fff) << 13
    let scaled = Float(bitPattern: magnitude) * Float(bitPattern: (127 + 112) << 23)
    let special: UInt32 = magnitude >= 0x1f << 23 ? 0xff << 23 : 0
    return Float(bitPattern: scaled.bitPattern | special | UInt32(bits & 0x8000) << 16)
  }

  /// An element as a person reads it.
  func text(row: Int, column: Int) -> String {
    if header.element == .float64 {
      let index = header.isFortranOrder ? column * rowCount + row : row * dimension + column
      let bits = (start + index * 8).loadUnaligned(as: UInt64.self)
      return "\(Double(bitPattern: header.isBigEndian ? bits.byteSwapped : bits))"
    }
    var values = [Float](repeating: 0, count: dimension)
    values.withUnsafeMutableBufferPointer { if let target = $0.baseAddress { copyRows(row..<row + 1, into: target) } }
    return "\(values[column])"
  }
}
