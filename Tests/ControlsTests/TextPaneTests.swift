import Controls
import Drawing
import Geometry
import TestSupport
import Testing

@MainActor @Suite("Sentences in a pane", .computing)
struct TextPaneTests {
  @Test("long ones are wrapped and scrolled by wheel and keys, and Ctrl+C copies all of them")
  func reading() throws {
    let pane = TextPane()
    let desk = Desk([pane], width: 300, height: 200)
    let sentences = (1...12).map { "Sentence \($0): " + String(repeating: "so many words ", count: 12) + "end." }
    pane.paragraphs = sentences.map { TextPane.Paragraph($0) }
    pane.frame = Rect(x: 0, y: 0, width: 280, height: 120)
    #expect(pane.preferredHeight(width: 280) > 600)
    #expect(pane.preferredHeight(width: 800) < pane.preferredHeight(width: 280))
    func picture() throws -> [UInt32] {
      var pixels = [UInt32](repeating: 0, count: 280 * 120)
      pixels.withUnsafeMutableBufferPointer { buffer in
        guard let start = buffer.baseAddress else { return }
        let canvas = Canvas(pixels: start, width: 280, height: 120, stride: 280)
        pane.draw(on: canvas)
        canvas.flush()
      }
      return pixels
    }
    desk.group.focus(pane, reason: .pointer)
    let top = try picture()
    desk.press(.pageDown)
    let second = try picture()
    #expect(second != top)
    desk.press(.end)
    let end = try picture()
    desk.press(.pageDown)
    #expect(try picture() == end && end != second)
    _ = desk.group.handle(.scrolled(ScrollEvent(dy: 500, at: Point(x: 50, y: 50))))
    #expect(try picture() == top)
    desk.press(.character("c"), .control)
    #expect(desk.clipboard.texts[.clipboard] == sentences.joined(separator: "\n"))
  }
}
