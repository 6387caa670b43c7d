import Geometry

// Layouts beside the one that is shown.
extension Scene {
  /// Where a complete layout would be shown, in layout units: normalised, and turned and mirrored to lie best on the one
  /// that is shown now. For pictures of it.
  /// - Parameters:
  ///   - slots: Its images.
  ///   - positions: x and y of each, interleaved.
  public func placesAsShown(of slots: [Int32], at positions: [Float]) -> [Float] {
    let count = min(slots.count, positions.count / 2)
    let normalization = LayoutNormalization(
      positions: positions, count: count, extent: PictureField.extent, isFinal: true)
    let orientation =
      pictures.shownReference?.orientation(
        for: Array(slots.prefix(count)), positions: positions, normalization: normalization,
        present: pictures.orientation, isFree: true) ?? pictures.orientation
    var places: [Float] = []
    places.reserveCapacity(2 * count)
    for index in 0..<count {
      let place = orientation.applied(
        to: normalization.shown(x: positions[2 * index], y: positions[2 * index + 1]))
      places.append(Float(place.x))
      places.append(Float(place.y))
    }
    return places
  }
}
