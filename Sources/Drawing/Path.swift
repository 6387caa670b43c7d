public import Geometry

/// A shape of straight lines, cubic curves and arcs, in device pixels.
public struct Path: Hashable, Sendable {
  enum Element: Hashable, Sendable {
    case move(Point)
    case line(Point)
    case curve(Point, Point, Point)
    case arc(center: Point, radius: Double, from: Double, to: Double)
    case close
  }

  var elements: [Element] = []

  /// A path with nothing in it.
  public init() {}

  /// A chain of straight lines through `points`, closed or not.
  public init(_ points: [Point], closed: Bool) {
    for (index, point) in points.enumerated() {
      elements.append(index == 0 ? .move(point) : .line(point))
    }
    if closed, !points.isEmpty { elements.append(.close) }
  }

  /// A circle.
  public init(circleAround center: Point, radius: Double) {
    elements = [.arc(center: center, radius: radius, from: 0, to: 2 * .pi), .close]
  }

  /// A rectangle whose corners are quarter circles; the radius is at most half the shorter side.
  public init(_ rect: Rect, cornerRadius: Double) {
    let radius = max(0, min(cornerRadius, min(rect.width, rect.height) / 2))
    guard radius > 0 else {
      self.init(
        [
          Point(x: rect.minX, y: rect.minY), Point(x: rect.maxX, y: rect.minY),
          Point(x: rect.maxX, y: rect.maxY), Point(x: rect.minX, y: rect.maxY),
        ], closed: true)
      return
    }
    let (left, right) = (rect.minX + radius, rect.maxX - radius)
    let (top, bottom) = (rect.minY + radius, rect.maxY - radius)
    let quarter = Double.pi / 2
    self.init()
    elements = [
      .arc(center: Point(x: right, y: top), radius: radius, from: -quarter, to: 0),
      .arc(center: Point(x: right, y: bottom), radius: radius, from: 0, to: quarter),
      .arc(center: Point(x: left, y: bottom), radius: radius, from: quarter, to: 2 * quarter),
      .arc(center: Point(x: left, y: top), radius: radius, from: 2 * quarter, to: 3 * quarter),
      .close,
    ]
  }

  /// Starts a new part at `point`.
  public mutating func move(to point: Point) { elements.append(.move(point)) }
  /// A straight line to `point`.
  public mutating func line(to point: Point) { elements.append(.line(point)) }
  /// A cubic Bézier curve to `point`.
  public mutating func curve(to point: Point, _ control1: Point, _ control2: Point) {
    elements.append(.curve(control1, control2, point))
  }
  /// A circular arc, joined by a line to what is there; angles in radians, clockwise on the screen, 0 to the right.
  public mutating func arc(center: Point, radius: Double, from: Double, to: Double) {
    elements.append(.arc(center: center, radius: radius, from: from, to: to))
  }
  /// A line back to the start of the part.
  public mutating func close() { elements.append(.close) }
}
