import Controls
import Drawing
import Geometry
import TestSupport
import Testing

@testable import Controls

@MainActor @Suite("Text in the making", .computing)
struct PreeditTests {
  private func make(_ text: String) -> (TextField, Desk) {
    let field = TextField(text)
    let desk = Desk([field])
    desk.group.focus(field)
    return (field, desk)
  }

  private func preedit(_ desk: Desk, _ text: String, caret: Int? = nil, selection: Range<Int> = 0..<0) {
    _ = desk.group.handle(.preedit(text, caret: caret ?? text.utf8.count, selection: selection))
  }

  @Test("it is shown at the caret and is no part of the text until it is committed")
  func shown() {
    let (field, desk) = make("bucket/")
    var changes: [String] = []
    field.onChange = { changes.append($0) }
    let before = field.caretRect.x
    preedit(desk, "にほん")
    #expect(field.shownText == "bucket/にほん" && field.text == "bucket/" && changes.isEmpty)
    #expect(field.caretRect.x > before)
    preedit(desk, "日本", selection: 0..<6)
    #expect(field.shownPreedit?.whole == 7..<13 && field.shownPreedit?.selection == 7..<13)
    _ = desk.group.handle(.text("日本", time: 0))
    preedit(desk, "")
    #expect(field.text == "bucket/日本" && field.shownText == field.text && changes == ["bucket/日本"])
    desk.press(.character("z"), .control)
    #expect(field.text == "bucket/")
  }

  @Test("it takes the place of what is selected, which comes back when nothing is committed")
  func selection() {
    let (field, desk) = make("one two")
    desk.press(.character("a"), .control)
    preedit(desk, "え")
    #expect(field.shownText == "え")
    preedit(desk, "")
    #expect(field.shownText == "one two" && field.editor.selection == 0..<7)
    preedit(desk, "え")
    _ = desk.group.handle(.text("絵", time: 0))
    #expect(field.text == "絵")
  }

  @Test("a press elsewhere in the field commits it, and leaving the field drops it")
  func reset() {
    let (field, desk) = make("ab")
    desk.group.onTextInputReset = { "字" }
    preedit(desk, "じ")
    desk.click(Point(x: field.frame.x + 2, y: field.frame.center.y))
    #expect(field.text == "ab字" && field.shownText == "ab字" && field.editor.caret == 0)
    preedit(desk, "じ")
    desk.group.focus(nil)
    #expect(field.text == "ab字" && field.shownText == "ab字")
  }

  @Test("carets and parts beyond its end do no harm")
  func bounds() throws {
    let (field, desk) = make("x")
    preedit(desk, "y", caret: 99, selection: 0..<50)
    #expect(field.shownPreedit?.selection == 1..<2)
    let canvas = try Canvas.image(width: 400, height: 300)
    field.draw(on: canvas)
    preedit(desk, "", caret: 3, selection: 4..<9)
    #expect(field.shownPreedit == nil)
  }
}
