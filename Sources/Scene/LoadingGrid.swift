import Geometry

/// The grid in which pictures lie while the rest still loads. Its columns are chosen once; it grows downwards, and no cell
/// ever moves.
struct LoadingGrid: Sendable {
  let columns: Int
  /// Distance between the middles of two cells, in layout units.
  let pitch: Double
  /// Top edge, in layout units: the grid as first chosen lies around the origin.
  let top: Double

  /// The columns that give `count` square cells the most room in a viewport of the shape of `size`.
  init(count: Int, in size: Size, width: Double) {
    let shape = max(1, size.width) / max(1, size.height)
    let guess = (Double(count) * shape).squareRoot()
    var best = (columns: 1, side: 0.0)
    for columns in max(1, Int(guess * 0.5))...max(1, min(count, Int(guess * 2) + 1)) {
      let rows = (count + columns - 1) / columns
      let side = min(shape / Double(columns), 1 / Double(rows))
      if side > best.side { best = (columns, side) }
    }
    columns = best.columns
    pitch = width / Double(columns)
    top = -Double((count + columns - 1) / columns) * pitch / 2
  }

  func cellCenter(_ index: Int) -> Point {
    Point(
      x: (Double(index % columns) + 0.5 - Double(columns) / 2) * pitch,
      y: top + (Double(index / columns) + 0.5) * pitch)
  }

  /// What the first `count` cells cover.
  func bounds(count: Int) -> Rect {
    Rect(
      x: -Double(columns) * pitch / 2, y: top, width: Double(columns) * pitch,
      height: Double((count + columns - 1) / columns) * pitch)
  }
}
