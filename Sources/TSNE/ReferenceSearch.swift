package import Neighbors
package import Numerics

/// The nearest rows of a reference to each of some new rows, exact: by products of blocks and a second measure of the nearest by
/// differences for euclidean distances and angles, by differences for the Manhattan distance.
///
/// The rows are compared as they are, without a reduction to principal components.
package struct ReferenceSearch {
  let metric: Metric
  let k: Int
  let threads: Int

  /// - Parameters:
  ///   - metric: One for which `isAvailable(for:)` is true.
  ///   - k: How many neighbours of each new row are wanted.
  ///   - threads: How many threads search.
  package init(metric: Metric, k: Int, threads: Int) {
    self.metric = metric
    self.k = k
    self.threads = threads
  }

  /// Whether new rows can be compared by this distance.
  package static func isAvailable(for metric: Metric) -> Bool {
    [.euclidean, .sqeuclidean, .cosine, .correlation, .manhattan].contains(metric.canonical)
  }

  /// New rows of a piece of work, reference rows of a tile.
  private static let blockRows = 32
  private static let tileRows = 256
  /// So many more than wanted survive the products' rounding.
  private static let spare = 8

  /// - Throws: `TSNEError` if the rows do not fit each other or the distance is not available; `CancellationError`.
  package func run(
    _ new: some FeatureRows, among reference: some FeatureRows, token: CancellationToken
  ) throws -> NeighborGraph {
    guard new.rowCount == 0 || new.dimension == reference.dimension else {
      throw TSNEError.badRows(
        "The new rows have \(new.dimension) columns, those of the layout \(reference.dimension); both need the same.")
    }
    switch metric.canonical {
    case .manhattan: return try search(new, reference, isManhattan: true, token: token) { $0 }
    case .euclidean: return try search(new, reference, token: token) { $0.squareRoot() }
    case .sqeuclidean: return try search(new, reference, token: token) { $0 }
    case .cosine, .correlation:
      let preparation: RowPreparation = metric.canonical == .cosine ? .unitLength : .centeredUnitLength
      return try search(
        RightAngled(base: PreparedRows(new, preparation)), RightAngled(base: PreparedRows(reference, preparation)),
        token: token
      ) { $0 / 2 }
    default:
      throw TSNEError.badRows(
        "New points cannot be placed by the distance “\(metric)” yet: only by euclidean, sqeuclidean, cosine, correlation and manhattan."
      )
    }
  }

  private func search(
    _ new: some FeatureRows, _ reference: some FeatureRows, isManhattan: Bool = false, token: CancellationToken,
    distance: (Float) -> Float
  ) throws -> NeighborGraph {
    let (m, n, d) = (new.rowCount, reference.rowCount, reference.dimension)
    let k = min(self.k, n)
    guard m > 0, k > 0 else {
      return NeighborGraph(count: m, k: 0, indices: [], distances: [], recall: 1)
    }
    let pool = ThreadPool(threads: threads)
    let kernels = SIMDKernels.chosen
    let (blockRows, tileRows) = (Self.blockRows, Self.tileRows)
    let blocks = (m + blockRows - 1) / blockRows
    let keep = min(n, isManhattan ? k : k + Self.spare)
    var found = [Nearest](repeating: Nearest(keep: keep), count: m)
    var values = [Float](repeating: 0, count: m * d)
    values.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { new.copyRows(0..<m, into: base) } }
    // Tiles in turn, so that each reference row is read once for all new ones.
    let tile = WorkerScratch(floats: tileRows * d, workers: 1)
    let packed = PackedMatrix(depth: isManhattan ? 1 : d, columns: tileRows)
    let products = WorkerScratch(floats: blockRows * tileRows, workers: pool.threads)
    for first in stride(from: 0, to: n, by: tileRows) {
      try token.check()
      let columns = min(tileRows, n - first)
      pool.run(over: columns, pieces: 16) { rows, _, _ in
        reference.copyRows(first + rows.lowerBound..<first + rows.upperBound, into: tile[0] + rows.lowerBound * d)
      }
      let norms = isManhattan ? [] : (0..<columns).map { Self.squares(tile[0] + $0 * d, d) }
      if !isManhattan { packed.setColumns(from: 0, transposing: tile[0], rows: columns) }
      found.withUnsafeMutableBufferPointer { found in
        values.withUnsafeBufferPointer { values in
          guard let x = values.baseAddress else { return }
          pool.run(over: m, pieces: blockRows) { rows, _, worker in
            let sums = products[worker]
            if isManhattan {
              for row in rows {
                kernels.manhattan(x + row * d, tile[0], dimension: d, count: columns, into: sums)
                found[row].add(columns) { (sums[$0], first + $0) }
              }
            } else {
              sums.update(repeating: 0, count: rows.count * tileRows)
              MatrixProduct.add(
                x + rows.lowerBound * d, aRow: d, aStep: 1, rows: rows.count, times: packed, panels: 0..<packed.panels,
                to: sums, cStride: tileRows)
              for row in rows {
                let dots = sums + (row - rows.lowerBound) * tileRows
                found[row].add(columns) { (norms[$0] - 2 * dots[$0], first + $0) }
              }
            }
          }
        }
      }
    }
    try token.check()
    var indices = [Int32](repeating: 0, count: m * k)
    var distances = [Float](repeating: 0, count: m * k)
    let rowScratch = WorkerScratch(floats: d, workers: pool.threads)
    indices.withUnsafeMutableBufferPointer { indices in
      distances.withUnsafeMutableBufferPointer { distances in
        values.withUnsafeBufferPointer { values in
          guard let x = values.baseAddress else { return }
          pool.run(blocks) { block, worker in
            for row in block * blockRows..<min(m, (block + 1) * blockRows) {
              if token.isCancelled { return }
              var nearest = found[row].entries
              if !isManhattan {
                for i in nearest.indices {
                  reference.copyRows(nearest[i].index..<nearest[i].index + 1, into: rowScratch[worker])
                  nearest[i].distance = kernels.squaredDistance(x + row * d, rowScratch[worker], dimension: d)
                }
              }
              nearest.sort { ($0.distance, $0.index) < ($1.distance, $1.index) }
              for j in 0..<k {
                indices[row * k + j] = Int32(nearest[j].index)
                distances[row * k + j] = distance(nearest[j].distance)
              }
            }
          }
        }
      }
    }
    try token.check()
    return NeighborGraph(count: m, k: k, indices: indices, distances: distances, recall: 1)
  }

  private static func squares(_ row: UnsafePointer<Float>, _ count: Int) -> Float {
    var sum = 0.0
    for i in 0..<count { sum += Double(row[i]) * Double(row[i]) }
    return Float(sum)
  }
}

