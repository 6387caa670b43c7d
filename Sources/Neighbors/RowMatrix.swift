import Numerics

/// A matrix in memory, row after row.
struct RowMatrix: FeatureRows {
  let rowCount: Int
  private(set) var dimension: Int
  private(set) var values: [Float]

  init(rowCount: Int, dimension: Int, values: [Float]) {
    self.rowCount = rowCount
    self.dimension = dimension
    self.values = values
  }

  func copyRows(_ range: Range<Int>, into target: UnsafeMutablePointer<Float>) {
    values.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      target.update(from: base + range.lowerBound * dimension, count: range.count * dimension)
    }
  }

  /// Gives every row length 1. If some are zero, a column is added in which only they have a 1, which puts them at a right
  /// angle to every other row. Returns how many are zero.
  mutating func normalizeRows() -> Int {
    let d = dimension
    var zeros: [Int] = []
    for row in 0..<rowCount {
      var squares = 0.0
      for i in row * d..<(row + 1) * d { squares += Double(values[i]) * Double(values[i]) }
      // Rows come in with length 1 or 0, so what is left of 1 after losing 12 digits is no direction.
      guard squares > 1e-12 else {
        for i in row * d..<(row + 1) * d { values[i] = 0 }
        zeros.append(row)
        continue
      }
      let factor = Float(1 / squares.squareRoot())
      for i in row * d..<(row + 1) * d { values[i] *= factor }
    }
    guard !zeros.isEmpty else { return 0 }
    var wider = [Float](repeating: 0, count: rowCount * (d + 1))
    for row in 0..<rowCount {
      for i in 0..<d { wider[row * (d + 1) + i] = values[row * d + i] }
    }
    for row in zeros { wider[row * (d + 1) + d] = 1 }
    values = wider
    dimension = d + 1
    return zeros.count
  }

  /// Moves the origin to the median of each column (of up to 999 rows evenly chosen), which no outlier moves: differences
  /// stay, and small ones lose fewer digits in the products of rows.
  mutating func centerOnMedian() {
    let d = dimension
    let sample = min(rowCount, 999)
    guard sample > 0 else { return }
    for column in 0..<d {
      var chosen = (0..<sample).map { values[($0 * rowCount / sample) * d + column] }
      chosen.sort()
      let median = chosen[sample / 2]
      if median == 0 { continue }
      for row in 0..<rowCount { values[row * d + column] -= median }
    }
  }
}
