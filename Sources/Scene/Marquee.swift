public import Geometry

/// A part of the window that the hand is drawing, to select what lies in it. Device pixels.
public struct Marquee: Hashable, Sendable {
  /// Its shape.
  public enum Shape: Hashable, Sendable {
    /// A rectangle between two corners.
    case rectangle
    /// Whatever the hand draws; its ends are joined.
    case lasso
  }

  /// Its shape.
  public let shape: Shape
  /// Whether what lies in it is taken out of the selection; otherwise it is added.
  public let takesAway: Bool
  /// The corner it began in and the opposite one, or the corners of the lasso.
  public private(set) var points: [Point]

  /// Two points of a lasso nearer to one another than this are one, in device pixels.
  private static let leastStep = 3.0

  init(_ shape: Shape, takesAway: Bool, from start: Point) {
    self.shape = shape
    self.takesAway = takesAway
    points = shape == .rectangle ? [start, start] : [start]
  }

  /// The hand goes on to a point.
  mutating func extend(to point: Point) {
    switch shape {
    case .rectangle: points[1] = point
    case .lasso:
      if let last = points.last, last.distance(to: point) < Self.leastStep { return }
      points.append(point)
    }
  }

  /// The smallest rectangle around it.
  public var bounds: Rect {
    var (low, high) = (points[0], points[0])
    for point in points {
      low = Point(x: min(low.x, point.x), y: min(low.y, point.y))
      high = Point(x: max(high.x, point.x), y: max(high.y, point.y))
    }
    return Rect(x: low.x, y: low.y, width: high.x - low.x, height: high.y - low.y)
  }

  /// Whether a point lies in it; what a lasso goes around twice lies outside (the even-odd rule).
  public func contains(_ point: Point) -> Bool {
    guard shape == .lasso else { return bounds.contains(point) }
    var isInside = false
    var previous = points[points.count - 1]
    for corner in points {
      if (corner.y > point.y) != (previous.y > point.y) {
        let x = corner.x + (point.y - corner.y) / (previous.y - corner.y) * (previous.x - corner.x)
        if point.x < x { isInside.toggle() }
      }
      previous = corner
    }
    return isInside
  }
}

/// The pixels in a lasso, looked up in a time that does not depend on how many corners it has.
struct LassoRows {
  private let top: Int
  /// Where its border crosses the middle of the map's rows, by row: to the left of an odd number of crossings is inside.
  private var crossings: [[Double]]

  init(_ marquee: Marquee) {
    let bounds = marquee.bounds
    top = Int(bounds.y.rounded(.down))
    crossings = Array(repeating: [], count: Int(bounds.maxY.rounded(.up)) - top + 1)
    guard var previous = marquee.points.last else { return }
    for corner in marquee.points {
      // The rows that `Marquee.contains` finds between the two ends.
      let (low, high) = (min(corner.y, previous.y), max(corner.y, previous.y))
      for row in Int(low.rounded(.up))..<max(Int(low.rounded(.up)), Int(high.rounded(.up))) {
        let y = Double(row)
        crossings[row - top].append(corner.x + (y - corner.y) / (previous.y - corner.y) * (previous.x - corner.x))
      }
      previous = corner
    }
  }

  /// What `Marquee.contains` says of a whole pixel.
  func contains(x: Int, y: Int) -> Bool {
    guard crossings.indices.contains(y - top) else { return false }
    return crossings[y - top].count { Double(x) < $0 } % 2 == 1
  }
}
