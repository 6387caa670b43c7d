public import Geometry

/// The modifier keys held during an event.
public struct KeyModifiers: OptionSet, Hashable, Sendable {
  /// The bits.
  public let rawValue: UInt8
  /// Modifiers by their bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// Shift.
  public static let shift = KeyModifiers(rawValue: 1)
  /// Control.
  public static let control = KeyModifiers(rawValue: 2)
  /// Alt.
  public static let alt = KeyModifiers(rawValue: 4)
  /// The key with the desktop's logo.
  public static let logo = KeyModifiers(rawValue: 8)
}

/// A key by what it means; keys that give text arrive as `ControlEvent.text` unless Control, Alt or the logo key is held.
public enum Key: Hashable, Sendable {
  /// Keys that do something to a text or a focus.
  case `return`, escape, tab, backspace, delete, insert
  /// Keys that move.
  case home, end, pageUp, pageDown, left, right, up, down
  /// Keys of some keyboards that stand for a command.
  case menu, undo, redo, copy, cut, paste
  /// F1 is 1.
  case function(Int)
  /// A key with its Latin character, in lower case.
  case character(Character)
  /// Any other.
  case other
}

/// A key going down.
public struct KeyPress: Hashable, Sendable {
  /// Which key.
  public var key: Key
  /// What is held besides.
  public var modifiers: KeyModifiers
  /// Sent because the key is held.
  public var isRepeat: Bool
  /// The window system's clock in milliseconds; selections are owned with it.
  public var time: UInt32

  /// A key going down.
  public init(_ key: Key, _ modifiers: KeyModifiers = [], isRepeat: Bool = false, time: UInt32 = 0) {
    self.key = key
    self.modifiers = modifiers
    self.isRepeat = isRepeat
    self.time = time
  }
}

/// A button of the pointer.
public enum PointerButton: Hashable, Sendable {
  /// The main one.
  case left
  /// The wheel.
  case middle
  /// The one for menus.
  case right
  /// Any other.
  case other
}

/// Where the pointer is and what it does.
public struct PointerEvent: Hashable, Sendable {
  /// Device pixels of the window.
  public var position: Point
  /// Which button goes down or up; without meaning for a movement.
  public var button: PointerButton
  /// 2 for a double click, 3 for a triple click.
  public var clickCount: Int
  /// What is held besides.
  public var modifiers: KeyModifiers
  /// The window system's clock in milliseconds.
  public var time: UInt32

  /// What the pointer does at `position`.
  public init(
    _ position: Point, button: PointerButton = .left, clickCount: Int = 1, modifiers: KeyModifiers = [],
    time: UInt32 = 0
  ) {
    self.position = position
    self.button = button
    self.clickCount = clickCount
    self.modifiers = modifiers
    self.time = time
  }
}

/// A turn of the wheel or a movement of two fingers.
public struct ScrollEvent: Hashable, Sendable {
  /// Notches to the right.
  public var dx: Double
  /// Notches away from the user.
  public var dy: Double
  /// Device pixels of the window.
  public var position: Point
  /// What is held besides.
  public var modifiers: KeyModifiers

  /// A turn of `dy` notches away from the user.
  public init(dx: Double = 0, dy: Double, at position: Point, modifiers: KeyModifiers = []) {
    self.dx = dx
    self.dy = dy
    self.position = position
    self.modifiers = modifiers
  }
}

/// What happens to a control.
public enum ControlEvent: Hashable, Sendable {
  /// The pointer moved over the control, or anywhere while the control holds the button.
  case pointerMoved(PointerEvent)
  /// A button went down over the control.
  case pointerPressed(PointerEvent)
  /// The button went up, wherever the pointer is by then.
  case pointerReleased(PointerEvent)
  /// The pointer is no longer over the control.
  case pointerLeft
  /// The wheel.
  case scrolled(ScrollEvent)
  /// A key that gives no text.
  case key(KeyPress)
  /// Text typed or committed by an input method.
  case text(String, time: UInt32)
  /// Text that an input method has in the making, its caret and the part being converted, in UTF-8 bytes; empty when there
  /// is none any more.
  case preedit(String, caret: Int, selection: Range<Int>)
}

/// Whether a control took an event. What changes on the screen is said by `ControlHost.invalidate`.
public enum ControlResponse: Hashable, Sendable {
  /// Not for this control: somebody else may take it.
  case ignored
  /// Taken.
  case handled
}

/// The picture of the pointer that a control asks for.
public enum PointerShape: Hashable, Sendable {
  /// The usual one.
  case arrow
  /// Over text that can be edited.
  case text
  /// Over what can be pressed.
  case hand
}

/// Why a control got the focus.
public enum FocusReason: Hashable, Sendable {
  /// Pressed with the pointer: buttons show no ring.
  case pointer
  /// Tab or another key: the ring is shown.
  case keyboard
  /// The program moved it there: the ring is shown, a text is not selected.
  case program
}
