internal import Dispatch
public import Drawing
public import Geometry

/// The controls of a window: who has the focus, who gets an event, what lies on top, what must be drawn anew.
///
/// The window feeds it events and asks `takeDirtyRects()` when `onInvalidate` was called. A resting group does nothing.
@MainActor public final class ControlGroup: ControlHost {
  /// Something must be drawn anew; called once until `takeDirtyRects()` is.
  public var onInvalidate: (() -> Void)?
  /// The pointer should look like this.
  public var onPointerShape: ((PointerShape) -> Void)?
  /// Where the caret is: for the input method's window.
  public var onTextInputSpot: ((Rect) -> Void)?
  /// Whether typing goes to a text field now: input methods and dead keys belong on.
  public var onTextInput: ((Bool) -> Void)?
  /// What an input method has in the making is to end: answers its text.
  public var onTextInputReset: (() -> String)?
  /// Another control has the focus, or none.
  public var onFocusChange: (((any Control)?) -> Void)?
  /// Whether Tab at the last control goes on to the first; otherwise the key is left to the window.
  public var wrapsFocus = true
  /// How long the pointer rests before a tip is shown, in seconds.
  public var tipDelay = 0.6

  /// The desktop's clipboard.
  public weak var clipboard: (any ClipboardAccess)?
  /// The part of the window where popups may be: set it whenever the window changes its size.
  public var bounds = Rect.zero {
    didSet {
      guard bounds != oldValue else { return }
      hideBubble()
      for popup in popups { place(popup) }
    }
  }
  /// How everything looks.
  public var style: Style {
    didSet {
      guard style != oldValue else { return }
      hideBubble()
      for control in controls { control.style = style }
      for popup in popups {
        popup.style = style
        place(popup)
      }
      invalidate(bounds)
    }
  }

  /// The controls in Tab order, which is also the order of drawing.
  public private(set) var controls: [any Control] = []
  /// The open popups, the topmost last.
  public private(set) var popups: [any Popup] = []
  /// Who gets the keys.
  public private(set) var focused: (any Control)?

  private let bubble = Tooltip()
  private weak var bubbleOwner: (any Control)?
  private weak var hovered: (any Control)?
  private weak var captured: (any Control)?
  private var pointer: Point?
  private var shape = PointerShape.arrow
  private var dirty: [PixelRect] = []
  private var tipGeneration = 0

  /// A group without controls.
  public init(style: Style = Style(), bounds: Rect = .zero) {
    self.style = style
    self.bounds = bounds
    bubble.isVisible = false
    bubble.host = self
  }

  /// Adds controls behind those that are there, in Tab order.
  public func add(_ more: [any Control]) {
    for control in more {
      controls.append(control)
      control.style = style
      control.host = self
      invalidate(control.paintedFrame)
    }
  }

  /// Takes a control out.
  public func remove(_ control: any Control) {
    guard let index = controls.firstIndex(where: { $0 === control }) else { return }
    if focused === control { focus(nil, reason: .program) }
    controls.remove(at: index)
    control.host = nil
    invalidate(control.paintedFrame)
  }

  // MARK: Drawing

  /// Whether anything must be drawn anew.
  public var needsDrawing: Bool { !dirty.isEmpty }

  /// Marks `rect` as to be drawn anew.
  public func invalidate(_ rect: Rect) {
    let pixels = PixelRect(covering: rect)
    guard !pixels.isEmpty, !dirty.contains(pixels) else { return }
    let wasClean = dirty.isEmpty
    // Few rectangles, none twice: what lies within another goes, and beyond eight they become one.
    dirty.removeAll { pixels.intersection($0) == $0 }
    if !dirty.contains(where: { $0.intersection(pixels) == pixels }) { dirty.append(pixels) }
    if dirty.count > 8 { dirty = [dirty.reduce(dirty[0]) { $0.union($1) }] }
    if wasClean { onInvalidate?() }
  }

  /// What must be drawn anew since the last call.
  public func takeDirtyRects() -> [PixelRect] {
    defer { dirty.removeAll(keepingCapacity: true) }
    return dirty
  }

