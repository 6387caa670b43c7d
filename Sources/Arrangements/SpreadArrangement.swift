extension Arrangement {
  /// Pitch of the grid at the far end of the path: room for pictures to be pushed about.
  private static let roominess: Float = 1.15

  /// The share of the pictures' area that has no room where it is, in blocks of 4 × 4 units.
  private static func crowding(_ places: [SIMD2<Float>], aspects: [Float]) -> Float {
    let side: Float = 4
    var areas: [SIMD2<Int32>: Float] = [:]
    var total: Float = 0
    for (index, place) in places.enumerated() {
      let block = SIMD2<Int32>((place / side).rounded(.down))
      let aspect = aspects[index]
      let area = aspect > 0 && aspect.isFinite ? min(aspect, 1 / aspect) : 1
      areas[block, default: 0] += area
      total += area
    }
    // Dense packing reaches this share of a block without long pushing.
    let room = 0.9 * side * side
    var excess: Float = 0
    for area in areas.values where area > room { excess += area - room }
    return total > 0 ? excess / total : 0
  }

  /// Pushes the pictures of a layout apart until none covers another, and keeps neighbourhoods.
  ///
  /// The start lies half-way between the layout and its optimal transport onto a grid: on that path (McCann's
  /// displacement interpolation, 1997) crowds thin out evenly and nobody overtakes a neighbour. Then the rectangles that
  /// still overlap push one another apart along the shorter way, sweep by sweep; where that does not end, all places are
  /// enlarged a little and the sweeps go on, so that it always ends.
  ///
  /// - Parameters:
  ///   - positions: x and y of each picture, interleaved, in any unit.
  ///   - aspects: Width over height of each picture; its longest side is the same for all.
  ///   - isCancelled: Asked now and then.
  /// - Throws: `ArrangementCancelled` when `isCancelled` says so.
  public static func spread(
    _ positions: [Float], aspects: [Float], isCancelled: @Sendable () -> Bool = { false }
  ) throws(ArrangementCancelled) -> Arrangement {
    precondition(aspects.count == positions.count / 2)
    let points = arrangeable(positions)
    guard points.count > 1 else { return Arrangement(centering: points.isEmpty ? [] : [0, 0]) }
    // The grid's shape is the layout's own, so that nothing is stretched on the way.
    var squares = SIMD2<Double>.zero
    for point in points { squares += SIMD2<Double>(point) * SIMD2<Double>(point) }
    let ratio = squares.y > 0 && squares.x > 0 ? (squares.x / squares.y).squareRoot() : 1
    let cells = GridCells(count: points.count, shape: min(3, max(1 / 3, ratio)))
    let cellOfPoint = try assignCells(points, cells, isCancelled: isCancelled)

    // A layout of the grid's own spread, in units of its pitch.
    let gridRadius = (Double(cells.columns * cells.columns + cells.rows * cells.rows) / 12).squareRoot()
    let layoutRadius = ((squares.x + squares.y) / Double(points.count)).squareRoot()
    let scale = layoutRadius > 0 ? Float(gridRadius / layoutRadius) : 0
    let gridPlaces = cellOfPoint.map { cell in
      SIMD2(
        Float(Int(cell) % cells.columns) - Float(cells.columns - 1) / 2,
        Float(Int(cell) / cells.columns) - Float(cells.rows - 1) / 2)
    }
    // As near to the layout as leaves the crowds little to do: pushing is slow where thousands must give way.
    var places = points
    for share: Float in [0.4, 0.5, 0.6, 0.7, 0.8, 0.9] {
      for index in places.indices {
        places[index] = roominess * ((1 - share) * scale * points[index] + share * gridPlaces[index])
      }
      if crowding(places, aspects: aspects) < 0.01 { break }
    }
    var overlaps = OverlapRemoval(places, aspects: aspects)
    try overlaps.run(isCancelled: isCancelled)
    var result: [Float] = []
    result.reserveCapacity(2 * points.count)
    for place in overlaps.places {
      result.append(place.x)
      result.append(place.y)
    }
    return Arrangement(centering: result)
  }
}
