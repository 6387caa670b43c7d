import Controls
import Drawing
import Geometry

/// The line at the bottom of the window: one sentence on the left, what is seen and what was left out on the right.
@MainActor final class StatusLine {
  /// What it says at one moment.
  struct Content: Equatable {
    /// The sentence.
    var sentence = ""
    /// Whether the sentence says what went wrong.
    var isError = false
    /// Pictures in view of pictures known, when they differ.
    var seen = ""
    /// Images that were left out; 0 hides the button.
    var leftOut = 0
    /// The button that acts on the layout.
    var layoutAction: LayoutAction?
  }

  /// What can be done to a layout.
  enum LayoutAction: String {
    /// Accept the present positions.
    case stopHere = "Stop here"
    /// Go on from them.
    case continueLayout = "Continue"
    /// Fetch all of it.
    case fetchAll = "Fetch all"
    /// Share what is fetched with others.
    case share = "Share it"
  }

  /// What it says.
  var content = Content() { didSet { if content != oldValue { apply() } } }
  /// The list of problems is wanted.
  var onShowProblems: (() -> Void)?
  /// The layout is to be stopped or continued.
  var onLayoutAction: ((LayoutAction) -> Void)?

  /// Its controls, in Tab order.
  var controls: [any Control] { [sentence, seen, leftOut, action] }
  /// Where it is.
  private(set) var frame: Rect = .zero

  private let sentence = Label("", role: .secondary)
  private let seen = Label("", role: .secondary)
  private let leftOut = Button("", kind: .quiet)
  private let action = Button("", kind: .quiet)

  init() {
    sentence.tabularFigures = true
    seen.tabularFigures = true
    seen.alignment = .trailing
    leftOut.isVisible = false
    action.isVisible = false
    seen.isVisible = false
    leftOut.onPress = { [weak self] in self?.onShowProblems?() }
    leftOut.toolTip = "List them, with the reason of each"
    action.onPress = { [weak self] in
      guard let self, let action = content.layoutAction else { return }
      onLayoutAction?(action)
    }
  }

  /// The height it wants.
  static func height(_ style: Style) -> Double { max(style.px(28), style.fieldHeight + style.px(4)) }

  /// Lays it out.
  func place(in frame: Rect, style: Style) {
    self.frame = frame
    arrange(style)
  }

  /// The background and the hairline; the controls draw themselves.
  func drawBackground(on canvas: Canvas, style: Style) {
    canvas.fill(frame, style.theme.bar)
    canvas.fill(Rect(x: frame.x, y: frame.y, width: frame.width, height: style.hairline), style.theme.hairline)
  }

  private func apply() {
    sentence.text = content.sentence
    sentence.role = content.isError ? .error : .secondary
    seen.text = content.seen
    leftOut.title = "\(Wording.count(content.leftOut)) left out"
    leftOut.isVisible = content.leftOut > 0
    action.title = content.layoutAction?.rawValue ?? ""
    action.isVisible = content.layoutAction != nil
    action.toolTip =
      switch content.layoutAction {
      case .stopHere: "Keep the pictures where they are now (s)"
      case .continueLayout: "More iterations from where they are (c)"
      case .fetchAll: "Go on with all of it; Cancel ends it here"
      case .share: "Keep thumbnails, features and layouts in that bucket, and use what others keep there"
      case nil: nil
      }
    arrange(sentence.style)
  }

  private func arrange(_ style: Style) {
    guard !frame.isEmpty else { return }
    let height = style.fieldHeight
    let top = (frame.y + style.hairline + (frame.height - style.hairline - height) / 2).rounded()
    let gap = style.px(8)
    var right = frame.maxX - gap
    for button in [action, leftOut] where button.isVisible {
      let width = button.preferredWidth
      right -= width
      button.frame = Rect(x: right, y: top, width: width, height: height)
      right -= style.px(4)
    }
    let left = frame.x + style.px(12)
    // What is seen gives way to the sentence where there is not room for both.
    let seenWidth = seen.preferredWidth
    seen.isVisible = !content.seen.isEmpty && right - left > seenWidth + sentence.preferredWidth + 3 * gap
    if seen.isVisible {
      right -= seenWidth + gap
      seen.frame = Rect(x: right, y: top, width: seenWidth, height: height)
    }
    sentence.frame = Rect(x: left, y: top, width: max(0, right - gap - left), height: height)
  }
}
