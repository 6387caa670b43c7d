import Controls
import Drawing
import Geometry

/// The list of images that were left out, each with its reason, over the map; they can be tried again.
@MainActor final class ProblemsPanel {
  /// One image that was left out.
  struct Problem: Equatable, Sendable {
    /// Its slot.
    var slot: Int
    /// Its key, as it is shown.
    var key: String
    /// Why.
    var reason: String
  }

  /// All are to be tried again, or those selected.
  var onRetry: (([Int]) -> Void)?
  /// Close it.
  var onClose: (() -> Void)?
  /// Its controls, in Tab order.
  var controls: [any Control] { [list, retrySelected, retryAll, close] }
  /// Where it is.
  private(set) var frame: Rect = .zero

  /// Whether it is shown.
  var isShown = false { didSet { applyVisibility() } }
  /// What it lists. Rows stay selected while the list changes around them.
  var problems: [Problem] = [] {
    didSet {
      guard problems != oldValue else { return }
      let selected = Set(list.selectedRows.filter { oldValue.indices.contains($0) }.map { oldValue[$0].slot })
      list.count = problems.count
      list.select(rows: problems.indices.filter { selected.contains(problems[$0].slot) })
      retryAll.isEnabled = !problems.isEmpty
      retrySelected.isEnabled = !list.selectedRows.isEmpty
    }
  }
  /// Where the keyboard goes when it opens.
  var firstControl: any Control { list }

  private let list: ListView
  private let retryAll = Button("Retry all")
  private let retrySelected = Button("Retry selected")
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
    list.selectsSeveral = true
    retrySelected.isEnabled = false
    list.onSelect = { [weak self] rows in self?.retrySelected.isEnabled = !rows.isEmpty }
    list.onActivate = { [weak self] rows in self?.retry(rows) }
    retryAll.onPress = { [weak self] in
      guard let self else { return }
      onRetry?(problems.map(\.slot))
    }
    retrySelected.onPress = { [weak self] in
      guard let self else { return }
      retry(list.selectedRows)
    }
    close.onPress = { [weak self] in self?.onClose?() }
    applyVisibility()
  }

  private func retry(_ rows: [Int]) {
    let slots = rows.filter { problems.indices.contains($0) }.map { problems[$0].slot }
    if !slots.isEmpty { onRetry?(slots) }
  }

  private func applyVisibility() {
    for control in controls { control.isVisible = isShown }
  }

  /// Lays it out over the map in `area`.
  func place(in area: Rect, style: Style) {
    frame = OverPanel.frame(in: area, size: Size(width: style.px(960), height: style.px(640)), style: style)
    let padding = style.px(12)
    let buttons = style.fieldHeight + 2 * padding
    list.frame = Rect(
      x: frame.x + style.px(4), y: frame.y + OverPanel.headHeight(style), width: max(0, frame.width - 2 * style.px(4)),
      height: max(0, frame.height - OverPanel.headHeight(style) - buttons))
    var right = frame.maxX - padding
    for button in [close, retryAll, retrySelected] {
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
    OverPanel.draw(
      on: canvas, in: frame, title: "\(Wording.count(problems.count, "image")) left out", style: style)
  }
}
