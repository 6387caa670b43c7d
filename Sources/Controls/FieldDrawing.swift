import Drawing
import Geometry

/// The box that fields, drop-downs and plain buttons share, so that all states look the same everywhere.
struct FieldBox {
  var isEnabled = true
  var isHovered = false
  var isPressed = false
  var showsFocus = false
  var isWrong = false

  @MainActor func draw(on canvas: Canvas, in frame: Rect, style: Style) {
    let theme = style.theme
    let fill =
      !isEnabled ? theme.fieldDisabled : isPressed ? theme.fieldPressed : isHovered ? theme.fieldHover : theme.field
    canvas.fill(frame, fill, cornerRadius: style.cornerRadius)
    let outline = !isEnabled ? theme.hairline : isWrong ? theme.error : showsFocus ? theme.focus : theme.fieldOutline
    let isStrong = isEnabled && (showsFocus || isWrong)
    canvas.stroke(
      frame, outline, lineWidth: isStrong ? style.focusWidth : style.hairline, cornerRadius: style.cornerRadius)
  }
}

extension TextField {
  func drawField(on canvas: Canvas) {
    FieldBox(
      isEnabled: isEnabled, isHovered: isHovered && !isFocused, showsFocus: isFocused, isWrong: message != nil
    ).draw(on: canvas, in: frame, style: style)
    let theme = style.theme
    let area = textArea
    let baseline = self.baseline(of: style.font, in: frame)
    guard !shownText.isEmpty else {
      let hint = TextLayout(placeholder, font: style.font, maximumWidth: area.width, ellipsis: .end)
      canvas.text(hint, x: area.x, baseline: baseline, isEnabled ? theme.secondaryText : theme.disabledText)
      if isFocused { drawCaret(on: canvas) }
      return
    }
    if !isFocused, layout.size.width > area.width {
      let short = TextLayout(editor.text, font: textFont, maximumWidth: area.width, ellipsis: .end)
      canvas.text(short, x: area.x, baseline: baseline, isEnabled ? theme.text : theme.disabledText)
      return
    }
    // The clip leaves room for the caret at either end.
    let clip = PixelGrid.snap(
      Rect(x: area.x - style.px(2), y: frame.y, width: area.width + style.px(4), height: frame.height))
    canvas.clip(clip) {
      let line = caretRect
      @MainActor func boxes(_ range: Range<Int>) -> [Rect] {
        layout.selectionRects(range).map {
          PixelGrid.snap(Rect(x: area.x - scroll + $0.x, y: line.y, width: $0.width, height: line.height))
        }
      }
      if isFocused {
        for box in boxes(shownPreedit?.selection ?? editor.selection) { canvas.fill(box, theme.textSelection) }
      }
      canvas.text(layout, x: area.x - scroll, baseline: baseline, isEnabled ? theme.text : theme.disabledText)
      // Underlined until it is committed, as everywhere.
      if let shownPreedit {
        for box in boxes(shownPreedit.whole) {
          let thickness = max(style.hairline, style.px(1))
          canvas.fill(Rect(x: box.x, y: box.maxY - thickness, width: box.width, height: thickness), theme.text)
        }
      }
      if isFocused { drawCaret(on: canvas) }
    }
  }

  private func drawCaret(on canvas: Canvas) {
    guard editor.selection.isEmpty || shownPreedit != nil else { return }
    canvas.fill(caretRect, style.theme.text)
  }
}
