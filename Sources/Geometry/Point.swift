/// A point, or a displacement, in the plane. What its unit is (layout units, device pixels) is said where it is used.
public struct Point: Hashable, Codable, Sendable {
  /// Horizontal, growing to the right.
  public var x: Double
  /// Vertical, growing downwards on the screen and in the layout alike.
  public var y: Double

  /// The origin.
  public static let zero = Point(x: 0, y: 0)

  /// A point at `x`, `y`.
  public init(x: Double, y: Double) {
    self.x = x
    self.y = y
  }

  /// The vector sum.
  public static func + (left: Point, right: Point) -> Point { Point(x: left.x + right.x, y: left.y + right.y) }
  /// The displacement that leads from `right` to `left`.
  public static func - (left: Point, right: Point) -> Point { Point(x: left.x - right.x, y: left.y - right.y) }
  /// The vector scaled by a number.
  public static func * (left: Point, right: Double) -> Point { Point(x: left.x * right, y: left.y * right) }

  /// The Euclidean distance to `other`.
  public func distance(to other: Point) -> Double { (self - other).length }
  /// The Euclidean length of the displacement.
  public var length: Double { (x * x + y * y).squareRoot() }
}

/// An extent in the plane.
public struct Size: Hashable, Codable, Sendable {
  /// Horizontal extent.
  public var width: Double
  /// Vertical extent.
  public var height: Double

  /// No extent.
  public static let zero = Size(width: 0, height: 0)

  /// An extent of `width` by `height`.
  public init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  /// The largest size of this size's shape that lies within `bounds`, enlarged where there is room.
  public func fitted(in bounds: Size) -> Size {
    guard width > 0, height > 0 else { return .zero }
    let factor = min(bounds.width / width, bounds.height / height)
    return Size(width: width * factor, height: height * factor)
  }
}