  /// Draws the controls that touch `rect` (all without one), without popups; their background is already there.
  public func draw(on canvas: Canvas, in rect: PixelRect? = nil) {
    for control in controls where control.isVisible && !isHosted(control) && touches(control, rect) {
      control.draw(on: canvas)
    }
  }

  /// Draws popups and the bubble with a tip: after everything else of the window.
  public func drawPopups(on canvas: Canvas, in rect: PixelRect? = nil) {
    for popup in popups where touches(popup, rect) { popup.draw(on: canvas) }
    if bubble.isVisible, touches(bubble, rect) { bubble.draw(on: canvas) }
  }

  private func touches(_ control: any Control, _ rect: PixelRect?) -> Bool {
    guard let rect else { return true }
    return !PixelRect(covering: control.paintedFrame).intersection(rect).isEmpty
  }

  // MARK: Motion

  /// Whether a control moves and wants `tick`.
  public var wantsTicks: Bool { controls.contains { $0.isVisible && $0.isAnimating } }

  /// Time has passed: `seconds` of a clock that never goes back.
  public func tick(seconds: Double) {
    for control in controls where control.isVisible && control.isAnimating { control.tick(seconds: seconds) }
  }

  // MARK: Focus

  /// The controls that Tab goes through now: those of the topmost panel, else all that belong to no panel.
  public var focusOrder: [any Control] {
    let layer = popups.last { !$0.hosted.isEmpty }?.hosted ?? controls.filter { !isHosted($0) }
    return layer.filter { $0.isVisible && $0.isEnabled && $0.acceptsFocus }
  }

  /// Moves the focus to `control`, or away from all.
  public func focus(_ control: (any Control)?, reason: FocusReason = .program) {
    if let control, !(control.isVisible && control.isEnabled && control.acceptsFocus) { return }
    guard control !== focused else {
      // Tab to where a press has put the focus makes it visible.
      if let control, reason != .pointer { control.focusGained(reason) }
      return
    }
    let old = focused
    focused = control
    hideBubble()
    old?.focusLost()
    // Losing the focus may have closed something that moved it on.
    guard focused === control else { return }
    control?.focusGained(reason)
    let isText = control is TextField
    if isText != (old is TextField) { onTextInput?(isText) }
    if let control { noteChanged(control) }
    onFocusChange?(control)
  }

  /// Moves the focus to the next control (or the one before). Answers false at the end when `wrapsFocus` is off.
  @discardableResult public func moveFocus(forward: Bool) -> Bool {
    let order = focusOrder
    guard !order.isEmpty else { return false }
    let present = focused.flatMap { control in order.firstIndex { $0 === control } }
    let next = present.map { $0 + (forward ? 1 : -1) } ?? (forward ? 0 : order.count - 1)
    let isInPanel = popups.contains { !$0.hosted.isEmpty }
    guard order.indices.contains(next) || wrapsFocus || isInPanel else { return false }
    focus(order[(next + order.count) % order.count], reason: .keyboard)
    return true
  }

  // MARK: Popups

  /// Opens a popup above everything.
  public func present(_ popup: any Popup) {
    guard !popups.contains(where: { $0 === popup }) else { return }
    hideBubble()
    popup.style = style
    popup.host = self
    popups.append(popup)
    for control in popup.hosted {
      control.style = style
      control.host = self
      control.isVisible = true
    }
    place(popup)
    if !popup.hosted.isEmpty { focus(focusOrder.first, reason: .program) }
    refreshHover()
  }

  /// Closes a popup and what was opened from it.
  public func dismiss(_ popup: any Popup) {
    guard let index = popups.firstIndex(where: { $0 === popup }) else { return }
    hideBubble()
    let closed = popups[index...].reversed()
    let hadFocus = focused.map { focused in closed.contains { $0.hosted.contains { $0 === focused } } } ?? false
    popups.removeSubrange(index...)
    for popup in closed {
      if captured === popup { captured = nil }
      if hovered === popup { hovered = nil }
      invalidate(popup.paintedFrame)
      popup.dismissed()
      popup.host = nil
    }
    if hadFocus { focus(popup.owner, reason: .program) }
    refreshHover()
  }

