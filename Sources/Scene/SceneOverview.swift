public import Geometry

/// The small map in the corner: where it lies, what it shows, and what of it the window shows.
public struct Overview: Hashable, Sendable {
  /// Where it lies, in device pixels of the window.
  public let rect: PixelRect
  /// The part of the layout that it shows; of the same shape.
  public let layout: Rect
  /// What of it the viewport shows, in device pixels of the window.
  public let view: Rect

  /// Layout units to device pixels of the window.
  func toWindow(_ point: Point) -> Point {
    Point(
      x: Double(rect.x) + (point.x - layout.x) / layout.width * Double(rect.width),
      y: Double(rect.y) + (point.y - layout.y) / layout.height * Double(rect.height))
  }

  /// Device pixels of the window to layout units.
  func toLayout(_ point: Point) -> Point {
    Point(
      x: layout.x + (point.x - Double(rect.x)) / Double(rect.width) * layout.width,
      y: layout.y + (point.y - Double(rect.y)) / Double(rect.height) * layout.height)
  }
}

/// What the picture of the overview is made of, away from the main thread: of very many pictures it takes longer than a frame.
public struct OverviewRequest: Sendable {
  /// What tells one picture from another.
  public struct Key: Hashable, Sendable {
    /// Grows with what is to be seen.
    public let version: Int
    /// The part of the layout.
    public let layout: Rect
    /// Pixels.
    public let width: Int
    /// Pixels.
    public let height: Int
  }

  /// Equal where the picture is the same.
  public let key: Key
  /// The pictures that have a place.
  public let slots: [Int32]
  /// Where they are.
  public let places: PicturePlaces
  /// Those that are chosen; the others are fainter while there are any.
  public let selection: Selection
}

// The overview map in the corner.
extension Scene {
  /// The most it takes, in logical pixels and as a share of the viewport.
  private static let overviewSize = Size(width: 176, height: 132)
  private static let overviewShare = 0.3
  private static let overviewMargin = 12.0
  /// A viewport smaller than this, in logical pixels, has no room for it.
  private static let leastViewport = Size(width: 440, height: 300)
  /// Nothing is to be gained from it while this share of the map is in view.
  private static let wholeShare = 0.98

  /// The overview; nil while it is not shown: it was hidden, there is no room, or the whole map is in view.
  public var overview: Overview? {
    guard showsOverview, opened == nil, handHasTouchedCamera, !pictures.placed.isEmpty else { return nil }
    let viewport = camera.viewport
    let room = Size(width: Double(viewport.width), height: Double(viewport.height))
    guard room.width >= Self.leastViewport.width * uiScale, room.height >= Self.leastViewport.height * uiScale else {
      return nil
    }
    let bounds = pictures.bounds
    guard bounds.width > 0, bounds.height > 0 else { return nil }
    let seen = camera.visibleLayout
    let common = seen.intersection(bounds)
    if common.width * common.height >= Self.wholeShare * bounds.width * bounds.height { return nil }
    let layout = bounds.insetBy(-0.03 * max(bounds.width, bounds.height))
    let size = Size(width: layout.width, height: layout.height).fitted(
      in: Size(
        width: min(Self.overviewSize.width * uiScale, Self.overviewShare * room.width),
        height: min(Self.overviewSize.height * uiScale, Self.overviewShare * room.height)))
    let (width, height) = (max(8, Int(size.width.rounded())), max(8, Int(size.height.rounded())))
    let margin = Int((Self.overviewMargin * uiScale).rounded())
    let rect = PixelRect(
      x: viewport.maxX - margin - width, y: viewport.maxY - margin - height, width: width, height: height)
    let whole = Overview(rect: rect, layout: layout, view: .zero)
    let corner = whole.toWindow(seen.origin)
    let end = whole.toWindow(Point(x: seen.maxX, y: seen.maxY))
    // A part that would be too small to be seen, or taken hold of, is shown larger than it is.
    let least = 8 * uiScale
    let view = Rect(
      center: Point(x: (corner.x + end.x) / 2, y: (corner.y + end.y) / 2),
      size: Size(width: max(least, end.x - corner.x), height: max(least, end.y - corner.y)))
    return Overview(rect: rect, layout: layout, view: view)
  }

  /// What the overview's picture is to be made of.
  public var overviewRequest: OverviewRequest? {
    guard let overview else { return nil }
    return OverviewRequest(
      key: OverviewRequest.Key(
        version: contentVersion, layout: overview.layout, width: overview.rect.width, height: overview.rect.height),
      slots: pictures.placed, places: pictures.places, selection: selection)
  }

  func isOnOverview(_ point: Point) -> Bool { overview.map { Rect($0.rect).contains(point) } ?? false }

  mutating func toggleOverview(_ effects: inout Effects) {
    showsOverview.toggle()
    hasUnsavedView = true
    updateHover(&effects)
    effects.redraw()
  }

  /// A press on the overview takes hold of what is in view, or brings the place that was pressed into view.
  mutating func pressOverview(_ overview: Overview, at point: Point, _ effects: inout Effects) {
    gesture.context = .overview
    gesture.isDragging = true
    takeCamera()
    let place = overview.toLayout(point)
    if overview.view.contains(point) {
      gesture.grip = camera.center - place
      setCursor(.dragging, &effects)
    } else {
      gesture.grip = .zero
      var target = camera
      target.center = place
      fly(to: target, &effects)
    }
    effects.redraw()
  }

  mutating func dragOverview(to point: Point, _ effects: inout Effects) {
    guard let overview else { return }
    motion.flight = nil
    let bounds = pictures.bounds
    let place = overview.toLayout(point) + gesture.grip
    camera.center = Point(
      x: min(bounds.maxX, max(bounds.minX, place.x)), y: min(bounds.maxY, max(bounds.minY, place.y)))
    setCursor(.dragging, &effects)
    effects.redraw()
  }
}