/// The nearest found so far for one row.
private struct Nearest {
  var entries: [(distance: Float, index: Int)] = []
  private let keep: Int
  private var threshold = Float.infinity

  init(keep: Int) { self.keep = keep }

  /// Looks at `count` more.
  mutating func add(_ count: Int, _ candidate: (Int) -> (Float, Int)) {
    for i in 0..<count {
      let (distance, index) = candidate(i)
      if entries.count == keep, !(distance < threshold) { continue }
      if entries.count == keep { entries.removeLast() }
      // Equal ones stay behind, so that they go by index.
      var place = entries.count
      while place > 0, distance < entries[place - 1].distance { place -= 1 }
      entries.insert((distance, index), at: place)
      threshold = entries[entries.count - 1].distance
    }
  }
}

/// Rows of length 1 or 0 with one more column, in which only those of length 0 have a 1: they are at a right angle to all
/// others, as in `NeighborSearch`.
private struct RightAngled<Base: FeatureRows>: FeatureRows {
  let base: Base

  var rowCount: Int { base.rowCount }
  var dimension: Int { base.dimension + 1 }

  func copyRows(_ range: Range<Int>, into target: UnsafeMutablePointer<Float>) {
    let d = base.dimension
    for (i, row) in range.enumerated() {
      let place = target + i * (d + 1)
      base.copyRows(row..<row + 1, into: place)
      place[d] = (0..<d).allSatisfy { place[$0] == 0 } ? 1 : 0
    }
  }
}
