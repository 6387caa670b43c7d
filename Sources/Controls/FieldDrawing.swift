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
    guard !editor.text.isEmpty else {
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
      if isFocused {
        for rect in layout.selectionRects(editor.selection) {
          let line = caretRect
          let box = Rect(x: area.x - scroll + rect.x, y: line.y, width: rect.width, height: line.height)
          canvas.fill(PixelGrid.snap(box), theme.textSelection)
        }
      }
      canvas.text(layout, x: area.x - scroll, baseline: baseline, isEnabled ? theme.text : theme.disabledText)
      if isFocused { drawCaret(on: canvas) }
    }
  }

  private func drawCaret(on canvas: Canvas) {
    guard editor.selection.isEmpty else { return }
    canvas.fill(caretRect, style.theme.text)
  }
}
