import TestSupport
import Testing

@testable import X11

@Suite("Values of the X11 room") struct ValueTests {
  private func moved(_ x: Double) -> WindowEvent { .pointerMoved(x: x, y: 0, [], time: 1) }

  private func key(_ symbol: KeySymbol, isRepeat: Bool) -> WindowEvent {
    .keyPressed(KeyEvent(symbol: symbol, text: "", modifiers: [], isRepeat: isRepeat, time: 1))
  }

  @Test("only the last of several moves in a row is delivered, and none across a press")
  func motion() {
    let press = WindowEvent.pointerPressed(button: 1, x: 2, y: 0, [], clickCount: 1, time: 1)
    var queue = EventQueue()
    for event in [moved(1), moved(2), press, moved(3), moved(4)] { queue.add(event) }
    #expect(queue.takeAll() == [moved(2), press, moved(4)])
    #expect(queue.isEmpty)
  }

  @Test("scrolling adds up while the same modifiers are held")
  func scrolling() {
    var queue = EventQueue()
    queue.add(.scrolled(dx: 0, dy: 1, x: 1, y: 1, []))
    queue.add(.scrolled(dx: 0.5, dy: 0.25, x: 2, y: 2, []))
    queue.add(.scrolled(dx: 0, dy: 1, x: 2, y: 2, .control))
    #expect(
      queue.takeAll() == [
        .scrolled(dx: 0.5, dy: 1.25, x: 2, y: 2, []), .scrolled(dx: 0, dy: 1, x: 2, y: 2, .control),
      ])
  }

  @Test("repeats of a held command key are one, repeats of typed text are all there")
  func repeats() {
    let typed = [
      key(.left, isRepeat: false), key(.left, isRepeat: true), key(.left, isRepeat: true), key(.right, isRepeat: true),
    ]
    var queue = EventQueue()
    for event in typed { queue.add(event) }
    #expect(queue.takeAll() == [typed[0], typed[1], typed[3]])
    queue.keepsRepeats = true
    for event in typed { queue.add(event) }
    #expect(queue.takeAll() == typed)
  }

  @Test("a window that was resized many times is told once")
  func resizes() {
    var queue = EventQueue()
    for event in [WindowEvent.resized, .exposed, .resized, .pointerLeft, .exposed] { queue.add(event) }
    #expect(queue.takeAll() == [.resized, .exposed, .pointerLeft])
  }

  @Test("clicks count up within the time and the distance of a double click only")
  func clicks() {
    var counter = ClickCounter()
    func press(_ button: Int, _ x: Double, _ time: Timestamp) -> Int {
      counter.press(button: button, x: x, y: 0, time: time, interval: 400, distance: 5)
    }
    #expect(press(1, 10, 1000) == 1)
    #expect(press(1, 14, 1400) == 2)
    #expect(press(1, 14, 1500) == 3)
    #expect(press(1, 14, 1901) == 1)
    #expect(press(3, 14, 1950) == 1)
    #expect(press(3, 20, 1960) == 1)
    // The server's clock wraps around.
    #expect(press(1, 0, .max - 100) == 1)
    #expect(press(1, 0, 100) == 2)
  }

  @Test("a scroll valuator gives notches, and nothing for its first value")
  func valuators() {
    var axis = ScrollAxis(valuator: 3, isVertical: true, increment: 15, last: nil)
    #expect(axis.move(to: 300) == 0)
    #expect(axis.move(to: 315) == 1)
    #expect(axis.move(to: 307.5) == -0.5)
  }

  @Test(
    "dropped URIs become paths",
    arguments: [
      ("file:///a/b.png\r\n", ["/a/b.png"]),
      ("# comment\r\nfile://host/a%20b\r\nfile:/c\r\n", ["/a b", "/c"]),
      ("FILE:///%E4%B8%AD%e6%96%87", ["/中文"]),
      ("https://example.org/x\r\nfile:relative\r\nfile:///with%00zero\r\n", []),
      ("file:///100%\nfile:///%zz", ["/100%", "/%zz"]),
    ])
  func uris(text: String, paths: [String]) {
    #expect(URIList.paths(in: Array(text.utf8)) == paths)
  }

  @Test(
    "Xft.dpi is found in the resources",
    arguments: [
      ("Xft.dpi:\t192\n", 192), ("*color0: #000\nXft.dpi: 120.5\nXft.hinting: 1", 120.5), ("Xft.dpi: none", nil),
      ("NotXft.dpi: 90", nil), ("", nil), ("Xft.dpi: 1e9", nil),
    ] as [(String, Double?)])
  func resources(text: String, dpi: Double?) {
    #expect(DesktopSettings.dpi(inResources: text) == dpi)
  }

  @Test("desktop settings are read in both byte orders", arguments: [false, true])
  func settings(isBigEndian: Bool) {
    let bytes = settingsProperty(
      strings: ["Gtk/FontName": "Cantarell 11"], integers: ["Net/DoubleClickTime": 250, "A": -1],
      isBigEndian: isBigEndian)
    let settings = XSettings(parsing: bytes)
    #expect(settings.strings == ["Gtk/FontName": "Cantarell 11"])
    #expect(settings.integers == ["Net/DoubleClickTime": 250, "A": -1])
  }

  @Test("damaged desktop settings are no harm")
  func damagedSettings() {
    let good = settingsProperty(
      strings: ["Gtk/FontName": "Sans 10"], integers: ["Net/DoubleClickTime": 250], isBigEndian: false)
    for length in 0..<good.count { _ = XSettings(parsing: Array(good.prefix(length))) }
    var random = SplitMix64(seed: 11)
    for _ in 0..<200 {
      var bytes = good
      for _ in 0..<3 {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let settings = XSettings(parsing: bytes)
      #expect(settings.strings.count + settings.integers.count <= 2)
    }
  }

  @Test("a text is received in one piece, in parts, or as the second best type")
  func incoming() {
    var simple = IncomingTransfer(types: [1, 2], incrementalType: 99)
    #expect(simple.convertNext() == .convert(1))
    #expect(simple.notified(hasProperty: false) == .convert(2))
    #expect(simple.notified(hasProperty: true) == .read)
    #expect(
      simple.received(PropertyValue(type: 2, bytes: [7])) == .finish(SelectionContent(type: 2, bytes: [7])))

    var parts = IncomingTransfer(types: [1], incrementalType: 99)
    #expect(parts.convertNext() == .convert(1))
    #expect(parts.propertyAppeared() == .wait)
    #expect(parts.notified(hasProperty: true) == .read)
    #expect(parts.received(PropertyValue(type: 99, longs: [4])) == .wait)
    for byte: UInt8 in [5, 6] {
      #expect(parts.propertyAppeared() == .read)
      #expect(parts.received(PropertyValue(type: 1, bytes: [byte])) == .wait)
    }
    #expect(parts.received(PropertyValue(type: 1)) == .finish(SelectionContent(type: 1, bytes: [5, 6])))

    var refused = IncomingTransfer(types: [1], incrementalType: 99)
    _ = refused.convertNext()
    #expect(refused.notified(hasProperty: false) == .finish(nil))
  }

  @Test("a long text leaves in parts and ends with an empty one")
  func outgoing() {
    var transfer = OutgoingTransfer(type: 1, bytes: [1, 2, 3, 4], partSize: 3)
    #expect(Array(transfer.next()) == [1, 2, 3])
    #expect(Array(transfer.next()) == [4])
    #expect(!transfer.isFinished)
    #expect(transfer.next().isEmpty)
    #expect(transfer.isFinished)
  }

  @Test("pixels are rewritten for every kind of screen")
  func conversion() {
    func converted(_ format: PixelFormat, _ pixel: UInt32) -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: format.bitsPerPixel / 8)
      bytes.withUnsafeMutableBytes { bytes in
        withUnsafePointer(to: pixel) {
          PixelConverter(format: format).convert($0, count: 1, into: bytes.baseAddress!)
        }
      }
      return bytes
    }
    var deep = PixelFormat(
      depth: 30, bitsPerPixel: 32, redMask: 0x3ff0_0000, greenMask: 0xffc00, blueMask: 0x3ff, isBigEndian: false)
    #expect(converted(deep, 0xffff_ffff) == [0xff, 0xff, 0xff, 0x3f])
    #expect(converted(deep, 0xff00_0080) == [0x02, 0x02, 0, 0])
    #expect(!deep.isNative)
    deep.isBigEndian = true
    #expect(converted(deep, 0xff00_0080) == [0, 0, 0x02, 0x02])
    let high = PixelFormat(
      depth: 16, bitsPerPixel: 16, redMask: 0xf800, greenMask: 0x7e0, blueMask: 0x1f, isBigEndian: false)
    #expect(converted(high, 0xffff_0000) == [0x00, 0xf8])
    var packed = PixelFormat(
      depth: 24, bitsPerPixel: 24, redMask: 0xff0000, greenMask: 0xff00, blueMask: 0xff, isBigEndian: false)
    #expect(converted(packed, 0xff11_2233) == [0x33, 0x22, 0x11])
    packed.isBigEndian = true
    #expect(converted(packed, 0xff11_2233) == [0x11, 0x22, 0x33])
  }

  @Test("the end of the start is told in pieces of 20 bytes")
  func startup() {
    let startup = StartupNotification(id: "launcher/a\"b_TIME4711")
    #expect(startup.time == 4711)
    #expect(startup.pieces.allSatisfy { $0.count == 20 })
    let text = startup.pieces.joined().prefix { $0 != 0 }
    #expect(String(decoding: text, as: UTF8.self) == "remove: ID=\"launcher/a\\\"b_TIME4711\"")
    #expect(startup.pieces.last?.last == 0)
  }
}

/// A settings daemon's property, as the XSETTINGS specification writes it.
func settingsProperty(strings: [String: String], integers: [String: Int], isBigEndian: Bool) -> [UInt8] {
  func number(_ value: Int, _ size: Int) -> [UInt8] {
    let little = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    return isBigEndian ? little.reversed() : little
  }
  func padded(_ text: String) -> [UInt8] {
    Array(text.utf8) + [UInt8](repeating: 0, count: (4 - text.utf8.count % 4) % 4)
  }
  func header(_ kind: UInt8, _ name: String) -> [UInt8] {
    [kind, 0] + number(name.utf8.count, 2) + padded(name) + number(1, 4)
  }
  var bytes: [UInt8] = [isBigEndian ? 1 : 0, 0, 0, 0] + number(1, 4) + number(strings.count + integers.count, 4)
  for (name, value) in strings { bytes += header(1, name) + number(value.utf8.count, 4) + padded(value) }
  for (name, value) in integers { bytes += header(0, name) + number(value, 4) }
  return bytes
}
