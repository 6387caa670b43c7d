internal import CX11
public import Geometry

/// A top-level window. Everything it tells comes through `onEvent`, on the main thread. The window keeps its connection;
/// the program keeps the window.
@MainActor public final class Window {
  let id: XID
  let connection: Connection
  /// Receives the events; never called while another call of it is under way.
  public var onEvent: (@MainActor (WindowEvent) -> Void)?

  /// In device pixels.
  public private(set) var width: Int
  /// In device pixels.
  public private(set) var height: Int
  /// Whether the window fills the screen, as the window manager says.
  public internal(set) var isFullScreen = false
  /// Whether anything of the window can be seen.
  public private(set) var isVisible = false
  /// Whether keys go to this window.
  public private(set) var hasFocus = false

  var queue = EventQueue()
  private var isDelivering = false
  private(set) var isTextInputEnabled = false
  let presenter: Presenter
  let inputContext: InputContext
  private let cursors: Cursors
  private var dropTarget: DropTarget?
  private var clicks = ClickCounter()
  private(set) var isClosed = false
  var isUsable: Bool { !isClosed && connection.isUsable }

  /// Handles and delivers everything that has arrived from the server, for all windows of the connection.
  public func processEvents() { connection.processEvents() }
  private(set) var isMapped = false
  private var isHidden = false
  private var isObscured = false
  var sync: ResizeSync?
  /// Where the window was before it filled the screen without a window manager's help.
  var frameBeforeFullScreen: PixelRect?

  /// Makes a window; `show()` puts it on the screen.
  ///
  /// - Throws: `badGeometry` when `options.geometry` cannot be read, `windowRefused` when the server makes none.
  public init(connection: Connection, options: WindowOptions) throws(X11Error) {
    let placement = try WindowPlacement(options, screen: connection.monitors.containing(x: 0, y: 0))
    self.connection = connection
    width = placement.frame.width
    height = placement.frame.height
    id = Self.makeWindow(connection, placement.frame)
    guard let presenter = Presenter(connection: connection, window: id) else {
      XDestroyWindow(connection.display, id)
      throw X11Error(.windowRefused, "The display refused to make a window.")
    }
    self.presenter = presenter
    inputContext = InputContext(inputMethod: connection.inputMethod, window: id)
    cursors = Cursors(display: connection.display, root: connection.root)
    title = options.title
    inputContext.onPreedit = { [weak self] preedit in self?.enqueue(.preedit(preedit)) }
    let usesExtension = connection.pointers.select(window: id)
    XSelectInput(
      connection.display, id,
      Self.eventMask | inputContext.filterEvents | (usesExtension ? 0 : Self.corePointerMask))
    connection.add(self)
    dropTarget = DropTarget(connection: connection, window: id) { [weak self] items in
      self?.enqueue(.filesDropped(items))
    }
    declare(options, placement)
    setCursor(.arrow)
  }

  isolated deinit { close() }

  /// What the title bar says.
  public var title: String {
    didSet { if title != oldValue, isUsable { writeTitle() } }
  }

  /// Puts the window on the screen.
  public func show() {
    guard isUsable else { return }
    writeStartup()
    XMapWindow(connection.display, id)
    if let startup = connection.startup {
      connection.startup = nil
      startup.send(connection: connection, window: id)
    }
    connection.flush()
  }

  /// Takes the window off the screen for good.
  public func close() {
    guard !isClosed else { return }
    isClosed = true
    connection.removeWindow(id)
    guard connection.isUsable else { return }
    inputContext.close()
    presenter.close()
    cursors.close()
    sync?.close(connection)
    XDestroyWindow(connection.display, id)
    connection.flush()
  }

  /// What the pointer looks like over the window.
  public func setCursor(_ shape: CursorShape) {
    guard isUsable, shape != cursorShape else { return }
    cursorShape = shape
    XDefineCursor(connection.display, id, cursors.cursor(shape))
  }
  private var cursorShape: CursorShape?

