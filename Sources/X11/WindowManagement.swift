internal import CX11
internal import Geometry
internal import Glibc

/// Where a window is to be, and what the window manager is told of it.
struct WindowPlacement {
  var frame: PixelRect
  var minimum: (width: Int, height: Int)
  /// The user's own words: USPosition and USSize instead of the program's wish.
  var hasUserPosition = false
  var hasUserSize = false
  var gravity = NorthWestGravity

  /// - Parameter screen: the monitor, in coordinates of the root.
  init(_ options: WindowOptions, screen: PixelRect) throws(X11Error) {
    minimum = (max(1, Int(options.minimumSize.width)), max(1, Int(options.minimumSize.height)))
    frame = PixelRect(
      x: screen.x, y: screen.y, width: min(max(minimum.width, Int(options.size.width)), screen.width),
      height: min(max(minimum.height, Int(options.size.height)), screen.height))
    guard let geometry = options.geometry else { return }
    var x: CInt = 0
    var y: CInt = 0
    var width: UInt32 = 0
    var height: UInt32 = 0
    let found = XParseGeometry(geometry, &x, &y, &width, &height)
    guard found & (XValue | YValue | WidthValue | HeightValue) != 0, width <= 32767, height <= 32767 else {
      throw X11Error(
        .badGeometry, "The geometry \"\(geometry)\" cannot be read; it looks like 1280x800 or 1280x800+40+40.")
    }
    if found & WidthValue != 0, width > 0 { frame.width = max(minimum.width, Int(width)) }
    if found & HeightValue != 0, height > 0 { frame.height = max(minimum.height, Int(height)) }
    hasUserSize = found & (WidthValue | HeightValue) != 0
    guard found & (XValue | YValue) != 0 else { return }
    hasUserPosition = true
    let (isFromRight, isFromBottom) = (found & XNegative != 0, found & YNegative != 0)
    // Negative offsets count from the opposite edge.
    frame.x = isFromRight ? screen.x + screen.width + Int(x) - frame.width : screen.x + Int(x)
    frame.y = isFromBottom ? screen.y + screen.height + Int(y) - frame.height : screen.y + Int(y)
    gravity =
      isFromRight
      ? (isFromBottom ? SouthEastGravity : NorthEastGravity) : (isFromBottom ? SouthWestGravity : NorthWestGravity)
  }
}

/// The window manager resizes and waits for the frame that goes with it (`_NET_WM_SYNC_REQUEST`).
struct ResizeSync {
  private let counter: XID
  private var requested: XSyncValue?
  private var isConfigured = false

  @MainActor init?(_ connection: Connection, window: XID) {
    var event: CInt = 0
    var error: CInt = 0
    var major: CInt = 0
    var minor: CInt = 0
    guard XSyncQueryExtension(connection.display, &event, &error) != 0,
      XSyncInitialize(connection.display, &major, &minor) != 0
    else { return nil }
    counter = XSyncCreateCounter(connection.display, XSyncValue(hi: 0, lo: 0))
    connection.setProperty(
      connection.atoms[.netSyncRequestCounter], of: window, type: Atom(XA_CARDINAL), longs: [counter])
  }

  /// The value to set once the frame for the next ConfigureNotify is there.
  mutating func request(low: UInt, high: UInt) {
    requested = XSyncValue(hi: CInt(truncatingIfNeeded: high), lo: UInt32(truncatingIfNeeded: low))
    isConfigured = false
  }

  mutating func wasConfigured() { isConfigured = requested != nil }

  @MainActor mutating func frameWasPut(_ connection: Connection) {
    guard isConfigured, let value = requested else { return }
    XSyncSetCounter(connection.display, counter, value)
    (requested, isConfigured) = (nil, false)
  }

  @MainActor func close(_ connection: Connection) { XSyncDestroyCounter(connection.display, counter) }
}

extension Window {
  static var eventMask: Int {
    KeyPressMask | KeyReleaseMask | ExposureMask | VisibilityChangeMask | StructureNotifyMask | FocusChangeMask
      | PropertyChangeMask
  }

