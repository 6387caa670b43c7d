internal import CX11
internal import Dispatch
internal import Glibc

/// The connection to the X server. It lives on the main thread, reads events when the main queue runs, and hands them to
/// its windows.
///
/// Xlib writes to the server with SIGPIPE as the process has it: a process that is to outlive its display ignores that
/// signal.
@MainActor public final class Connection {
  let display: OpaquePointer
  let screen: CInt
  let root: XID
  let atoms: AtomTable
  let format: VisualFormat
  let keyboard: Keyboard
  /// A window of our own that is never shown: it owns selections and receives them.
  let utilityWindow: XID
  /// The time of the newest event; never 0.
  private(set) var lastEventTime: Timestamp

  private(set) var settings: DesktopSettings!
  private(set) var monitors: Monitors!
  private(set) var pointers: PointerDevices!
  private(set) var inputMethod: InputMethod!
  private(set) var clipboardStorage: Clipboard!
  /// Whether shared memory works between this process and the server, and how.
  private(set) var sharedMemory: SharedMemorySupport?
  /// What the program that started this one wants to be told once a window is there.
  var startup: StartupNotification?

  private var source: (any DispatchSourceRead)?
  private var windows: [XID: WeakWindow] = [:]
  private var isDraining = false
  private var isTurnScheduled = false
  private(set) var isLost = false
  /// Whether Xlib may be called. Not after a loss: Xlib then leaves the display locked for the thread that noticed, so
  /// that a call from any other would wait for ever.
  var isUsable: Bool { !isClosed && !isLost }
  private var isLossDelivered = false
  private(set) var isClosed = false

  private struct WeakWindow { weak var window: Window? }

  /// Opens a display.
  ///
  /// - Parameter displayName: such as `:0`; nil is what `DISPLAY` says.
  /// - Throws: `noDisplay`, `cannotConnect`, or `unsupportedScreen` for a screen without true colour.
  public init(displayName: String? = nil) throws(X11Error) {
    prepareLocale()
    let named = displayName ?? getenv("DISPLAY").map { String(cString: $0) } ?? ""
    guard !named.isEmpty else {
      throw X11Error(.noDisplay, "There is no display to open a window on: DISPLAY is not set.")
    }
    RequestErrors.installHandlers()
    guard let display = XOpenDisplay(named) else {
      throw X11Error(
        .cannotConnect,
        "Cannot connect to the display \"\(named)\": no X server answers there, or it refuses this user.")
    }
    self.display = display
    screen = XDefaultScreen(display)
    root = XRootWindow(display, screen)
    do {
      format = try VisualFormat.choose(display: display, screen: screen)
    } catch {
      XCloseDisplay(display)
      throw error
    }
    atoms = AtomTable(display: display, screen: screen)
    var attributes = XSetWindowAttributes()
    attributes.event_mask = PropertyChangeMask
    utilityWindow = XCreateWindow(
      display, root, -10, -10, 1, 1, 0, 0, UInt32(InputOnly), nil, UInt(CWEventMask), &attributes)
    lastEventTime = Self.serverTime(display: display, window: utilityWindow, property: atoms[.clock])
    keyboard = Keyboard(display: display)

    XSetIOErrorExitHandler(
      display,
      { _, context in
        // Returning keeps the process alive; every later request does nothing. The handler may run inside any call of
        // Xlib, all of which are on the main thread.
        MainActor.assumeIsolated { Unmanaged<Connection>.fromOpaque(context!).takeUnretainedValue().lose() }
      }, Unmanaged.passUnretained(self).toOpaque())

    settings = DesktopSettings(connection: self)
    monitors = Monitors(connection: self)
    pointers = PointerDevices(display: display)
    sharedMemory = SharedMemorySupport(connection: self)
    inputMethod = InputMethod(display: display)
    clipboardStorage = Clipboard(connection: self)
    startup = StartupNotification.fromEnvironment()

    let source = DispatchSource.makeReadSource(fileDescriptor: XConnectionNumber(display), queue: .main)
    source.setEventHandler { [weak self] in MainActor.assumeIsolated { self?.processEvents() } }
    self.source = source
    source.activate()
    scheduleTurn()
  }

  isolated deinit {
    // Windows hold their connection, so there are none; and nothing may refer to this object any more.
    if !isClosed { disconnect() }
  }

  /// Replaces the desktop's scale when set (`--scale`).
  public var scaleOverride: Double? {
    didSet { if scaleOverride != oldValue { broadcast(.scaleChanged) } }
  }

  /// Device pixels for one pixel of a screen of 96 dpi: the desktop's `Xft.dpi` / 96.
  public var uiScale: Double { scaleOverride ?? settings.scale }

