import CX11
import Geometry
import TestSupport
import Testing

@testable import X11

@MainActor @Suite("Input", .serialized, .timeLimit(.minutes(10))) struct InputTests {
  @Test("the pointer moves, presses, double clicks, scrolls and leaves")
  func pointer() async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    try await display.xdotool("mousemove", "50", "60")
    try await test.until("the move arrives") {
      test.events.contains { if case .pointerMoved(50, 60, [], _) = $0 { true } else { false } }
    }
    try await display.xdotool("click", "--repeat", "2", "--delay", "30", "1")
    try await test.until("two clicks arrive") {
      test.events.count { if case .pointerReleased(1, 50, 60, _, _) = $0 { true } else { false } } == 2
    }
    let counts = test.events.compactMap {
      if case .pointerPressed(1, 50, 60, [], let count, let time) = $0, time > 0 { count } else { nil }
    }
    #expect(counts == [1, 2])
    for (button, wanted) in [
      ("4", WindowEvent.scrolled(dx: 0, dy: 1, x: 50, y: 60, .control)),
      ("5", .scrolled(dx: 0, dy: -1, x: 50, y: 60, .control)), ("7", .scrolled(dx: 1, dy: 0, x: 50, y: 60, .control)),
    ] {
      try await display.xdotool("keydown", "ctrl", "click", button, "keyup", "ctrl")
      try await test.until("the wheel arrives") { test.events.contains(wanted) }
    }
    #expect(!test.events.contains { if case .pointerPressed(4...7, _, _, _, _, _) = $0 { true } else { false } })
    try await display.xdotool("mousemove", "900", "700")
    try await test.until("the pointer is gone") { test.events.contains(.pointerLeft) }
  }

  @Test("a drag goes on outside the window")
  func drag() async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    try await display.xdotool("mousemove", "50", "60", "mousedown", "1", "mousemove", "700", "500")
    try await test.until("the move outside arrives") {
      test.events.contains { if case .pointerMoved(700, 500, _, _) = $0 { true } else { false } }
    }
    try await display.xdotool("mouseup", "1")
    try await test.until("the release arrives") {
      test.events.contains { if case .pointerReleased(1, 700, 500, _, _) = $0 { true } else { false } }
    }
  }

  @Test("keys have their meaning, and commands are no text")
  func keys() async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    try await test.focus()
    try await display.xdotool(
      "key", "--delay", "20", "Return", "KP_Enter", "Escape", "shift+Tab", "Page_Down", "F11", "plus", "KP_Add", "0",
      "shift+a", "ctrl+c", "alt+Left", "slash", "space")
    let modifiers: Set<KeySymbol> = [.shift, .control, .alt]
    try await test.until("the last key arrives") { test.pressedKeys.last?.symbol == .character(" ") }
    let keys = test.pressedKeys.filter { !modifiers.contains($0.symbol) }
    #expect(
      keys.map(\.symbol) == [
        .return, .return, .escape, .tab, .pageDown, .function(11), .character("+"), .character("+"), .character("0"),
        .character("a"), .character("c"), .left, .character("/"), .character(" "),
      ])
    #expect(keys.map(\.text) == ["", "", "", "", "", "", "+", "+", "0", "A", "", "", "/", " "])
    #expect(keys[3].modifiers == .shift && keys[10].modifiers == .control && keys[11].modifiers == .alt)
  }

  @Test("text of any script is typed, and compose sequences make one character")
  func text() async throws {
    let display = try await VirtualDisplay.start()
    // xdotool would lend a key to each character it does not find, and take it back before the program looks.
    try await display.run(
      "xmodmap",
      [
        "-e", "keycode 248 = Multi_key", "-e", "keycode 247 = dead_acute", "-e", "keycode 246 = udiaeresis", "-e",
        "keycode 245 = U4E2D",
      ])
    let test = try await TestWindow.open(on: display)
    try await test.focus()
    test.window.enableTextInput(true)
    test.window.setTextInputSpot(x: 20, y: 30)
    try await display.xdotool("type", "--delay", "30", "Aü中")
    try await test.until("the text arrives") { test.typedText == "Aü中" }
    try await display.xdotool("key", "--delay", "30", "Multi_key", "apostrophe", "e", "x")
    try await test.until("the composed character arrives") { test.typedText == "Aü中éx" }
    try await display.xdotool("key", "--delay", "30", "dead_acute", "o", "y")
    try await test.until("the accented character arrives") { test.typedText == "Aü中éxóy" }
  }

  @Test("a held key repeats without releases in between")
  func repeats() async throws {
    let display = try await VirtualDisplay.start()
    try await display.run("xset", ["r", "rate", "100", "50"])
    let test = try await TestWindow.open(on: display)
    try await test.focus()
    try await display.xdotool("keydown", "Right")
    try await test.until("repeats arrive") { test.pressedKeys.count(where: \.isRepeat) >= 3 }
    #expect(!test.events.contains { if case .keyReleased = $0 { true } else { false } })
    try await display.xdotool("keyup", "Right")
    try await test.until("the release arrives") {
      test.events.contains { if case .keyReleased(let key) = $0 { key.symbol == .right } else { false } }
    }
    #expect(test.pressedKeys.first?.isRepeat == false)
  }

  @Test("shortcuts work on a keyboard with another script, and text is of that script")
  func cyrillic() async throws {
    let display = try await VirtualDisplay.start()
    try await display.run("setxkbmap", ["ru,us"])
    let test = try await TestWindow.open(on: display)
    try await test.focus()
    test.window.enableTextInput(true)
    // The key right of Caps Lock, by its number.
    try await display.xdotool("key", "38")
    try await test.until("the key arrives") { !test.pressedKeys.isEmpty }
    #expect(test.pressedKeys.map(\.symbol) == [.character("a")])
    #expect(test.typedText == "ф")
  }

  @Test("every cursor can be shown")
  func cursors() async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    for shape in CursorShape.allCases {
      let error = test.connection.trap { test.window.setCursor(shape) }
      #expect(error == nil)
    }
  }

  @Test("files dropped on the window arrive, and the source is told that it is over")
  func drop() async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    let source = try Stranger(on: display)
    let selection = source.atom("XdndSelection")
    XSetSelectionOwner(source.display, selection, source.window, 1)
    let type = source.atom("text/uri-list")
    source.send("XdndEnter", to: test.window.id, [source.window, 5 << 24, type, 0, 0])
    source.send(
      "XdndPosition", to: test.window.id, [source.window, 0, 10 << 16 | 10, 1, source.atom("XdndActionCopy")])
    func message(_ name: String) async throws -> XClientMessageEvent {
      var found: XClientMessageEvent?
      try await test.until("\(name) arrives") {
        found = source.event(ClientMessage)?.xclient
        return found != nil
      }
      let answer = try #require(found)
      #expect(answer.message_type == source.atom(name))
      return answer
    }
    #expect(try await message("XdndStatus").data.l.1 & 1 == 1)
    source.send("XdndDrop", to: test.window.id, [source.window, 0, 1])
    var request: XSelectionRequestEvent?
    try await test.until("the files are asked for") {
      request = source.event(SelectionRequest)?.xselectionrequest
      return request != nil
    }
    let asked = try #require(request)
    #expect(asked.target == type && asked.selection == selection)
    let list = Array("file:///tmp/a%20b\r\nhttps://example.org\r\nfile:///c\r\n".utf8)
    XChangeProperty(
      source.display, asked.requestor, asked.property, type, 8, PropModeReplace, list, CInt(list.count))
    var answer = XEvent()
    answer.xselection.type = SelectionNotify
    answer.xselection.requestor = asked.requestor
    answer.xselection.selection = selection
    answer.xselection.target = type
    answer.xselection.property = asked.property
    answer.xselection.time = asked.time
    XSendEvent(source.display, asked.requestor, 0, 0, &answer)
    #expect(try await message("XdndFinished").data.l.1 & 1 == 1)
    #expect(test.events.contains(.filesDropped(["/tmp/a b", "/c"])))
  }
}
