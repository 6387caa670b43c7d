public import Geometry

/// The picture that is shown at full size over the map: what the full-size view draws, and how.
public struct OpenedImage: Hashable, Sendable {
  /// Which picture.
  public let slot: Int
  /// Size of the original in pixels as it is turned; before it is known, a size of the right shape.
  public internal(set) var imageSize: Size
  /// Whether `imageSize` is the original's own.
  public internal(set) var isSizeKnown = false
  /// How the picture is turned.
  public internal(set) var turn: QuarterTurn
  /// Whether the picture keeps to the window's size.
  public internal(set) var fits = true
  /// Device pixels per image pixel.
  public internal(set) var scale: Double
  /// The point of the picture in the middle of the viewport, in image pixels.
  public internal(set) var center: Point
  /// The part of the window that the view has, in device pixels.
  public internal(set) var viewport: PixelRect
  /// 0 when it leaves its place on the map, 1 when it has arrived: how far the way `rect` takes, and how dark the map is.
  public internal(set) var progress = 1.0
  /// Where the picture was on the map, in device pixels.
  var origin: Rect?
  var uiScale: Double

  /// The largest enlargement, in device pixels per image pixel.
  static let largestScale = 32.0
  /// Pictures smaller than the window are enlarged to fit, but not beyond this many logical pixels per image pixel.
  static let largestFit = 2.0

  init(
    slot: Int, aspect: Double, turn: QuarterTurn = .none, viewport: PixelRect, uiScale: Double, origin: Rect?
  ) {
    self.slot = slot
    self.turn = turn
    imageSize = turn.applied(to: Size(width: 1024 * max(1, aspect), height: 1024 * max(1, 1 / aspect)))
    center = Point(x: imageSize.width / 2, y: imageSize.height / 2)
    self.viewport = viewport
    self.uiScale = uiScale
    self.origin = origin
    scale = 1
    scale = fittingScale
  }

  /// The scale at which the whole picture is seen.
  var fittingScale: Double {
    let bounds = Size(width: max(1, Double(viewport.width)), height: max(1, Double(viewport.height)))
    let fitting = min(bounds.width / max(1, imageSize.width), bounds.height / max(1, imageSize.height))
    return isSizeKnown ? min(fitting, Self.largestFit * uiScale) : fitting
  }

  /// Where the whole picture lies, in device pixels of the window; parts of it may be outside the viewport.
  public var rect: Rect {
    let middle = Rect(viewport).center
    let arrived = Rect(
      x: middle.x - center.x * scale, y: middle.y - center.y * scale, width: imageSize.width * scale,
      height: imageSize.height * scale)
    guard progress < 1, let origin else { return arrived }
    func between(_ from: Double, _ to: Double) -> Double { from + (to - from) * progress }
    return Rect(
      x: between(origin.x, arrived.x), y: between(origin.y, arrived.y),
      width: between(origin.width, arrived.width), height: between(origin.height, arrived.height))
  }

  /// Shows the whole picture.
  mutating func fit() {
    fits = true
    scale = fittingScale
    center = Point(x: imageSize.width / 2, y: imageSize.height / 2)
  }

  /// The window's size changed.
  mutating func setViewport(_ viewport: PixelRect, uiScale: Double) {
    self.viewport = viewport
    self.uiScale = uiScale
    if fits { fit() } else { keepInside() }
  }

  /// The size of the original, as it is stored, became known: what is seen stays where it is, unless it is to fit.
  mutating func setSize(_ size: Size) {
    guard size.width > 0, size.height > 0 else { return }
    let size = turn.applied(to: size)
    let factor = imageSize.width / size.width
    imageSize = size
    isSizeKnown = true
    if fits {
      fit()
    } else {
      scale *= factor
      center = center * (1 / factor)
      keepInside()
    }
  }

  /// Sets the scale; the image's point under `anchor` (device pixels) stays there as far as the borders allow.
  mutating func zoom(to newScale: Double, about anchor: Point) {
    let smallest = min(fittingScale, 1)
    let target = min(Self.largestScale, max(smallest, newScale))
    let fromMiddle = anchor - Rect(viewport).center
    let held = center + fromMiddle * (1 / scale)
    scale = target
    center = held - fromMiddle * (1 / target)
    fits = abs(target - fittingScale) < 1e-6 * target
    keepInside()
  }

  /// Turns the picture by a quarter; the point in the middle of the viewport stays there as far as the borders allow.
  mutating func turn(clockwise: Bool) {
    let old = imageSize
    turn = clockwise ? turn.clockwise : turn.counterclockwise
    imageSize = Size(width: old.height, height: old.width)
    center =
      clockwise ? Point(x: old.height - center.y, y: center.x) : Point(x: center.y, y: old.width - center.x)
    if fits { fit() } else { keepInside() }
  }

  /// Shows the same part as another picture does, as large beside its own whole: for pictures side by side.
  mutating func follow(_ leader: OpenedImage) {
    progress = 1
    if leader.fits { return fit() }
    fits = false
    scale = fittingScale * leader.scale / leader.fittingScale
    center = Point(
      x: leader.center.x / leader.imageSize.width * imageSize.width,
      y: leader.center.y / leader.imageSize.height * imageSize.height)
    keepInside()
  }

  /// Moves the picture by device pixels.
  mutating func pan(by displacement: Point) {
    center = center - displacement * (1 / scale)
    keepInside()
  }

  /// Whether there is anything to pan to.
  var exceedsViewport: Bool {
    imageSize.width * scale > Double(viewport.width) + 0.5
      || imageSize.height * scale > Double(viewport.height) + 0.5
  }

  /// A side smaller than the window is centred; a larger one leaves no gap at the window's edge.
  private mutating func keepInside() {
    func clamped(_ center: Double, _ length: Double, _ window: Int) -> Double {
      let half = Double(window) / 2 / scale
      return length <= 2 * half ? length / 2 : min(length - half, max(half, center))
    }
    center.x = clamped(center.x, imageSize.width, viewport.width)
    center.y = clamped(center.y, imageSize.height, viewport.height)
  }
}