  /// Closes all popups.
  public func dismissAll() {
    if let first = popups.first { dismiss(first) }
  }

  private func place(_ popup: any Popup) {
    invalidate(popup.paintedFrame)
    popup.place(in: bounds)
    invalidate(popup.paintedFrame)
  }

  private func isHosted(_ control: any Control) -> Bool {
    popups.contains { $0.hosted.contains { $0 === control } }
  }

  // MARK: Events

  /// Gives an event to whom it concerns. What nobody takes is for the window.
  public func handle(_ event: ControlEvent) -> ControlResponse {
    switch event {
    case .pointerMoved(let pointer): return moved(pointer)
    case .pointerPressed(let pointer): return pressed(pointer)
    case .pointerReleased(let pointer): return released(pointer)
    case .pointerLeft:
      pointer = nil
      if captured == nil { hover(nil) }
      return popups.isEmpty ? .ignored : .handled
    case .scrolled(let scroll):
      hideBubble()
      guard let target = target(at: scroll.position) else { return popups.isEmpty ? .ignored : .handled }
      let response = target.handle(event)
      return popups.isEmpty ? response : .handled
    case .key(let press): return key(press, event)
    case .text, .preedit: return toKeyboardTarget(event)
    }
  }

  /// Who is at `point`: popups first.
  private func target(at point: Point) -> (any Control)? {
    for popup in popups.reversed() {
      if let inside = popup.hosted.first(where: { $0.isVisible && $0.contains(point) }) { return inside }
      if popup.contains(point) { return popup }
    }
    return controls.last { $0.isVisible && !isHosted($0) && $0.contains(point) }
  }

  private func moved(_ pointer: PointerEvent) -> ControlResponse {
    let hasMoved = self.pointer != pointer.position
    self.pointer = pointer.position
    if let captured {
      _ = captured.handle(.pointerMoved(pointer))
      return .handled
    }
    let target = target(at: pointer.position)
    hover(target)
    let response = target?.handle(.pointerMoved(pointer))
    setShape(target?.pointerShape(at: pointer.position) ?? .arrow)
    if hasMoved { scheduleTip() }
    return response == nil && popups.isEmpty ? .ignored : .handled
  }

  private func pressed(_ pointer: PointerEvent) -> ControlResponse {
    self.pointer = pointer.position
    hideTip()
    let target = target(at: pointer.position)
    // A press beside a popup closes it and everything above; it opens nothing below but may go to another control.
    while let top = popups.last, !belongs(target, to: top) {
      let owner = top.owner
      dismiss(top)
      if let target, target === owner {
        // The second press on what opened it only closes it.
        focus(target, reason: .pointer)
        return .handled
      }
      if target == nil, popups.isEmpty { return .handled }
    }
    guard let target else { return .ignored }
    if captured == nil { captured = target }
    if pointer.button == .left || target is TextField { focus(target, reason: .pointer) }
    let response = target.handle(.pointerPressed(pointer))
    return target.acceptsFocus || !popups.isEmpty ? .handled : response
  }

  private func belongs(_ target: (any Control)?, to popup: any Popup) -> Bool {
    guard let target else { return false }
    return target === popup || popup.hosted.contains { $0 === target }
  }

  private func released(_ pointer: PointerEvent) -> ControlResponse {
    self.pointer = pointer.position
    // The button that opened a menu may come up over it without having been pressed there.
    guard let target = captured ?? popups.last(where: { $0.contains(pointer.position) }) else {
      return popups.isEmpty ? .ignored : .handled
    }
    captured = nil
    _ = target.handle(.pointerReleased(pointer))
    refreshHover()
    return .handled
  }

