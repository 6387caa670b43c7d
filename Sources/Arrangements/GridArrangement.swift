import Dispatch

/// The cells of a grid of `count` pictures: whole rows, the last one as long as it needs to be.
struct GridCells: Sendable {
  let count: Int
  let columns: Int
  let rows: Int

  /// The grid of `count` cells whose shape, width over height, is nearest to `shape`.
  init(count: Int, shape: Double) {
    self.count = count
    let ideal = (Double(max(1, count)) * shape).squareRoot()
    columns = max(1, min(max(1, count), Int(ideal.rounded())))
    rows = (count + columns - 1) / columns
  }

  /// How many cells there are among the given columns and rows.
  func count(columns wanted: Range<Int>, rows wantedRows: Range<Int>) -> Int {
    guard let last = wantedRows.last else { return 0 }
    let whole = last == rows - 1 ? wantedRows.count - 1 : wantedRows.count
    let inLast = last == rows - 1 ? max(0, min(wanted.upperBound, count - last * columns) - wanted.lowerBound) : 0
    return whole * wanted.count + inLast
  }

  func contains(column: Int, row: Int) -> Bool {
    column >= 0 && column < columns && row >= 0 && row * columns + column < count
  }
}

extension Arrangement {
  /// Gives each picture a cell of its own in one grid, so that neighbours stay neighbours.
  ///
  /// The sum of the squared distances from the points to their cells is made small, which is the optimal transport of the
  /// layout onto the grid (it depends on neither the scale nor the place of the layout). The start is a bisection of the
  /// points in step with the cells, as in a k-d tree (Bentley 1975); then windows of 6 × 6 cells, far apart at first and
  /// closer and closer, are solved exactly as assignment problems (Kuhn 1955; Jonker and Volgenant 1987).
  ///
  /// The result is the same at any number of threads.
  ///
  /// - Parameters:
  ///   - positions: x and y of each picture, interleaved, in any unit.
  ///   - shape: Width over height of the grid.
  ///   - isCancelled: Asked now and then, from several threads.
  /// - Throws: `ArrangementCancelled` when `isCancelled` says so.
  public static func grid(
    _ positions: [Float], shape: Double = 1, isCancelled: @Sendable () -> Bool = { false }
  ) throws(ArrangementCancelled) -> Arrangement {
    let points = arrangeable(positions)
    guard !points.isEmpty else { return Arrangement(centering: []) }
    let cells = GridCells(count: points.count, shape: shape.isFinite && shape > 0 ? shape : 1)
    let cellOfPoint = try assignCells(points, cells, isCancelled: isCancelled)
    var result = [Float](repeating: 0, count: 2 * points.count)
    for (point, cell) in cellOfPoint.enumerated() {
      result[2 * point] = Float(Int(cell) % cells.columns)
      result[2 * point + 1] = Float(Int(cell) / cells.columns)
    }
    return Arrangement(centering: result)
  }

  /// The cell of each point.
  static func assignCells(
    _ points: [SIMD2<Float>], _ cells: GridCells, isCancelled: @Sendable () -> Bool
  ) throws(ArrangementCancelled) -> [Int32] {
    var pointOfCell = bisected(points, cells)
    for (pass, step) in steps(for: cells).enumerated() {
      if isCancelled() { throw ArrangementCancelled() }
      improve(&pointOfCell, points: points, cells: cells, step: step, pass: pass, isCancelled: isCancelled)
    }
    if isCancelled() { throw ArrangementCancelled() }
    var cellOfPoint = [Int32](repeating: 0, count: points.count)
    for (cell, point) in pointOfCell.enumerated() { cellOfPoint[Int(point)] = Int32(cell) }
    return cellOfPoint
  }

  /// The distances between the cells of a window, pass by pass: from windows that span the grid to whole ones, twice, for a
  /// point moves by a window at most; and whole ones at the end until little is gained.
  private static func steps(for cells: GridCells) -> [Int] {
    var round: [Int] = [1, 1]
    var step = 2
    while step * WindowAssignment.side <= max(cells.columns, cells.rows) {
      round.insert(step, at: 0)
      step *= 2
    }
    return round + round + [1, 1]
  }

