import CX11
import Geometry
import Glibc
import TestSupport
import Testing

@testable import X11

@MainActor @Suite("A window", .serialized, .timeLimit(.minutes(10))) struct WindowTests {
  @Test("without a display the failure says so plainly")
  func noDisplay() async throws {
    #expect {
      _ = try X11.Connection(displayName: "")
    } throws: { error in
      (error as? X11Error)?.kind == .noDisplay && "\(error)".contains("DISPLAY is not set")
    }
    #expect {
      _ = try X11.Connection(displayName: ":4711")
    } throws: { error in
      (error as? X11Error)?.kind == .cannotConnect && "\(error)".contains("\":4711\"")
    }
  }

  @Test("a screen with a palette is refused with a reason")
  func palette() async throws {
    let display = try await VirtualDisplay.start(width: 320, height: 240, depth: 8)
    #expect {
      _ = try X11.Connection(displayName: display.name)
    } throws: { error in
      (error as? X11Error)?.kind == .unsupportedScreen && "\(error)".contains("depth to 24")
    }
  }

  @Test("the window tells the window manager what it is")
  func properties() async throws {
    let display = try await VirtualDisplay.start()
    let icon = IconImage(width: 2, height: 1, pixels: [0xff00_00ff, 0x80ff_0000])
    let test = try await TestWindow.open(
      on: display, title: "Grüße, 中文\nzwei", geometry: "400x300+30+40", icons: [icon])
    let text = try await display.run("xprop", ["-id", test.id]).outputText
    #expect(text.contains("WM_CLASS(STRING) = \"s3totsne\", \"S3toTSNE\""))
    #expect(text.contains("_NET_WM_NAME(UTF8_STRING) = \"Grüße, 中文 zwei\""))
    #expect(text.contains("_NET_WM_ICON_NAME(UTF8_STRING) = \"Grüße, 中文 zwei\""))
    #expect(
      text.contains(
        "WM_PROTOCOLS(ATOM): protocols  WM_DELETE_WINDOW, WM_TAKE_FOCUS, _NET_WM_PING, _NET_WM_SYNC_REQUEST"))
    #expect(text.contains("_NET_WM_PID(CARDINAL) = \(getpid())"))
    #expect(text.contains("WM_CLIENT_MACHINE(STRING) = "))
    #expect(text.contains("_NET_WM_SYNC_REQUEST_COUNTER(CARDINAL)"))
    #expect(text.contains("_NET_WM_WINDOW_TYPE(ATOM) = _NET_WM_WINDOW_TYPE_NORMAL"))
    #expect(text.contains("program specified minimum size: 100 by 80"))
    #expect(text.contains("user specified location: 30, 40"))
    #expect(text.contains("user specified size: 400 by 300"))
    #expect(text.contains("XdndAware(ATOM) = "))
    let stranger = try Stranger(on: display)
    #expect(stranger.longs("_NET_WM_ICON", of: test.window.id) == [2, 1, 0xff00_00ff, 0x80ff_0000])
    test.window.title = "another"
    try await test.until("the title is the new one") {
      try await display.run("xprop", ["-id", test.id, "_NET_WM_NAME"]).outputText.contains("\"another\"")
    }
  }

  @Test("a geometry nobody can read is refused")
  func badGeometry() async throws {
    let display = try await VirtualDisplay.start()
    let connection = try X11.Connection(displayName: display.name)
    #expect {
      _ = try X11.Window(connection: connection, options: WindowOptions(title: "", geometry: "wide"))
    } throws: { error in
      (error as? X11Error)?.kind == .badGeometry
    }
    connection.close()
  }

  @Test(
    "what is drawn is what the screen shows, at every depth, with shared memory and without",
    arguments: [24, 16, 30], [true, false])
  func pictures(depth: Int, sharing: Bool) async throws {
    let display = try await VirtualDisplay.start(
      width: 640, height: 480, depth: depth, arguments: sharing ? [] : ["-extension", "MIT-SHM"])
    let test = try await TestWindow.open(on: display)
    #expect(test.connection.isRemote == !sharing)
    let bits: UInt32 = depth == 16 ? 0 : 0xffff_ffff
    try await test.untilPatternIsSeen(bits: bits)
    for (width, height) in [(301, 257), (600, 90), (120, 400)] {
      try await display.xdotool("windowsize", test.id, "\(width)", "\(height)")
      try await test.until("the window has its new size") {
        test.window.width == width && test.window.height == height
      }
      try await test.untilPatternIsSeen(bits: bits)
    }
  }

  @Test("only the damaged part of a frame reaches the screen", arguments: [true, false])
  func damage(sharing: Bool) async throws {
    let display = try await VirtualDisplay.start(arguments: sharing ? [] : ["-extension", "MIT-SHM"])
    let test = try await TestWindow.open(on: display)
    try await test.until("all frames are on the screen") { test.window.beginFrame() != nil }
    let frame = try #require(test.window.beginFrame())
    for index in 0..<frame.height * frame.stride { frame.pixels[index] = 0xff12_3456 }
    let before = test.presentedFrames
    test.window.present(
      frame,
      damage: [
        PixelRect(x: 10, y: 20, width: 30, height: 5), PixelRect(x: 290, y: 190, width: 100, height: 100),
      ])
    try await test.until("the frame is on the screen") { test.presentedFrames > before }
    let shot = try await display.screenshot(window: test.id)
    #expect(shot[10, 20] == 0xff12_3456 && shot[39, 24] == 0xff12_3456 && shot[299, 199] == 0xff12_3456)
    for (x, y) in [(9, 20), (10, 19), (40, 24), (39, 25), (289, 190), (0, 0)] {
      #expect(shot[x, y] == TestWindow.pattern(x, y))
    }
  }

  @Test("drawing is paced by the server: one frame may be under way, and then one is told when to go on")
  func pacing() async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    try await test.until("all frames are on the screen") { test.window.beginFrame() != nil }
    test.events = []
    let all = PixelRect(x: 0, y: 0, width: 300, height: 200)
    var serials: [UInt64] = []
    while let frame = test.window.beginFrame(), serials.count < 10 {
      test.window.present(frame, damage: [all])
      serials.append(test.window.presenter.lastSerial)
    }
    #expect(serials.count == 1)
    try await test.until("it is presented and the next may be drawn") {
      serials.allSatisfy { test.events.contains(.presented(serial: $0)) } && test.events.contains(.frameReady)
    }
    // The handler drew on `.frameReady`, so the oldest buffer holds a frame that can be built upon.
    try await test.until("a buffer is free again") { test.window.beginFrame() != nil }
    #expect((1...2).contains(try #require(test.window.beginFrame()).age))
  }

  @Test("the close button asks, and a ping is answered")
  func protocols() async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    let stranger = try Stranger(on: display)
    XSelectInput(stranger.display, stranger.root, SubstructureNotifyMask)
    let protocols = "WM_PROTOCOLS"
    stranger.send(protocols, to: test.window.id, [stranger.atom("_NET_WM_PING"), 4711, test.window.id])
    var answer: XEvent?
    try await test.until("the ping is answered") {
      answer = stranger.event(ClientMessage)
      return answer != nil
    }
    let reply = try #require(answer).xclient
    #expect(reply.window == stranger.root && reply.data.l.1 == 4711 && UInt(reply.data.l.2) == test.window.id)
    stranger.send(protocols, to: test.window.id, [stranger.atom("WM_DELETE_WINDOW"), 0])
    try await test.until("the window is asked to close") { test.events.contains(.closeRequested) }
    stranger.send(protocols, to: test.window.id, [stranger.atom("WM_TAKE_FOCUS"), 0])
    try await test.until("the window takes the focus") { test.events.contains(.focusChanged(true)) }
  }

  @Test("a window manager that waits for the frame of a new size is told when that is there")
  func resizeSync() async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    let stranger = try Stranger(on: display)
    let counter = try #require(stranger.longs("_NET_WM_SYNC_REQUEST_COUNTER", of: test.window.id).first)
    func value() -> UInt {
      var value = XSyncValue()
      XSyncQueryCounter(stranger.display, counter, &value)
      return UInt(value.lo)
    }
    stranger.send(
      "WM_PROTOCOLS", to: test.window.id, [stranger.atom("_NET_WM_SYNC_REQUEST"), 0, 7, 0])
    #expect(value() == 0)
    XResizeWindow(stranger.display, test.window.id, 333, 222)
    XSync(stranger.display, 0)
    try await test.until("the counter is set") { value() == 7 }
    #expect(test.window.width == 333)
  }

  @Test("the scale follows Xft.dpi while the program runs, unless it is overridden")
  func scale() async throws {
    let display = try await VirtualDisplay.start(dpi: 192)
    let test = try await TestWindow.open(on: display)
    #expect(test.connection.uiScale == 2)
    try await display.run(
      "xprop", ["-root", "-f", "RESOURCE_MANAGER", "8s", "-set", "RESOURCE_MANAGER", "Xft.dpi: 144"])
    try await test.until("the new scale is told") { test.events.contains(.scaleChanged) }
    #expect(test.connection.uiScale == 1.5)
    test.connection.scaleOverride = 3
    #expect(test.connection.uiScale == 3)
  }

  @Test("the desktop's font and double-click time come from its settings daemon, also one that starts later")
  func desktopSettings() async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    #expect(test.connection.desktopFontName == nil)
    #expect(test.connection.doubleClickTime == 0.4)
    let daemon = try Stranger(on: display)
    func publish(_ font: String) {
      daemon.set(
        "_XSETTINGS_SETTINGS", of: daemon.window, type: daemon.atom("_XSETTINGS_SETTINGS"),
        bytes: settingsProperty(
          strings: ["Gtk/FontName": font], integers: ["Net/DoubleClickTime": 250], isBigEndian: false))
    }
    publish("Cantarell 11")
    let selection = daemon.atom("_XSETTINGS_S0")
    XSetSelectionOwner(daemon.display, selection, daemon.window, 1)
    daemon.send("MANAGER", to: daemon.root, mask: StructureNotifyMask, [1, selection, daemon.window])
    try await test.until("the settings are read") { test.connection.desktopFontName == "Cantarell 11" }
    #expect(test.connection.doubleClickTime == 0.25)
    publish("Noto Sans 10")
    try await test.until("the new font is read") { test.connection.desktopFontName == "Noto Sans 10" }
  }

  @Test("full screen is what the window manager makes of it", arguments: [true, false])
  func fullScreen(hasWindowManager: Bool) async throws {
    let display = try await VirtualDisplay.start(width: 800, height: 600, windowManager: hasWindowManager)
    let test = try await TestWindow.open(on: display)
    test.window.setFullScreen(true)
    try await test.until("the window fills the screen") {
      test.window.isFullScreen && test.window.width == 800 && test.window.height == 600
    }
    #expect(test.events.contains(.fullScreenChanged(true)))
    try await test.untilPatternIsSeen()
    test.window.setFullScreen(false)
    try await test.until("the window has its old size") {
      !test.window.isFullScreen && test.window.width == 300 && test.window.height == 200
    }
  }

  @Test("a minimised window knows that nobody sees it")
  func visibility() async throws {
    let display = try await VirtualDisplay.start(windowManager: true)
    let test = try await TestWindow.open(on: display)
    #expect(test.window.isVisible)
    try await display.xdotool("windowminimize", test.id)
    try await test.until("the window is hidden") { test.events.contains(.visibilityChanged(false)) }
    #expect(!test.window.isVisible)
    try await display.xdotool("windowactivate", test.id)
    try await test.until("the window is back") { test.window.isVisible }
  }

  @Test("a dead server is told, and the process lives on")
  func serverDies() async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    kill(display.processID, SIGKILL)
    try await test.until("the loss is told") { test.events.contains(.displayLost) }
    // Everything that may be called now does nothing and returns.
    #expect(test.window.beginFrame() == nil)
    test.window.title = "still here"
    test.window.setFullScreen(true)
    #expect(!test.connection.clipboard.own("text", time: 1))
    var answer: String? = "unanswered"
    test.connection.clipboard.request { answer = $0 }
    #expect(answer == nil)
    test.connection.flush()
    test.connection.processEvents()
    test.window.close()
    test.connection.close()
    #expect(test.events.filter { $0 == .displayLost }.count == 1)
  }
}
