internal import CX11
internal import Glibc

/// Text is what the user's locale makes of keys, and always UTF-8 here.
@MainActor func prepareLocale() {
  setlocale(LC_CTYPE, "")
  // A bare environment (locale "C") knows no characters beyond ASCII, no dead keys and no compose sequences.
  let isUnicode = nl_langinfo(CInt(CODESET)).map { String(cString: $0) } == "UTF-8"
  if !isUnicode || XSupportsLocale() == 0 { setlocale(LC_CTYPE, "C.UTF-8") }
  XSetLocaleModifiers("")
}

/// The connection to the input method (XIM): the user's, or Xlib's own with dead keys and compose sequences.
@MainActor final class InputMethod {
  private let display: OpaquePointer
  private(set) var method: XIM?
  private var contexts: [WeakContext] = []
  private var awaitsMethod = false

  private struct WeakContext { weak var context: InputContext? }

  init(display: OpaquePointer) {
    self.display = display
    open()
  }

  func add(_ context: InputContext) {
    contexts.removeAll { $0.context == nil }
    contexts.append(WeakContext(context: context))
  }

  func close() {
    stopWaiting()
    for entry in contexts { entry.context?.close() }
    if let method { XCloseIM(method) }
    method = nil
  }

  /// The style that shows nothing of its own and leaves its windows to the input method.
  var style: XIMStyle? {
    guard let method, let styles = cx11_input_styles(method) else { return nil }
    defer { XFree(styles) }
    let offered = UnsafeBufferPointer(
      start: styles.pointee.supported_styles, count: Int(styles.pointee.count_styles))
    let wanted = [XIMPreeditNothing | XIMStatusNothing, XIMPreeditNone | XIMStatusNone].map { XIMStyle($0) }
    return wanted.first { offered.contains($0) }
  }

  private var clientData: XPointer {
    Unmanaged.passUnretained(self).toOpaque().assumingMemoryBound(to: CChar.self)
  }

  private nonisolated static let instantiated: XIDProc = { _, client, _ in
    // Xlib calls this while it handles events, on the main thread; the method outlives its registration.
    nonisolated(unsafe) let client = client
    MainActor.assumeIsolated {
      let method = Unmanaged<InputMethod>.fromOpaque(client!).takeUnretainedValue()
      if method.method == nil { method.open() }
    }
  }

  private func open() {
    method = XOpenIM(display, nil, nil, nil)
    guard let method else { return wait() }
    stopWaiting()
    var callback = XIMCallback(
      client_data: clientData,
      callback: { _, client, _ in
        // As above.
        nonisolated(unsafe) let client = client
        MainActor.assumeIsolated {
          Unmanaged<InputMethod>.fromOpaque(client!).takeUnretainedValue().destroyed()
        }
      })
    cx11_set_destroy_callback(method, &callback)
    for entry in contexts { entry.context?.create() }
  }

  /// The input method ended; Xlib has freed it and its contexts.
  private func destroyed() {
    method = nil
    for entry in contexts { entry.context?.forget() }
    wait()
  }

  private func wait() {
    guard !awaitsMethod else { return }
    awaitsMethod = XRegisterIMInstantiateCallback(display, nil, nil, nil, Self.instantiated, clientData) != 0
  }

  private func stopWaiting() {
    guard awaitsMethod else { return }
    XUnregisterIMInstantiateCallback(display, nil, nil, nil, Self.instantiated, clientData)
    awaitsMethod = false
  }
}

/// One window's share of the input method.
@MainActor final class InputContext {
  private let inputMethod: InputMethod
  private let window: XID
  private var context: XIC?
  private var spot: XPoint?
  /// Whether keys typed now are text of this window.
  var isActive = false {
    didSet { if isActive != oldValue { applyFocus() } }
  }

  init(inputMethod: InputMethod, window: XID) {
    self.inputMethod = inputMethod
    self.window = window
    create()
    inputMethod.add(self)
  }

  func create() {
    guard context == nil, let method = inputMethod.method, let style = inputMethod.style else { return }
    context = cx11_create_context(method, style, window)
    if let spot { setSpot(spot) }
    applyFocus()
  }

  func close() {
    if let context { XDestroyIC(context) }
    context = nil
  }

  func forget() { context = nil }

  /// The events an input method wants to see besides the window's own.
  var filterEvents: Int { context.map { Int(cx11_filter_events($0)) } ?? 0 }

  /// Where the caret is: candidate windows open beneath it.
  func setSpot(_ point: XPoint) {
    spot = point
    if let context { cx11_set_spot(context, point) }
  }

  private func applyFocus() {
    guard let context else { return }
    if isActive { XSetICFocus(context) } else { XUnsetICFocus(context) }
  }

  /// The text that a key press commits.
  func text(_ event: inout XKeyEvent) -> String {
    var keysym: KeySym = 0
    var buffer = [CChar](repeating: 0, count: 64)
    guard let context else {
      let length = XLookupString(&event, &buffer, CInt(buffer.count), &keysym, nil)
      // Without an input method the text is Latin-1.
      let scalars = buffer.prefix(Int(max(0, length))).map { UnicodeScalar(UInt8(bitPattern: $0)) }
      return String(String.UnicodeScalarView(scalars))
    }
    var status: CInt = 0
    var length = Xutf8LookupString(context, &event, &buffer, CInt(buffer.count), &keysym, &status)
    if status == XBufferOverflow {
      buffer = [CChar](repeating: 0, count: Int(length))
      length = Xutf8LookupString(context, &event, &buffer, CInt(buffer.count), &keysym, &status)
    }
    guard status == XLookupChars || status == XLookupBoth else { return "" }
    return String(decoding: buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
