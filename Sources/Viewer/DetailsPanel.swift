import Controls
import Drawing
import Geometry
import X11

/// What is known about the picture at full size, at its right: its file, and what the camera wrote into it.
@MainActor struct DetailsPanel {
  /// One line of it.
  struct Row: Hashable {
    /// What it is about; empty for a heading.
    var name: String
    /// What is said, or the heading.
    var value: String
  }

  /// Whether it is wanted, whenever a picture is shown at full size.
  var isShown = false
  /// What it says.
  var rows: [Row] = [] {
    didSet {
      guard rows != oldValue else { return }
      lines = []
      offset = 0
    }
  }
  /// Where it is.
  private(set) var frame: Rect = .zero

  private struct Line {
    let name: TextLayout?
    let value: TextLayout
    let top: Double
  }

  private var style: Style?
  /// The rows as they are set, once they have been drawn.
  private var lines: [Line] = []
  private var height = 0.0
  /// Device pixels that are scrolled out above.
  private var offset = 0.0

  /// The width that it takes of a window area.
  static func width(in area: Rect, style: Style) -> Double { min(style.px(340), (area.width * 0.5).rounded()) }

  /// Puts it at the right of `area`.
  mutating func place(in area: Rect, style: Style) {
    let width = Self.width(in: area, style: style)
    let new = Rect(x: area.maxX - width, y: area.y, width: width, height: area.height)
    guard new != frame || style != self.style else { return }
    frame = new
    self.style = style
    lines = []
  }

  /// Scrolls by lines; down when positive.
  mutating func scroll(lines count: Double) {
    guard let style else { return }
    offset = max(0, min(height - frame.height, offset + (count * style.px(24)).rounded()))
  }

  /// Scrolls when the key means that; whether it did.
  mutating func scroll(by key: KeySymbol) -> Bool {
    guard let style, height > frame.height else { return false }
    let page = frame.height / style.px(24) - 2
    switch key {
    case .pageDown: scroll(lines: page)
    case .pageUp: scroll(lines: -page)
    default: return false
    }
    return true
  }

  private mutating func setLines(_ style: Style) {
    let padding = style.px(16)
    let width = frame.width - 2 * padding
    let nameWidth = min(style.px(128), (width * 0.4).rounded())
    let gap = style.px(12)
    var top = style.px(14)
    for (index, row) in rows.enumerated() {
      if row.name.isEmpty {
        if index > 0 { top += style.px(12) }
        let heading = TextLayout(
          row.value, font: style.font.withWeight(.bold), maximumWidth: width, ellipsis: .middle, maximumLines: 3)
        lines.append(Line(name: nil, value: heading, top: top))
        top += heading.size.height.rounded(.up) + style.px(8)
      } else {
        let name = TextLayout(row.name, font: style.smallFont, maximumWidth: nameWidth, maximumLines: nil)
        let value = TextLayout(
          row.value, font: style.smallFont, maximumWidth: width - nameWidth - gap, maximumLines: nil)
        lines.append(Line(name: name, value: value, top: top))
        top += max(name.size.height, value.size.height).rounded(.up) + style.px(6)
      }
    }
    height = top + style.px(10)
    offset = max(0, min(height - frame.height, offset))
  }

  /// Draws it.
  mutating func draw(on canvas: Canvas, style: Style) {
    guard !frame.isEmpty else { return }
    if lines.isEmpty { setLines(style) }
    let padding = style.px(16)
    let theme = style.theme
    canvas.fill(frame, theme.panel)
    canvas.fill(Rect(x: frame.x, y: frame.y, width: style.hairline, height: frame.height), theme.hairline)
    let nameWidth = min(style.px(128), ((frame.width - 2 * padding) * 0.4).rounded())
    canvas.clip(frame) {
      for line in lines {
        let y = (frame.y + line.top - offset).rounded()
        guard y < frame.maxY else { break }
        let x = frame.x + padding
        if let name = line.name {
          canvas.text(name, at: Point(x: x, y: y), theme.secondaryText)
          canvas.text(line.value, at: Point(x: x + nameWidth + style.px(12), y: y), theme.text)
        } else {
          canvas.text(line.value, at: Point(x: x, y: y), theme.text)
        }
      }
    }
    guard height > frame.height else { return }
    // How much of it is seen, as in every list.
    let track = frame.insetBy(style.px(4))
    let thumb = max(style.px(24), track.height * frame.height / height).rounded()
    let y = track.y + ((track.height - thumb) * offset / max(1, height - frame.height)).rounded()
    canvas.fill(
      Rect(x: frame.maxX - style.px(6), y: y, width: style.px(4), height: thumb), theme.scrollThumb,
      cornerRadius: style.px(2))
  }
}
