import Controls
import Drawing
import Geometry
import TestSupport
import Testing

@MainActor @Suite("The text field", .computing)
struct TextFieldTests {
  private func field(_ text: String = "") -> (TextField, Desk) {
    let field = TextField(text)
    let desk = Desk([field])
    desk.group.focus(field, reason: .program)
    return (field, desk)
  }

  /// Where the caret stands at `offset` of a field's text, in the window.
  private func point(_ field: TextField, _ offset: Int) -> Point {
    let x = TextLayout(field.text, font: field.style.font).caretX(at: offset)
    return Point(x: field.frame.x + field.style.padding + x, y: field.frame.center.y)
  }

  struct Case: Sendable {
    var name: String
    var start: String
    var keys: [KeyPress]
    var text: String
    var selection: Range<Int>
  }

  nonisolated static let cases: [Case] = [
    Case(name: "Home and typing", start: "abc", keys: [KeyPress(.home)], text: "abc", selection: 0..<0),
    Case(name: "Left", start: "abc", keys: [KeyPress(.left)], text: "abc", selection: 2..<2),
    Case(
      name: "Shift+Left twice", start: "abc", keys: [KeyPress(.left, .shift), KeyPress(.left, .shift)], text: "abc",
      selection: 1..<3),
    Case(
      name: "Left ends a selection at its left", start: "abc", keys: [KeyPress(.left, .shift), KeyPress(.left)],
      text: "abc", selection: 2..<2),
    Case(
      name: "Right ends a selection at its right", start: "abc",
      keys: [KeyPress(.home), KeyPress(.right, .shift), KeyPress(.right)], text: "abc", selection: 1..<1),
    Case(name: "Ctrl+Left", start: "one two", keys: [KeyPress(.left, .control)], text: "one two", selection: 4..<4),
    Case(
      name: "Ctrl+Right", start: "one two", keys: [KeyPress(.home), KeyPress(.right, .control)], text: "one two",
      selection: 3..<3),
    Case(
      name: "Ctrl+Shift+Left", start: "one two", keys: [KeyPress(.left, [.control, .shift])], text: "one two",
      selection: 4..<7),
    Case(
      name: "Shift+Home", start: "one", keys: [KeyPress(.home, .shift)], text: "one", selection: 0..<3),
    Case(
      name: "Ctrl+Backspace", start: "one two", keys: [KeyPress(.backspace, .control)], text: "one ", selection: 4..<4),
    Case(
      name: "Ctrl+Delete", start: "one two", keys: [KeyPress(.home), KeyPress(.delete, .control)], text: " two",
      selection: 0..<0),
    Case(
      name: "Ctrl+A and Delete", start: "one", keys: [KeyPress(.character("a"), .control), KeyPress(.delete)], text: "",
      selection: 0..<0),
    Case(
      name: "Ctrl+Z", start: "one", keys: [KeyPress(.backspace), KeyPress(.character("z"), .control)], text: "one",
      selection: 3..<3),
    Case(
      name: "Ctrl+Shift+Z", start: "one",
      keys: [
        KeyPress(.backspace), KeyPress(.character("z"), .control), KeyPress(.character("z"), [.control, .shift]),
      ], text: "on", selection: 2..<2),
    Case(
      name: "Ctrl+Y", start: "one",
      keys: [KeyPress(.backspace), KeyPress(.character("z"), .control), KeyPress(.character("y"), .control)],
      text: "on", selection: 2..<2),
    Case(
      name: "copy, move, paste", start: "ab",
      keys: [
        KeyPress(.character("a"), .control), KeyPress(.character("c"), .control), KeyPress(.end),
        KeyPress(.character("v"), .control),
      ], text: "abab", selection: 4..<4),
    Case(
      name: "cut and Shift+Insert twice", start: "ab",
      keys: [
        KeyPress(.character("a"), .control), KeyPress(.character("x"), .control), KeyPress(.insert, .shift),
        KeyPress(.insert, .shift),
      ], text: "abab", selection: 4..<4),
    Case(
      name: "Left in Hebrew goes on in the text", start: "שלום", keys: [KeyPress(.home), KeyPress(.left)], text: "שלום",
      selection: 2..<2),
    Case(
      name: "Ctrl+Left in Hebrew goes on by a word", start: "שלום עולם",
      keys: [KeyPress(.home), KeyPress(.left, .control)],
      text: "שלום עולם", selection: 8..<8),
  ]

