public import Geometry

/// Lengths of the design (in logical pixels, 96 to the inch) as whole device pixels at one scale, so that every edge
/// falls between two pixels at integer and fractional scales alike.
public struct PixelGrid: Hashable, Sendable {
  /// Device pixels per logical pixel, 1 to about 3.
  public var scale: Double

  /// The grid at `scale`; anything that is no positive number counts as 1.
  public init(scale: Double) { self.scale = scale.isFinite && scale > 0 ? scale : 1 }

  /// `length` logical pixels as a whole number of device pixels; what is positive never vanishes.
  public func length(_ length: Double) -> Double {
    let rounded = (length * scale).rounded()
    return length > 0 ? max(1, rounded) : rounded
  }

  /// The thinnest line that is seen: one device pixel up to scale 1.75, two at 2, three at 3.
  public var hairline: Double { max(1, (scale + 0.25).rounded(.down)) }

  /// `rect` with all four edges moved to the nearest whole device pixel.
  public static func snap(_ rect: Rect) -> Rect {
    let left = rect.minX.rounded()
    let top = rect.minY.rounded()
    return Rect(x: left, y: top, width: rect.maxX.rounded() - left, height: rect.maxY.rounded() - top)
  }

  /// `point` moved to the nearest corner of device pixels.
  public static func snap(_ point: Point) -> Point { Point(x: point.x.rounded(), y: point.y.rounded()) }
}
