import CKernels

/// Single-precision products on the calling thread, with kernels of our own: a BLAS chooses its kernels by a list of known
/// processors and falls back to the slowest on newer ones, and its sums depend on it.
package enum MatrixProduct {
  /// How far the sums run before the next part of the depth: a panel of so many rows stays in the first cache.
  private static let depth = 256

  /// Columns of a panel; every target row has room for a whole number of panels.
  package static var panelColumns: Int { 2 * SIMDKernels.chosen.lanes }

  /// `columns` raised to a whole number of panels.
  package static func padded(_ columns: Int) -> Int { (columns + panelColumns - 1) / panelColumns * panelColumns }

  /// C (m × packed columns, rows `cStride` apart) += A · B. Element (r, t) of A is `a[r * aRow + t * aStep]`.
  package static func add(
    _ a: UnsafePointer<Float>, aRow: Int, aStep: Int, rows: Int, times b: PackedMatrix, panels: Range<Int>,
    to c: UnsafeMutablePointer<Float>, cStride: Int
  ) {
    let multiply = SIMDKernels.chosen.table.pointee.multiply_panel!
    let width = panelColumns
    for first in stride(from: 0, to: b.depth, by: depth) {
      let count = min(depth, b.depth - first)
      for panel in panels {
        multiply(
          a + first * aStep, aRow, aStep, rows, b.panel(panel) + first * width, count,
          c + (panel - panels.lowerBound) * width, cStride)
      }
    }
  }
}

/// The right side of a product, column panels one after another, missing columns zero.
package final class PackedMatrix {
  /// Rows of the matrix.
  package let depth: Int
  /// How many panels there are.
  package let panels: Int
  private let memory: WorkerScratch

  /// Room for a matrix of `depth` × `columns`.
  package init(depth: Int, columns: Int) {
    self.depth = depth
    panels = MatrixProduct.padded(columns) / MatrixProduct.panelColumns
    memory = WorkerScratch(floats: depth * MatrixProduct.padded(columns), workers: 1)
  }

  /// Panel `index`: depth × panelColumns.
  package func panel(_ index: Int) -> UnsafeMutablePointer<Float> {
    memory[0] + index * depth * MatrixProduct.panelColumns
  }

  /// Takes the transpose of `rows` × depth numbers, a row after another: row r becomes column `first` + r.
  package func setColumns(from first: Int, transposing source: UnsafePointer<Float>, rows: Int) {
    let width = MatrixProduct.panelColumns
    var r = 0
    while r < rows {
      // As many as share a panel, written in the order of memory.
      let lane = (first + r) % width
      let count = min(width - lane, rows - r)
      let target = panel((first + r) / width) + lane
      let row = source + r * depth
      for t in 0..<depth { for c in 0..<count { target[t * width + c] = row[c * depth + t] } }
      r += count
    }
  }

  /// Takes the first `rows` of its rows, `columns` numbers each, from `source`; the rest of the depth becomes zero.
  package func setRows(_ source: UnsafePointer<Float>, rows: Int, columns: Int) {
    let width = MatrixProduct.panelColumns
    for index in 0..<panels {
      let target = panel(index)
      let first = index * width
      let count = min(width, columns - first)
      for t in 0..<rows { (target + t * width).update(from: source + t * columns + first, count: count) }
      if rows < depth { (target + rows * width).update(repeating: 0, count: (depth - rows) * width) }
    }
  }
}
