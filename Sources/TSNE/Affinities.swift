import Foundation
public import Neighbors
public import Numerics

/// How much each pair of points wants to be together: the P of t-SNE (van der Maaten & Hinton 2008), over the pairs of
/// which one is a near neighbour of the other.
///
/// Row i of the conditional probabilities is exp(−βᵢ d²) over i's neighbours, βᵢ such that their entropy is the
/// logarithm of the perplexity; P = (p(j|i) + p(i|j)) / 2n, symmetric, sum 1. Compressed rows, 64-bit row starts.
public struct Affinities: Sendable {
  /// The number of points.
  public let count: Int
  /// Where each row starts in `columns` and `values`; one more entry at the end.
  public let rowStart: [UInt64]
  /// The other point of each entry.
  public let columns: [UInt32]
  /// The share of each entry; all together 1.
  public let values: [Float]
  /// The perplexity that was used: lowered to (n − 1)/3 where there are too few points.
  public let perplexity: Double
  /// Sum of P log P, the part of the KL divergence that does not depend on the layout.
  public let negativeEntropy: Double
  /// Whether any two distances differ. If not, a layout is its start.
  public let hasSpread: Bool

  /// Rows a piece of work.
  private static let pieceRows = 512

  /// Calibrates and symmetrises. Blocks its thread.
  /// - Throws: `CancellationError`; `TSNEError` if the perplexity is no number of at least 1.
  public init(graph: NeighborGraph, perplexity: Double, threads: Int, token: CancellationToken) throws {
    guard perplexity.isFinite, perplexity >= 1 else {
      throw TSNEError.badParameter("The perplexity is \(perplexity); it must be a number of at least 1.")
    }
    let n = graph.count
    count = n
    hasSpread = graph.hasSpread
    self.perplexity = TSNEParameters.effectivePerplexity(requested: perplexity, count: n)
    guard n > 1, graph.k > 0 else {
      rowStart = [UInt64](repeating: 0, count: n + 1)
      columns = []
      values = []
      negativeEntropy = 0
      return
    }
    let pool = ThreadPool(threads: threads)
    let conditional = try Self.calibrate(graph, perplexity: self.perplexity, pool: pool, token: token)
    let transposed = try Self.transpose(graph, conditional, pool: pool, token: token)
    (rowStart, columns, values) = try Self.merge(graph, conditional, transposed, pool: pool, token: token)
    negativeEntropy = try Self.negativeEntropy(values, pool: pool, token: token)
  }

  private static func negativeEntropy(
    _ values: [Float], pool: ThreadPool, token: CancellationToken
  ) throws(CancellationError) -> Double {
    let size = 1 << 16
    var sums = [Double](repeating: 0, count: (values.count + size - 1) / size)
    sums.withUnsafeMutableBufferPointer { sums in
      values.withUnsafeBufferPointer { values in
        pool.run(over: values.count, pieces: size) { entries, piece, _ in
          if token.isCancelled { return }
          var sum = 0.0
          for entry in entries where values[entry] > 0 { sum += Double(values[entry]) * log(Double(values[entry])) }
          sums[piece] = sum
        }
      }
    }
    try token.check()
    return sums.reduce(0, +)
  }

  /// p(j|i) in the graph's order.
  static func calibrate(
    _ graph: NeighborGraph, perplexity: Double, pool: ThreadPool, token: CancellationToken
  ) throws(CancellationError) -> [Float] {
    let k = graph.k
    let kernels = SIMDKernels.chosen
    let padded = kernels.padded(k)
    let target = log(perplexity)
    let scratch = WorkerScratch(floats: 2 * padded, workers: pool.threads)
    var result = [Float](uninitialized: graph.count * k)
    result.withUnsafeMutableBufferPointer { result in
      graph.distances.withUnsafeBufferPointer { distances in
        pool.run(over: graph.count, pieces: pieceRows) { rows, _, worker in
          if token.isCancelled { return }
          let squared = scratch[worker]
          let p = squared + padded
          for row in rows {
            // Divided by the farthest, so that no square overflows or vanishes: the entropy knows no unit.
            let farthest = distances[row * k + k - 1]
            let factor = farthest > 0 ? 1 / farthest : 1
            for j in 0..<k {
              let distance = distances[row * k + j] * factor
              squared[j] = distance * distance
            }
            kernels.calibrate(squaredDistances: squared, count: k, logPerplexity: target, into: p)
            for j in 0..<k { result[row * k + j] = p[j] }
          }
        }
      }
    }
    try token.check()
    return result
  }

  private struct Transposed {
    var rowStart: [Int]
    var columns: [UInt32]
    var values: [Float]
  }