  static var corePointerMask: Int {
    ButtonPressMask | ButtonReleaseMask | PointerMotionMask | EnterWindowMask | LeaveWindowMask
  }

  static func makeWindow(_ connection: Connection, _ frame: PixelRect) -> XID {
    let format = connection.format
    var attributes = XSetWindowAttributes()
    // No background and contents that stay where they are: nothing flashes while the window is resized.
    attributes.background_pixmap = XID(None)
    attributes.bit_gravity = NorthWestGravity
    attributes.border_pixel = 0
    let standard = XDefaultVisual(connection.display, connection.screen)
    attributes.colormap =
      format.visual == standard
      ? XDefaultColormap(connection.display, connection.screen)
      : XCreateColormap(connection.display, connection.root, format.visual, AllocNone)
    return XCreateWindow(
      connection.display, connection.root, CInt(frame.x), CInt(frame.y), UInt32(frame.width), UInt32(frame.height), 0,
      CInt(format.pixels.depth), UInt32(InputOutput), format.visual,
      UInt(CWBackPixmap | CWBitGravity | CWBorderPixel | CWColormap), &attributes)
  }

  /// Tells the window manager all about a new window.
  func declare(_ options: WindowOptions, _ placement: WindowPlacement) {
    let display = connection.display
    let atoms = connection.atoms
    sync = ResizeSync(connection, window: id)
    var protocols = [atoms[.deleteWindow], atoms[.takeFocus], atoms[.netPing]]
    if sync != nil { protocols.append(atoms[.netSyncRequest]) }
    XSetWMProtocols(display, id, &protocols, CInt(protocols.count))
    connection.setProperty(
      atoms[.netProcess], of: id, type: Atom(XA_CARDINAL), longs: [UInt(getpid())])
    writeHints(options, placement)
    writeTitle()
    if !options.icons.isEmpty {
      let longs = options.icons.flatMap { [UInt($0.width), UInt($0.height)] + $0.pixels.map { UInt($0) } }
      connection.setProperty(atoms[.netIcon], of: id, type: Atom(XA_CARDINAL), longs: longs)
    }
    connection.setProperty(
      atoms[.netWindowType], of: id, type: Atom(XA_ATOM), longs: [atoms[.netWindowTypeNormal]])
  }

  private func writeHints(_ options: WindowOptions, _ placement: WindowPlacement) {
    guard let size = XAllocSizeHints(), let manager = XAllocWMHints(), let names = XAllocClassHint() else { return }
    defer {
      XFree(size)
      XFree(manager)
      XFree(names)
    }
    size.pointee.flags = PMinSize | PWinGravity | (placement.hasUserSize ? USSize : PSize)
    if placement.hasUserPosition { size.pointee.flags |= USPosition }
    size.pointee.min_width = CInt(placement.minimum.width)
    size.pointee.min_height = CInt(placement.minimum.height)
    size.pointee.win_gravity = placement.gravity
    (size.pointee.x, size.pointee.y) = (CInt(placement.frame.x), CInt(placement.frame.y))
    (size.pointee.width, size.pointee.height) = (CInt(placement.frame.width), CInt(placement.frame.height))
    manager.pointee.flags = InputHint | StateHint
    manager.pointee.input = True
    manager.pointee.initial_state = NormalState
    let instance = strdup(options.instanceName)
    let family = strdup(options.className)
    defer {
      free(instance)
      free(family)
    }
    names.pointee.res_name = instance
    names.pointee.res_class = family
    // This sets WM_CLIENT_MACHINE too, without which the process number says nothing.
    Xutf8SetWMProperties(connection.display, id, title, title, nil, 0, size, manager, names)
  }

  func writeTitle() {
    // A title is one line.
    let text = String(title.map { $0.isNewline ? " " : $0 })
    Xutf8SetWMProperties(connection.display, id, text, text, nil, 0, nil, nil, nil)
    let atoms = connection.atoms
    for name in [atoms[.netName], atoms[.netIconName]] {
      connection.setProperty(name, of: id, type: atoms[.utf8String], bytes: text.utf8)
    }
    connection.flush()
  }

