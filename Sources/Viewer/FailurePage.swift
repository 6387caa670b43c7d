import Controls
import Drawing
import Geometry
import Mapping

/// What is shown instead of the map when a job could not go on: what, why, what to do, Try again, and the way back.
@MainActor final class FailurePage {
  /// The button was pressed.
  var onRetry: (() -> Void)?
  /// The location that was shown before is to be opened again.
  var onGoBack: ((String) -> Void)?
  /// Its controls, in Tab order.
  var controls: [any Control] { [retry, back] }

  private let retry = Button("Try again", kind: .accent)
  private let back = Button("Back")
  private var locationBefore: String?
  private var failure: MappingFailure?
  private var frame: Rect = .zero

  init() {
    retry.isVisible = false
    back.isVisible = false
    back.onPress = { [weak self] in
      if let self, let locationBefore { onGoBack?(locationBefore) }
    }
    retry.onPress = { [weak self] in self?.onRetry?() }
  }

  /// Shows `failure`, or nothing.
  /// - Parameter location: What was shown before.
  func show(_ failure: MappingFailure?, goingBackTo location: String? = nil) {
    self.failure = failure
    locationBefore = location
    back.isVisible = failure != nil && location != nil
    back.toolTip = location.map { "Open \($0) again" }
    retry.isVisible = failure != nil
    retry.title = failure?.kind == .empty || failure?.kind == .noImages ? "Look again" : "Try again"
  }

  /// Whether there is something to show.
  var isShown: Bool { failure != nil }

  /// Lays it out in the middle of `frame`.
  func place(in frame: Rect, style: Style) {
    self.frame = frame
    guard failure != nil else { return }
    let texts = texts(style)
    let height = texts.reduce(0) { $0 + $1.layout.size.height + $1.space } + style.px(8) + style.fieldHeight
    let y = (frame.center.y + height / 2 - style.fieldHeight).rounded()
    let gap = style.px(8)
    let width = retry.preferredWidth + (back.isVisible ? gap + back.preferredWidth : 0)
    var x = (frame.center.x - width / 2).rounded()
    for button in [back, retry] where button.isVisible {
      button.frame = Rect(x: x, y: y, width: button.preferredWidth, height: style.fieldHeight)
      x += button.preferredWidth + gap
    }
  }

  func draw(on canvas: Canvas, style: Style) {
    guard failure != nil else { return }
    let texts = texts(style)
    let height = texts.reduce(0) { $0 + $1.layout.size.height + $1.space } + style.px(8) + style.fieldHeight
    var y = (frame.center.y - height / 2).rounded()
    for text in texts {
      canvas.text(text.layout, at: Point(x: (frame.center.x - textWidth(style) / 2).rounded(), y: y), text.color)
      y += (text.layout.size.height + text.space).rounded()
    }
  }

  private func textWidth(_ style: Style) -> Double {
    min(style.px(520), max(style.px(120), frame.width - style.px(48)))
  }

  private func texts(_ style: Style) -> [(layout: TextLayout, color: Color, space: Double)] {
    guard let failure else { return [] }
    let width = textWidth(style)
    func layout(_ text: String, _ font: Font) -> TextLayout {
      TextLayout(text, font: font, maximumWidth: width, maximumLines: 8, alignment: .center)
    }
    var result = [
      (layout(failure.what, style.font.withWeight(.bold)), style.theme.text, style.px(8))
    ]
    if !failure.why.isEmpty { result.append((layout(failure.why, style.font), style.theme.secondaryText, style.px(8))) }
    if !failure.remedy.isEmpty { result.append((layout(failure.remedy, style.font), style.theme.text, style.px(8))) }
    return result
  }
}
