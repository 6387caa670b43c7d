import CX11
import Geometry
import TestSupport
import Testing

@testable import X11

/// A window on a display of its own that draws a pattern whenever it is asked to and remembers what it was told.
@MainActor final class TestWindow {
  let display: VirtualDisplay
  let connection: X11.Connection
  let window: X11.Window
  var events: [WindowEvent] = []
  private(set) var presentedFrames = 0

  static func open(
    on display: VirtualDisplay, title: String = "test", size: Size = Size(width: 300, height: 200),
    geometry: String? = nil, icons: [IconImage] = []
  ) async throws -> TestWindow {
    let test = try TestWindow(
      display,
      WindowOptions(
        title: title, size: size, minimumSize: Size(width: 100, height: 80), icons: icons,
        geometry: geometry))
    test.window.show()
    // openbox, when it has just started, sometimes loses the first request to show a window; asking again is no harm.
    var nextRequest = ContinuousClock.now + .seconds(1)
    try await test.until("the first frame is on the screen") {
      if ContinuousClock.now > nextRequest, !test.window.isVisible {
        test.window.show()
        nextRequest += .seconds(1)
      }
      return test.presentedFrames > 0
    }
    return test
  }

  private init(_ display: VirtualDisplay, _ options: WindowOptions) throws {
    self.display = display
    connection = try X11.Connection(displayName: display.name)
    window = try X11.Window(connection: connection, options: options)
    window.onEvent = { [unowned self] (event: WindowEvent) in
      events.append(event)
      switch event {
      case .exposed, .resized, .frameReady: draw()
      case .presented: presentedFrames += 1
      default: break
      }
    }
  }

  var id: String { String(window.id) }

  /// The pattern: every pixel tells where it is.
  nonisolated static func pattern(_ x: Int, _ y: Int) -> UInt32 {
    0xff00_0000 | UInt32(x & 255) << 16 | UInt32(y & 255) << 8 | UInt32((x / 8 + y / 8) & 1) * 0xff
  }

  func draw() {
    guard let frame = window.beginFrame() else { return }
    for y in 0..<frame.height {
      for x in 0..<frame.width { frame.pixels[y * frame.stride + x] = Self.pattern(x, y) }
    }
    window.present(frame, damage: [PixelRect(x: 0, y: 0, width: frame.width, height: frame.height)])
  }

  /// Waits for a condition while the main queue runs.
  func until(_ what: String, within seconds: Double = 240, _ condition: @MainActor () async throws -> Bool) async throws
  {
    let end = ContinuousClock.now + .seconds(seconds)
    while try await !condition() {
      guard ContinuousClock.now < end else {
        throw TestSupportError("Waited \(seconds) s in vain: \(what). Events: \(events.suffix(20))")
      }
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  /// Waits until the window shows the pattern in its present size; `bits` are those that the screen keeps of a colour.
  func untilPatternIsSeen(bits: UInt32 = 0xffff_ffff) async throws {
    try await until("the pattern is seen") {
      let shot = try await display.screenshot(window: id)
      guard shot.width == window.width, shot.height == window.height else { return false }
      return (0..<shot.pixels.count).allSatisfy { index in
        let wanted = Self.pattern(index % shot.width, index / shot.width)
        return bits == 0xffff_ffff ? shot.pixels[index] == wanted : Self.isNear(shot.pixels[index], wanted)
      }
    }
  }

  /// Within what 5 bits of a colour can say.
  private static func isNear(_ one: UInt32, _ other: UInt32) -> Bool {
    [0, 8, 16].allSatisfy { abs(Int(one >> $0 & 255) - Int(other >> $0 & 255)) <= 4 }
  }

  var pressedKeys: [KeyEvent] {
    events.compactMap { if case .keyPressed(let key) = $0 { key } else { nil } }
  }

  var typedText: String { pressedKeys.map(\.text).joined() }

  /// Gives the window the focus as a click or a window manager would.
  func focus() async throws {
    try await display.xdotool("windowfocus", id)
    try await until("the window has the focus") { window.hasFocus }
  }
}

/// Another program on the same display, by bare Xlib.
@MainActor final class Stranger {
  let display: OpaquePointer
  let root: XID
  let window: XID

  /// Kept so that the server outlives the connection.
  private let server: VirtualDisplay

  init(on server: VirtualDisplay) throws {
    guard let display = XOpenDisplay(server.name) else { throw TestSupportError("No display \(server.name)") }
    self.server = server
    self.display = display
    root = XDefaultRootWindow(display)
    window = XCreateSimpleWindow(display, root, 0, 0, 10, 10, 0, 0, 0)
    XSelectInput(display, window, PropertyChangeMask)
    XSync(display, 0)
  }

  isolated deinit { XCloseDisplay(display) }

  func atom(_ name: String) -> Atom { XInternAtom(display, name, 0) }

  func send(_ type: String, to destination: XID, about: XID? = nil, mask: Int = 0, _ values: [UInt]) {
    var event = XEvent()
    event.xclient.type = ClientMessage
    event.xclient.window = about ?? destination
    event.xclient.message_type = atom(type)
    event.xclient.format = 32
    event.xclient.values = values
    XSendEvent(display, destination, 0, mask, &event)
    XSync(display, 0)
  }

  func set(_ property: String, of window: XID, type: Atom, bytes: [UInt8]) {
    XChangeProperty(display, window, atom(property), type, 8, PropModeReplace, bytes, CInt(bytes.count))
    XSync(display, 0)
  }

  func set(_ property: String, of window: XID, type: Atom, longs: [UInt]) {
    longs.withUnsafeBytes {
      _ = XChangeProperty(
        display, window, atom(property), type, 32, PropModeReplace,
        $0.baseAddress?.assumingMemoryBound(to: UInt8.self), CInt(longs.count))
    }
    XSync(display, 0)
  }

  func bytes(_ property: String, of window: XID) -> [UInt8] {
    var type: Atom = 0
    var format: CInt = 0
    var count: UInt = 0
    var rest: UInt = 0
    var data: UnsafeMutablePointer<UInt8>?
    XGetWindowProperty(
      display, window, atom(property), 0, 1 << 20, 0, Atom(AnyPropertyType), &type, &format, &count, &rest, &data)
    defer { if let data { XFree(data) } }
    return Array(UnsafeBufferPointer(start: data, count: Int(count) * (format == 32 ? 8 : 1)))
  }

  func longs(_ property: String, of window: XID) -> [UInt] {
    bytes(property, of: window).withUnsafeBytes { $0.bindMemory(to: UInt.self).map { $0 & 0xffff_ffff } }
  }

  /// The next event of a type, when it has arrived.
  func event(_ type: CInt) -> XEvent? {
    XSync(display, 0)
    var event = XEvent()
    return XCheckTypedEvent(display, type, &event) != 0 ? event : nil
  }
}
