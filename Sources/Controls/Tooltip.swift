public import Drawing
public import Geometry

/// A bubble with a sentence beside a control: a tip, or what is wrong. Its group opens and closes it.
@MainActor public final class Tooltip: ControlBase {
  /// What it says.
  public private(set) var text = ""
  /// Whether it says what is wrong.
  public private(set) var isError = false
  /// What it speaks of.
  public private(set) var anchor: Rect = .zero

  /// Says `text` about what is at `anchor`, below it or, without room or where it is wanted so, above, within `bounds`.
  public func show(_ text: String, isError: Bool, anchor: Rect, isAbove: Bool = false, in bounds: Rect) {
    self.text = text
    self.isError = isError
    self.anchor = anchor
    let margin = style.px(4)
    let layout = self.layout(within: bounds)
    let width = min(bounds.width - 2 * margin, layout.size.width.rounded(.up) + 2 * style.padding)
    let height = layout.size.height.rounded(.up) + 2 * style.px(4)
    let below = anchor.maxY + style.popupGap
    let above = anchor.minY - style.popupGap - height
    let fitsBelow = !isAbove && below + height <= bounds.maxY - margin || above < bounds.minY + margin
    let x = max(bounds.minX + margin, min(anchor.minX, bounds.maxX - margin - width))
    frame = PixelGrid.snap(Rect(x: x, y: fitsBelow ? below : above, width: width, height: height))
    isVisible = true
    invalidate()
  }

  private func layout(within bounds: Rect) -> TextLayout {
    let room = min(style.px(320), bounds.width - 2 * style.px(4) - 2 * style.padding)
    return TextLayout(text, font: style.smallFont, maximumWidth: max(style.px(40), room), maximumLines: 8)
  }

  public override func contains(_ point: Point) -> Bool { false }

  public override func draw(on canvas: Canvas) {
    guard !text.isEmpty else { return }
    let theme = style.theme
    canvas.fill(frame, theme.panel, cornerRadius: style.cornerRadius)
    canvas.stroke(
      frame, isError ? theme.error : theme.fieldOutline, lineWidth: style.hairline, cornerRadius: style.cornerRadius)
    let room = frame.width - 2 * style.padding
    let layout = TextLayout(text, font: style.smallFont, maximumWidth: room + 1, maximumLines: 8)
    canvas.text(
      layout, at: Point(x: frame.x + style.padding, y: (frame.center.y - layout.size.height / 2).rounded()),
      isError ? theme.error : theme.text)
  }
}
