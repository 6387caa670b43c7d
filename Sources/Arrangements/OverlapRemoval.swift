/// Rectangles that push one another apart until none overlaps.
struct OverlapRemoval {
  /// Middles, in units of the longest side with its gap.
  private(set) var places: [SIMD2<Float>]
  /// Half the width and height of each, gap included; nobody's is above one half.
  private let halves: [SIMD2<Float>]
  /// A lattice of unit cells: what overlaps lies in neighbouring ones.
  private var starts: [Int32] = []
  private var items: [Int32] = []
  private var cellOfItem: [Int32] = []
  private var origin = SIMD2<Float>.zero
  private var columns = 0
  private var rows = 0

  /// Sweeps before all is enlarged, and between two enlargements.
  private static let firstSweeps = 60
  private static let furtherSweeps = 10
  private static let enlargement: Float = 1.02
  /// Overlaps below this share of the unit are no overlaps: the gap between two pictures is larger by far.
  private static let tolerance: Float = 0.01
  /// Pushes aim a little beyond touching, or the last ones would never end.
  private static let ease: Float = 0.004

  init(_ places: [SIMD2<Float>], aspects: [Float]) {
    self.places = places
    halves = aspects.map { aspect in
      guard aspect.isFinite, aspect > 0 else { return SIMD2(0.5, 0.5) }
      let gap = Float(1 - Arrangement.pictureSide)
      let side = Float(Arrangement.pictureSide)
      let width = aspect >= 1 ? side : max(0.02, side * aspect)
      let height = aspect > 1 ? max(0.02, side / aspect) : side
      return SIMD2(width + gap, height + gap) / 2
    }
  }

  mutating func run(isCancelled: () -> Bool) throws(ArrangementCancelled) {
    var sweeps = Self.firstSweeps
    while true {
      for sweep in 0..<sweeps {
        if isCancelled() { throw ArrangementCancelled() }
        buildLattice()
        if push(forwards: sweep % 2 == 0) == 0 { return }
      }
      for index in places.indices { places[index] *= Self.enlargement }
      sweeps = Self.furtherSweeps
    }
  }

  /// Whether two rectangles overlap by more than the tolerance.
  func overlaps(_ first: Int, _ second: Int) -> Bool {
    let overlap = halves[first] + halves[second] - abs(places[first] - places[second])
    return overlap.x > Self.tolerance && overlap.y > Self.tolerance
  }

  private mutating func buildLattice() {
    var low = SIMD2<Float>(repeating: .infinity)
    var high = -low
    for place in places {
      low = pointwiseMin(low, place)
      high = pointwiseMax(high, place)
    }
    origin = low
    // Places beyond the last cell belong to it: neighbours stay in neighbouring cells, and memory stays bounded.
    let most = 4 * Int(Double(places.count).squareRoot()) + 64
    columns = min(most, Int(high.x - low.x) + 1)
    rows = min(most, Int(high.y - low.y) + 1)
    let cells = columns * rows
    starts = [Int32](repeating: 0, count: cells + 1)
    if items.count != places.count {
      items = [Int32](repeating: 0, count: places.count)
      cellOfItem = items
    }
    for index in places.indices {
      let cell = self.cell(of: places[index])
      cellOfItem[index] = Int32(cell.row * columns + cell.column)
      starts[Int(cellOfItem[index])] += 1
    }
    var end: Int32 = 0
    for cell in 0...cells {
      end += starts[cell]
      starts[cell] = end
    }
    for index in places.indices.reversed() {
      let cell = Int(cellOfItem[index])
      starts[cell] -= 1
      items[Int(starts[cell])] = Int32(index)
    }
  }

  private func cell(of place: SIMD2<Float>) -> (column: Int, row: Int) {
    (min(columns - 1, max(0, Int(place.x - origin.x))), min(rows - 1, max(0, Int(place.y - origin.y))))
  }

  /// One sweep over all pairs in neighbouring cells, from one end or the other. Returns how many overlapped.
  private mutating func push(forwards: Bool) -> Int {
    var count = 0
    let (columns, rows) = (columns, rows)
    places.withUnsafeMutableBufferPointer { places in
      halves.withUnsafeBufferPointer { halves in
        items.withUnsafeBufferPointer { items in
          starts.withUnsafeBufferPointer { starts in
            for step in 0..<columns * rows {
              let cell = forwards ? step : columns * rows - 1 - step
              let first = Int(starts[cell])..<Int(starts[cell + 1])
              guard !first.isEmpty else { continue }
              let (column, row) = (cell % columns, cell / columns)
              // Each pair of cells once: the cell itself, the one to the right, the three below.
              for (dx, dy) in [(0, 0), (1, 0), (-1, 1), (0, 1), (1, 1)] {
                let (x, y) = (column + dx, row + dy)
                guard x >= 0, x < columns, y < rows else { continue }
                let other = y * columns + x
                let second = Int(starts[other])..<Int(starts[other + 1])
                for i in first {
                  let from = other == cell ? i + 1 : second.lowerBound
                  for j in from..<max(from, second.upperBound) {
                    count += Self.separate(Int(items[i]), Int(items[j]), places, halves)
                  }
                }
              }
            }
          }
        }
      }
    }
    return count
  }

  /// Moves two rectangles that overlap apart, each by half of what is needed, along the shorter way.
  @inline(__always)
  private static func separate(
    _ first: Int, _ second: Int, _ places: UnsafeMutableBufferPointer<SIMD2<Float>>,
    _ halves: UnsafeBufferPointer<SIMD2<Float>>
  ) -> Int {
    let offset = places[second] - places[first]
    let overlap = halves[first] + halves[second] - abs(offset)
    guard overlap.x > tolerance, overlap.y > tolerance else { return 0 }
    if overlap.x <= overlap.y {
      // Of two in one place, the one that comes later goes right.
      let half = (overlap.x + ease) / 2
      places[first].x -= offset.x < 0 ? -half : half
      places[second].x += offset.x < 0 ? -half : half
    } else {
      let half = (overlap.y + ease) / 2
      places[first].y -= offset.y < 0 ? -half : half
      places[second].y += offset.y < 0 ? -half : half
    }
    return 1
  }
}

/// Absolute values of both coordinates.
@inline(__always)
func abs(_ vector: SIMD2<Float>) -> SIMD2<Float> { SIMD2(vector.x.magnitude, vector.y.magnitude) }
