import Numerics

/// Rows with an offset taken from each column, which is then multiplied by a factor.
struct ScaledRows<Base: FeatureRows>: FeatureRows {
  let base: Base
  let offsets: [Float]
  let factors: [Float]

  var rowCount: Int { base.rowCount }
  var dimension: Int { base.dimension }

  func copyRows(_ range: Range<Int>, into target: UnsafeMutablePointer<Float>) {
    base.copyRows(range, into: target)
    let d = dimension
    offsets.withUnsafeBufferPointer { offsets in
      factors.withUnsafeBufferPointer { factors in
        for r in 0..<range.count {
          let row = target + r * d
          for c in 0..<d { row[c] = (row[c] - offsets[c]) * factors[c] }
        }
      }
    }
  }
}

/// Rows of length 1 or 0 with one more column, which is 1 where the row is zero: that puts zero rows at a right angle to
/// every other row.
struct FlaggedRows<Base: FeatureRows>: FeatureRows {
  let base: Base

  var rowCount: Int { base.rowCount }
  var dimension: Int { base.dimension + 1 }

  func copyRows(_ range: Range<Int>, into target: UnsafeMutablePointer<Float>) {
    let d = base.dimension
    base.copyRows(range, into: target)
    // Spread out from the back, so that nothing is overwritten before it has moved.
    for r in (0..<range.count).reversed() {
      let (from, to) = (target + r * d, target + r * (d + 1))
      var isZero = true
      for c in (0..<d).reversed() {
        to[c] = from[c]
        if to[c] != 0 { isZero = false }
      }
      to[d] = isZero ? 1 : 0
    }
  }
}

extension FeatureRows {
  /// A power of two that brings the largest value near 1 where squares of the values would overflow or vanish, else 1.
  func squareSafeFactor(context: SearchContext) throws(CancellationError) -> Float {
    let (n, d) = (rowCount, dimension)
    let blockRows = 64
    let scratch = WorkerScratch(floats: blockRows * d, workers: context.pool.threads)
    let largest = WorkerScratch(floats: 1, workers: context.pool.threads)
    context.pool.run(over: n, pieces: blockRows) { range, _, worker in
      if context.token.isCancelled { return }
      let block = scratch[worker]
      copyRows(range, into: block)
      var most: Float = 0
      for i in 0..<range.count * d { most = max(most, abs(block[i])) }
      largest[worker][0] = max(largest[worker][0], most)
    }
    try context.token.check()
    let most = (0..<context.pool.threads).reduce(Float(0)) { max($0, largest[$1][0]) }
    guard most > 1e15 || (most > 0 && most < 1e-10) else { return 1 }
    // At 2^126, so that its inverse is a normal number too.
    return Float(sign: .plus, exponent: max(-126, min(126, -Int(most.exponent))), significand: 1)
  }

  /// Every value multiplied.
  func multiplied(by factor: Float) -> ScaledRows<Self> {
    ScaledRows(
      base: self, offsets: [Float](repeating: 0, count: dimension),
      factors: [Float](repeating: factor, count: dimension))
  }
}

/// Some of the rows.
struct ChosenRows<Base: FeatureRows>: FeatureRows {
  let base: Base
  let chosen: [Int]

  var rowCount: Int { chosen.count }
  var dimension: Int { base.dimension }

  func copyRows(_ range: Range<Int>, into target: UnsafeMutablePointer<Float>) {
    for (offset, i) in range.enumerated() {
      base.copyRows(chosen[i]..<chosen[i] + 1, into: target + offset * dimension)
    }
  }
}

/// Mean and variance of each column, the latter by n − 1, in doubles and in a fixed order: the same bits at any number of
/// threads.
struct ColumnMoments {
  private(set) var mean: [Double]
  private(set) var variance: [Double]

  init(of rows: some FeatureRows, context: SearchContext) throws(CancellationError) {
    let n = rows.rowCount
    let d = rows.dimension
    let blockRows = 64
    let groups = min(16, (n + blockRows - 1) / blockRows)
    let scratch = WorkerScratch(floats: blockRows * d, workers: context.pool.threads)
    // Shifted by the first row, so that a large mean does not swallow a small variance.
    var first = [Float](repeating: 0, count: d)
    first.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { rows.copyRows(0..<1, into: base) } }
    let shift = first
    var sums = [Double](repeating: 0, count: groups * d)
    var squares = sums
    sums.withUnsafeMutableBufferPointer { sums in
      squares.withUnsafeMutableBufferPointer { squares in
        context.pool.run(groups) { group, worker in
          let end = n * (group + 1) / groups
          for begin in stride(from: n * group / groups, to: end, by: blockRows) {
            if context.token.isCancelled { return }
            let range = begin..<min(end, begin + blockRows)
            let block = scratch[worker]
            rows.copyRows(range, into: block)
            for r in 0..<range.count {
              for c in 0..<d {
                let moved = Double(block[r * d + c]) - Double(shift[c])
                sums[group * d + c] += moved
                squares[group * d + c] += moved * moved
              }
            }
          }
        }
      }
    }
    try context.token.check()
    mean = [Double](repeating: 0, count: d)
    variance = mean
    for c in 0..<d {
      var sum = 0.0
      var square = 0.0
      for group in 0..<groups {
        sum += sums[group * d + c]
        square += squares[group * d + c]
      }
      mean[c] = Double(shift[c]) + sum / Double(n)
      let excess = square - sum * sum / Double(n)
      // What is left of a constant column is rounding.
      variance[c] = n > 1 && excess > 1e-12 * square ? excess / Double(n - 1) : 0
    }
  }
}
