/// The assignment of the points in one window of a grid to the window's cells, solved exactly.
///
/// The Hungarian method by shortest augmenting paths with potentials, cubic in the number of cells (Jonker and Volgenant
/// 1987). Of the squared distances only the products of the coordinates depend on the assignment, so these are the costs.
struct WindowAssignment: ~Copyable {
  /// Cells along a side of a window.
  static let side = 6
  private static let most = side * side

  private let memory: UnsafeMutablePointer<Float>
  private let indices: UnsafeMutablePointer<Int32>

  init() {
    memory = .allocate(capacity: Self.most * Self.most + 3 * (Self.most + 1))
    indices = .allocate(capacity: 5 * (Self.most + 1))
  }

  deinit {
    memory.deallocate()
    indices.deallocate()
  }

  /// Puts the points of the window at `column`, `row`, whose cells lie `step` apart, into its best cells.
  mutating func solve(
    column: Int, row: Int, step: Int, cells: GridCells, pointOfCell: UnsafeMutableBufferPointer<Int32>,
    points: UnsafeBufferPointer<SIMD2<Float>>
  ) {
    let cellOf = indices
    let pointOf = indices + (Self.most + 1)
    var count = 0
    var mean = SIMD2<Float>.zero
    for y in stride(from: row, to: row + Self.side * step, by: step) {
      for x in stride(from: column, to: column + Self.side * step, by: step)
      where x < cells.columns && cells.contains(column: x, row: y) {
        let cell = y * cells.columns + x
        cellOf[count] = Int32(cell)
        pointOf[count] = pointOfCell[cell]
        mean += points[Int(pointOfCell[cell])]
        count += 1
      }
    }
    guard count > 1 else { return }
    mean /= Float(count)
    // The scale of the points must not decide how exact the sums are.
    var spread: Float = 0
    for index in 0..<count { spread = max(spread, abs(points[Int(pointOf[index])] - mean).max()) }
    guard spread > 0 else { return }
    let costs = memory
    for index in 0..<count {
      let point = (points[Int(pointOf[index])] - mean) / spread
      for place in 0..<count {
        let cell = Int(cellOf[place])
        let x = Float((cell % cells.columns - column) / step) - Float(Self.side - 1) / 2
        let y = Float((cell / cells.columns - row) / step) - Float(Self.side - 1) / 2
        costs[index * count + place] = -(point.x * x + point.y * y)
      }
    }
    assign(count, cellOf: cellOf, pointOf: pointOf, pointOfCell: pointOfCell)
  }

  /// Augments row by row. Index 0 of the working arrays stands for the row that is being taken in.
  private func assign(
    _ count: Int, cellOf: UnsafeMutablePointer<Int32>, pointOf: UnsafeMutablePointer<Int32>,
    pointOfCell: UnsafeMutableBufferPointer<Int32>
  ) {
    let costs = memory
    let rowPotential = memory + Self.most * Self.most
    let placePotential = rowPotential + (Self.most + 1)
    let slack = placePotential + (Self.most + 1)
    let rowAt = indices + 2 * (Self.most + 1)
    let way = rowAt + (Self.most + 1)
    let isDone = way + (Self.most + 1)
    for index in 0...count {
      rowPotential[index] = 0
      placePotential[index] = 0
      rowAt[index] = 0
    }
    for row in 1...count {
      rowAt[0] = Int32(row)
      var place = 0
      for index in 0...count {
        slack[index] = .infinity
        isDone[index] = 0
      }
      repeat {
        isDone[place] = 1
        let current = Int(rowAt[place])
        let costsOfRow = costs + (current - 1) * count
        let potential = rowPotential[current]
        var least = Float.infinity
        var next = 0
        for index in 1...count where isDone[index] == 0 {
          let reduced = costsOfRow[index - 1] - potential - placePotential[index]
          if reduced < slack[index] {
            slack[index] = reduced
            way[index] = Int32(place)
          }
          if slack[index] < least {
            least = slack[index]
            next = index
          }
        }
        for index in 0...count {
          if isDone[index] != 0 {
            rowPotential[Int(rowAt[index])] += least
            placePotential[index] -= least
          } else {
            slack[index] -= least
          }
        }
        place = next
      } while rowAt[place] != 0
      while place != 0 {
        let previous = Int(way[place])
        rowAt[place] = rowAt[previous]
        place = previous
      }
    }
    // Rounding may find another of two equally good ones; only a real gain counts.
    var before: Float = 0
    var after: Float = 0
    for index in 0..<count {
      before += costs[index * count + index]
      after += costs[(Int(rowAt[index + 1]) - 1) * count + index]
    }
    guard after < before - 1e-5 * Float(count) else { return }
    for index in 0..<count {
      pointOfCell[Int(cellOf[index])] = pointOf[Int(rowAt[index + 1]) - 1]
    }
  }
}
