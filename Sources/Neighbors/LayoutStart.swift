import Foundation
import Numerics

/// Where the points of a layout begin.
enum LayoutStart {
  /// The first two principal components, the first of standard deviation 1e-4, and noise of a hundredth of that, which
  /// separates equal rows.
  static func principal(
    _ matrix: some FeatureRows, pool: ThreadPool, seed: UInt64, token: CancellationToken
  ) throws(CancellationError) -> [Float] {
    let n = matrix.rowCount
    let components = try PrincipalComponents(
      of: matrix, wanted: 2, centered: true, pool: pool, seed: seed, token: token)
    let m = components.count
    let projected = try components.project(matrix, pool: pool, token: token)
    var mean = [Double](repeating: 0, count: m)
    for i in 0..<n { for c in 0..<m { mean[c] += Double(projected[i * m + c]) / Double(n) } }
    var variance = 0.0
    for i in 0..<n {
      let difference = Double(projected[i * m]) - mean[0]
      variance += difference * difference / Double(n)
    }
    let scale = variance > 0 ? 1e-4 / variance.squareRoot() : 0
    var random = SplitMix64(seed: seed ^ 0x5354_4152_5400)
    var start = [Float](repeating: 0, count: 2 * n)
    for i in 0..<n {
      for c in 0..<2 {
        let value = c < m ? (Double(projected[i * m + c]) - mean[c]) * scale : 0
        start[2 * i + c] = Float(value + 1e-6 * random.normal())
      }
    }
    return start
  }

  /// A square grid in the order of the rows, neighbours 1 apart, around the origin.
  static func grid(count: Int) -> [Float] {
    let columns = max(1, Int(Double(count).squareRoot().rounded(.up)))
    let rows = (count + columns - 1) / columns
    var start: [Float] = []
    start.reserveCapacity(2 * count)
    for i in 0..<count {
      start.append(Float(i % columns) - Float(columns - 1) / 2)
      start.append(Float(i / columns) - Float(rows - 1) / 2)
    }
    return start
  }
}
