import Controls
import Drawing
import Geometry

/// The list of images that were left out, each with its reason, over the map; they can be tried again.
@MainActor final class ProblemsPanel {
  /// One image that was left out.
  struct Problem {
    /// Its slot.
    var slot: Int
    /// Its key, as it is shown.
    var key: String
    /// Why.
    var reason: String
  }

  /// All are to be tried again, or the selected one.
  var onRetry: (([Int]) -> Void)?
  /// Close it.
  var onClose: (() -> Void)?
  /// Its controls, in Tab order.
  var controls: [any Control] { [list, retryOne, retryAll, close] }
  /// Where it is.
  private(set) var frame: Rect = .zero

  /// Whether it is shown.
  var isShown = false { didSet { applyVisibility() } }
  /// What it lists.
  var problems: [Problem] = [] {
    didSet {
      list.select(nil)
      list.count = problems.count
      retryAll.isEnabled = !problems.isEmpty
      retryOne.isEnabled = list.selectedRow != nil
    }
  }
  /// Where the keyboard goes when it opens.
  var firstControl: any Control { list }

  private let list: ListView
  private let retryAll = Button("Retry all")
  private let retryOne = Button("Retry selected")
  private let close = Button("Close", kind: .quiet)

  init() {
    final class Source { weak var panel: ProblemsPanel? }
    let source = Source()
    list = ListView { row in
      guard let problems = source.panel?.problems, problems.indices.contains(row) else { return ListRow("", "") }
      return ListRow(problems[row].key, problems[row].reason)
    }
    source.panel = self
    list.columnTitles = ("Image", "Why it was left out")
    list.split = 0.42
    retryOne.isEnabled = false
    list.onSelect = { [weak self] row in self?.retryOne.isEnabled = row != nil }
    retryAll.onPress = { [weak self] in
      guard let self else { return }
      onRetry?(problems.map(\.slot))
    }
    retryOne.onPress = { [weak self] in
      guard let self, let row = list.selectedRow, problems.indices.contains(row) else { return }
      onRetry?([problems[row].slot])
    }
    close.onPress = { [weak self] in self?.onClose?() }
    applyVisibility()
  }

  private func applyVisibility() {
    for control in controls { control.isVisible = isShown }
  }

  /// Lays it out over the map in `area`.
  func place(in area: Rect, style: Style) {
    let margin = style.px(area.width < style.px(560) ? 8 : 32)
    let width = min(area.width - 2 * margin, style.px(960))
    let height = min(area.height - 2 * margin, style.px(640))
    frame = PixelGrid.snap(Rect(center: area.center, size: Size(width: max(0, width), height: max(0, height))))
    let padding = style.px(12)
    let buttons = style.fieldHeight + 2 * padding
    list.frame = Rect(
      x: frame.x + style.hairline, y: frame.y + style.px(44), width: max(0, frame.width - 2 * style.hairline),
      height: max(0, frame.height - style.px(44) - buttons))
    var right = frame.maxX - padding
    for button in [close, retryAll, retryOne] {
      let width = button.preferredWidth
      right -= width
      button.frame = Rect(
        x: right, y: frame.maxY - padding - style.fieldHeight, width: width, height: style.fieldHeight)
      right -= style.px(8)
    }
  }

  /// The panel under its controls.
  func draw(on canvas: Canvas, style: Style) {
    guard isShown else { return }
    canvas.fill(frame, style.theme.panel, cornerRadius: style.cornerRadius)
    canvas.stroke(frame, style.theme.hairline, lineWidth: style.hairline, cornerRadius: style.cornerRadius)
    let title = TextLayout(
      problems.isEmpty ? "Nothing was left out" : "\(Wording.count(problems.count, "image")) left out",
      font: style.font.withWeight(.bold), maximumWidth: max(0, frame.width - style.px(32)), ellipsis: .end)
    canvas.text(title, at: Point(x: frame.x + style.px(16), y: frame.y + style.px(14)), style.theme.text)
  }
}
