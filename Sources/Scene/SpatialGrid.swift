import Geometry

/// Which pictures lie where: sorted by the cell of a square lattice, in compressed sparse rows.
///
/// The lattice is anchored at the layout's origin and its cells depend on the number of pictures alone, so that a picture
/// that moves changes its cell and no other picture's. Inside a cell the order is fixed: by `priority`, the topmost first. Any
/// first part of a cell is therefore an even sample of it: the same lattice serves every zoom, for a million pictures as for
/// a thousand, because only as many of a cell are read as can be seen.
struct SpatialGrid: Sendable {
  /// A picture in its cell, with all that decides where and how large it is drawn: a frame reads memory in its order.
  struct Item: Sendable {
    var slot: Int32
    /// Its middle, in layout units.
    var x, y: Float
    /// Width / height; negative while the picture cannot be drawn.
    var signedAspect: Float

    var aspect: Float { abs(signedAspect) }
    var isReady: Bool { signedAspect > 0 }
  }

  /// Side of a cell in layout units.
  private(set) var cellSide = 1.0
  /// Lattice coordinates of the first cell.
  private(set) var firstColumn = 0
  private(set) var firstRow = 0
  private(set) var columns = 0
  private(set) var rows = 0
  /// `items[starts[cell] ..< starts[cell + 1]]` are the pictures in a cell; cells are numbered by rows.
  private(set) var starts: [Int32] = [0]
  private(set) var items: [Item] = []
  /// The cell of every item while the grid is built; kept for its memory.
  private var cellOfItem: [Int32] = []
  /// The slots, those of high priority first, and of which version of them.
  private var ranked: [Int32] = []
  private var rankedVersion: Int?

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

  /// Sorts the pictures in `slots`, which lie at `places` (by slot, layout units).
  /// - Parameters:
  ///   - version: Another one whenever `slots` has changed.
  ///   - isObsolete: Whether to leave it half done; asked now and then.
  /// - Returns: Whether it was done.
  @discardableResult
  mutating func rebuild(
    slots: [Int32], version: Int, places: [SIMD2<Float>], signedAspects: [Float], extent: Double,
    unless isObsolete: () -> Bool = { false }
  ) -> Bool {
    let count = slots.count
    guard count > 0 else {
      self = SpatialGrid()
      return true
    }
    rank(slots, version: version)
    cellOfItem.resize(to: count, filler: 0)
    items.resize(to: count, filler: Item(slot: 0, x: 0, y: 0, signedAspect: 1))
    return ranked.withUnsafeBufferPointer { slots in
      places.withUnsafeBufferPointer { places in
        layOutCells(slots: slots, places: places, extent: extent)
        return signedAspects.withUnsafeBufferPointer {
          sort(slots: slots, places: places, signedAspects: $0, unless: isObsolete)
        }
      }
    }
  }

  private mutating func rank(_ slots: [Int32], version: Int) {
    guard rankedVersion != version else { return }
    rank(slots)
    rankedVersion = version
  }

  /// An index of nothing, for `rebuild` on another thread: it need not find the order of the pictures again.
  var emptied: SpatialGrid {
    var grid = SpatialGrid()
    grid.ranked = ranked
    grid.rankedVersion = rankedVersion
    return grid
  }

  /// Takes over that a picture that lies at `place` has become ready or got another shape.
  mutating func update(slot: Int32, at place: SIMD2<Float>, signedAspect: Float) {
    guard !items.isEmpty else { return }
    let cell = lattice.cell(x: place.x, y: place.y)
    for index in Int(starts[cell])..<Int(starts[cell + 1]) where items[index].slot == slot {
      items[index].signedAspect = signedAspect
      return
    }
  }

  /// Brings the slots roughly into the order of their priority, by its highest bits, which are the lowest of the slot: little
  /// is then left to sort in a cell. The finer this order, the less what follows reads memory in its order, which matters
  /// where the places of all pictures are more than a processor holds close at hand.
  private mutating func rank(_ slots: [Int32]) {
    let bits: Int32 = slots.count < 300_000 ? 6 : 3
    let mask = Int32(1) << bits - 1
    func group(_ slot: Int32) -> Int { Int(Self.priority(slot & mask) >> UInt32(32 - bits)) }
    var places = [Int](repeating: 0, count: Int(mask) + 2)
    for slot in slots { places[group(slot) + 1] += 1 }
    for index in 1..<places.count { places[index] += places[index - 1] }
    ranked.resize(to: slots.count, filler: 0)
    for slot in slots {
      let group = group(slot)
      ranked[places[group]] = slot
      places[group] += 1
    }
  }