  @Test("keys do what they do everywhere", arguments: cases)
  func keys(test: Case) {
    let (field, desk) = field(test.start)
    for key in test.keys { #expect(desk.group.handle(.key(key)) == .handled) }
    #expect(field.text == test.text, "\(test.name)")
    #expect(field.editor.selection == test.selection, "\(test.name)")
  }

  @Test("shortcuts that are not the field's are left to the window")
  func foreignKeys() {
    let (field, desk) = field("abc")
    for key in [KeyPress(.character("q"), .control), KeyPress(.left, .alt), KeyPress(.function(11)), KeyPress(.escape)]
    {
      #expect(desk.group.handle(.key(key)) == .ignored)
    }
    #expect(field.text == "abc")
  }

  @Test("a drag selects and owns PRIMARY, a middle click pastes it at the pointer")
  func primary() {
    let (field, desk) = field("one two")
    desk.drag(from: point(field, 0), to: point(field, 3))
    #expect(field.editor.selectedText == "one")
    #expect(desk.clipboard.texts[.primary] == "one" && desk.clipboard.texts[.clipboard] == nil)
    desk.click(point(field, 7), button: .middle)
    #expect(field.text == "one twoone")
    // A drag beyond the edges selects to the end.
    desk.drag(from: point(field, 4), to: Point(x: 5000, y: -300))
    #expect(field.editor.selectedText == "twoone")
    // By keys too.
    desk.press(.home)
    desk.press(.right, .shift)
    #expect(desk.clipboard.texts[.primary] == "o")
  }

  @Test("a double click selects the word, dragging on whole words, a triple click all")
  func multipleClicks() {
    let (field, desk) = field("one two three")
    let inTwo = Point(x: (point(field, 5).x + point(field, 6).x) / 2, y: 20)
    desk.click(inTwo, count: 2)
    #expect(field.editor.selectedText == "two")
    desk.drag(from: inTwo, to: point(field, 10), count: 2)
    #expect(field.editor.selectedText == "two three")
    desk.drag(from: inTwo, to: point(field, 1), count: 2)
    #expect(field.editor.selectedText == "one two")
    desk.click(inTwo, count: 3)
    #expect(field.editor.selectedText == "one two three")
    #expect(desk.clipboard.texts[.primary] == "one two three")
  }

  @Test("a shifted click extends the selection")
  func shiftClick() {
    let (field, desk) = field("one two")
    desk.click(point(field, 1))
    desk.click(point(field, 5), modifiers: .shift)
    #expect(field.editor.selection == 1..<5)
  }

  @Test("newlines in a paste become spaces, one at the end goes")
  func pasteLines() {
    let (field, desk) = field()
    desk.clipboard.texts[.clipboard] = "my-bucket/a\nb\n"
    desk.press(.character("v"), .control)
    #expect(field.text == "my-bucket/a b")
  }

  @Test("Up and Down go through the history, and what was not sent waits at the bottom")
  func history() {
    let (field, desk) = field()
    field.history = ["newest", "older", "oldest"]
    desk.type("draft")
    desk.press(.up)
    #expect(field.text == "newest")
    desk.press(.up)
    desk.press(.up)
    desk.press(.up)
    #expect(field.text == "oldest")
    desk.press(.down)
    #expect(field.text == "older")
    desk.press(.down)
    desk.press(.down)
    #expect(field.text == "draft")
    // An entry that is changed is the new draft.
    desk.press(.up)
    desk.type("!")
    desk.press(.up)
    desk.press(.down)
    #expect(field.text == "newest!")
  }

  @Test("a field that holds the newest entry starts with the one before, and comes back")
  func historyAfterSubmit() {
    let (field, desk) = field("newest")
    field.history = ["newest", "older"]
    desk.press(.up)
    #expect(field.text == "older")
    desk.press(.down)
    #expect(field.text == "newest")
  }

  @Test("Return submits, Escape cancels, typing reports every change")
  func callbacks() {
    let (field, desk) = field()
    var log: [String] = []
    field.onSubmit = { log.append("submit \($0)") }
    field.onCancel = { log.append("cancel") }
    field.onChange = { log.append($0) }
    desk.type("ab")
    desk.press(.return)
    desk.press(.escape)
    #expect(log == ["a", "ab", "submit ab", "cancel"])
  }

  @Test("the caret stays in sight in a long text, and the input method hears where it is", arguments: [1.0, 1.5, 3])
  func scrolling(scale: Double) {
    let field = TextField()
    let desk = Desk([field], scale: scale)
    field.frame = Rect(x: 8, y: 8, width: 100 * scale, height: 24 * scale)
    var spot = Rect.zero
    desk.group.onTextInputSpot = { spot = $0 }
    desk.group.focus(field, reason: .program)
    desk.type("a very long location in a narrow field /שלום/ and on")
    func expectInside() {
      #expect(field.caretRect.minX >= field.frame.minX && field.caretRect.maxX <= field.frame.maxX)
      #expect(spot == field.caretRect)
    }
    expectInside()
    for _ in 0..<60 {
      desk.press(.left)
      expectInside()
    }
    #expect(field.editor.caret == 0)
    desk.press(.end)
    expectInside()
    desk.press(.character("a"), .control)
    desk.press(.delete)
    expectInside()
  }

  @Test("a disabled field takes nothing and loses the focus")
  func disabled() {
    let (field, desk) = field("abc")
    field.isEnabled = false
    #expect(desk.group.focused == nil && !field.isFocused)
    desk.type("x")
    desk.click(field.frame.center)
    #expect(field.text == "abc" && !field.isFocused)
  }

  @Test("a field at rest asks for nothing")
  func rest() {
    let (field, desk) = field("abc")
    _ = desk.group.takeDirtyRects()
    #expect(!desk.group.wantsTicks && !field.isAnimating && !desk.group.needsDrawing)
  }
}
