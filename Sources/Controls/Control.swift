public import Drawing
public import Geometry

/// Something in a window that is seen and operated. Frames are device pixels of the window.
@MainActor public protocol Control: AnyObject {
  /// Where it is.
  var frame: Rect { get set }
  /// Whether it is drawn and operated at all.
  var isVisible: Bool { get set }
  /// Whether it can be operated now.
  var isEnabled: Bool { get set }
  /// How it looks; set by its group.
  var style: Style { get set }
  /// The group it belongs to.
  var host: (any ControlHost)? { get set }
  /// Whether keys go to it.
  var isFocused: Bool { get }
  /// Whether Tab stops at it.
  var acceptsFocus: Bool { get }
  /// What is wrong with its content, as a sentence; nil when nothing is.
  var message: String? { get }
  /// What that sentence is said above; nil where it is said below the control.
  var messageAnchor: Rect? { get }
  /// What is said when the pointer rests at `point`.
  func tip(at point: Point) -> String?
  /// All that its drawing touches: the frame and the focus ring around it.
  var paintedFrame: Rect { get }
  /// The picture of the pointer at `point`.
  func pointerShape(at point: Point) -> PointerShape
  /// Whether `point` is for it.
  func contains(_ point: Point) -> Bool
  /// Draws it; the background is already there.
  func draw(on canvas: Canvas)
  /// Takes an event or leaves it to others.
  func handle(_ event: ControlEvent) -> ControlResponse
  /// It got the focus.
  func focusGained(_ reason: FocusReason)
  /// It lost the focus.
  func focusLost()
  /// Whether it moves and wants `tick`.
  var isAnimating: Bool { get }
  /// Time has passed: `seconds` of a clock that never goes back.
  func tick(seconds: Double)
}

/// What a control may ask of the group it belongs to.
@MainActor public protocol ControlHost: AnyObject {
  /// The part of the window where popups may be.
  var bounds: Rect { get }
  /// The desktop's clipboard.
  var clipboard: (any ClipboardAccess)? { get }
  /// Something in `rect` must be drawn anew.
  func invalidate(_ rect: Rect)
  /// Moves the focus to `control`, or away from all.
  func focus(_ control: (any Control)?, reason: FocusReason)
  /// Opens a popup above everything.
  func present(_ popup: any Popup)
  /// Closes a popup and what was opened from it.
  func dismiss(_ popup: any Popup)
  /// Where the caret is now, for the input method's window.
  func textInputSpotChanged(_ spot: Rect)
  /// Ends what an input method has in the making and answers its text.
  func resetTextInput() -> String
  /// What `control` has to say may have changed: its message, its tip.
  func noteChanged(_ control: any Control)
}

/// A control that lies above all others until it is dismissed.
@MainActor public protocol Popup: Control {
  /// The control it was opened from; pressing that one again closes it.
  var owner: (any Control)? { get }
  /// The controls inside it, in Tab order.
  var hosted: [any Control] { get }
  /// Chooses its frame, and those of what is inside, within `bounds`.
  func place(in bounds: Rect)
  /// It was closed.
  func dismissed()
}

/// What all controls have in common.
@MainActor open class ControlBase: Control {
  /// Where it is.
  open var frame: Rect = .zero {
    didSet {
      guard frame != oldValue else { return }
      host?.invalidate(oldValue.union(frame).insetBy(-ringOutset))
      frameChanged()
    }
  }
  /// Whether it is drawn and operated at all.
  open var isVisible = true {
    didSet {
      guard isVisible != oldValue else { return }
      if !isVisible { stopInteraction() }
      host?.invalidate(paintedFrame)
    }
  }
  /// Whether it can be operated now.
  open var isEnabled = true {
    didSet {
      guard isEnabled != oldValue else { return }
      if !isEnabled { stopInteraction() }
      invalidate()
    }
  }
  /// How it looks; set by its group.
  open var style = Style() {
    didSet {
      guard style != oldValue else { return }
      frameChanged()
      invalidate()
    }
  }
  /// The group it belongs to.
  public weak var host: (any ControlHost)?
  /// Whether keys go to it.
  public private(set) var isFocused = false
  /// Whether the focus is to be seen on a control that is only pressed.
  public private(set) var showsFocusRing = false
  /// Whether the pointer is over it.
  public internal(set) var isHovered = false { didSet { if isHovered != oldValue { invalidate() } } }
  /// Whether the pointer holds it down.
  public internal(set) var isPressed = false { didSet { if isPressed != oldValue { invalidate() } } }
  /// What is said when the pointer rests on it.
  open var toolTip: String?

  /// A control without a place yet.
  public init() {}

  /// Whether Tab stops at it.
  open var acceptsFocus: Bool { false }
  /// What is wrong with its content, as a sentence; nil when nothing is.
  open var message: String? { nil }
  /// What that sentence is said above; nil where it is said below the control.
  open var messageAnchor: Rect? { nil }
  /// What is said when the pointer rests at `point`.
  open func tip(at point: Point) -> String? { toolTip }
  /// All that its drawing touches.
  open var paintedFrame: Rect { frame.insetBy(-ringOutset) }
  /// The picture of the pointer at `point`.
  open func pointerShape(at point: Point) -> PointerShape { .arrow }
  /// Whether `point` is for it.
  open func contains(_ point: Point) -> Bool { frame.contains(point) }
  /// Draws it; the background is already there.
  open func draw(on canvas: Canvas) {}
  /// Whether it moves and wants `tick`.
  open var isAnimating: Bool { false }
  /// Time has passed.
  open func tick(seconds: Double) {}
  /// The frame or the style changed: what was laid out no longer holds.
  open func frameChanged() {}

  /// Keeps `isHovered`; controls that do more call this first.
  open func handle(_ event: ControlEvent) -> ControlResponse {
    switch event {
    case .pointerMoved(let pointer): isHovered = isEnabled && contains(pointer.position)
    case .pointerLeft: isHovered = false
    default: break
    }
    return .ignored
  }

  /// It got the focus.
  open func focusGained(_ reason: FocusReason) {
    isFocused = true
    showsFocusRing = reason != .pointer
    invalidate()
  }

  /// It lost the focus.
  open func focusLost() {
    isFocused = false
    showsFocusRing = false
    isPressed = false
    invalidate()
  }

  /// Asks to be drawn anew.
  public func invalidate() {
    if isVisible { host?.invalidate(paintedFrame) }
  }

  /// How far the focus ring reaches beyond the frame.
  var ringOutset: Double { 0 }

  private func stopInteraction() {
    isPressed = false
    isHovered = false
    if isFocused { host?.focus(nil, reason: .program) }
  }

  /// The baseline that centres a line of `font` in `rect` by its capitals, on a whole pixel.
  func baseline(of font: Font, in rect: Rect) -> Double { (rect.center.y + font.metrics.capHeight / 2).rounded() }
}
