import Numerics

/// The points sorted by square cells, row after row of cells: a counting sort in pieces of fixed size, stable.
final class CellList {
  private(set) var columns = 1
  private(set) var rows = 1
  /// Where each cell's points begin; one more entry at the end.
  private(set) var start: [Int32] = []
  /// Whose point each sorted one is.
  private(set) var order: [Int32]
  /// Sorted coordinates.
  let x: WorkerScratch
  let y: WorkerScratch
  private var cell: [Int32]
  private var histogram: [Int32] = []
  private let count: Int

  init(count: Int) {
    self.count = count
    order = [Int32](repeating: 0, count: count)
    cell = order
    x = WorkerScratch(floats: count + 32, workers: 1)
    y = WorkerScratch(floats: count + 32, workers: 1)
  }

  func sort(_ positions: UnsafePointer<Float>, bounds: LayoutBounds, side: Double, pool: ThreadPool) {
    let inverse = Float(1 / side)
    columns = Int((bounds.maxX - bounds.minX) * inverse) + 1
    rows = Int((bounds.maxY - bounds.minY) * inverse) + 1
    let (columns, rows, count) = (columns, rows, count)
    let cells = columns * rows
    let pieces = max(1, min(8, count / 4096))
    if start.count < cells + 1 {
      start = [Int32](repeating: 0, count: cells + cells / 4 + 1)
      histogram = [Int32](repeating: 0, count: pieces * (cells + cells / 4 + 1))
    }
    let (px, py) = (x[0], y[0])
    start.withUnsafeMutableBufferPointer { start in
      histogram.withUnsafeMutableBufferPointer { histogram in
        cell.withUnsafeMutableBufferPointer { cell in
          order.withUnsafeMutableBufferPointer { order in
            pool.run(pieces) { piece, _ in
              let counts = UnsafeMutableBufferPointer(rebasing: histogram[piece * cells..<(piece + 1) * cells])
              counts.update(repeating: 0)
              for i in count * piece / pieces..<count * (piece + 1) / pieces {
                let column = min(columns - 1, max(0, Int((positions[2 * i] - bounds.minX) * inverse)))
                let row = min(rows - 1, max(0, Int((positions[2 * i + 1] - bounds.minY) * inverse)))
                cell[i] = Int32(row * columns + column)
                counts[row * columns + column] += 1
              }
            }
            var next: Int32 = 0
            for c in 0..<cells {
              start[c] = next
              for piece in 0..<pieces {
                let found = histogram[piece * cells + c]
                histogram[piece * cells + c] = next
                next += found
              }
            }
            start[cells] = next
            pool.run(pieces) { piece, _ in
              for i in count * piece / pieces..<count * (piece + 1) / pieces {
                let place = Int(histogram[piece * cells + Int(cell[i])])
                histogram[piece * cells + Int(cell[i])] += 1
                order[place] = Int32(i)
                px[place] = positions[2 * i]
                py[place] = positions[2 * i + 1]
              }
            }
          }
        }
      }
    }
  }
}
