internal import CX11

/// What a property of a window holds.
struct PropertyValue {
  var type: Atom
  /// The value when its format is 8, else empty.
  var bytes: [UInt8] = []
  /// The value when its format is 32, else empty; Xlib hands such values over as C longs.
  var longs: [UInt] = []
}

extension Connection {
  /// Reads a property of a window of our own or of the root; nil when there is none.
  func property(_ name: Atom, of window: XID, deleting: Bool = false) -> PropertyValue? {
    var type: Atom = 0
    var format: CInt = 0
    var count: UInt = 0
    var rest: UInt = 0
    var data: UnsafeMutablePointer<UInt8>?
    // The length is counted in units of four bytes; this is more than any server holds.
    let status = XGetWindowProperty(
      display, window, name, 0, 0x1fff_ffff, deleting ? True : False, Atom(AnyPropertyType), &type, &format, &count,
      &rest, &data)
    defer { if let data { XFree(data) } }
    guard status == 0, type != 0 else { return nil }
    var value = PropertyValue(type: type)
    guard let data else { return value }
    switch format {
    case 8:
      value.bytes = Array(UnsafeBufferPointer(start: data, count: Int(count)))
    case 32:
      value.longs = data.withMemoryRebound(to: UInt.self, capacity: Int(count)) {
        // Xlib extends the sign.
        UnsafeBufferPointer(start: $0, count: Int(count)).map { $0 & 0xffff_ffff }
      }
    default:
      break
    }
    return value
  }

  /// Reads a property of a window that belongs to somebody else and may be gone.
  func foreignProperty(_ name: Atom, of window: XID) -> PropertyValue? {
    var value: PropertyValue?
    _ = trap { value = property(name, of: window) }
    return value
  }

  func setProperty(_ name: Atom, of window: XID, type: Atom, bytes: some Collection<UInt8>) {
    let array = Array(bytes)
    XChangeProperty(display, window, name, type, 8, PropModeReplace, array, CInt(array.count))
  }

  func setProperty(_ name: Atom, of window: XID, type: Atom, longs: [UInt]) {
    longs.withUnsafeBytes { raw in
      _ = XChangeProperty(
        display, window, name, type, 32, PropModeReplace, raw.baseAddress?.assumingMemoryBound(to: UInt8.self),
        CInt(longs.count))
    }
  }

  /// Sends a client message of five 32-bit values.
  func sendMessage(_ type: Atom, about window: XID, to destination: XID, mask: Int = NoEventMask, _ values: [UInt]) {
    var event = XEvent()
    event.xclient.type = ClientMessage
    event.xclient.window = window
    event.xclient.message_type = type
    event.xclient.format = 32
    event.xclient.values = values
    XSendEvent(display, destination, False, mask, &event)
  }
}

extension XClientMessageEvent {
  /// The five 32-bit values of a message of that format; missing ones are 0.
  var values: [UInt] {
    get { [data.l.0, data.l.1, data.l.2, data.l.3, data.l.4].map { UInt(bitPattern: $0) & 0xffff_ffff } }
    set {
      let all = newValue.prefix(5).map { Int(bitPattern: $0) } + [Int](repeating: 0, count: max(0, 5 - newValue.count))
      data.l = (all[0], all[1], all[2], all[3], all[4])
    }
  }
}
