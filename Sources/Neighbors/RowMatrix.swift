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

  /// Any rows, copied.
  init(copying rows: some FeatureRows, pool: ThreadPool, token: CancellationToken) throws(CancellationError) {
    let n = rows.rowCount
    let d = rows.dimension
    let values = [Float](unsafeUninitializedCapacity: n * d) { buffer, count in
      if let target = buffer.baseAddress {
        target.initialize(repeating: 0, count: n * d)
        pool.run(over: n, pieces: 256) { range, _, _ in
          if !token.isCancelled { rows.copyRows(range, into: target + range.lowerBound * d) }
        }
      }
      count = n * d
    }
    try token.check()
    self.init(rowCount: n, dimension: d, values: values)
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
    let (n, d) = (rowCount, dimension)
    var zeros: [Int] = []
    values.withUnsafeMutableBufferPointer { values in
      for row in 0..<n {
        var squares = 0.0
        for i in row * d..<(row + 1) * d { squares += Double(values[i]) * Double(values[i]) }
        // Rows come in with length 1 or 0, so what is left of 1 after losing 12 digits is no direction.
        let isZero = !(squares > 1e-12)
        if isZero { zeros.append(row) }
        let factor = isZero ? 0 : Float(1 / squares.squareRoot())
        for i in row * d..<(row + 1) * d { values[i] *= factor }
      }
    }
    guard !zeros.isEmpty else { return 0 }
    var wider = [Float](repeating: 0, count: n * (d + 1))
    for row in 0..<n { for i in 0..<d { wider[row * (d + 1) + i] = values[row * d + i] } }
    for row in zeros { wider[row * (d + 1) + d] = 1 }
    values = wider
    dimension = d + 1
    return zeros.count
  }

  /// The chosen rows.
  func rows(_ chosen: [Int32]) -> RowMatrix {
    let d = dimension
    var picked = [Float](repeating: 0, count: chosen.count * d)
    for (i, row) in chosen.enumerated() { for c in 0..<d { picked[i * d + c] = values[Int(row) * d + c] } }
    return RowMatrix(rowCount: chosen.count, dimension: d, values: picked)
  }
}
