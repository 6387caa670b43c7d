import CKernels
import Numerics
import Synchronization

/// So many rows against so many columns at once: both stay in the second cache, and a row is converted once a tile.
private let blockRows = 32
private let tileColumns = 32

extension NeighborSearch {
  /// Exact neighbours by the sum of absolute differences, on the rows as they are.
  func manhattanNeighbors(
    of rows: some FeatureRows, k: Int, pool: ThreadPool, token: CancellationToken,
    progress: (@Sendable (Double) -> Void)?
  ) throws -> NeighborGraph {
    let n = rows.rowCount
    let d = rows.dimension
    let kernels = SIMDKernels.chosen.table.pointee
    let candidates = CandidateTable(rows: blockRows, keep: k, room: tileColumns, workers: pool.threads)
    let blockScratch = WorkerScratch(floats: blockRows * d, workers: pool.threads)
    let tileScratch = WorkerScratch(floats: tileColumns * d, workers: pool.threads)
    let sums = WorkerScratch(floats: tileColumns, workers: pool.threads)
    var indices = [Int32](repeating: 0, count: n * k)
    var distances = [Float](repeating: 0, count: n * k)
    let finished = Atomic(0)
    let blocks = (n + blockRows - 1) / blockRows
    indices.withUnsafeMutableBufferPointer { indices in
      distances.withUnsafeMutableBufferPointer { distances in
        pool.run(over: n, pieces: blockRows) { range, _, worker in
          if token.isCancelled { return }
          let block = blockScratch[worker]
          let tile = tileScratch[worker]
          let found = sums[worker]
          candidates.reset(worker)
          rows.copyRows(range, into: block)
          for first in stride(from: 0, to: n, by: tileColumns) {
            if token.isCancelled { return }
            let columns = min(tileColumns, n - first)
            rows.copyRows(first..<first + columns, into: tile)
            for r in 0..<range.count {
              kernels.manhattan(block + r * d, tile, d, columns, found)
              candidates.add(worker, r) { threshold, keys in
                var count = 0
                for c in 0..<columns where found[c] < threshold && first + c != range.lowerBound + r {
                  keys[count] = UInt64(found[c].bitPattern) << 32 | UInt64(first + c)
                  count += 1
                }
                return count
              }
            }
          }
          for r in 0..<range.count {
            let row = range.lowerBound + r
            candidates.finishAsFound(worker, r)
            candidates.copy(worker, r, count: k) { place, index, value in
              indices[row * k + place] = Int32(index)
              distances[row * k + place] = value
            }
          }
          let done = finished.add(1, ordering: .relaxed).newValue
          progress?(0.9 * Double(done) / Double(blocks))
        }
      }
    }
    try token.check()
    return NeighborGraph(count: n, k: k, indices: indices, distances: distances, recall: 1)
  }
}
