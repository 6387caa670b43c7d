public import Drawing
public import Geometry

/// A line of text that is only read: the small names above fields, sentences in a status line.
@MainActor public final class Label: ControlBase {
  /// How it is set.
  public enum Role: Hashable, Sendable {
    /// Small and quiet, above a field.
    case caption
    /// The size of text.
    case body
    /// Text, quiet.
    case secondary
    /// A sentence about what is wrong.
    case error
    /// A heading, by weight.
    case heading
    /// Small, above a control, and to be noticed.
    case notice
  }

  /// What it says.
  public var text: String { didSet { if text != oldValue { invalidate() } } }
  /// How it is set.
  public var role: Role { didSet { if role != oldValue { invalidate() } } }
  /// What is left out when it is too long.
  public var ellipsis: TextLayout.Ellipsis = .end
  /// Digits of equal width, for numbers that change.
  public var tabularFigures = false
  /// Where it lies in its frame.
  public var alignment: TextLayout.Alignment = .leading

  /// A label that says `text`.
  public init(_ text: String = "", role: Role = .body) {
    self.text = text
    self.role = role
    super.init()
  }

  /// The width it needs to be read in full.
  public var preferredWidth: Double { TextLayout(text, font: font).size.width.rounded(.up) }

  private var font: Font {
    let base = Self.font(for: role, style)
    return tabularFigures ? base.tabular : base
  }

  static func font(for role: Role, _ style: Style) -> Font {
    switch role {
    case .caption: style.smallFont
    case .notice: style.smallFont.withWeight(.medium)
    case .body, .secondary, .error: style.font
    case .heading: style.font.withWeight(.bold)
    }
  }

  static func color(for role: Role, _ style: Style, isEnabled: Bool) -> Color {
    let theme = style.theme
    return switch role {
    case .caption, .secondary: isEnabled ? theme.secondaryText : theme.disabledText
    case .body, .heading, .notice: isEnabled ? theme.text : theme.disabledText
    case .error: theme.error
    }
  }

  /// Says the whole text where it does not fit.
  public override func tip(at point: Point) -> String? { toolTip ?? (preferredWidth > frame.width ? text : nil) }

  public override func draw(on canvas: Canvas) {
    guard !text.isEmpty else { return }
    let color = Self.color(for: role, style, isEnabled: isEnabled)
    let layout = TextLayout(text, font: font, maximumWidth: frame.width, ellipsis: ellipsis)
    let free = max(0, frame.width - layout.size.width)
    let x: Double =
      switch alignment {
      case .leading: frame.x
      case .center: (frame.x + free / 2).rounded()
      case .trailing: (frame.x + free).rounded()
      }
    canvas.text(layout, x: x, baseline: baseline(of: font, in: frame), color)
  }
}
