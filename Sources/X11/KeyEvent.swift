/// The modifier keys that are held; the locks are not among them.
public struct Modifiers: OptionSet, Hashable, Sendable {
  /// One bit a key.
  public let rawValue: UInt8

  /// Takes bits as `rawValue` has them.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Either Shift.
  public static let shift = Modifiers(rawValue: 1)
  /// Either Control.
  public static let control = Modifiers(rawValue: 2)
  /// Alt or Meta (the server's Mod1).
  public static let alt = Modifiers(rawValue: 4)
  /// The key with the desktop's logo (the server's Mod4).
  public static let `super` = Modifiers(rawValue: 8)
}

/// A key by what it means, wherever it sits: keypad keys are the keys they stand for.
public enum KeySymbol: Hashable, Sendable {
  case `return`, escape, tab, backspace, delete, insert
  case home, end, pageUp, pageDown, left, right, up, down
  case menu, undo, redo, copy, cut, paste, find, help
  case shift, control, alt, `super`
  /// F1 is 1.
  case function(Int)
  /// What the key produces at the held level of Shift, letters always in lower case (see `KeyEvent.modifiers`). A key
  /// of a layout that is not Latin gives the Latin character of the same key where the keyboard has a Latin layout too.
  case character(Character)
  /// A key without a name here, as the server calls it.
  case other(UInt32)
}

/// One key going down or up.
public struct KeyEvent: Hashable, Sendable {
  /// For shortcuts.
  public var symbol: KeySymbol
  /// For text fields: what the key, a dead key or compose sequence, or an input method commits; "" for none. Never
  /// control characters, and none while Control, Alt or Super is held.
  public var text: String
  /// What was held when it happened.
  public var modifiers: Modifiers
  /// Sent by the server because the key is held.
  public var isRepeat: Bool
  /// When, by the server's clock.
  public var time: Timestamp

  /// An event as the window would report it.
  public init(symbol: KeySymbol, text: String, modifiers: Modifiers, isRepeat: Bool, time: Timestamp) {
    self.symbol = symbol
    self.text = text
    self.modifiers = modifiers
    self.isRepeat = isRepeat
    self.time = time
  }
}
