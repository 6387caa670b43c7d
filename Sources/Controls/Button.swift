public import Drawing
public import Geometry

/// Something that is pressed. Its width is asked for by `preferredWidth`, which has room for every label it may get.
@MainActor public final class Button: ControlBase {
  /// How much a button stands out.
  public enum Kind: Hashable, Sendable {
    /// With an outline, like a field.
    case normal
    /// In the accent: the one thing to do.
    case accent
    /// Without an outline until pointed at: in lists and lines of text.
    case quiet
  }

  /// It was pressed, by pointer or keys.
  public var onPress: (() -> Void)?
  /// What it says.
  public var title: String { didSet { if title != oldValue { invalidate() } } }
  /// How much it stands out.
  public var kind: Kind { didSet { if kind != oldValue { invalidate() } } }
  /// Every label it may get, so that it need not change its width.
  public var reservedTitles: [String] = []

  /// A button that says `title`.
  public init(_ title: String, kind: Kind = .normal, onPress: (() -> Void)? = nil) {
    self.title = title
    self.kind = kind
    self.onPress = onPress
    super.init()
  }

  /// The width that its longest label needs, at least 64 logical pixels.
  public var preferredWidth: Double {
    let widest = ([title] + reservedTitles).map { TextLayout($0, font: labelFont).size.width }.max() ?? 0
    return max(style.px(kind == .quiet ? 24 : 64), widest.rounded(.up) + 2 * style.px(kind == .quiet ? 8 : 12))
  }

  private var labelFont: Font { kind == .accent ? style.font.withWeight(.medium) : style.font }

  public override var acceptsFocus: Bool { true }
  public override func pointerShape(at point: Point) -> PointerShape { isEnabled ? .hand : .arrow }
  override var ringOutset: Double { style.px(3) }

  public override func handle(_ event: ControlEvent) -> ControlResponse {
    _ = super.handle(event)
    guard isEnabled else {
      holdsPointer = false
      return .ignored
    }
    switch event {
    case .pointerPressed(let pointer) where pointer.button == .left:
      isPressed = true
      holdsPointer = true
      return .handled
    case .pointerMoved(let pointer) where holdsPointer:
      // Leaving with the button down takes the press back, coming again renews it.
      isPressed = contains(pointer.position)
      return .handled
    case .pointerReleased(let pointer) where holdsPointer && pointer.button == .left:
      holdsPointer = false
      isPressed = false
      if contains(pointer.position) { onPress?() }
      return .handled
    case .key(let press)
    where press.key == .return && press.modifiers.isDisjoint(with: [.control, .alt, .logo]) && !press.isRepeat:
      onPress?()
      return .handled
    case .text(" ", _):
      onPress?()
      return .handled
    default: return .ignored
    }
  }

  private var holdsPointer = false

  public override func draw(on canvas: Canvas) {
    let theme = style.theme
    let radius = style.cornerRadius
    let color: Color
    switch kind {
    case .accent where isEnabled:
      let fill = isPressed ? theme.accentPressed : isHovered ? theme.accentHover : theme.accent
      canvas.fill(frame, fill, cornerRadius: radius)
      color = theme.onAccent
    case .quiet:
      if isEnabled, isHovered || isPressed {
        canvas.fill(frame, isPressed ? theme.fieldPressed : theme.fieldHover, cornerRadius: radius)
      }
      color = isEnabled ? theme.text : theme.disabledText
    case .normal, .accent:
      FieldBox(isEnabled: isEnabled, isHovered: isHovered, isPressed: isPressed)
        .draw(on: canvas, in: frame, style: style)
      color = isEnabled ? theme.text : theme.disabledText
    }
    if isFocused, showsFocusRing, isEnabled {
      // Apart from the button by a gap, so that it is seen around the accent too.
      let ring = frame.insetBy(-style.px(3))
      canvas.stroke(ring, theme.focus, lineWidth: style.focusWidth, cornerRadius: radius + style.px(3))
    }
    let room = frame.width - 2 * style.px(4)
    let label = TextLayout(title, font: labelFont, maximumWidth: room, ellipsis: .end)
    let x = (frame.center.x - label.size.width / 2).rounded()
    canvas.text(label, x: x, baseline: baseline(of: labelFont, in: frame), color)
  }
}
