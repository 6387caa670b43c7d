import Controls
import Drawing
import Geometry
import Mapping

/// What a large fetch takes, and whether it is wanted: over the map, which stays in use beside it.
@MainActor final class QuestionPanel {
  /// One fact.
  struct Row: Equatable {
    var name: String
    var value: String
  }

  /// Fetch all of it.
  var onAccept: (() -> Void)?
  /// End the job.
  var onCancel: (() -> Void)?
  /// Its controls, in Tab order.
  var controls: [any Control] { [cancel, accept] }
  /// Where it is.
  private(set) var frame: Rect = .zero
  /// Whether it is shown.
  var isShown = false { didSet { for control in controls { control.isVisible = isShown } } }
  /// What is to be fetched, and what that takes.
  var rows: [Row] = []
  /// Where the keyboard goes when it opens: to what costs nothing.
  var firstControl: any Control { cancel }

  private static let title = "Fetch all of it?"
  private static let sentence = "What is here already stays on the map, whatever you choose."

  private let accept = Button("Fetch all", kind: .accent)
  private let cancel = Button("Cancel")

  init() {
    accept.onPress = { [weak self] in self?.onAccept?() }
    cancel.onPress = { [weak self] in self?.onCancel?() }
    accept.toolTip = "Go on with all of it"
    cancel.toolTip = "End the job; what is done is kept"
    for control in controls { control.isVisible = false }
  }

  /// Lays it out over the map in `area`.
  func place(in area: Rect, style: Style) {
    let padding = style.px(16)
    let most = OverPanel.frame(in: area, size: Size(width: style.px(440), height: style.px(640)), style: style)
    let width = max(0, most.width - 2 * padding)
    let rows = laidOut(width: width, style)
    let foot = style.fieldHeight + 2 * style.px(12)
    let height = min(most.height, OverPanel.headHeight(style) + rows.height + style.px(8) + foot)
    frame = PixelGrid.snap(Rect(center: area.center, size: Size(width: most.width, height: height)))
    var right = frame.maxX - style.px(12)
    for button in [accept, cancel] {
      let buttonWidth = button.preferredWidth
      right -= buttonWidth
      button.frame = Rect(
        x: right, y: frame.maxY - style.px(12) - style.fieldHeight, width: buttonWidth, height: style.fieldHeight)
      right -= style.px(8)
    }
  }

  /// The texts, and from the top of the first how far down each is.
  private func laidOut(
    width: Double, _ style: Style
  ) -> (names: [TextLayout], values: [TextLayout], sentence: TextLayout, tops: [Double], column: Double, height: Double)
  {
    let names = rows.map { TextLayout($0.name, font: style.font) }
    let column = (names.map(\.size.width).max() ?? 0).rounded(.up) + style.px(16)
    let values = rows.map {
      TextLayout(
        $0.value, font: style.font.tabular, maximumWidth: max(style.px(40), width - column), maximumLines: nil)
    }
    var tops: [Double] = []
    var top = 0.0
    for value in values {
      tops.append(top)
      top += max(style.px(22), (value.size.height + style.px(6)).rounded(.up))
    }
    let sentence = TextLayout(
      Self.sentence, font: style.smallFont, maximumWidth: max(style.px(40), width), maximumLines: nil)
    return (names, values, sentence, tops, column, top + style.px(8) + sentence.size.height.rounded(.up))
  }

  /// The panel under its controls.
  func draw(on canvas: Canvas, style: Style) {
    guard isShown else { return }
    OverPanel.draw(on: canvas, in: frame, title: Self.title, style: style)
    let padding = style.px(16)
    let texts = laidOut(width: max(0, frame.width - 2 * padding), style)
    let left = frame.x + padding
    let top = frame.y + OverPanel.headHeight(style)
    let room = Rect(
      x: frame.x, y: top, width: frame.width,
      height: max(0, frame.height - OverPanel.headHeight(style) - style.fieldHeight - 2 * style.px(12)))
    canvas.clip(room) {
      for index in rows.indices {
        let y = (top + texts.tops[index]).rounded()
        canvas.text(texts.names[index], at: Point(x: left, y: y), style.theme.secondaryText)
        canvas.text(texts.values[index], at: Point(x: (left + texts.column).rounded(), y: y), style.theme.text)
      }
      canvas.text(
        texts.sentence,
        at: Point(x: left, y: (top + texts.height - texts.sentence.size.height).rounded()), style.theme.secondaryText)
    }
  }
}

extension FetchEstimate {
  /// The facts one below the other.
  var rows: [QuestionPanel.Row] {
    var rows = [
      QuestionPanel.Row(name: "Objects", value: Wording.count(objects)),
      .init(name: "Bytes", value: Wording.bytes(bytes)),
      .init(name: "Requests", value: Wording.count(requests)),
      .init(name: "Memory", value: "about \(Wording.bytes(memoryBytes))"),
      .init(name: "Disk", value: "about \(Wording.bytes(diskBytes))"),
      .init(
        name: "Time",
        value: seconds.map { "about \(Wording.duration($0)) at the present speed" }
          ?? "known once some of it has been fetched"),
    ]
    if let dollars {
      let amount = dollars < 0.01 ? "less than $0.01" : "$\(Wording.number(dollars, digits: 2))"
      rows.append(.init(name: "Price", value: "\(amount) at AWS list price, from outside its region"))
    }
    return rows
  }
}

// The question before much is fetched.
extension Application {
  /// Shows what a job waits for the answer of.
  func showQuestion() {
    guard case .fetch(let estimate) = jobs.question else { return }
    if problems.isShown { closeProblems() }
    if notes.isShown { closeNotes() }
    questionPanel.rows = estimate.rows
    questionPanel.isShown = true
    layOut()
    // Who is typing goes on typing.
    if group.focused == nil { group.focus(questionPanel.firstControl, reason: .keyboard) }
    updateStatus()
  }

  /// The question is answered, put off, or nobody asks any more.
  func closeQuestion() {
    guard questionPanel.isShown else { return }
    let hadFocus = questionPanel.controls.contains { $0 === group.focused }
    questionPanel.isShown = false
    if hadFocus { group.focus(nil) }
    redrawMap()
    updateStatus()
  }
}
