public import Drawing
public import Geometry

/// A panel above everything that hosts other controls, one below the other, each with a label: the parameters of a window
/// too narrow for its bar.
@MainActor public final class PopupPanel: ControlBase, Popup {
  /// A control and the label above it.
  public struct Entry {
    /// What is written above it; nothing when empty.
    public var caption: String
    /// The control.
    public var control: any Control
    /// A control called `caption`.
    public init(caption: String, control: any Control) {
      self.caption = caption
      self.control = control
    }
  }

  /// What it holds.
  public let entries: [Entry]
  /// It was closed.
  public var onDismiss: (() -> Void)?
  private weak var opener: (any Control)?
  private var labels: [Label] = []

  /// A panel opened from `owner`.
  public init(owner: any Control, entries: [Entry]) {
    opener = owner
    self.entries = entries
    labels = entries.map { Label($0.caption, role: .caption) }
    super.init()
  }

  /// The control it was opened from.
  public var owner: (any Control)? { opener }
  /// The controls, in Tab order.
  public var hosted: [any Control] { entries.map(\.control) }
  /// It was closed.
  public func dismissed() { onDismiss?() }

  /// Lies below its owner, right edges aligned, or above it without room below.
  public func place(in bounds: Rect) {
    let padding = style.px(12)
    let margin = style.px(4)
    let anchor = owner?.frame ?? .zero
    let width = min(style.px(240), bounds.width - 2 * margin)
    let rowHeight = style.captionHeight + style.px(4) + style.fieldHeight
    let height = 2 * padding + Double(entries.count) * rowHeight + Double(max(0, entries.count - 1)) * padding
    let x = max(bounds.minX + margin, min(anchor.maxX - width, bounds.maxX - margin - width))
    let gap = style.popupGap
    let below = anchor.maxY + gap
    let fitsBelow = below + height <= bounds.maxY - margin || anchor.minY - gap - height < bounds.minY + margin
    frame = PixelGrid.snap(
      Rect(x: x, y: fitsBelow ? below : anchor.minY - gap - height, width: width, height: height))
    var y = frame.y + padding
    for (entry, label) in zip(entries, labels) {
      label.style = style
      label.frame = Rect(x: frame.x + padding, y: y, width: frame.width - 2 * padding, height: style.captionHeight)
      y += style.captionHeight + style.px(4)
      entry.control.frame = Rect(x: label.frame.x, y: y, width: label.frame.width, height: style.fieldHeight)
      y += style.fieldHeight + padding
    }
  }

  public override func handle(_ event: ControlEvent) -> ControlResponse {
    switch event {
    case .key(let press) where press.key == .escape:
      host?.dismiss(self)
      return .handled
    case .key, .text: return .ignored
    // The map below must not feel what happens on the panel.
    default: return .handled
    }
  }

  public override func draw(on canvas: Canvas) {
    Self.drawPanel(on: canvas, in: frame, style: style)
    for label in labels { label.draw(on: canvas) }
    for control in hosted where control.isVisible { control.draw(on: canvas) }
  }

  /// The surface of everything that lies above the map.
  public static func drawPanel(on canvas: Canvas, in frame: Rect, style: Style) {
    canvas.fill(frame, style.theme.panel, cornerRadius: style.cornerRadius)
    canvas.stroke(frame, style.theme.fieldOutline, lineWidth: style.hairline, cornerRadius: style.cornerRadius)
  }
}