  /// Memory for the next frame; nil while the server still reads all there is, and `.frameReady` follows when that is
  /// over. Asked for twice, it gives the same buffer until that is presented.
  public func beginFrame() -> FrameBuffer? {
    guard isUsable else { return nil }
    return presenter.begin(width: width, height: height)
  }

  /// Shows the damaged rectangles of the frame.
  ///
  /// - Parameter movement: what of the damage is the last frame moved; it may be wrong about any pixel.
  /// - Returns: the frame's number, which comes back in `.presented` when the frame is on the screen.
  @discardableResult public func present(
    _ frame: FrameBuffer, damage: [PixelRect], movement: FrameMovement? = nil
  ) -> UInt64 {
    guard isUsable else { return 0 }
    let (serial, isPending) = presenter.present(frame, damage: damage, movement: movement)
    if frame.width == width, frame.height == height { sync?.frameWasPut(connection) }
    if !isPending {
      enqueue(.presented(serial: serial))
    }
    connection.flush()
    return serial
  }

  /// Where the caret is, in device pixels: the bottom of it. Input methods open their windows there.
  public func setTextInputSpot(x: Int, y: Int) {
    guard isUsable else { return }
    inputContext.setSpot(XPoint(x: Int16(clamping: x), y: Int16(clamping: y)))
  }

  /// Whether keys are text for an input method and compose sequences, or commands. Off at first.
  public func enableTextInput(_ on: Bool) {
    isTextInputEnabled = on
    queue.keepsRepeats = on
    guard isUsable else { return }
    inputContext.isActive = on && hasFocus
    connection.scheduleTurn()
  }

  /// Ends what an input method has in the making and answers its text, for whoever moves the caret elsewhere meanwhile.
  public func resetTextInput() -> String { isUsable ? inputContext.reset() : "" }

  // MARK: - Events

  /// Puts an event in the line; it is delivered when everything that has arrived is read.
  func enqueue(_ event: WindowEvent) {
    guard !isClosed else { return }
    queue.add(event)
    connection.scheduleTurn()
  }

  /// Tells at once, from inside of whatever is under way, that the server is gone; the program ends with it.
  func deliverLoss() { onEvent?(.displayLost) }

  func deliverEvents() {
    guard !isDelivering else { return }
    isDelivering = true
    defer { isDelivering = false }
    // Events that the handler causes wait for the next turn, so that a handler cannot keep the loop for itself.
    for event in queue.takeAll() where !isClosed { onEvent?(event) }
    if !queue.isEmpty { connection.scheduleTurn() }
  }

  func handle(_ event: XEvent) {
    switch event.type {
    case ConfigureNotify: handleConfigure(event.xconfigure)
    case Expose where event.xexpose.count == 0: enqueue(.exposed)
    case MapNotify, UnmapNotify:
      isMapped = event.type == MapNotify
      updateVisibility()
    case VisibilityNotify:
      isObscured = event.xvisibility.state == VisibilityFullyObscured
      updateVisibility()
    case FocusIn, FocusOut: handleFocus(event.xfocus)
    case ClientMessage:
      if dropTarget?.handle(event.xclient) != true { handleMessage(event.xclient) }
    default: break
    }
  }

  private func handleConfigure(_ event: XConfigureEvent) {
    let (newWidth, newHeight) = (max(1, Int(event.width)), max(1, Int(event.height)))
    let isResized = newWidth != width || newHeight != height
    (width, height) = (newWidth, newHeight)
    sync?.wasConfigured()
    if isResized {
      enqueue(.resized)
    } else if !queue.events.contains(.resized) {
      // Nothing will be drawn for this; the window manager waits for an answer all the same.
      sync?.frameWasPut(connection)
    }
  }

