import Foundation

/// How the pictures of a layout are put on the map.
public enum ArrangementMode: String, CaseIterable, Codable, Sendable {
  /// Where t-SNE puts them; they may cover one another.
  case free
  /// Pushed apart until none covers another, neighbourhoods kept.
  case spread
  /// Each in a cell of its own of one grid, neighbours kept as near as a grid allows.
  case grid
}

/// Where an arrangement puts the pictures of a layout.
///
/// The unit is the longest side of a picture with the gap that belongs to it; the middle of the whole is the origin.
public struct Arrangement: Sendable, Equatable {
  /// x and y of the middle of each picture, interleaved, in the order of the layout.
  public let positions: [Float]
  /// Longest side of a picture.
  public let pictureSide: Double
  /// Extent of the whole, pictures included.
  public let width, height: Double

  /// Longest side of a picture: the rest of the unit is the gap to the next.
  static let pictureSide = 0.94

  init(centering positions: [Float]) {
    var low = SIMD2<Float>(repeating: .infinity)
    var high = -low
    for index in stride(from: 0, to: positions.count, by: 2) {
      let point = SIMD2(positions[index], positions[index + 1])
      low = pointwiseMin(low, point)
      high = pointwiseMax(high, point)
    }
    guard positions.count >= 2 else {
      self.positions = []
      (pictureSide, width, height) = (Self.pictureSide, 0, 0)
      return
    }
    let middle = (low + high) / 2
    var centered = positions
    for index in stride(from: 0, to: positions.count, by: 2) {
      centered[index] -= middle.x
      centered[index + 1] -= middle.y
    }
    self.positions = centered
    pictureSide = Self.pictureSide
    width = Double(high.x - low.x) + 1
    height = Double(high.y - low.y) + 1
  }
}

/// A job was told to end before it had a result.
public struct ArrangementCancelled: Error, Sendable {}

/// The points of a layout as the arrangements take them: finite, and none so far out that the rest has no extent.
///
/// Points that are not finite lie at the origin. Beyond eight times the radius within which nine tenths lie, the distance
/// counts by its logarithm only: one stray point must not decide the scale of all.
func arrangeable(_ positions: [Float]) -> [SIMD2<Float>] {
  var points: [SIMD2<Float>] = []
  points.reserveCapacity(positions.count / 2)
  for index in stride(from: 0, to: positions.count - 1, by: 2) {
    let point = SIMD2(positions[index], positions[index + 1])
    points.append(point.x.isFinite && point.y.isFinite ? point : .zero)
  }
  guard !points.isEmpty else { return points }
  var sum = SIMD2<Double>.zero
  for point in points { sum += SIMD2<Double>(point) }
  let mean = SIMD2<Float>(sum / Double(points.count))
  var radii = points.map { point in
    let d = SIMD2<Double>(point - mean)
    return Float((d * d).sum().squareRoot())
  }
  let unsorted = radii
  radii.sort()
  let limit = 8 * radii[(radii.count - 1) * 9 / 10]
  for index in points.indices {
    let radius = unsorted[index]
    var offset = points[index] - mean
    if limit > 0, radius > limit { offset *= limit * (1 + Float(log(Double(radius / limit)))) / radius }
    points[index] = offset
  }
  return points
}
