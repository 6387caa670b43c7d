import Atlas
import Controls
import Drawing
import Geometry
import Imaging

/// The pictures of a group side by side below the map, each with a few words.
@MainActor final class GroupStrip: ControlBase {
  /// One picture.
  struct Item: Equatable {
    /// Which.
    var slot: Int
    /// What is said below it.
    var caption: String
  }

  /// A picture was pressed.
  var onPress: ((Int) -> Void)?
  /// What is said above the pictures.
  var title = "" { didSet { if title != oldValue { invalidate() } } }
  /// The pictures.
  var items: [Item] = [] { didSet { if items != oldValue { invalidate() } } }
  /// The one at hand.
  var current: Int? { didSet { if current != oldValue { invalidate() } } }
  /// Their thumbnails.
  var atlas: Atlas?
  private var hovered: Int?

  private var side = 72.0
  private var pitch: Double { side + style.px(12) }
  private var padding: Double { style.px(12) }
  private var titleHeight: Double { (style.smallFont.metrics.lineHeight + style.px(6)).rounded(.up) }

  override init() {
    super.init()
    isVisible = false
  }

  /// Lays it out at the lower edge of `area`, as wide as its pictures need or as there is room.
  func place(in area: Rect, style: Style) {
    self.style = style
    let margin = style.px(12)
    // In a low window the map keeps more than half of the room.
    side = style.px(area.height < style.px(420) ? 36 : 72)
    let wanted = max(style.px(560), Double(items.count) * pitch - style.px(12) + 2 * padding)
    let width = max(0, min(area.width - 2 * margin, wanted))
    let height = titleHeight + side + (style.smallFont.metrics.lineHeight + style.px(4)).rounded(.up) + 2 * padding
    frame = PixelGrid.snap(
      Rect(x: area.center.x - width / 2, y: max(area.y, area.maxY - margin - height), width: width, height: height))
  }

  /// How far the row is moved to the left, so that the picture at hand is seen.
  private var offset: Double {
    let room = frame.width - 2 * padding
    let whole = Double(items.count) * pitch - style.px(12)
    guard whole > room else { return 0 }
    let middle = Double(current ?? 0) * pitch + side / 2
    return min(whole - room, max(0, middle - room / 2)).rounded()
  }

  private func cell(_ index: Int) -> Rect {
    Rect(
      x: frame.x + padding + Double(index) * pitch - offset, y: frame.y + padding + titleHeight, width: side,
      height: side)
  }

  private func index(at point: Point) -> Int? {
    let x = point.x - frame.x - padding + offset
    let index = Int((x / pitch).rounded(.down))
    return frame.contains(point) && x >= 0 && items.indices.contains(index) ? index : nil
  }

  override func handle(_ event: ControlEvent) -> ControlResponse {
    _ = super.handle(event)
    switch event {
    case .pointerMoved(let pointer):
      let index = index(at: pointer.position)
      if index != hovered {
        hovered = index
        invalidate()
      }
      return .handled
    case .pointerLeft:
      hovered = nil
      invalidate()
      return .ignored
    case .pointerPressed(let pointer):
      if pointer.button == .left, let index = index(at: pointer.position) { onPress?(index) }
      return .handled
    case .pointerReleased, .scrolled: return .handled
    default: return .ignored
    }
  }

  override func pointerShape(at point: Point) -> PointerShape { index(at: point) == nil ? .arrow : .hand }

  override func draw(on canvas: Canvas) {
    let theme = style.theme
    canvas.fill(frame, theme.panel, cornerRadius: style.cornerRadius)
    canvas.stroke(
      frame.insetBy(style.hairline / 2), theme.hairline, lineWidth: style.hairline, cornerRadius: style.cornerRadius)
    let heading = TextLayout(
      title, font: style.smallFont.tabular, maximumWidth: max(1, frame.width - 2 * padding), ellipsis: .end)
    canvas.text(heading, at: Point(x: frame.x + padding, y: frame.y + padding - style.px(3)), theme.secondaryText)
    canvas.clip(frame.insetBy(style.px(4))) {
      for (index, item) in items.enumerated() {
        let cell = cell(index)
        guard cell.maxX > frame.minX, cell.minX < frame.maxX else { continue }
        drawItem(item, index, in: cell, on: canvas)
      }
    }
  }

  private func drawItem(_ item: Item, _ index: Int, in cell: Rect, on canvas: Canvas) {
    let theme = style.theme
    if index == hovered { canvas.fill(cell.insetBy(-style.px(4)), theme.rowHover, cornerRadius: style.px(4)) }
    // Of the levels in memory the largest: this is the main thread, which does not wait for the disk.
    if let atlas,
      let level = thumbnailLevels.indices.last(where: { atlas.isResident(item.slot, level: $0) }),
      let thumbnail = atlas.level(level, of: item.slot)
    {
      let fitted = Size(width: Double(thumbnail.width), height: Double(thumbnail.height)).fitted(in: cell.size)
      let place = PixelGrid.snap(Rect(center: cell.center, size: fitted))
      canvas.image(
        thumbnail.pixels, width: thumbnail.width, height: thumbnail.height, stride: thumbnail.width, in: place)
    } else {
      canvas.fill(cell, theme.field, cornerRadius: style.px(3))
    }
    if index == current {
      canvas.stroke(
        cell.insetBy(-style.px(3)), theme.focus, lineWidth: style.focusWidth, cornerRadius: style.px(4))
    }
    let caption = TextLayout(
      item.caption, font: style.smallFont.tabular, maximumWidth: pitch - style.px(2), ellipsis: .end)
    canvas.text(
      caption, at: Point(x: (cell.center.x - caption.size.width / 2).rounded(), y: cell.maxY + style.px(5)),
      theme.secondaryText)
  }
}