  private func handleFocus(_ event: XFocusChangeEvent) {
    // Grabs take keys for a moment (a menu of the window manager); a pointer's focus is none.
    guard event.mode != NotifyGrab, event.mode != NotifyUngrab, event.detail != NotifyPointer else { return }
    let isFocused = event.type == FocusIn
    guard isFocused != hasFocus else { return }
    hasFocus = isFocused
    if !isFocused { connection.keyboard.forgetHeld() }
    inputContext.isActive = isTextInputEnabled && isFocused
    enqueue(.focusChanged(isFocused))
  }

  func stateChanged(isFullScreen: Bool, isHidden: Bool) {
    self.isHidden = isHidden
    updateVisibility()
    guard isFullScreen != self.isFullScreen else { return }
    self.isFullScreen = isFullScreen
    enqueue(.fullScreenChanged(isFullScreen))
  }

  private func updateVisibility() {
    let isVisibleNow = isMapped && !isHidden && !isObscured
    guard isVisibleNow != isVisible else { return }
    isVisible = isVisibleNow
    enqueue(.visibilityChanged(isVisible))
  }

  func handleDestroyed() {
    isMapped = false
    updateVisibility()
  }

  func handleKey(_ event: inout XKeyEvent) {
    let isPress = event.type == KeyPress
    let code = event.keycode
    let modifiers = Modifiers(state: event.state)
    let time = Timestamp(truncatingIfNeeded: event.time)
    var key = KeyEvent(
      symbol: connection.keyboard.symbol(event), text: "", modifiers: modifiers, isRepeat: false, time: time)
    guard isPress else {
      connection.keyboard.release(code)
      return enqueue(.keyReleased(key))
    }
    key.isRepeat = connection.keyboard.press(code)
    let text = inputContext.text(&event)
    // What an input method commits comes as a press of no key; a shortcut is no text.
    if code == 0 || modifiers.isDisjoint(with: [.control, .alt, .super]) {
      key.text = text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f } ? "" : text
    }
    noteUser(time)
    enqueue(.keyPressed(key))
  }

  func pointerMoved(x: Double, y: Double, _ modifiers: Modifiers, _ time: Time) {
    enqueue(.pointerMoved(x: x, y: y, modifiers, time: Timestamp(truncatingIfNeeded: time)))
  }

  func pointerEntered(x: Double, y: Double, _ modifiers: Modifiers, _ time: Time) {
    pointerMoved(x: x, y: y, modifiers, time)
  }

  func pointerLeft() { enqueue(.pointerLeft) }

  func pointerButton(_ button: Int, isPress: Bool, x: Double, y: Double, _ modifiers: Modifiers, _ time: Time) {
    let time = Timestamp(truncatingIfNeeded: time)
    switch button {
    case 4...7:
      guard isPress else { return }
      let dx = button == 6 ? -1.0 : button == 7 ? 1 : 0
      let dy = button == 4 ? 1.0 : button == 5 ? -1 : 0
      enqueue(.scrolled(dx: dx, dy: dy, x: x, y: y, modifiers))
    case _ where isPress:
      noteUser(time)
      let count = clicks.press(
        button: button, x: x, y: y, time: time, interval: connection.doubleClickTime * 1000,
        distance: connection.settings.doubleClickDistance * connection.uiScale)
      enqueue(.pointerPressed(button: button, x: x, y: y, modifiers, clickCount: count, time: time))
    default:
      enqueue(.pointerReleased(button: button, x: x, y: y, modifiers, time: time))
    }
  }

  /// The server has come to a part of what was streamed.
  func handleStreamAnswer() {
    let (serial, isReady) = presenter.streamAnswered()
    if let serial { enqueue(.presented(serial: serial)) }
    if isReady, presenter.isAwaited { enqueue(.frameReady) }
  }

  /// The server is done with a picture.
  func handleCompletion(segment: UInt) {
    guard let serial = presenter.complete(segment: segment) else { return }
    enqueue(.presented(serial: serial))
    if presenter.isAwaited { enqueue(.frameReady) }
  }
}
