public import Drawing
import Geometry

/// Sentences one below the other, wrapped to the width, scrolled where they are too many: to be read in full, and copied.
@MainActor public final class TextPane: ControlBase {
  /// A sentence or a few.
  public struct Paragraph: Hashable, Sendable {
    /// What it says.
    public var text: String
    /// How it is set.
    public var role: Label.Role
    /// A paragraph that says `text`.
    public init(_ text: String, role: Label.Role = .body) {
      self.text = text
      self.role = role
    }
  }

  /// What it says.
  public var paragraphs: [Paragraph] = [] { didSet { if paragraphs != oldValue { frameChanged() } } }

  private var layouts: [TextLayout] = []
  /// Scrolls by pixels: rows of height 1.
  private var scroller = Scroller()

  /// An empty pane.
  public override init() { super.init() }

  public override var acceptsFocus: Bool { true }
  override var ringOutset: Double { style.px(2) }

  /// The height that shows everything at a width.
  public func preferredHeight(width: Double) -> Double { height(of: makeLayouts(width: width)) }

  private var gap: Double { style.px(12) }

  private func makeLayouts(width: Double) -> [TextLayout] {
    let room = max(style.px(40), width - style.px(8))
    return paragraphs.map {
      TextLayout($0.text, font: Label.font(for: $0.role, style), maximumWidth: room, maximumLines: nil)
    }
  }

  private func height(of layouts: [TextLayout]) -> Double {
    layouts.map { $0.size.height.rounded(.up) }.reduce(0, +) + gap * Double(max(0, layouts.count - 1))
  }

  public override func frameChanged() {
    layouts = makeLayouts(width: frame.width)
    scroller.rowCount = Int(height(of: layouts))
    scroller.rowHeight = 1
    scroller.area = frame
    scroller.scroll(to: scroller.offset)
    invalidate()
  }

  public override func handle(_ event: ControlEvent) -> ControlResponse {
    _ = super.handle(event)
    let line = style.rowHeight
    switch event {
    case .scrolled(let scroll): scroller.scroll(to: scroller.offset - scroll.dy * 3 * line)
    case .pointerPressed(let pointer) where pointer.button == .left:
      guard scroller.grab(pointer.position, style) else { return .handled }
    case .pointerMoved(let pointer) where scroller.isGrabbed: scroller.drag(to: pointer.position, style)
    case .pointerReleased where scroller.isGrabbed: scroller.letGo()
    case .key(let press): return key(press, line: line)
    default: return .ignored
    }
    invalidate()
    return .handled
  }

  private func key(_ press: KeyPress, line: Double) -> ControlResponse {
    switch press.key {
    case .down: scroller.scroll(to: scroller.offset + line)
    case .up: scroller.scroll(to: scroller.offset - line)
    case .pageDown: scroller.scroll(to: scroller.offset + frame.height - line)
    case .pageUp: scroller.scroll(to: scroller.offset - frame.height + line)
    case .home: scroller.scroll(to: 0)
    case .end: scroller.scroll(to: scroller.maximumOffset)
    case .character("c") where press.modifiers != .control: return .ignored
    case .copy, .character("c"):
      host?.clipboard?.setText(paragraphs.map(\.text).joined(separator: "\n"), in: .clipboard, time: press.time)
    default: return .ignored
    }
    invalidate()
    return .handled
  }

  public override func draw(on canvas: Canvas) {
    canvas.clip(frame) {
      var y = frame.y - scroller.offset
      for (paragraph, layout) in zip(paragraphs, layouts) {
        canvas.text(
          layout, at: Point(x: frame.x, y: y.rounded()), Label.color(for: paragraph.role, style, isEnabled: isEnabled))
        y += layout.size.height.rounded(.up) + gap
      }
      scroller.drawBar(on: canvas, style)
    }
    if isFocused, showsFocusRing, scroller.isScrollable {
      canvas.stroke(
        frame.insetBy(-style.px(2)), style.theme.focus, lineWidth: style.focusWidth, cornerRadius: style.px(4))
    }
  }
}
