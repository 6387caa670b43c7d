internal import CX11

/// What keys mean, and which are held.
@MainActor final class Keyboard {
  private let display: OpaquePointer
  private var held: Set<UInt32> = []
  /// Whether the server tells repeats apart from real releases.
  private let detectsRepeats: Bool

  init(display: OpaquePointer) {
    self.display = display
    var supported: CInt = 0
    XkbSetDetectableAutoRepeat(display, True, &supported)
    detectsRepeats = supported != 0
  }

  /// The focus is gone: releases will not be heard of.
  func forgetHeld() { held = [] }

  /// An input method took the key, so that no event of it is delivered; its release is no repeat's either.
  func noteFiltered(_ keyCode: UInt32, isPress: Bool) {
    if !isPress { held.remove(keyCode) }
  }

  /// Records a press and says whether it is a repeat.
  func press(_ keyCode: UInt32) -> Bool {
    // Text from an input method comes as a press of no key.
    keyCode != 0 && !held.insert(keyCode).inserted && detectsRepeats
  }

  func release(_ keyCode: UInt32) { held.remove(keyCode) }

  /// What the key means for shortcuts.
  func symbol(_ event: XKeyEvent) -> KeySymbol {
    var consumed: UInt32 = 0
    var symbol: KeySym = 0
    let code = KeyCode(truncatingIfNeeded: event.keycode)
    XkbLookupKeySym(display, code, event.state, &consumed, &symbol)
    if Self.isOutsideLatin(symbol) {
      let level: CInt = event.state & UInt32(ShiftMask) != 0 ? 1 : 0
      for group: UInt32 in 0..<4 {
        let other = XkbKeycodeToKeysym(display, code, CInt(group), level)
        if (0x20...0x7e).contains(other) {
          symbol = other
          break
        }
      }
    }
    return KeySymbol(keysym: symbol)
  }

  /// Characters beyond Latin-1, as opposed to the function keys at 0xfe00 and above.
  private static func isOutsideLatin(_ symbol: KeySym) -> Bool {
    symbol > 0xff && !(0xfe00...0xffff).contains(symbol) && symbol < 0x1000_0000
      || symbol >= 0x0100_0100
        && symbol <= 0x0110_ffff
  }
}

extension KeySymbol {
  private static let named: [KeySym: KeySymbol] = {
    let table: [(Int32, KeySymbol)] = [
      (XK_Return, .return), (XK_KP_Enter, .return), (XK_ISO_Enter, .return), (XK_Linefeed, .return),
      (XK_Escape, .escape), (XK_Tab, .tab), (XK_KP_Tab, .tab), (XK_ISO_Left_Tab, .tab), (XK_BackSpace, .backspace),
      (XK_Delete, .delete), (XK_KP_Delete, .delete), (XK_Insert, .insert), (XK_KP_Insert, .insert),
      (XK_Home, .home), (XK_KP_Home, .home), (XK_Begin, .home), (XK_End, .end), (XK_KP_End, .end),
      (XK_Page_Up, .pageUp), (XK_KP_Page_Up, .pageUp), (XK_Page_Down, .pageDown), (XK_KP_Page_Down, .pageDown),
      (XK_Left, .left), (XK_KP_Left, .left), (XK_Right, .right), (XK_KP_Right, .right), (XK_Up, .up), (XK_KP_Up, .up),
      (XK_Down, .down), (XK_KP_Down, .down), (XK_Menu, .menu), (XK_Undo, .undo), (XK_Redo, .redo), (XK_Find, .find),
      (XK_Help, .help), (XK_Shift_L, .shift), (XK_Shift_R, .shift), (XK_Control_L, .control),
      (XK_Control_R, .control), (XK_Alt_L, .alt), (XK_Alt_R, .alt), (XK_Meta_L, .alt), (XK_Meta_R, .alt),
      (XK_Super_L, .super), (XK_Super_R, .super), (XK_KP_Space, .character(" ")), (XK_KP_Add, .character("+")),
      (XK_KP_Subtract, .character("-")), (XK_KP_Multiply, .character("*")), (XK_KP_Divide, .character("/")),
      (XK_KP_Decimal, .character(".")), (XK_KP_Separator, .character(",")), (XK_KP_Equal, .character("=")),
      // The keys of the X.Org vendor's multimedia block, whose header is not included: copy, cut, paste.
      (0x1008_ff57, .copy), (0x1008_ff58, .cut), (0x1008_ff6d, .paste),
    ]
    return Dictionary(uniqueKeysWithValues: table.map { (KeySym($0.0), $0.1) })
  }()

  init(keysym: KeySym) {
    if let named = Self.named[keysym] {
      self = named
    } else if (KeySym(XK_KP_0)...KeySym(XK_KP_9)).contains(keysym) {
      self = .character(Character(UnicodeScalar(UInt8(keysym - KeySym(XK_KP_0)) + 0x30)))
    } else if (KeySym(XK_F1)...KeySym(XK_F35)).contains(keysym) {
      self = .function(Int(keysym - KeySym(XK_F1)) + 1)
    } else if (0x20...0x7e).contains(keysym) || (0xa0...0xff).contains(keysym) {
      self = Self.lowercased(UInt32(keysym))
    } else if (0x0100_0100...0x0110_ffff).contains(keysym) {
      self = Self.lowercased(UInt32(keysym - 0x0100_0000))
    } else {
      self = .other(UInt32(truncatingIfNeeded: keysym))
    }
  }

  private static func lowercased(_ scalar: UInt32) -> KeySymbol {
    guard let scalar = UnicodeScalar(scalar) else { return .other(scalar) }
    let lower = Character(scalar).lowercased()
    return .character(lower.count == 1 ? Character(lower) : Character(scalar))
  }
}
