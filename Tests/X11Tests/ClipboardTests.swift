import CX11
import Dispatch
import TestSupport
import Testing

@testable import X11

@MainActor @Suite("The clipboard", .serialized, .timeLimit(.minutes(10))) struct ClipboardTests {
  private static let long = String(repeating: "Grüße aus 中文. ", count: 120_000)

  /// Asks until the answer is the wanted one: the other program may still be starting.
  private func receive(_ selection: Selection, on test: TestWindow, wanted: String) async throws {
    var last: String?
    try await test.until("the clipboard holds what the other program gave") {
      var isAnswered = false
      test.connection.clipboard.request(selection) {
        last = $0
        isAnswered = true
      }
      try await test.until("the request is answered") { isAnswered }
      return last == wanted
    }
  }

  @Test("a text goes to another program, short and long", arguments: [Selection.clipboard, .primary], [false, true])
  func give(selection: Selection, isLong: Bool) async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    let text = isLong ? Self.long : "s3://bucket/Grüße.png"
    #expect(text.utf8.count > (isLong ? 2_000_000 : 0))
    #expect(test.connection.clipboard.own(text, selection: selection, time: test.connection.lastEventTime))
    let name = selection == .clipboard ? "clipboard" : "primary"
    let output = try await display.run("xclip", ["-o", "-selection", name, "-t", "UTF8_STRING"]).outputText
    #expect(output == text)
  }

  @Test(
    "a text comes from another program, short and long", arguments: [Selection.clipboard, .primary], [false, true])
  func take(selection: Selection, isLong: Bool) async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    let text = isLong ? Self.long : "über"
    let scratch = try TemporaryDirectory("clipboard")
    let file = try scratch.write(Array(text.utf8), to: "text")
    let name = selection == .clipboard ? "clipboard" : "primary"
    let owner = try ChildProcess(
      "xclip", ["-quiet", "-i", "-selection", name, file], environment: display.environment)
    try await receive(selection, on: test, wanted: text)
    #expect(owner.isRunning)
  }

  @Test("other programs learn what there is, and get what they can read")
  func targets() async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    let time = test.connection.lastEventTime
    test.connection.clipboard.own("é中", time: time)
    let targets = try await display.run("xclip", ["-o", "-selection", "clipboard", "-t", "TARGETS"]).outputText
    for name in ["TARGETS", "TIMESTAMP", "MULTIPLE", "UTF8_STRING", "STRING", "TEXT", "text/plain;charset=utf-8"] {
      #expect(targets.split(separator: "\n").contains { $0 == name })
    }
    let latin = try await display.run("xclip", ["-o", "-selection", "clipboard", "-t", "STRING"]).output
    #expect(latin == [0xe9, UInt8(ascii: "?")])
  }

  @Test("several conversions are answered at once, and those that fail are marked")
  func multiple() async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    test.connection.clipboard.own("text", time: test.connection.lastEventTime)
    let stranger = try Stranger(on: display)
    let (utf8, image) = (stranger.atom("UTF8_STRING"), stranger.atom("image/png"))
    let (first, second, third) = (stranger.atom("A"), stranger.atom("B"), stranger.atom("C"))
    stranger.set(
      "PAIRS", of: stranger.window, type: stranger.atom("ATOM_PAIR"),
      longs: [utf8, first, image, second, stranger.atom("TIMESTAMP"), third])
    XConvertSelection(
      stranger.display, stranger.atom("CLIPBOARD"), stranger.atom("MULTIPLE"), stranger.atom("PAIRS"),
      stranger.window, Time(test.connection.lastEventTime))
    var notified: XEvent?
    try await test.until("the answer arrives") {
      notified = stranger.event(SelectionNotify)
      return notified != nil
    }
    #expect(notified?.xselection.property == stranger.atom("PAIRS"))
    #expect(stranger.bytes("A", of: stranger.window) == Array("text".utf8))
    #expect(stranger.longs("C", of: stranger.window) == [UInt(test.connection.lastEventTime)])
    #expect(stranger.longs("PAIRS", of: stranger.window)[3] == 0)
  }

  @Test("one's own text is there at once, and gone when another program takes the clipboard")
  func own() async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    test.connection.clipboard.own("mine", time: test.connection.lastEventTime)
    var answer: String?
    test.connection.clipboard.request { answer = $0 }
    #expect(answer == "mine")
    let scratch = try TemporaryDirectory("clipboard")
    let owner = try ChildProcess(
      "xclip", ["-quiet", "-i", "-selection", "clipboard", try scratch.write(Array("theirs".utf8), to: "text")],
      environment: display.environment)
    try await receive(.clipboard, on: test, wanted: "theirs")
    #expect(owner.isRunning)
  }

  @Test("an empty clipboard answers at once")
  func empty() async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    // Longer than the test waits: only an answer ends the requests.
    test.connection.clipboard.receiver.patience = .seconds(600)
    var answers: [String?] = []
    test.connection.clipboard.request { answers.append($0) }
    test.connection.clipboard.request { answers.append($0) }
    try await test.until("both requests are answered") { answers.count == 2 }
    #expect(answers == [nil, nil])
  }

  @Test("an owner that does not answer stops nothing")
  func silence() async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    let owner = try Stranger(on: display)
    XSetSelectionOwner(owner.display, owner.atom("CLIPBOARD"), owner.window, 1)
    XSync(owner.display, 0)
    let patience = test.connection.clipboard.receiver.patience
    // Longer than the test waits, on however slow a machine.
    test.connection.clipboard.receiver.patience = .seconds(600)
    var isAnswered = false
    test.connection.clipboard.request { _ in isAnswered = true }
    #expect(!isAnswered)
    try await display.xdotool("mousemove", "50", "60")
    try await test.until("the pointer is followed meanwhile") {
      test.events.contains { if case .pointerMoved(50, 60, _, _) = $0 { true } else { false } }
    }
    #expect(!isAnswered)

    test.connection.clipboard.receiver.patience = patience
    XSetSelectionOwner(owner.display, owner.atom("PRIMARY"), owner.window, 1)
    XSync(owner.display, 0)
    var answers: [String?] = []
    test.connection.clipboard.request(.primary) { answers.append($0) }
    #expect(answers.isEmpty)
    try await test.until("the request is given up") { answers.count == 1 }
    #expect(answers == [nil])
  }

  @Test("a clipboard manager gets the text before the program ends")
  func handOver() async throws {
    let display = try await VirtualDisplay.start()
    let test = try await TestWindow.open(on: display)
    let manager = try Stranger(on: display)
    // The manager is a thread of the tests, which may be busy.
    test.connection.clipboard.receiver.patience = .seconds(240)
    test.connection.clipboard.own("kept", time: test.connection.lastEventTime)
    // The program waits for the manager, which therefore has to be another thread.
    let kept = Task.detached { try await Self.manage(display) }
    try await test.until("the manager is ready") {
      manager.longs("READY", of: manager.root).first == 1
    }
    test.connection.close()
    #expect(try await kept.value == "kept")
  }

  /// A clipboard manager that serves one request of SAVE_TARGETS and returns what it got.
  private nonisolated static func manage(_ server: VirtualDisplay) async throws -> String {
    guard let display = XOpenDisplay(server.name) else { throw TestSupportError("No display") }
    defer { XCloseDisplay(display) }
    func atom(_ name: String) -> Atom { XInternAtom(display, name, 0) }
    let root = XDefaultRootWindow(display)
    let window = XCreateSimpleWindow(display, root, 0, 0, 1, 1, 0, 0, 0)
    XSetSelectionOwner(display, atom("CLIPBOARD_MANAGER"), window, 1)
    withUnsafeBytes(of: 1) {
      _ = XChangeProperty(
        display, root, atom("READY"), Atom(XA_INTEGER), 32, PropModeReplace,
        $0.baseAddress?.assumingMemoryBound(to: UInt8.self), 1)
    }
    var request = XEvent()
    XSync(display, 0)
    while XCheckTypedEvent(display, SelectionRequest, &request) == 0 { try await Task.sleep(for: .milliseconds(5)) }
    let asked = request.xselectionrequest
    guard asked.target == atom("SAVE_TARGETS") else { throw TestSupportError("Asked for something else") }
    XConvertSelection(display, atom("CLIPBOARD"), atom("UTF8_STRING"), atom("TEXT"), window, asked.time)
    XSync(display, 0)
    var notify = XEvent()
    while XCheckTypedEvent(display, SelectionNotify, &notify) == 0 { try await Task.sleep(for: .milliseconds(5)) }
    var type: Atom = 0
    var format: CInt = 0
    var count: UInt = 0
    var rest: UInt = 0
    var data: UnsafeMutablePointer<UInt8>?
    XGetWindowProperty(
      display, window, atom("TEXT"), 0, 1000, 0, Atom(AnyPropertyType), &type, &format, &count, &rest, &data)
    defer { if let data { XFree(data) } }
    var answer = XEvent()
    answer.xselection.type = SelectionNotify
    answer.xselection.requestor = asked.requestor
    answer.xselection.selection = asked.selection
    answer.xselection.target = asked.target
    answer.xselection.property = asked.property
    answer.xselection.time = asked.time
    XChangeProperty(display, asked.requestor, asked.property, Atom(XA_ATOM), 32, PropModeReplace, nil, 0)
    XSendEvent(display, asked.requestor, 0, 0, &answer)
    XSync(display, 0)
    return withExtendedLifetime(server) {
      String(decoding: UnsafeBufferPointer(start: data, count: Int(count)), as: UTF8.self)
    }
  }
}
