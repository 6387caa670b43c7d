import CKernels

/// Chosen rows of a row-major matrix of bytes that lives elsewhere (a mapped file, as a rule), as numbers 0 to 255.
// @unchecked: the pointer is only read, `owner` keeps its memory alive, and the maker promises not to change these rows.
public struct ByteRows: FeatureRows, @unchecked Sendable {
  public let dimension: Int
  private let pointer: UnsafePointer<UInt8>
  private let owner: (any AnyObject & Sendable)?
  private let rowIndices: [Int]

  public var rowCount: Int { rowIndices.count }

  /// Row `i` of the result is row `rowIndices[i]` of the matrix that starts at `pointer`.
  /// - Parameters:
  ///   - pointer: The first byte of row 0; rows of `dimension` bytes follow each other without gaps.
  ///   - owner: Kept alive as long as this value, so that the memory is.
  ///   - rowIndices: Which rows, in which order.
  ///   - dimension: Bytes in a row.
  public init(
    pointer: UnsafePointer<UInt8>, owner: (any AnyObject & Sendable)?, rowIndices: [Int], dimension: Int
  ) {
    self.pointer = pointer
    self.owner = owner
    self.rowIndices = rowIndices
    self.dimension = dimension
  }

  public func copyRows(_ range: Range<Int>, into target: UnsafeMutablePointer<Float>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowIndices.count)
    for (offset, row) in rowIndices[range].enumerated() {
      ck_bytes_to_floats(pointer + row * dimension, target + offset * dimension, dimension)
    }
  }
}
