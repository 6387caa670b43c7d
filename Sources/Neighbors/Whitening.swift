import Numerics

/// Mahalanobis' distance as a euclidean one: rows in their principal directions, each divided by its standard deviation.
enum Whitening {
  /// In at most so many directions: with as many as rows, every two rows would be equally far from each other.
  static func directions(rows: Int) -> Int { max(1, min(50, rows / 10)) }

  /// The rows so transformed. Directions without variance are left out.
  static func apply(_ rows: some FeatureRows, context: SearchContext) throws -> RowMatrix {
    let limit = directions(rows: rows.rowCount)
    var matrix: RowMatrix
    if rows.dimension > limit {
      let components = try PrincipalComponents(
        of: rows, wanted: limit, centered: true, pool: context.pool, seed: context.seed, token: context.token)
      let values = try components.project(rows, pool: context.pool, token: context.token)
      matrix = RowMatrix(rowCount: rows.rowCount, dimension: components.count, values: values)
    } else {
      matrix = try RowMatrix(copying: rows, pool: context.pool, token: context.token)
    }
    let (n, d) = (matrix.rowCount, matrix.dimension)
    let mean = try ColumnMoments(of: matrix, context: context).mean
    let covariance = try self.covariance(matrix, mean, context: context)
    let (values, vectors) = symmetricEigenvalues(covariance, size: d)
    let kept = values.indices.filter { values[$0] > 1e-10 * (values.first ?? 0) }
    let factors = kept.map { 1 / values[$0].squareRoot() }
    var result = [Float](repeating: 0, count: n * max(1, kept.count))
    result.withUnsafeMutableBufferPointer { result in
      matrix.values.withUnsafeBufferPointer { source in
        context.pool.run(over: n, pieces: 512) { range, _, _ in
          var moved = [Double](repeating: 0, count: d)
          for row in range {
            for c in 0..<d { moved[c] = Double(source[row * d + c]) - mean[c] }
            for (i, direction) in kept.enumerated() {
              var dot = 0.0
              for c in 0..<d { dot += vectors[direction * d + c] * moved[c] }
              result[row * kept.count + i] = Float(dot * factors[i])
            }
          }
        }
      }
    }
    return RowMatrix(rowCount: n, dimension: max(1, kept.count), values: result)
  }

  /// The columns' covariance by n − 1.
  private static func covariance(
    _ matrix: RowMatrix, _ mean: [Double], context: SearchContext
  ) throws(CancellationError) -> [Double] {
    let (n, d) = (matrix.rowCount, matrix.dimension)
    let groups = 16
    var sums = [Double](repeating: 0, count: groups * d * d)
    sums.withUnsafeMutableBufferPointer { sums in
      matrix.values.withUnsafeBufferPointer { source in
        context.pool.run(groups) { group, _ in
          var moved = [Double](repeating: 0, count: d)
          for row in n * group / groups..<n * (group + 1) / groups {
            if row & 4095 == 0, context.token.isCancelled { return }
            for c in 0..<d { moved[c] = Double(source[row * d + c]) - mean[c] }
            for a in 0..<d {
              let target = group * d * d + a * d
              for b in 0...a { sums[target + b] += moved[a] * moved[b] }
            }
          }
        }
      }
    }
    try context.token.check()
    var result = [Double](repeating: 0, count: d * d)
    for a in 0..<d {
      for b in 0...a {
        var sum = 0.0
        for group in 0..<groups { sum += sums[group * d * d + a * d + b] }
        result[a * d + b] = sum / Double(max(1, n - 1))
        result[b * d + a] = result[a * d + b]
      }
    }
    return result
  }
}
