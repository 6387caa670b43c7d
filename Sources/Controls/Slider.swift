public import Drawing
public import Geometry

#if canImport(Glibc)
  internal import Glibc
#endif

/// A knob on a line that stands for a positive number: as far to the right as its logarithm is large, so that a way of the
/// hand is a factor. Operated by pointer, wheel and arrow keys; a double click goes back to where it rests by itself.
@MainActor public final class Slider: ControlBase {
  /// The hand has chosen another value.
  public var onChange: ((Double) -> Void)?
  /// The chosen number, within `range`.
  public var value: Double { didSet { if value != oldValue { invalidate() } } }
  /// What can be chosen.
  public let range: ClosedRange<Double>
  /// Where a double click leads to, and where the knob stays when it comes near.
  public let neutral: Double
  /// The factor of one key press or one notch of the wheel.
  public let step: Double

  /// How far from the knob's middle the pointer holds it; nil while it is not held.
  private var grip: Double?
  /// Parts of a notch that have not made a step yet: touchpads send those.
  private var notches = 0.0

  /// A slider for numbers of `range`, which is above zero and holds `neutral`.
  public init(_ range: ClosedRange<Double>, neutral: Double, step: Double) {
    self.range = range
    self.neutral = neutral
    self.step = step
    value = neutral
    super.init()
  }

  public override var acceptsFocus: Bool { true }
  public override func pointerShape(at point: Point) -> PointerShape { isEnabled ? .hand : .arrow }
  override var ringOutset: Double { style.px(3) }

  private var knobRadius: Double { style.px(5) }
  /// Where the knob's middle can be.
  private var track: ClosedRange<Double> {
    let left = frame.minX + knobRadius
    return left...max(left, frame.maxX - knobRadius)
  }

  /// How far along the line a number is, from 0 to 1.
  private func share(of value: Double) -> Double {
    let whole = log(range.upperBound / range.lowerBound)
    return whole > 0 ? max(0, min(1, log(value / range.lowerBound) / whole)) : 0
  }

  private func x(of value: Double) -> Double {
    track.lowerBound + share(of: value) * (track.upperBound - track.lowerBound)
  }

  private func value(atX x: Double) -> Double {
    let width = track.upperBound - track.lowerBound
    let share = width > 0 ? max(0, min(1, (x - track.lowerBound) / width)) : 0
    // Near its place of rest the knob stays there, so that the hand finds it again.
    if abs(x - self.x(of: neutral)) <= style.px(3) { return neutral }
    return range.lowerBound * pow(range.upperBound / range.lowerBound, share)
  }

  private func choose(_ new: Double) {
    let new = max(range.lowerBound, min(range.upperBound, new))
    guard new != value else { return }
    value = new
    onChange?(new)
  }

  /// Goes on by steps; as many down as up lead back to where it was.
  private func move(by steps: Double) {
    let new = value * pow(step, steps)
    choose(abs(new / neutral - 1) < 1e-6 ? neutral : new)
  }

  public override func handle(_ event: ControlEvent) -> ControlResponse {
    _ = super.handle(event)
    guard isEnabled else {
      grip = nil
      return .ignored
    }
    switch event {
    case .pointerPressed(let pointer) where pointer.button == .left:
      if pointer.clickCount == 2 {
        choose(neutral)
        return .handled
      }
      let way = pointer.position.x - x(of: value)
      isPressed = true
      // On the knob it is held where it was touched; beside it, it comes to the pointer.
      if abs(way) <= knobRadius {
        grip = way
      } else {
        grip = 0
        choose(value(atX: pointer.position.x))
      }
    case .pointerMoved(let pointer):
      guard let grip else { return .ignored }
      choose(value(atX: pointer.position.x - grip))
    case .pointerReleased(let pointer) where pointer.button == .left:
      grip = nil
      isPressed = false
    case .scrolled(let scroll):
      notches += scroll.dy
      let whole = notches.rounded(.towardZero)
      notches -= whole
      if whole != 0 { move(by: whole) }
    case .key(let press) where press.modifiers.isEmpty: return key(press.key)
    default: return .ignored
    }
    return .handled
  }

  private func key(_ key: Key) -> ControlResponse {
    switch key {
    case .right, .up: move(by: 1)
    case .left, .down: move(by: -1)
    case .pageUp: move(by: 3)
    case .pageDown: move(by: -3)
    case .home: choose(range.lowerBound)
    case .end: choose(range.upperBound)
    default: return .ignored
    }
    return .handled
  }

  public override func focusLost() {
    super.focusLost()
    grip = nil
  }

  public override func draw(on canvas: Canvas) {
    let theme = style.theme
    let middle = frame.center.y.rounded()
    let thickness = max(style.hairline, style.px(2))
    let line = Rect(
      x: track.lowerBound, y: middle - (thickness / 2).rounded(), width: track.upperBound - track.lowerBound,
      height: thickness)
    canvas.fill(line, theme.fieldOutline, cornerRadius: thickness / 2)
    // The place of rest is marked: what is left or right of it is smaller or larger than it would be.
    let rest = x(of: neutral).rounded()
    canvas.fill(
      Rect(
        x: rest - (style.hairline / 2).rounded(), y: middle - style.px(4), width: style.hairline, height: style.px(8)),
      theme.fieldOutline)
    let knob = Point(x: x(of: value), y: middle)
    let color =
      !isEnabled ? theme.disabledText : isPressed || isHovered ? theme.text : theme.secondaryText
    canvas.fill(
      Rect(x: min(rest, knob.x), y: line.y, width: abs(knob.x - rest), height: thickness), color,
      cornerRadius: thickness / 2)
    canvas.fill(
      Rect(center: knob, size: Size(width: 2 * knobRadius, height: 2 * knobRadius)), color, cornerRadius: knobRadius)
    if isFocused, showsFocusRing, isEnabled {
      canvas.stroke(
        frame.insetBy(-style.px(1)), theme.focus, lineWidth: style.focusWidth, cornerRadius: style.cornerRadius)
    }
  }
}
