import Controls
import Drawing
import Geometry
import Scene

/// The table of keys, over the map. Any key or click closes it.
@MainActor struct KeysPanel {
  /// Whether it is shown.
  var isShown = false

  private static var rows: [KeyBinding] { KeyBinding.table.filter { !$0.label.isEmpty } }

  /// Draws it in the middle of `area`, in two columns where one would be too high.
  func draw(on canvas: Canvas, in area: Rect, style: Style) {
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
    canvas.fill(frame, style.theme.panel, cornerRadius: style.cornerRadius)
    canvas.stroke(frame, style.theme.hairline, lineWidth: style.hairline, cornerRadius: style.cornerRadius)
    canvas.clip(frame.insetBy(style.hairline)) {
      for index in rows.indices {
        let x = (frame.x + padding + Double(index / perColumn) * (columnWidth + padding)).rounded()
        let y = (frame.y + padding + Double(index % perColumn) * rowHeight).rounded()
        canvas.text(labels[index], at: Point(x: x, y: y), style.theme.text)
        canvas.text(texts[index], at: Point(x: (x + labelWidth + gap).rounded(), y: y), style.theme.secondaryText)
      }
    }
  }
}
