import Foundation
public import Numerics

/// A two-dimensional NPY file: mapped, not read, so that a matrix larger than memory allows costs no copy of it. What
/// comes through a pipe is held in memory as it came.
///
/// The file must stay as it is while the matrix lives: one that another program shortens meanwhile ends this program.
public struct NPYMatrix: Sendable {
  /// The type, order and shape that the file says it has.
  public let header: NPYHeader
  private let bytes: StableBytes
  private let dataOffset: Int

  /// Rows, one an object.
  public let rowCount: Int
  /// Columns, one a feature.
  public let columnCount: Int

  /// Opens a file; `-` is standard input.
  /// - Parameter vectorIsRow: Takes a one-dimensional array as a matrix of one row.
  public init(path: String, vectorIsRow: Bool = false) throws(NPYError) {
    if path == "-" {
      try self.init(descriptor: STDIN_FILENO, vectorIsRow: vectorIsRow)
      return
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(String(cString: strerror(errno))) }
    defer { close(descriptor) }
    try self.init(descriptor: descriptor, vectorIsRow: vectorIsRow)
  }

  /// Maps an open file from its beginning, or reads an open pipe from where it stands.
  public init(descriptor: Int32, vectorIsRow: Bool = false) throws(NPYError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system(String(cString: strerror(errno))) }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: throw .system("It is a folder")
    case S_IFREG:
      let size = Int(status.st_size)
      guard size > 0 else { throw .notNPY }
      let bytes = try StableBytes(mapping: descriptor, count: size)
      let all = UnsafeRawBufferPointer(start: bytes.start, count: size)
      let offset = try NPYHeader.dataOffset(prefix: Array(all.prefix(NPYHeader.prefixSize)))
      header = try Self.matrixHeader(Array(all.prefix(offset)), vectorIsRow: vectorIsRow)
      guard size - offset >= header.dataSize else { throw .cutOff(expected: offset + header.dataSize, found: size) }
      guard size - offset == header.dataSize else { throw .trailingBytes(expected: offset + header.dataSize) }
      self.bytes = bytes
      dataOffset = offset
    default:
      var start = try StableBytes.readPrefix(descriptor, count: NPYHeader.prefixSize)
      let offset = try NPYHeader.dataOffset(prefix: start)
      start += try StableBytes.readPrefix(descriptor, count: offset - start.count)
      header = try Self.matrixHeader(start, vectorIsRow: vectorIsRow)
      do throws(NPYError) {
        bytes = try StableBytes(reading: descriptor, count: header.dataSize)
      } catch .cutOff(let expected, let found) {
        throw .cutOff(expected: offset + expected, found: offset + found)
      }
      guard try StableBytes.readPrefix(descriptor, count: 1).isEmpty else {
        throw .trailingBytes(expected: offset + header.dataSize)
      }
      dataOffset = 0
    }
    rowCount = header.shape[0]
    columnCount = header.shape[1]
  }

  private static func matrixHeader(_ bytes: [UInt8], vectorIsRow: Bool) throws(NPYError) -> NPYHeader {
    var header = try NPYHeader(parsing: bytes)
    if vectorIsRow, header.shape.count == 1 {
      header = try NPYHeader(
        element: header.element, isBigEndian: header.isBigEndian, isFortranOrder: header.isFortranOrder,
        shape: [1, header.shape[0]])
    }
    guard header.shape.count == 2 else { throw .notAMatrix(header.shape) }
    guard header.shape[0] > 0 else { throw .noRows }
    guard header.shape[1] > 0 else { throw .noColumns(rows: header.shape[0]) }
    return header
  }

  /// The rows as numbers, converted by blocks when they are asked for. Bytes in C order stay bytes.
  public var rows: any FeatureRows {
    if header.element == .uint8 || header.element == .bool, !header.isFortranOrder {
      return ByteRows(
        pointer: (bytes.start + dataOffset).assumingMemoryBound(to: UInt8.self), owner: bytes,
        rowIndices: Array(0..<rowCount), dimension: columnCount)
    }
    return NPYRows(header: header, owner: bytes, start: bytes.start + dataOffset)
  }

  /// All elements as 32-bit floats, row after row.
  public func floats() -> [Float] {
    [Float](unsafeUninitializedCapacity: rowCount * columnCount) { buffer, count in
      if let target = buffer.baseAddress { rows.copyRows(0..<rowCount, into: target) }
      count = rowCount * columnCount
    }
  }

  /// Looks at every element once, on `threads` threads.
  /// - Throws: `NPYError.notFinite` with the first place, row by row, that holds NaN, an infinity, or a number too large
  ///   for 32 bits.
  public func checkFinite(threads: Int) throws(NPYError) {
    guard header.element.isFloatingPoint else { return }
    let (rows, columns) = (rows, columnCount)
    let block = max(1, 65_536 / columns)
    let pieces = (rowCount + block - 1) / block
    var firstBad = [Int](repeating: .max, count: pieces)
    let pool = ThreadPool(threads: min(threads, pieces))
    firstBad.withUnsafeMutableBufferPointer { firstBad in
      pool.run(over: rowCount, pieces: block) { range, piece, _ in
        withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count * columns) { values in
          guard let target = values.baseAddress else { return }
          rows.copyRows(range, into: target)
          // x − x is 0 for every finite x and NaN for the others: one sum tells whether to search.
          var sum: Float = 0
          for i in 0..<values.count { sum += target[i] - target[i] }
          if sum != 0, let bad = values.firstIndex(where: { !$0.isFinite }) {
            firstBad[piece] = range.lowerBound * columns + bad
          }
        }
      }
    }
    guard let bad = firstBad.min(), bad != .max else { return }
    let (row, column) = (bad / columns, bad % columns)
    throw .notFinite(
      row: row, column: column,
      value: NPYRows(header: header, owner: bytes, start: bytes.start + dataOffset).text(row: row, column: column))
  }
}
