/// What part of the layout is seen, and how large: a similarity between layout units and device pixels.
public struct Camera: Hashable, Codable, Sendable {
  /// The point of the layout in the middle of the viewport, in layout units.
  public var center: Point
  /// Device pixels per layout unit, positive.
  public var scale: Double
  /// The part of the window that shows the map, in device pixels of the window.
  public var viewport: PixelRect

  /// A camera that looks at `center`.
  public init(center: Point = .zero, scale: Double = 1, viewport: PixelRect = .zero) {
    self.center = center
    self.scale = scale
    self.viewport = viewport
  }

  /// Where the middle of the viewport is on the screen.
  private var middle: Point {
    Point(
      x: Double(viewport.x) + Double(viewport.width) / 2, y: Double(viewport.y) + Double(viewport.height) / 2)
  }

  /// Layout units to device pixels.
  public func toScreen(_ point: Point) -> Point { middle + (point - center) * scale }

  /// Device pixels to layout units.
  public func toLayout(_ point: Point) -> Point { center + (point - middle) * (1 / scale) }

  /// Layout units to device pixels.
  public func toScreen(_ rect: Rect) -> Rect {
    let corner = toScreen(rect.origin)
    return Rect(x: corner.x, y: corner.y, width: rect.width * scale, height: rect.height * scale)
  }

  /// Device pixels to layout units.
  public func toLayout(_ rect: Rect) -> Rect {
    let corner = toLayout(rect.origin)
    return Rect(x: corner.x, y: corner.y, width: rect.width / scale, height: rect.height / scale)
  }

  /// The part of the layout that the viewport shows, in layout units.
  public var visibleLayout: Rect { toLayout(Rect(viewport)) }

  /// Moves the picture by `displacement` device pixels, as a hand that drags it does.
  public mutating func pan(by displacement: Point) { center = center - displacement * (1 / scale) }

  /// Enlarges by `factor`; the layout's point under `anchor` (device pixels) stays where it is.
  public mutating func zoom(by factor: Double, about anchor: Point) {
    let held = toLayout(anchor)
    scale *= factor
    center = held - (anchor - middle) * (1 / scale)
  }

  /// Shows all of `rect` (layout units), as large as it goes, with `margin` device pixels free on every side.
  public mutating func fit(_ rect: Rect, margin: Double) {
    center = rect.center
    let free = Size(
      width: max(1, Double(viewport.width) - 2 * margin), height: max(1, Double(viewport.height) - 2 * margin))
    let horizontal = rect.width > 0 ? free.width / rect.width : .infinity
    let vertical = rect.height > 0 ? free.height / rect.height : .infinity
    let fitting = min(horizontal, vertical)
    if fitting.isFinite { scale = fitting }
  }
}