  /// The point in each cell when points and cells are halved together, along the longer side of the cells.
  static func bisected(_ points: [SIMD2<Float>], _ cells: GridCells) -> [Int32] {
    let all = Array(0..<Int32(points.count))
    // Ties are broken by the other coordinate and the index: equal points get cells side by side.
    var byX = all.sorted {
      let (a, b) = (points[Int($0)], points[Int($1)])
      return (a.x, a.y, $0) < (b.x, b.y, $1)
    }
    var byY = all.sorted {
      let (a, b) = (points[Int($0)], points[Int($1)])
      return (a.y, a.x, $0) < (b.y, b.x, $1)
    }
    var pointOfCell = [Int32](repeating: 0, count: points.count)
    var isFirst = [Bool](repeating: false, count: points.count)
    var scratch = [Int32](repeating: 0, count: points.count)
    var open = [(range: 0..<points.count, columns: 0..<cells.columns, rows: 0..<cells.rows)]
    while let part = open.popLast() {
      guard !part.range.isEmpty else { continue }
      guard part.columns.count > 1 || part.rows.count > 1 else {
        pointOfCell[part.rows.lowerBound * cells.columns + part.columns.lowerBound] = byX[part.range.lowerBound]
        continue
      }
      let isWide = part.columns.count >= part.rows.count
      var (first, second) = (part, part)
      if isWide {
        let middle = part.columns.lowerBound + part.columns.count / 2
        first.columns = part.columns.lowerBound..<middle
        second.columns = middle..<part.columns.upperBound
      } else {
        let middle = part.rows.lowerBound + part.rows.count / 2
        first.rows = part.rows.lowerBound..<middle
        second.rows = middle..<part.rows.upperBound
      }
      let split = part.range.lowerBound + cells.count(columns: first.columns, rows: first.rows)
      first.range = part.range.lowerBound..<split
      second.range = split..<part.range.upperBound
      for index in part.range { isFirst[Int(isWide ? byX[index] : byY[index])] = index < split }
      if isWide {
        partition(&byY, part.range, isFirst, &scratch)
      } else {
        partition(&byX, part.range, isFirst, &scratch)
      }
      open.append(first)
      open.append(second)
    }
    return pointOfCell
  }

  /// Moves what is first to the front of the range, keeping the order within both parts.
  private static func partition(
    _ order: inout [Int32], _ range: Range<Int>, _ isFirst: [Bool], _ scratch: inout [Int32]
  ) {
    var front = range.lowerBound
    var rest = 0
    for index in range {
      let point = order[index]
      if isFirst[Int(point)] {
        order[front] = point
        front += 1
      } else {
        scratch[rest] = point
        rest += 1
      }
    }
    for index in 0..<rest { order[front + index] = scratch[index] }
  }

  /// Solves every window of one tiling. With a `step` above 1 the cells of a window lie that far apart, and as many windows
  /// interlock as cover all cells between.
  private static func improve(
    _ pointOfCell: inout [Int32], points: [SIMD2<Float>], cells: GridCells, step: Int, pass: Int,
    isCancelled: @Sendable () -> Bool
  ) {
    let side = WindowAssignment.side * step
    // By half a window, or some other part of one, so that two neighbouring cells share a window soon.
    let half = WindowAssignment.side / 2
    let shift = (
      x: (pass * half % WindowAssignment.side) * step + pass % step,
      y: (pass * half / 2 % WindowAssignment.side) * step + pass % step
    )
    let windowColumns = (cells.columns + shift.x + side - 1) / side
    let windowRows = (cells.rows + shift.y + side - 1) / side
    pointOfCell.withUnsafeMutableBufferPointer { pointOfCell in
      points.withUnsafeBufferPointer { points in
        // The windows of a tiling have no cell in common, and the points are only read.
        nonisolated(unsafe) let pointOfCell = pointOfCell
        nonisolated(unsafe) let points = points
        DispatchQueue.concurrentPerform(iterations: windowRows) { windowRow in
          if isCancelled() { return }
          var window = WindowAssignment()
          for windowColumn in 0..<windowColumns {
            for phase in 0..<step * step {
              window.solve(
                column: windowColumn * side - shift.x + phase % step, row: windowRow * side - shift.y + phase / step,
                step: step, cells: cells, pointOfCell: pointOfCell, points: points)
            }
          }
        }
      }
    }
  }
}
