import CKernels
import Numerics
import Synchronization

/// Rows of a block and columns of a tile: the tile of products fits into the second cache.
private let blockRows = 256
private let tileColumns = 512
/// So many candidates more than wanted survive the products' rounding and are measured again by differences.
private let spare = 8

extension NeighborSearch {
  /// Exact euclidean neighbours: |x−y|² = |x|² + |y|² − 2x·y for whole tiles by one matrix product, then the nearest
  /// k + 8 of each row measured again by differences.
  func euclideanNeighbors(
    of matrix: RowMatrix, k: Int, squared: Bool, pool: ThreadPool, token: CancellationToken,
    progress: (@Sendable (Double) -> Void)?
  ) throws -> NeighborGraph {
    var centered = matrix
    centered.centerOnMedian()
    return try nearest(of: centered, k: k, pool: pool, token: token, progress: progress) {
      squared ? $0 : $0.squareRoot()
    }
  }

  /// Exact neighbours by the angle: on rows of length 1, 1 − cosine is half the squared euclidean distance.
  func angularNeighbors(
    of matrix: RowMatrix, k: Int, pool: ThreadPool, token: CancellationToken, progress: (@Sendable (Double) -> Void)?
  ) throws -> NeighborGraph {
    try nearest(of: matrix, k: k, pool: pool, token: token, progress: progress) { $0 / 2 }
  }

  private func nearest(
    of matrix: RowMatrix, k: Int, pool: ThreadPool, token: CancellationToken,
    progress: (@Sendable (Double) -> Void)?, distance: (Float) -> Float
  ) throws -> NeighborGraph {
    let n = matrix.rowCount
    let d = matrix.dimension
    let kernels = SIMDKernels.chosen.table.pointee
    let candidates = CandidateTable(rows: blockRows, keep: min(n - 1, k + spare), room: tileColumns, workers: pool.threads)
    let products = WorkerScratch(floats: blockRows * tileColumns, workers: pool.threads)
    var indices = [Int32](repeating: 0, count: n * k)
    var distances = [Float](repeating: 0, count: n * k)
    let norms = matrix.values.withUnsafeBufferPointer { values in
      (0..<n).map { row in
        var squares = 0.0
        for i in row * d..<(row + 1) * d { squares += Double(values[i]) * Double(values[i]) }
        return Float(squares)
      }
    }
    let panels = tileColumns / MatrixProduct.panelColumns
    let packed = PackedMatrix(depth: d, columns: n)
    matrix.values.withUnsafeBufferPointer {
      if let base = $0.baseAddress { packed.setColumns(from: 0, transposing: base, rows: n) }
    }
    let finished = Atomic(0)
    let blocks = (n + blockRows - 1) / blockRows
    indices.withUnsafeMutableBufferPointer { indices in
      distances.withUnsafeMutableBufferPointer { distances in
        matrix.values.withUnsafeBufferPointer { values in
          norms.withUnsafeBufferPointer { norms in
            guard let x = values.baseAddress, let norm = norms.baseAddress else { return }
            pool.run(over: n, pieces: blockRows) { rows, _, worker in
              let dots = products[worker]
              candidates.reset(worker)
              for first in stride(from: 0, to: n, by: tileColumns) {
                if token.isCancelled { return }
                let columns = min(tileColumns, n - first)
                let tile = first / tileColumns * panels
                dots.update(repeating: 0, count: rows.count * tileColumns)
                MatrixProduct.add(
                  x + rows.lowerBound * d, aRow: d, aStep: 1, rows: rows.count, times: packed,
                  panels: tile..<min(packed.panels, tile + panels), to: dots, cStride: tileColumns)
                for r in 0..<rows.count {
                  let row = rows.lowerBound + r
                  candidates.add(worker, r) { threshold, found in
                    kernels.scan_tile(
                      dots + r * tileColumns, norm + first, norm[row], columns, UInt32(first), UInt32(row), threshold,
                      found)
                  }
                }
              }
              for r in 0..<rows.count {
                let row = rows.lowerBound + r
                candidates.finish(worker, r) { index in kernels.squared_distance(x + row * d, x + index * d, d) }
                candidates.copy(worker, r, count: k) { place, index, value in
                  indices[row * k + place] = Int32(index)
                  distances[row * k + place] = distance(value)
                }
              }
              let done = finished.add(1, ordering: .relaxed).newValue
              progress?(0.2 + 0.8 * Double(done) / Double(blocks))
            }
          }
        }
      }
    }
    try token.check()
    return NeighborGraph(count: n, k: k, indices: indices, distances: distances, recall: 1)
  }
}
