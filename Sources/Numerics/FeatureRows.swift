/// Rows of numbers, one an object, handed out by blocks: the matrix need not exist as floats at once.
public protocol FeatureRows: Sendable {
  /// The number of rows.
  var rowCount: Int { get }
  /// The number of values in each row.
  var dimension: Int { get }
  /// Writes the rows of `range` one after another, `range.count * dimension` values. Called from many threads at once.
  func copyRows(_ range: Range<Int>, into target: UnsafeMutablePointer<Float>)
}

/// What is wrong with a feature matrix.
public enum FeatureRowsError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The number of values is no multiple of the dimension.
  case ragged(values: Int, dimension: Int)
  /// A value is NaN or infinite. Row and column count from 0.
  case notFinite(row: Int, column: Int, value: Float)
  /// The rows have no columns.
  case noColumns(rows: Int)

  /// The sentence for a person.
  public var description: String {
    switch self {
    case .ragged(let values, let dimension):
      "The features are ragged: \(values) values cannot be cut into rows of \(dimension). Every row needs the same length."
    case .notFinite(let row, let column, let value):
      "The features hold \(value) in row \(row), column \(column) (counted from 0). Replace it by a finite number."
    case .noColumns(let rows):
      "The \(rows) feature rows have no columns. Give each row at least one number."
    }
  }
}

/// A matrix of floats in memory, row after row, every value finite.
public struct FloatRows: FeatureRows {
  public let rowCount: Int
  public let dimension: Int
  /// The values, row after row.
  public let values: [Float]

  /// Takes a row-major matrix of `values.count / dimension` rows.
  /// - Throws: `FeatureRowsError` if the count is no multiple of `dimension` or a value is NaN or infinite.
  public init(_ values: [Float], dimension: Int) throws(FeatureRowsError) {
    guard dimension > 0 else {
      if values.isEmpty {
        self.rowCount = 0
        self.dimension = 0
        self.values = []
        return
      }
      throw .ragged(values: values.count, dimension: dimension)
    }
    guard values.count % dimension == 0 else { throw .ragged(values: values.count, dimension: dimension) }
    // x - x is 0 for every finite x and NaN for the others, so one sum finds whether a search is needed.
    let poison = values.withUnsafeBufferPointer { buffer in
      var sum: Float = 0
      for value in buffer { sum += value - value }
      return sum
    }
    if poison != 0 || poison.isNaN, let bad = values.firstIndex(where: { !$0.isFinite }) {
      throw .notFinite(row: bad / dimension, column: bad % dimension, value: values[bad])
    }
    self.rowCount = values.count / dimension
    self.dimension = dimension
    self.values = values
  }

  public func copyRows(_ range: Range<Int>, into target: UnsafeMutablePointer<Float>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowCount)
    guard !range.isEmpty, dimension > 0 else { return }
    values.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      target.update(from: base + range.lowerBound * dimension, count: range.count * dimension)
    }
  }
}
