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

  /// Whether Xlib is in a call that waits for the input method.
  private(set) var isCalling = false

  /// Runs calls that wait for the input method.
  func calling<Result>(_ body: () -> Result) -> Result {
    let wasCalling = isCalling
    isCalling = true
    defer { isCalling = wasCalling }
    return body()
  }

  /// Whether the input method keeps an event for itself.
  func isTaking(_ event: inout XEvent) -> Bool { calling { XFilterEvent(&event, XID(None)) != 0 } }

  func add(_ context: InputContext) {
    contexts.removeAll { $0.context == nil }
    contexts.append(WeakContext(context: context))
  }

  func close() {
    stopWaiting()
    for entry in contexts { entry.context?.close() }
    if let method { calling { _ = XCloseIM(method) } }
    method = nil
  }

  /// The best style on offer: text in the making is drawn in the field; else the input method shows it in a window of its
  /// own.
  var style: XIMStyle? {
    guard let method, let styles = cx11_input_styles(method) else { return nil }
    defer { XFree(styles) }
    let offered = UnsafeBufferPointer(
      start: styles.pointee.supported_styles, count: Int(styles.pointee.count_styles))
    let wanted = [
      XIMPreeditCallbacks | XIMStatusNothing, XIMPreeditCallbacks | XIMStatusNone, XIMPreeditNothing | XIMStatusNothing,
      XIMPreeditNone | XIMStatusNone,
    ].map { XIMStyle($0) }
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
    method = calling { XOpenIM(display, nil, nil, nil) }
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
  private var buffer = PreeditBuffer()
  /// Receives the text in the making.
  var onPreedit: ((Preedit) -> Void)?
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
    inputMethod.calling { makeContext(method, style) }
    if let spot { setSpot(spot) }
    applyFocus()
  }

  private func makeContext(_ method: XIM, _ style: XIMStyle) {
    if style & XIMStyle(XIMPreeditCallbacks) != 0 {
      var callbacks = [Self.preeditDone, Self.preeditDraw, Self.preeditCaret].map {
        XIMCallback(
          client_data: Unmanaged.passUnretained(self).toOpaque().assumingMemoryBound(to: CChar.self), callback: $0)
      }
      context = callbacks.withUnsafeMutableBufferPointer {
        $0.baseAddress.flatMap { cx11_create_preedit_context(method, style, window, $0, $0 + 1, $0 + 2) }
      }
    } else {
      context = cx11_create_context(method, style, window)
    }
  }

  func close() {
    if let context { inputMethod.calling { XDestroyIC(context) } }
    context = nil
  }

  func forget() {
    context = nil
    clear()
  }

  /// Ends what is in the making and answers what there is of it, to be taken as typed.
  func reset() -> String {
    guard let context, buffer.preedit.text.isEmpty == false else { return "" }
    var text = ""
    if let bytes = inputMethod.calling({ Xutf8ResetIC(context) }) {
      text = String(cString: bytes)
      XFree(bytes)
    }
    clear()
    return text
  }

  private func clear() { change { $0 = PreeditBuffer() } }

  private func change(_ body: (inout PreeditBuffer) -> Void) {
    let before = buffer.preedit
    body(&buffer)
    let now = buffer.preedit
    if now != before { onPreedit?(now) }
  }

  // Xlib calls these while it handles events, on the main thread, for as long as the context exists.

  private nonisolated static func context(_ client: XPointer?, _ body: @MainActor (InputContext) -> Void) {
    nonisolated(unsafe) let client = client
    withoutActuallyEscaping(body) { body in
      MainActor.assumeIsolated {
        if let client { body(Unmanaged<InputContext>.fromOpaque(client).takeUnretainedValue()) }
      }
    }
  }

  private nonisolated static let preeditDone: XIMProc = { _, client, _ in context(client) { $0.clear() } }

  private nonisolated static let preeditDraw: XIMProc = { _, client, data in
    guard let data else { return }
    // Xlib calls on the main thread, and its data is used before it gets the thread back.
    nonisolated(unsafe) let call = UnsafeRawPointer(data).assumingMemoryBound(to: XIMPreeditDrawCallbackStruct.self)
    context(client) { $0.change { $0.draw(call.pointee) } }
  }

  private nonisolated static let preeditCaret: XIMProc = { _, client, data in
    guard let data else { return }
    // As above.
    nonisolated(unsafe) let call = UnsafeMutableRawPointer(data).assumingMemoryBound(
      to: XIMPreeditCaretCallbackStruct.self)
    context(client) { $0.change { call.pointee.position = CInt($0.moveCaret(call.pointee)) } }
  }

  /// The events an input method wants to see besides the window's own.
  var filterEvents: Int { context.map { Int(cx11_filter_events($0)) } ?? 0 }

  /// Where the caret is: candidate windows open beneath it.
  func setSpot(_ point: XPoint) {
    spot = point
    if let context { inputMethod.calling { cx11_set_spot(context, point) } }
  }

  private func applyFocus() {
    guard let context else { return }
    if isActive {
      inputMethod.calling { XSetICFocus(context) }
    } else {
      // What was in the making belongs to the field that was left.
      _ = reset()
      inputMethod.calling { XUnsetICFocus(context) }
    }
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
