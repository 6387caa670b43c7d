internal import Geometry
public import X11

extension KeyModifiers {
  /// The same keys.
  public init(_ modifiers: Modifiers) {
    self = []
    if modifiers.contains(.shift) { insert(.shift) }
    if modifiers.contains(.control) { insert(.control) }
    if modifiers.contains(.alt) { insert(.alt) }
    if modifiers.contains(.super) { insert(.logo) }
  }
}

extension Key {
  /// The same key; those that mean nothing to controls are `.other`.
  public init(_ symbol: KeySymbol) {
    self =
      switch symbol {
      case .return: .return
      case .escape: .escape
      case .tab: .tab
      case .backspace: .backspace
      case .delete: .delete
      case .insert: .insert
      case .home: .home
      case .end: .end
      case .pageUp: .pageUp
      case .pageDown: .pageDown
      case .left: .left
      case .right: .right
      case .up: .up
      case .down: .down
      case .menu: .menu
      case .undo: .undo
      case .redo: .redo
      case .copy: .copy
      case .cut: .cut
      case .paste: .paste
      case .function(let number): .function(number)
      case .character(let character): .character(character)
      default: .other
      }
  }
}

extension PointerButton {
  init(x11 number: Int) {
    self =
      switch number {
      case 1: .left
      case 2: .middle
      case 3: .right
      default: .other
      }
  }
}

extension ControlEvent {
  /// A window's event as controls take it; nil for what does not concern them. A key with text is text, whatever key it
  /// is: dead keys, compose sequences and input methods come this way too.
  public init?(_ event: WindowEvent) {
    switch event {
    case .pointerMoved(let x, let y, let modifiers, let time):
      self = .pointerMoved(PointerEvent(Point(x: x, y: y), modifiers: KeyModifiers(modifiers), time: time))
    case .pointerPressed(let button, let x, let y, let modifiers, let clickCount, let time):
      self = .pointerPressed(
        PointerEvent(
          Point(x: x, y: y), button: PointerButton(x11: button), clickCount: clickCount,
          modifiers: KeyModifiers(modifiers), time: time))
    case .pointerReleased(let button, let x, let y, let modifiers, let time):
      self = .pointerReleased(
        PointerEvent(
          Point(x: x, y: y), button: PointerButton(x11: button), modifiers: KeyModifiers(modifiers), time: time))
    case .pointerLeft: self = .pointerLeft
    case .scrolled(let dx, let dy, let x, let y, let modifiers):
      self = .scrolled(ScrollEvent(dx: dx, dy: dy, at: Point(x: x, y: y), modifiers: KeyModifiers(modifiers)))
    case .preedit(let preedit):
      self = .preedit(preedit.text, caret: preedit.caret, selection: preedit.selection)
    case .keyPressed(let key) where !key.text.isEmpty: self = .text(key.text, time: key.time)
    case .keyPressed(let key):
      self = .key(
        KeyPress(Key(key.symbol), KeyModifiers(key.modifiers), isRepeat: key.isRepeat, time: key.time))
    default: return nil
    }
  }
}

extension CursorShape {
  /// The cursor that a control asks for.
  public init(_ shape: PointerShape) {
    self =
      switch shape {
      case .arrow: .arrow
      case .text: .text
      case .hand: .pointingHand
      }
  }
}

/// The X server's selections as controls use them.
@MainActor public final class X11ClipboardAccess: ClipboardAccess {
  private let clipboard: Clipboard

  /// Access to the selections of `clipboard`.
  public init(_ clipboard: Clipboard) { self.clipboard = clipboard }

  /// Offers `text` to other programs.
  public func setText(_ text: String, in selection: ClipboardSelection, time: UInt32) {
    clipboard.own(text, selection: selection.x11, time: time)
  }

  /// Asks for the text; nil when there is none or its owner does not answer.
  public func requestText(from selection: ClipboardSelection, completion: @escaping @MainActor (String?) -> Void) {
    clipboard.request(selection.x11, completion: completion)
  }
}

extension ClipboardSelection {
  fileprivate var x11: Selection {
    switch self {
    case .clipboard: .clipboard
    case .primary: .primary
    }
  }
}
