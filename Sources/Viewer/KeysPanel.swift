import Controls
import Drawing
import Geometry
import Scene
import X11

/// The table of keys, over the map. Any key or click closes it.
@MainActor struct KeysPanel {
  /// Whether it is shown.
  var isShown = false { didSet { offset = 0 } }
  /// Rows that are scrolled out above, where the window is too low for all.
  private var offset = 0.0
  /// Rows that there is no room for; known once it was drawn.
  private var excess = 0.0

  private static var rows: [KeyBinding] { KeyBinding.table.filter { !$0.label.isEmpty } }

  /// Scrolls by rows; down when positive.
  mutating func scroll(rows: Double) { offset = max(0, min(excess, offset + rows.rounded())) }

  /// Scrolls when the key means that and there is something to scroll to; whether it did.
  mutating func scroll(by key: KeySymbol) -> Bool {
    guard excess > 0 else { return false }
    switch key {
    case .down: scroll(rows: 1)
    case .up: scroll(rows: -1)
    case .pageDown: scroll(rows: 6)
    case .pageUp: scroll(rows: -6)
    default: return false
    }
    return true
  }

  /// Draws it in the middle of `area`, in two columns where one would be too high.
  mutating func draw(on canvas: Canvas, in area: Rect, style: Style) {
    guard isShown else { return }
    let rows = Self.rows
    let labels = rows.map { TextLayout($0.label, font: style.font.withWeight(.medium)) }
    let texts = rows.map { TextLayout($0.description, font: style.font) }
    let labelWidth = labels.map(\.size.width).max() ?? 0
    let textWidth = texts.map(\.size.width).max() ?? 0
    let rowHeight = style.px(24)
    let padding = style.px(20)
    let gap = style.px(16)
    let columnWidth = labelWidth + gap + textWidth
    let fitsInOne = Double(rows.count) * rowHeight + 2 * padding < area.height - style.px(16)
    let columns = fitsInOne || 2 * columnWidth + 3 * padding > area.width ? 1 : 2
    let perColumn = (rows.count + columns - 1) / columns
    let size = Size(
      width: min(area.width - style.px(16), Double(columns) * columnWidth + Double(columns + 1) * padding),
      height: min(area.height - style.px(16), Double(perColumn) * rowHeight + 2 * padding))
    let frame = PixelGrid.snap(Rect(center: area.center, size: size))
    excess = max(0, (Double(perColumn) - (size.height - 2 * padding) / rowHeight).rounded(.up))
    offset = min(offset, excess)
    let room = max(style.px(40), frame.width - 2 * padding - labelWidth - gap)
    canvas.fill(frame, style.theme.panel, cornerRadius: style.cornerRadius)
    canvas.stroke(frame, style.theme.hairline, lineWidth: style.hairline, cornerRadius: style.cornerRadius)
    canvas.clip(frame.insetBy(style.hairline)) {
      for index in rows.indices {
        let x = (frame.x + padding + Double(index / perColumn) * (columnWidth + padding)).rounded()
        let y = (frame.y + padding + (Double(index % perColumn) - offset) * rowHeight).rounded()
        canvas.text(labels[index], at: Point(x: x, y: y), style.theme.text)
        let text =
          columns == 1 && texts[index].size.width > room
          ? TextLayout(rows[index].description, font: style.font, maximumWidth: room, ellipsis: .end) : texts[index]
        canvas.text(text, at: Point(x: (x + labelWidth + gap).rounded(), y: y), style.theme.secondaryText)
      }
    }
  }
}
