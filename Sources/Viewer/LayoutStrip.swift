import Controls
import Drawing
import Geometry
import Imaging

/// The last layouts of a location side by side below the map, each as a small picture with what tells it apart.
@MainActor final class LayoutStrip: CellStrip {
  /// One layout.
  struct Item: Equatable {
    /// What it is kept as.
    var id: String
    /// What it was made with.
    var words: LayoutWords
  }

  /// The layouts, the oldest first.
  var items: [Item] = [] { didSet { if items != oldValue { invalidate() } } }
  /// Their pictures by what they are kept as, as far as they have been made.
  var pictures: [String: PixelImage] = [:] { didSet { invalidate() } }

  private var size = Size(width: 120, height: 88)
  private var lineHeight: Double { style.smallFont.metrics.lineHeight.rounded(.up) }

  override var count: Int { items.count }
  override var heading: String {
    items.count == 1
      ? "One layout so far: Refresh makes more of them"
      : "The last \(items.count) layouts: Alt+Left, Alt+Right; Esc closes"
  }
  override var cellSize: Size { size }
  override var captionHeight: Double { style.px(4) + 2 * lineHeight }
  override var headingHeight: Double { lineHeight + style.px(8) }
  override var restingCell: Int { items.count - 1 }

  /// The pixels that a picture of a layout is to have.
  var pictureSize: (width: Int, height: Int) {
    (Int(size.width - 2 * style.px(6)), Int(size.height - 2 * style.px(6)))
  }

  /// Lays it out at the lower edge of `area`.
  func place(in area: Rect, style: Style) {
    self.style = style
    // In a low window the map keeps more than half of the room.
    let isLow = area.height < style.px(420)
    size = Size(width: style.px(isLow ? 96 : 120), height: style.px(isLow ? 48 : 88))
    place(in: area, margin: style.px(area.width < style.px(480) ? 8 : 12), narrowest: style.px(400))
  }

  /// All that was said below the picture, should there not have been room for it.
  override func tip(at point: Point) -> String? {
    index(at: point).map { "\(items[$0].words.title), \(items[$0].words.detail)" }
  }

  override func drawCell(_ index: Int, in cell: Rect, on canvas: Canvas) {
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
