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

  /// Draws it in the middle of `area`: in two columns where one would be too high, and what is too long for a narrow
  /// window is wrapped.
  mutating func draw(on canvas: Canvas, in area: Rect, style: Style) {
    guard isShown else { return }
    let rows = Self.rows
    let labels = rows.map { TextLayout($0.label, font: style.font.withWeight(.medium)) }
    let widest = rows.map { TextLayout($0.description, font: style.font).size.width }.max() ?? 0
    let labelWidth = (labels.map(\.size.width).max() ?? 0).rounded(.up)
    let line = style.px(24)
    let room = Size(width: area.width - style.px(16), height: area.height - style.px(16))
    let padding = style.px(room.width < style.px(400) ? 12 : 20)
    let gap = style.px(16)
    let columnWidth = labelWidth + gap + widest.rounded(.up)
    let fitsInOne = Double(rows.count) * line + 2 * padding < room.height
    let columns = fitsInOne || 2 * columnWidth + 3 * padding > room.width ? 1 : 2
    let perColumn = (rows.count + columns - 1) / columns
    let width = min(room.width, Double(columns) * columnWidth + Double(columns + 1) * padding)
    let textWidth = columns == 2 ? widest : max(style.px(40), width - 2 * padding - labelWidth - gap)
    let texts = rows.map {
      TextLayout($0.description, font: style.font, maximumWidth: textWidth + 1, maximumLines: nil)
    }
    let spacing = line - (labels.first?.size.height ?? 0)
    let heights = texts.map { max(line, ($0.size.height + spacing).rounded(.up)) }
    // Where each row begins, from the top of its column.
    var tops: [Double] = []
    for index in rows.indices {
      tops.append(index % perColumn == 0 ? 0 : tops[index - 1] + heights[index - 1])
    }
    let contents = zip(tops, heights).map { $0 + $1 }.max() ?? 0
    let height = min(room.height, contents + 2 * padding)
    let frame = PixelGrid.snap(Rect(center: area.center, size: Size(width: width, height: height)))
    let hidden = contents + 2 * padding - height
    excess = Double(tops.prefix(perColumn).count { $0 < hidden })
    offset = min(offset, excess)
    let scrolled = min(max(0, hidden), offset > 0 ? tops[min(perColumn - 1, Int(offset))] : 0)
    canvas.fill(frame, style.theme.panel, cornerRadius: style.cornerRadius)
    canvas.stroke(frame, style.theme.hairline, lineWidth: style.hairline, cornerRadius: style.cornerRadius)
    canvas.clip(frame.insetBy(style.hairline)) {
      for index in rows.indices {
        let x = (frame.x + padding + Double(index / perColumn) * (columnWidth + padding)).rounded()
        let y = (frame.y + padding + tops[index] - scrolled).rounded()
        canvas.text(labels[index], at: Point(x: x, y: y), style.theme.text)
        canvas.text(texts[index], at: Point(x: (x + labelWidth + gap).rounded(), y: y), style.theme.secondaryText)
      }
    }
    guard hidden > 0 else { return }
    // How much of it is seen, as in every list.
    let track = frame.insetBy(style.px(4))
    let thumb = max(style.px(24), track.height * height / (contents + 2 * padding)).rounded()
    let y = track.y + ((track.height - thumb) * scrolled / hidden).rounded()
    canvas.fill(
      Rect(x: frame.maxX - style.px(6), y: y, width: style.px(4), height: thumb), style.theme.scrollThumb,
      cornerRadius: style.px(2))
  }
}
