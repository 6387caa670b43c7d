import Controls
import Drawing
import Geometry

/// What the latest job had to say, in full: why it could not go on and what to do, and every note on the way.
@MainActor final class NotesPanel {
  /// Close it.
  var onClose: (() -> Void)?
  /// Its controls, in Tab order.
  var controls: [any Control] { [text, close] }
  /// Where it is.
  private(set) var frame: Rect = .zero
  /// Whether it is shown.
  var isShown = false { didSet { applyVisibility() } }
  /// Its heading.
  var title = ""
  /// What it says.
  var paragraphs: [TextPane.Paragraph] {
    get { text.paragraphs }
    set { text.paragraphs = newValue }
  }
  /// Where the keyboard goes when it opens.
  var firstControl: any Control { close }

  private let text = TextPane()
  private let close = Button("Close")

  init() {
    close.onPress = { [weak self] in self?.onClose?() }
    applyVisibility()
  }

  private func applyVisibility() {
    for control in controls { control.isVisible = isShown }
  }

  /// Lays it out over the map in `area`, as high as its text needs.
  func place(in area: Rect, style: Style) {
    let padding = style.px(16)
    let foot = style.fieldHeight + 2 * style.px(12)
    let most = OverPanel.frame(in: area, size: Size(width: style.px(560), height: style.px(480)), style: style)
    let width = max(0, most.width - 2 * padding)
    let height = min(most.height, OverPanel.headHeight(style) + text.preferredHeight(width: width) + foot)
    frame = PixelGrid.snap(Rect(center: area.center, size: Size(width: most.width, height: height)))
    text.frame = Rect(
      x: frame.x + padding, y: frame.y + OverPanel.headHeight(style), width: width,
      height: max(0, frame.height - OverPanel.headHeight(style) - foot))
    let buttonWidth = close.preferredWidth
    close.frame = Rect(
      x: frame.maxX - style.px(12) - buttonWidth, y: frame.maxY - style.px(12) - style.fieldHeight,
      width: buttonWidth, height: style.fieldHeight)
  }

  /// The panel under its controls.
  func draw(on canvas: Canvas, style: Style) {
    guard isShown else { return }
    OverPanel.draw(on: canvas, in: frame, title: title, style: style)
  }
}

/// What the panels over the map have in common.
@MainActor enum OverPanel {
  /// The room of the heading.
  static func headHeight(_ style: Style) -> Double { style.px(44) }

  /// The frame of a panel that is `size` large where there is room, in the middle of `area`.
  static func frame(in area: Rect, size: Size, style: Style) -> Rect {
    let margin = style.px(area.width < style.px(560) ? 8 : 32)
    let width = max(0, min(area.width - 2 * margin, size.width))
    let height = max(0, min(area.height - 2 * margin, size.height))
    return PixelGrid.snap(Rect(center: area.center, size: Size(width: width, height: height)))
  }

  /// Its surface and its heading.
  static func draw(on canvas: Canvas, in frame: Rect, title: String, style: Style) {
    canvas.fill(frame, style.theme.panel, cornerRadius: style.cornerRadius)
    canvas.stroke(frame, style.theme.hairline, lineWidth: style.hairline, cornerRadius: style.cornerRadius)
    let layout = TextLayout(
      title, font: style.font.withWeight(.bold), maximumWidth: max(0, frame.width - style.px(32)), ellipsis: .end)
    canvas.text(layout, at: Point(x: frame.x + style.px(16), y: frame.y + style.px(14)), style.theme.text)
  }
}