  private func key(_ press: KeyPress, _ event: ControlEvent) -> ControlResponse {
    hideTip()
    if toKeyboardTarget(event) == .handled { return .handled }
    if press.key == .tab, press.modifiers.isSubset(of: [.shift]) {
      // A list closes and the focus goes on; within a panel it goes round.
      if let top = popups.last, top.hosted.isEmpty { dismiss(top) }
      return moveFocus(forward: !press.modifiers.contains(.shift)) ? .handled : .ignored
    }
    if press.key == .escape, let top = popups.last {
      dismiss(top)
      return .handled
    }
    return .ignored
  }

  private func toKeyboardTarget(_ event: ControlEvent) -> ControlResponse {
    // An open list has the keys; in a panel the focused control has them first.
    if let top = popups.last, top.hosted.isEmpty { return top.handle(event) }
    if let focused, focused.handle(event) == .handled { return .handled }
    if let top = popups.last { return top.handle(event) }
    return .ignored
  }

  // MARK: Hover

  private func hover(_ target: (any Control)?) {
    guard target !== hovered else { return }
    _ = hovered?.handle(.pointerLeft)
    hovered = target
    hideTip()
    if target == nil { setShape(.arrow) }
  }

  private func refreshHover() {
    guard let pointer, captured == nil else { return }
    _ = moved(PointerEvent(pointer))
  }

  private func setShape(_ shape: PointerShape) {
    guard shape != self.shape else { return }
    self.shape = shape
    onPointerShape?(shape)
  }

  // MARK: Input method, tips and messages

  /// Where the caret is now.
  public func textInputSpotChanged(_ spot: Rect) { onTextInputSpot?(spot) }

  /// Ends what an input method has in the making and answers its text.
  public func resetTextInput() -> String { onTextInputReset?() ?? "" }

  /// Says at once what is wrong with the focused control, or no longer says it.
  public func noteChanged(_ control: any Control) {
    guard control === focused else { return }
    if let message = control.message {
      showBubble(
        message, isError: true, owner: control, anchor: control.messageAnchor ?? control.frame,
        isAbove: control.messageAnchor != nil)
    } else if bubbleOwner === control {
      hideBubble()
    }
  }

  private func scheduleTip() {
    tipGeneration += 1
    guard let hovered, let pointer, sentence(of: hovered, at: pointer) != nil else {
      hideTip()
      return
    }
    let generation = tipGeneration
    DispatchQueue.main.asyncAfter(deadline: .now() + tipDelay) { [weak self] in
      MainActor.assumeIsolated {
        guard let self, self.tipGeneration == generation else { return }
        self.showTip()
      }
    }
  }

  private func sentence(of control: any Control, at point: Point) -> String? {
    control.message ?? control.tip(at: point)
  }

  /// Shows at once the tip of what the pointer rests on.
  public func showTip() {
    guard let hovered, let pointer, captured == nil, let text = sentence(of: hovered, at: pointer) else { return }
    // In lists a tip belongs to the row, not to the whole.
    let isTall = hovered.frame.height > 2 * style.rowHeight
    let below = Rect(x: pointer.x, y: pointer.y - style.px(4), width: style.px(16), height: style.px(20))
    showBubble(text, isError: hovered.message != nil, owner: hovered, anchor: isTall ? below : hovered.frame)
  }

  private func showBubble(
    _ text: String, isError: Bool, owner: any Control, anchor: Rect, isAbove: Bool = false
  ) {
    hideBubble()
    bubble.style = style
    bubbleOwner = owner
    bubble.show(text, isError: isError, anchor: anchor, isAbove: isAbove, in: bounds)
  }

  /// Takes a tip away; the message of the focused control stays.
  private func hideTip() {
    tipGeneration += 1
    guard bubble.isVisible else { return }
    if let focused, focused.message != nil {
      if bubbleOwner !== focused { noteChanged(focused) }
    } else {
      hideBubble()
    }
  }

  private func hideBubble() {
    tipGeneration += 1
    bubbleOwner = nil
    bubble.isVisible = false
  }

  /// The sentence in the bubble that is shown now, if any.
  public var shownSentence: String? { bubble.isVisible ? bubble.text : nil }
}