  private mutating func layOutCells(
    slots: UnsafeBufferPointer<Int32>, places: UnsafeBufferPointer<SIMD2<Float>>, extent: Double
  ) {
    var low = SIMD2<Float>(repeating: .infinity)
    var high = -low
    for slot in slots {
      let point = places[Int(slot)]
      low.replace(with: point, where: point .< low)
      high.replace(with: point, where: point .> high)
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

  /// Finds cells.
  private struct Lattice {
    let perUnit, firstColumn, firstRow: Float
    let columns, rows: Int

    /// The cell of a place. Places on a lattice line may be one unit in the last place on the wrong side of it, which the
    /// reach of a query makes good; those at the edge are kept inside.
    @inline(__always)
    func cell(x: Float, y: Float) -> Int {
      // Never negative but for rounding, so that cutting off is rounding down.
      let column = Int(x * perUnit - firstColumn)
      let row = Int(y * perUnit - firstRow)
      return min(rows &- 1, max(0, row)) &* columns &+ min(columns &- 1, max(0, column))
    }
  }

  private var lattice: Lattice {
    Lattice(
      perUnit: Float(1 / cellSide), firstColumn: Float(firstColumn), firstRow: Float(firstRow), columns: columns,
      rows: rows)
  }

  private mutating func sort(
    slots: UnsafeBufferPointer<Int32>, places: UnsafeBufferPointer<SIMD2<Float>>,
    signedAspects: UnsafeBufferPointer<Float>, unless isObsolete: () -> Bool
  ) -> Bool {
    let cells = columns * rows
    starts.resize(to: cells + 1, filler: 0)
    let lattice = lattice
    return starts.withUnsafeMutableBufferPointer { starts in
      items.withUnsafeMutableBufferPointer { items in
        cellOfItem.withUnsafeMutableBufferPointer { cellOfItem in
          starts.update(repeating: 0)
          if isObsolete() { return false }
          for index in 0..<slots.count {
            let place = places[Int(slots[index])]
            let cell = lattice.cell(x: place.x, y: place.y)
            cellOfItem[index] = Int32(truncatingIfNeeded: cell)
            starts[cell] &+= 1
          }
          var begin: Int32 = 0
          for cell in 0...cells {
            let count = starts[cell]
            starts[cell] = begin
            begin &+= count
          }
          if isObsolete() { return false }
          // The beginnings move to the ends while the cells fill, and back afterwards.
          for index in 0..<slots.count {
            let cell = Int(cellOfItem[index])
            let slot = slots[index]
            let place = places[Int(slot)]
            items[Int(starts[cell])] = Item(
              slot: slot, x: place.x, y: place.y, signedAspect: signedAspects[Int(slot)])
            starts[cell] &+= 1
          }
          var cell = cells
          while cell > 0 {
            starts[cell] = starts[cell - 1]
            cell -= 1
          }
          starts[0] = 0
          for cell in 0..<cells {
            if cell & 0xFFF == 0, isObsolete() { return false }
            Self.sortByPriority(items, Int(starts[cell])..<Int(starts[cell + 1]))
          }
          return true
        }
      }
    }
  }

  /// Insertion, for the items are nearly in order; the library's sort where pictures crowd.
  @inline(__always)
  private static func sortByPriority(_ items: UnsafeMutableBufferPointer<Item>, _ range: Range<Int>) {
    if range.count > 256 {
      items[range].sort { priority($0.slot) < priority($1.slot) }
      return
    }
    var index = range.lowerBound &+ 1
    while index < range.upperBound {
      let item = items[index]
      let rank = priority(item.slot)
      var hole = index
      while hole > range.lowerBound, priority(items[hole &- 1].slot) > rank {
        items[hole] = items[hole &- 1]
        hole &-= 1
      }
      if hole != index { items[hole] = item }
      index &+= 1
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

extension Array {
  /// Sets the count; what is in the array afterwards does not matter.
  fileprivate mutating func resize(to count: Int, filler: Element) {
    if self.count > count {
      removeLast(self.count - count)
    } else if self.count < count {
      append(contentsOf: repeatElement(filler, count: count - self.count))
    }
  }
}
