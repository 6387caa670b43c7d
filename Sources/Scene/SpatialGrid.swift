import Geometry

/// Which pictures lie where: the slots sorted by the cell of a square lattice, in compressed sparse rows.
///
/// The lattice is anchored at the layout's origin and its cells depend on the number of pictures alone, so that a picture
/// that moves changes its cell and no other picture's. Inside a cell the order is fixed: by `priority`, the topmost first.
struct SpatialGrid: Sendable {
  /// Side of a cell in layout units.
  private(set) var cellSide = 1.0
  /// Lattice coordinates of the first cell.
  private(set) var firstColumn = 0
  private(set) var firstRow = 0
  private(set) var columns = 0
  private(set) var rows = 0
  /// `items[starts[cell] ..< starts[cell + 1]]` are the slots in a cell; cells are numbered by rows.
  private(set) var starts: [Int32] = [0]
  private(set) var items: [Int32] = []
  /// The cell of every item while the grid is built; kept for its memory.
  private var cellOfItem: [Int32] = []

  /// The bounds of what was indexed, in layout units.
  private(set) var bounds = Rect.zero

  private static let picturesPerCell = 6.0
  private static let mostCells = 1 << 19
  /// Finer cells than this many across the layout's extent cost more than they sort.
  private static let mostCellsAcross = 200.0

  /// Which of two pictures lies on top: a smaller number is nearer to the eye. Reversing the bits of the slot makes any
  /// first part of this order an even sample of the listing, and a longer listing changes nothing between older pictures.
  @inline(__always)
  static func priority(_ slot: Int32) -> UInt32 {
    var v = UInt32(bitPattern: slot)
    v = ((v >> 1) & 0x5555_5555) | ((v & 0x5555_5555) << 1)
    v = ((v >> 2) & 0x3333_3333) | ((v & 0x3333_3333) << 2)
    v = ((v >> 4) & 0x0F0F_0F0F) | ((v & 0x0F0F_0F0F) << 4)
    return v.byteSwapped
  }

  /// Sorts the pictures in `slots`, which lie at `x`, `y` (by slot, layout units).
  mutating func rebuild(slots: [Int32], x: [Float], y: [Float], extent: Double) {
    let count = slots.count
    guard count > 0 else {
      self = SpatialGrid()
      return
    }
    cellOfItem.resize(to: count)
    items.resize(to: count)
    slots.withUnsafeBufferPointer { slots in
      x.withUnsafeBufferPointer { x in
        y.withUnsafeBufferPointer { y in
          layOutCells(slots: slots, x: x, y: y, extent: extent)
          sort(slots: slots, x: x, y: y)
        }
      }
    }
  }

  private mutating func layOutCells(
    slots: UnsafeBufferPointer<Int32>, x: UnsafeBufferPointer<Float>, y: UnsafeBufferPointer<Float>, extent: Double
  ) {
    var low = SIMD2<Float>(repeating: .infinity)
    var high = -low
    for slot in slots {
      let point = SIMD2(x[Int(slot)], y[Int(slot)])
      low = pointwiseMin(low, point)
      high = pointwiseMax(high, point)
    }
    bounds = Rect(
      x: Double(low.x), y: Double(low.y), width: Double(high.x - low.x), height: Double(high.y - low.y))
    let across = min(Self.mostCellsAcross, max(1, (Double(slots.count) / Self.picturesPerCell).squareRoot()))
    cellSide = extent / across
    while true {
      firstColumn = Int((bounds.minX / cellSide).rounded(.down))
      firstRow = Int((bounds.minY / cellSide).rounded(.down))
      columns = Int((bounds.maxX / cellSide).rounded(.down)) - firstColumn + 1
      rows = Int((bounds.maxY / cellSide).rounded(.down)) - firstRow + 1
      if columns * rows <= Self.mostCells { break }
      cellSide *= 2
    }
  }

  private mutating func sort(
    slots: UnsafeBufferPointer<Int32>, x: UnsafeBufferPointer<Float>, y: UnsafeBufferPointer<Float>
  ) {
    let cells = columns * rows
    starts.resize(to: cells + 1)
    let perUnit = 1 / cellSide
    let (firstColumn, firstRow, columns, rows) = (firstColumn, firstRow, columns, rows)
    starts.withUnsafeMutableBufferPointer { starts in
      items.withUnsafeMutableBufferPointer { items in
        cellOfItem.withUnsafeMutableBufferPointer { cellOfItem in
          starts.update(repeating: 0)
          for index in 0..<slots.count {
            let slot = Int(slots[index])
            // The last lattice line may be missed by one unit in the last place: hence the clamp.
            let column = min(columns - 1, max(0, Int((Double(x[slot]) * perUnit).rounded(.down)) - firstColumn))
            let row = min(rows - 1, max(0, Int((Double(y[slot]) * perUnit).rounded(.down)) - firstRow))
            let cell = row &* columns &+ column
            cellOfItem[index] = Int32(truncatingIfNeeded: cell)
            starts[cell] &+= 1
          }
          var end: Int32 = 0
          for cell in 0...cells {
            end &+= starts[cell]
            starts[cell] = end
          }
          for index in 0..<slots.count {
            let cell = Int(cellOfItem[index])
            starts[cell] &-= 1
            items[Int(starts[cell])] = slots[index]
          }
          for cell in 0..<cells {
            Self.sortByPriority(items, Int(starts[cell])..<Int(starts[cell + 1]))
          }
        }
      }
    }
  }

  /// Insertion for the usual handful, the library's sort where pictures crowd.
  @inline(__always)
  private static func sortByPriority(_ items: UnsafeMutableBufferPointer<Int32>, _ range: Range<Int>) {
    if range.count > 24 {
      items[range].sort { priority($0) < priority($1) }
      return
    }
    var index = range.lowerBound + 1
    while index < range.upperBound {
      let slot = items[index]
      let rank = priority(slot)
      var hole = index
      while hole > range.lowerBound, priority(items[hole - 1]) > rank {
        items[hole] = items[hole - 1]
        hole -= 1
      }
      items[hole] = slot
      index += 1
    }
  }

  /// The cells that meet `rect` (layout units), as ranges of columns and rows counted from the first ones.
  func cells(meeting rect: Rect) -> (columns: Range<Int>, rows: Range<Int>) {
    func range(_ low: Double, _ high: Double, first: Int, count: Int) -> Range<Int> {
      let from = max(0, min(Double(count), (low / cellSide).rounded(.down) - Double(first)))
      let to = max(0, min(Double(count), (high / cellSide).rounded(.down) - Double(first) + 1))
      return Int(from)..<max(Int(from), Int(to))
    }
    return (
      range(rect.minX, rect.maxX, first: firstColumn, count: columns),
      range(rect.minY, rect.maxY, first: firstRow, count: rows)
    )
  }
}

extension Array where Element == Int32 {
  /// Sets the count; what is in the array afterwards does not matter.
  fileprivate mutating func resize(to count: Int) {
    if self.count > count {
      removeLast(self.count - count)
    } else if self.count < count {
      append(contentsOf: repeatElement(0, count: count - self.count))
    }
  }
}
