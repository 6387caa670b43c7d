import Controls
import Drawing
import Geometry

/// One line that is asked for over the map's lower edge: what to select, or where to write.
@MainActor final class Prompt {
  /// What is asked, and who is told.
  struct Question {
    /// What it is about, in a few words.
    var title: String
    /// What to type, while nothing is.
    var placeholder: String
    /// What is there to begin with; it is selected.
    var text = ""
    /// The text changed.
    var onChange: (String) -> Void = { _ in }
    /// Return was pressed: the sentence that says why not, or nil, and it is closed.
    var onAccept: (String) -> String? = { _ in nil }
    /// Given up.
    var onCancel: () -> Void = {}
    /// Whether a click beside it keeps what was typed; otherwise that gives up as well.
    var isKeptByClick = false
  }

  /// It has been opened, closed, or says something else.
  var onChange: (() -> Void)?
  /// What is asked just now.
  private(set) var question: Question?
  /// Where it is.
  private(set) var frame: Rect = .zero
  /// Its controls, in Tab order.
  var controls: [any Control] { [title, detail, field] }
  /// Where the text goes.
  let field = TextField()
  /// What is said beside the title.
  var answer: String {
    get { detail.text }
    set { detail.text = newValue }
  }

  private let title = Label("", role: .body)
  private let detail = Label("", role: .secondary)

  init() {
    detail.tabularFigures = true
    detail.alignment = .trailing
    field.onChange = { [weak self] text in
      guard let self else { return }
      field.errorMessage = nil
      question?.onChange(text)
    }
    field.onSubmit = { [weak self] _ in self?.accept() }
    field.onCancel = { [weak self] in self?.cancel() }
    applyVisibility()
  }

  /// Whether something is asked.
  var isShown: Bool { question != nil }

  /// Asks something else.
  func ask(_ question: Question) {
    self.question?.onCancel()
    self.question = question
    title.text = question.title
    detail.text = ""
    field.errorMessage = nil
    field.placeholder = question.placeholder
    field.text = question.text
    applyVisibility()
    onChange?()
  }

  /// Return.
  func accept() {
    guard let question else { return }
    if let problem = question.onAccept(field.text) {
      field.errorMessage = problem
      return
    }
    close()
  }

  /// Escape.
  func cancel() {
    guard let question else { return }
    close()
    question.onCancel()
  }

  /// A click beside it.
  func clickedBeside() {
    guard let question else { return }
    if question.isKeptByClick { accept() } else { cancel() }
  }

  private func close() {
    question = nil
    applyVisibility()
    onChange?()
  }

  private func applyVisibility() {
    for control in controls { control.isVisible = isShown }
  }

  /// Lays it out at the lower edge of `area`.
  func place(in area: Rect, style: Style) {
    let margin = style.px(12)
    let padding = style.px(12)
    let line = (style.font.metrics.lineHeight + style.px(6)).rounded(.up)
    let width = max(0, min(area.width - 2 * margin, style.px(560)))
    let height = line + style.fieldHeight + 2 * padding
    frame = PixelGrid.snap(
      Rect(
        x: area.center.x - width / 2, y: max(area.y, area.maxY - margin - height), width: width, height: height))
    // Below is the status line.
    field.panel = frame
    let inner = max(0, width - 2 * padding)
    let titleWidth = min(inner * 0.6, title.preferredWidth)
    title.frame = Rect(x: frame.x + padding, y: frame.y + padding - style.px(3), width: titleWidth, height: line)
    detail.frame = Rect(
      x: title.frame.maxX + style.px(8), y: title.frame.y, width: max(0, inner - titleWidth - style.px(8)),
      height: line)
    field.frame = Rect(
      x: frame.x + padding, y: frame.y + padding + line, width: inner, height: style.fieldHeight)
  }

  /// The panel under its controls.
  func draw(on canvas: Canvas, style: Style) {
    guard isShown else { return }
    canvas.fill(frame, style.theme.panel, cornerRadius: style.cornerRadius)
    canvas.stroke(
      frame.insetBy(style.hairline / 2), style.theme.hairline, lineWidth: style.hairline,
      cornerRadius: style.cornerRadius)
  }
}
