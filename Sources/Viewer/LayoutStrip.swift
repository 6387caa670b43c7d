import Controls
import Drawing
import Geometry
import Imaging

/// The last layouts of a location side by side below the map, each as a small picture with what tells it apart.
@MainActor final class LayoutStrip: ControlBase {
  /// One layout.
  struct Item: Equatable {
    /// What it is kept as.
    var id: String
    /// What it was made with.
    var words: LayoutWords
  }

  /// A layout was pressed, by its place in the row.
  var onPress: ((Int) -> Void)?
  /// The layouts, the oldest first.
  var items: [Item] = [] { didSet { if items != oldValue { invalidate() } } }
  /// The one that is shown.
  var current: Int? { didSet { if current != oldValue { invalidate() } } }
  /// Their pictures by what they are kept as, as far as they have been made.
  var pictures: [String: PixelImage] = [:] { didSet { invalidate() } }
  private var hovered: Int? { didSet { if hovered != oldValue { invalidate() } } }

  private var cellSize = Size(width: 120, height: 88)
  private var pitch: Double { cellSize.width + style.px(12) }
  private var padding: Double { style.px(12) }
  private var lineHeight: Double { style.smallFont.metrics.lineHeight.rounded(.up) }
  private var titleHeight: Double { lineHeight + style.px(8) }

  override init() {
    super.init()
    isVisible = false
  }

  /// The pixels that a picture of a layout is to have.
  var pictureSize: (width: Int, height: Int) {
    (Int(cellSize.width - 2 * style.px(6)), Int(cellSize.height - 2 * style.px(6)))
  }

  /// Lays it out at the lower edge of `area`, as wide as its pictures need or as there is room.
  func place(in area: Rect, style: Style) {
    self.style = style
    let margin = style.px(area.width < style.px(480) ? 8 : 12)
    // In a low window the map keeps more than half of the room.
    let isLow = area.height < style.px(420)
    cellSize = Size(width: style.px(isLow ? 96 : 120), height: style.px(isLow ? 48 : 88))
    let wanted = max(style.px(400), Double(items.count) * pitch - style.px(12) + 2 * padding)
    let width = max(0, min(area.width - 2 * margin, wanted))
    let height = titleHeight + cellSize.height + style.px(4) + 2 * lineHeight + 2 * padding
    frame = PixelGrid.snap(
      Rect(x: area.center.x - width / 2, y: max(area.y, area.maxY - margin - height), width: width, height: height))
  }

  /// How far the row is moved to the left, so that the layout that is shown is seen.
  private var offset: Double {
    let room = frame.width - 2 * padding
    let whole = Double(items.count) * pitch - style.px(12)
    guard whole > room else { return 0 }
    let middle = Double(current ?? items.count - 1) * pitch + cellSize.width / 2
    return min(whole - room, max(0, middle - room / 2)).rounded()
  }

  private func cell(_ index: Int) -> Rect {
    Rect(
      x: frame.x + padding + Double(index) * pitch - offset, y: frame.y + padding + titleHeight, width: cellSize.width,
      height: cellSize.height)
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
      hovered = index(at: pointer.position)
      return .handled
    case .pointerLeft:
      hovered = nil
      return .ignored
    case .pointerPressed(let pointer):
      if pointer.button == .left, let index = index(at: pointer.position) { onPress?(index) }
      return .handled
    case .pointerReleased, .scrolled: return .handled
    default: return .ignored
    }
  }

  override func pointerShape(at point: Point) -> PointerShape { index(at: point) == nil ? .arrow : .hand }

  /// All that was said below the picture, should there not have been room for it.
  override func tip(at point: Point) -> String? {
    index(at: point).map { "\(items[$0].words.title), \(items[$0].words.detail)" }
  }

  override func draw(on canvas: Canvas) {
    let theme = style.theme
    canvas.fill(frame, theme.panel, cornerRadius: style.cornerRadius)
    canvas.stroke(
      frame.insetBy(style.hairline / 2), theme.hairline, lineWidth: style.hairline, cornerRadius: style.cornerRadius)
    let title =
      items.count == 1
      ? "One layout so far: Refresh makes more of them"
      : "The last \(items.count) layouts: Alt+Left, Alt+Right; Esc closes"
    let heading = TextLayout(
      title, font: style.smallFont.tabular, maximumWidth: max(1, frame.width - 2 * padding), ellipsis: .end)
    canvas.text(heading, at: Point(x: frame.x + padding, y: frame.y + padding - style.px(3)), theme.secondaryText)
    canvas.clip(frame.insetBy(style.px(4))) {
      for index in items.indices {
        let cell = cell(index)
        guard cell.maxX > frame.minX, cell.minX < frame.maxX else { continue }
        drawItem(index, in: cell, on: canvas)
      }
    }
  }

  private func drawItem(_ index: Int, in cell: Rect, on canvas: Canvas) {
    let theme = style.theme
    let item = items[index]
    canvas.fill(cell, theme.canvas, cornerRadius: style.px(4))
    if let picture = pictures[item.id] {
      let place = PixelGrid.snap(
        Rect(center: cell.center, size: Size(width: Double(picture.width), height: Double(picture.height))))
      canvas.image(
        picture.pixels, width: picture.width, height: picture.height, stride: picture.width, in: place, filter: .nearest
      )
    }
    let isCurrent = index == current
    let line = isCurrent ? style.focusWidth : style.hairline
    canvas.stroke(
      cell.insetBy(isCurrent ? -style.px(2) : line / 2),
      isCurrent ? theme.focus : index == hovered ? theme.secondaryText : theme.hairline, lineWidth: line,
      cornerRadius: style.px(4))
    let lines = [
      (item.words.title, isCurrent || index == hovered ? theme.text : theme.secondaryText),
      (item.words.detail, theme.secondaryText),
    ]
    for (row, (text, color)) in lines.enumerated() {
      let layout = TextLayout(
        text, font: style.smallFont.tabular, maximumWidth: pitch - style.px(4), ellipsis: row == 0 ? .middle : .end)
      canvas.text(
        layout,
        at: Point(
          x: (cell.center.x - layout.size.width / 2).rounded(),
          y: cell.maxY + style.px(5) + Double(row) * lineHeight), color)
    }
  }
}