  /// p(i|j) by i, in ascending order of j. Each piece collects the entries of its own range of columns.
  private static func transpose(
    _ graph: NeighborGraph, _ conditional: [Float], pool: ThreadPool, token: CancellationToken
  ) throws(CancellationError) -> Transposed {
    let n = graph.count
    let k = graph.k
    var starts = [Int](repeating: 0, count: n + 1)
    for first in stride(from: 0, to: n, by: pieceRows) {
      try token.check()
      for entry in first * k..<min(n, first + pieceRows) * k { starts[Int(graph.indices[entry]) + 1] += 1 }
    }
    for i in 0..<n { starts[i + 1] += starts[i] }
    var columns = [UInt32](uninitialized: n * k)
    var values = [Float](uninitialized: n * k)
    var next = starts
    let pieces = 8
    columns.withUnsafeMutableBufferPointer { columns in
      values.withUnsafeMutableBufferPointer { values in
        next.withUnsafeMutableBufferPointer { next in
          graph.indices.withUnsafeBufferPointer { indices in
            conditional.withUnsafeBufferPointer { conditional in
              pool.run(pieces) { piece, _ in
                let low = Int32(n * piece / pieces)
                let high = Int32(n * (piece + 1) / pieces)
                for row in 0..<n {
                  if row & 4095 == 0, token.isCancelled { return }
                  for entry in row * k..<(row + 1) * k where indices[entry] >= low && indices[entry] < high {
                    let place = next[Int(indices[entry])]
                    next[Int(indices[entry])] = place + 1
                    columns[place] = UInt32(row)
                    values[place] = conditional[entry]
                  }
                }
              }
            }
          }
        }
      }
    }
    try token.check()
    return Transposed(rowStart: starts, columns: columns, values: values)
  }

  /// Row i of the sum: i's neighbours and those whose neighbour i is, ascending, each once.
  private static func merge(
    _ graph: NeighborGraph, _ conditional: [Float], _ other: Transposed, pool: ThreadPool, token: CancellationToken
  ) throws(CancellationError) -> ([UInt64], [UInt32], [Float]) {
    let n = graph.count
    let k = graph.k
    /// Calls `body` for the entries of one merged row. `keys` has room for k.
    func mergeRow(_ row: Int, _ keys: UnsafeMutablePointer<UInt64>, _ body: (UInt32, Float) -> Void) {
      for j in 0..<k {
        let value = conditional[row * k + j]
        keys[j] = UInt64(UInt32(graph.indices[row * k + j])) << 32 | UInt64(value.bitPattern)
      }
      DistanceKeys.sort(keys, count: k)
      var j = 0
      var t = other.rowStart[row]
      let end = other.rowStart[row + 1]
      while j < k || t < end {
        let mine = j < k ? UInt32(keys[j] >> 32) : UInt32.max
        let theirs = t < end ? other.columns[t] : UInt32.max
        var value: Float = 0
        if mine <= theirs {
          value = Float(bitPattern: UInt32(truncatingIfNeeded: keys[j]))
          j += 1
        }
        if theirs <= mine {
          value += other.values[t]
          t += 1
        }
        body(min(mine, theirs), value)
      }
    }
    let keyScratch = WorkerScratch(floats: 2 * k, workers: pool.threads)
    func keys(_ worker: Int) -> UnsafeMutablePointer<UInt64> {
      UnsafeMutableRawPointer(keyScratch[worker]).bindMemory(to: UInt64.self, capacity: k)
    }
    var starts = [UInt64](repeating: 0, count: n + 1)
    starts.withUnsafeMutableBufferPointer { starts in
      pool.run(over: n, pieces: pieceRows) { rows, _, worker in
        if token.isCancelled { return }
        for row in rows {
          var length: UInt64 = 0
          mergeRow(row, keys(worker)) { _, _ in length += 1 }
          starts[row + 1] = length
        }
      }
    }
    try token.check()
    for i in 0..<n { starts[i + 1] += starts[i] }
    // Each conditional row sums to 1.
    let scale = Float(1 / (2 * Double(n)))
    var columns = [UInt32](uninitialized: Int(starts[n]))
    var values = [Float](uninitialized: Int(starts[n]))
    columns.withUnsafeMutableBufferPointer { columns in
      values.withUnsafeMutableBufferPointer { values in
        pool.run(over: n, pieces: pieceRows) { rows, _, worker in
          if token.isCancelled { return }
          for row in rows {
            var place = Int(starts[row])
            mergeRow(row, keys(worker)) { column, value in
              columns[place] = column
              values[place] = value * scale
              place += 1
            }
          }
        }
      }
    }
    try token.check()
    return (starts, columns, values)
  }
}

extension Array where Element: BitwiseCopyable {
  /// Room for `count` numbers, all to be written before any is read: clearing a gigabyte first would take longer than a person
  /// waits for a cancelled job.
  init(uninitialized count: Int) {
    self.init(unsafeUninitializedCapacity: count) { $1 = count }
  }
}
