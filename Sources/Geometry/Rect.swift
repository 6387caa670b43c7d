/// A rectangle with sides parallel to the axes; `x`, `y` is its top left corner.
public struct Rect: Hashable, Codable, Sendable {
  /// Left edge.
  public var x: Double
  /// Top edge.
  public var y: Double
  /// Horizontal extent, not negative.
  public var width: Double
  /// Vertical extent, not negative.
  public var height: Double

  /// The empty rectangle at the origin.
  public static let zero = Rect(x: 0, y: 0, width: 0, height: 0)

  /// A rectangle by its top left corner and its extent.
  public init(x: Double, y: Double, width: Double, height: Double) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  /// A rectangle of `size` around `center`.
  public init(center: Point, size: Size) {
    self.init(
      x: center.x - size.width / 2, y: center.y - size.height / 2, width: size.width, height: size.height)
  }

  /// The same rectangle with whole edges as a floating-point one.
  public init(_ pixels: PixelRect) {
    self.init(
      x: Double(pixels.x), y: Double(pixels.y), width: Double(pixels.width), height: Double(pixels.height))
  }

  /// Left edge.
  public var minX: Double { x }
  /// Top edge.
  public var minY: Double { y }
  /// Right edge.
  public var maxX: Double { x + width }
  /// Bottom edge.
  public var maxY: Double { y + height }
  /// The middle.
  public var center: Point { Point(x: x + width / 2, y: y + height / 2) }
  /// The top left corner.
  public var origin: Point { Point(x: x, y: y) }
  /// The extent.
  public var size: Size { Size(width: width, height: height) }
  /// Whether nothing lies inside.
  public var isEmpty: Bool { !(width > 0 && height > 0) }

  /// Whether `point` lies inside; the left and top edges belong to the rectangle, the right and bottom ones do not.
  public func contains(_ point: Point) -> Bool {
    point.x >= minX && point.x < maxX && point.y >= minY && point.y < maxY
  }

  /// What both rectangles cover, or an empty rectangle.
  public func intersection(_ other: Rect) -> Rect {
    let left = max(minX, other.minX)
    let top = max(minY, other.minY)
    let right = min(maxX, other.maxX)
    let bottom = min(maxY, other.maxY)
    guard right > left, bottom > top else { return .zero }
    return Rect(x: left, y: top, width: right - left, height: bottom - top)
  }

  /// The smallest rectangle that covers both; an empty one does not count.
  public func union(_ other: Rect) -> Rect {
    if isEmpty { return other }
    if other.isEmpty { return self }
    let left = min(minX, other.minX)
    let top = min(minY, other.minY)
    return Rect(
      x: left, y: top, width: max(maxX, other.maxX) - left, height: max(maxY, other.maxY) - top)
  }

  /// The rectangle with every edge moved inwards by `amount` (outwards when negative), never inside out.
  public func insetBy(_ amount: Double) -> Rect {
    let newWidth = max(0, width - 2 * amount)
    let newHeight = max(0, height - 2 * amount)
    return Rect(center: center, size: Size(width: newWidth, height: newHeight))
  }

  /// The rectangle moved by `displacement`.
  public func offset(by displacement: Point) -> Rect {
    Rect(x: x + displacement.x, y: y + displacement.y, width: width, height: height)
  }
}

/// A rectangle of whole device pixels.
public struct PixelRect: Hashable, Codable, Sendable {
  /// Left column.
  public var x: Int
  /// Top row.
  public var y: Int
  /// Number of columns.
  public var width: Int
  /// Number of rows.
  public var height: Int

  /// The empty rectangle at the origin.
  public static let zero = PixelRect(x: 0, y: 0, width: 0, height: 0)

  /// A rectangle by its top left pixel and its extent.
  public init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  /// The smallest rectangle of whole pixels that covers `rect`.
  public init(covering rect: Rect) {
    let left = Int(rect.minX.rounded(.down))
    let top = Int(rect.minY.rounded(.down))
    self.init(
      x: left, y: top, width: Int(rect.maxX.rounded(.up)) - left, height: Int(rect.maxY.rounded(.up)) - top)
  }

  /// One past the right column.
  public var maxX: Int { x + width }
  /// One past the bottom row.
  public var maxY: Int { y + height }
  /// Whether it holds no pixel.
  public var isEmpty: Bool { width <= 0 || height <= 0 }
  /// Number of pixels.
  public var area: Int { isEmpty ? 0 : width * height }

  /// Whether the pixel in column `x` and row `y` lies inside.
  public func contains(x column: Int, y row: Int) -> Bool {
    column >= x && column < maxX && row >= y && row < maxY
  }

  /// The pixels in both, or an empty rectangle.
  public func intersection(_ other: PixelRect) -> PixelRect {
    let left = max(x, other.x)
    let top = max(y, other.y)
    let right = min(maxX, other.maxX)
    let bottom = min(maxY, other.maxY)
    guard right > left, bottom > top else { return .zero }
    return PixelRect(x: left, y: top, width: right - left, height: bottom - top)
  }

  /// The smallest rectangle that covers both; an empty one does not count.
  public func union(_ other: PixelRect) -> PixelRect {
    if isEmpty { return other }
    if other.isEmpty { return self }
    let left = min(x, other.x)
    let top = min(y, other.y)
    return PixelRect(x: left, y: top, width: max(maxX, other.maxX) - left, height: max(maxY, other.maxY) - top)
  }

  /// The rectangle with every edge moved inwards by `amount` pixels (outwards when negative), never inside out.
  public func insetBy(_ amount: Int) -> PixelRect {
    PixelRect(
      x: x + amount, y: y + amount, width: max(0, width - 2 * amount), height: max(0, height - 2 * amount))
  }

  /// The rectangle moved by whole pixels.
  public func offset(x columns: Int, y rows: Int) -> PixelRect {
    PixelRect(x: x + columns, y: y + rows, width: width, height: height)
  }
}