  /// Whether pictures travel through the connection, because shared memory does not work: animate sparingly.
  public var isRemote: Bool { sharedMemory == nil }

  /// Frames a second of the fastest monitor; 60 when the server does not say.
  public var refreshRate: Double { monitors.refreshRate }

  /// The desktop's font, such as "Cantarell 11"; nil when no settings daemon runs.
  public var desktopFontName: String? { settings.fontName }

  /// Seconds within which two clicks are a double click.
  public var doubleClickTime: Double { settings.doubleClickTime }

  /// The desktop's selections.
  public var clipboard: Clipboard { clipboardStorage }

  /// Sends what waits to be sent.
  public func flush() {
    guard isUsable else { return }
    XFlush(display)
    // Writing may have read events, which then no longer wake the descriptor.
    if XEventsQueued(display, CInt(QueuedAfterReading)) > 0 { scheduleTurn() }
  }

  /// Handles and delivers everything that has arrived. The main queue calls it when something arrives.
  public func processEvents() {
    guard !isClosed else { return }
    drain()
    if isLost, !isLossDelivered {
      isLossDelivered = true
      // The descriptor of a dead connection is readable for ever.
      source?.cancel()
      broadcast(.displayLost)
    }
    for entry in windows.values { entry.window?.deliverEvents() }
    flush()
  }

  /// Gives the clipboard to the desktop's clipboard manager, closes the windows, and ends the connection.
  public func close() {
    guard !isClosed else { return }
    if !isLost { clipboardStorage.handOver() }
    for entry in windows.values { entry.window?.close() }
    disconnect()
  }

  private func disconnect() {
    // From here on nothing is scheduled any more.
    isClosed = true
    if !isLost {
      inputMethod?.close()
      XDestroyWindow(display, utilityWindow)
      XSync(display, False)
    }
    guard let source else { return }
    // Asked again: the server may have died just now. A lost display is left as it is.
    if !isLost {
      XSetIOErrorExitHandler(display, { _, _ in }, nil)
      // The descriptor may be closed only when the source no longer watches it. The pointer is used by nobody else then.
      nonisolated(unsafe) let display = display
      source.setCancelHandler { XCloseDisplay(display) }
    }
    source.cancel()
  }

  // MARK: - For the rest of the room

  func add(_ window: Window) { windows[window.id] = WeakWindow(window: window) }

  func removeWindow(_ id: XID) { windows[id] = nil }

  func window(_ id: XID) -> Window? { windows[id]?.window }

  /// Handles events soon: after anything that may have read from the connection.
  func scheduleTurn() {
    // A drain under way reads whatever comes, and delivers when it is done.
    guard !isTurnScheduled, !isDraining, !isClosed else { return }
    isTurnScheduled = true
    DispatchQueue.main.async { [weak self] in
      MainActor.assumeIsolated {
        self?.isTurnScheduled = false
        self?.processEvents()
      }
    }
  }

  func broadcast(_ event: WindowEvent) {
    for entry in windows.values { entry.window?.enqueue(event) }
    scheduleTurn()
  }

  func trap(_ requests: () -> Void) -> RequestError? {
    guard isUsable else { return nil }
    defer { scheduleTurn() }
    return RequestErrors.trap(display, requests)
  }

  func noteTime(_ time: Time) {
    let time = Timestamp(truncatingIfNeeded: time)
    // The clock wraps around, so "later" is a matter of the nearer way.
    if time != 0, Int32(bitPattern: time &- lastEventTime) > 0 { lastEventTime = time }
  }

  private func lose() {
    guard !isLost else { return }
    isLost = true
    scheduleTurn()
    // Xlib waits for an input method's answers in a loop that never ends on a dead connection: nobody would hear of it
    // any more.
    guard inputMethod?.isCalling == true, !isLossDelivered else { return }
    isLossDelivered = true
    for entry in windows.values { entry.window?.deliverLoss() }
  }

  private func drain() {
    guard !isDraining else { return }
    isDraining = true
    defer { isDraining = false }
    var event = XEvent()
    while !isLost, XPending(display) > 0 {
      XNextEvent(display, &event)
      if isLost { break }
      dispatch(&event)
    }
  }

  /// The server's present time, by way of a property that changes nothing.
  private static func serverTime(display: OpaquePointer, window: XID, property: Atom) -> Timestamp {
    XChangeProperty(display, window, property, Atom(XA_INTEGER), 8, PropModeAppend, nil, 0)
    XSync(display, False)
    var event = XEvent()
    guard XCheckTypedWindowEvent(display, window, PropertyNotify, &event) != 0 else { return 1 }
    return max(1, Timestamp(truncatingIfNeeded: event.xproperty.time))
  }
}