  func writeStartup() {
    guard let startup = connection.startup else { return }
    connection.setProperty(
      connection.atoms[.netStartupID], of: id, type: connection.atoms[.utf8String], bytes: startup.id.utf8)
    if let time = startup.time { noteUser(time) }
  }

  /// The user did something here: a window manager gives the focus to who had the newest of it.
  func noteUser(_ time: Timestamp) {
    guard time != 0 else { return }
    connection.setProperty(connection.atoms[.netUserTime], of: id, type: Atom(XA_CARDINAL), longs: [UInt(time)])
  }

  func handleMessage(_ event: XClientMessageEvent) {
    let atoms = connection.atoms
    guard event.message_type == atoms[.protocols], event.format == 32 else { return }
    let values = event.values
    switch values[0] {
    case atoms[.deleteWindow]:
      enqueue(.closeRequested)
    case atoms[.netPing]:
      connection.sendMessage(
        atoms[.protocols], about: connection.root, to: connection.root,
        mask: SubstructureNotifyMask | SubstructureRedirectMask, [values[0], values[1], id, values[3], values[4]])
    case atoms[.takeFocus]:
      // The window may have been unmapped meanwhile, which makes this an error without consequence.
      _ = connection.trap {
        XSetInputFocus(connection.display, id, RevertToParent, Time(values[1]))
      }
    case atoms[.netSyncRequest]:
      sync?.request(low: values[2], high: values[3])
    default:
      break
    }
  }

  func handleProperty(_ event: XPropertyEvent) {
    let atoms = connection.atoms
    switch event.atom {
    case atoms[.netState]:
      let state = connection.property(atoms[.netState], of: id)?.longs ?? []
      stateChanged(
        isFullScreen: state.contains(atoms[.netStateFullScreen]), isHidden: state.contains(atoms[.netStateHidden]))
    case atoms[.frame]:
      handleStreamAnswer()
    default:
      break
    }
  }

  /// Fills the screen with the window or ends that; `.fullScreenChanged` tells when it is so.
  public func setFullScreen(_ on: Bool) {
    guard isUsable else { return }
    defer { connection.flush() }
    let atoms = connection.atoms
    guard connection.managerSupports(atoms[.netStateFullScreen]) else { return fillMonitor(on) }
    if isMapped {
      connection.sendMessage(
        atoms[.netState], about: id, to: connection.root,
        mask: SubstructureNotifyMask | SubstructureRedirectMask, [on ? 1 : 0, atoms[.netStateFullScreen], 0, 1])
    } else {
      connection.setProperty(
        atoms[.netState], of: id, type: Atom(XA_ATOM), longs: on ? [atoms[.netStateFullScreen]] : [])
    }
  }

  /// Without a window manager that knows how, the window covers the monitor that holds its centre.
  private func fillMonitor(_ on: Bool) {
    guard on != isFullScreen else { return }
    var x: CInt = 0
    var y: CInt = 0
    var child: XID = 0
    XTranslateCoordinates(connection.display, id, connection.root, 0, 0, &x, &y, &child)
    let present = PixelRect(x: Int(x), y: Int(y), width: width, height: height)
    if on { frameBeforeFullScreen = present }
    let target =
      on
      ? connection.monitors.containing(x: present.x + width / 2, y: present.y + height / 2)
      : frameBeforeFullScreen ?? present
    XMoveResizeWindow(
      connection.display, id, CInt(target.x), CInt(target.y), UInt32(target.width), UInt32(target.height))
    isFullScreen = on
    enqueue(.fullScreenChanged(on))
  }
}

extension Connection {
  /// Whether a window manager runs that says it knows the name.
  func managerSupports(_ name: Atom) -> Bool {
    guard let manager = property(atoms[.netSupportingCheck], of: root)?.longs.first,
      // A window manager that died leaves its properties behind.
      foreignProperty(atoms[.netSupportingCheck], of: manager)?.longs.first == manager
    else { return false }
    return property(atoms[.netSupported], of: root)?.longs.contains(name) == true
  }
}
