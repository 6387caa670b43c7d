import CX11
import TestSupport
import Testing

@testable import X11

@Suite("Text that an input method has in the making")
struct PreeditTests {
  @Test("changes are counted in characters, what is reported in bytes")
  func changes() {
    var buffer = PreeditBuffer()
    buffer.replace(first: 0, length: 0, with: "にほn", highlights: [], caret: 3)
    #expect(buffer.preedit == Preedit(text: "にほn", caret: 7))
    buffer.replace(first: 2, length: 1, with: "ん", highlights: [], caret: 3)
    #expect(buffer.preedit == Preedit(text: "にほん", caret: 9))
    buffer.replace(first: 0, length: 3, with: "日本へ", highlights: [true, true, false], caret: 0)
    #expect(buffer.preedit == Preedit(text: "日本へ", caret: 0, selection: 0..<6))
    buffer.mark(first: 0, highlights: [false, false, true], caret: 2)
    #expect(buffer.preedit == Preedit(text: "日本へ", caret: 6, selection: 6..<9))
    #expect(buffer.move(by: 9) == 3 && buffer.move(by: -1) == 2 && buffer.move(toEnd: false) == 0)
    buffer.replace(first: 0, length: 3, with: "", highlights: [], caret: 0)
    #expect(buffer.preedit == Preedit())
  }

  @Test("whatever an input method says, the text stays whole", arguments: 0..<20)
  func hostile(seed: Int) {
    var numbers = SplitMix64(seed: UInt64(seed))
    var buffer = PreeditBuffer()
    let pieces = ["", "a", "é", "日本", "👩‍👩‍👧", "\u{301}", "नि"]
    for _ in 0..<200 {
      let first = Int.random(in: -5...20, using: &numbers)
      let length = Int.random(in: -5...(Bool.random(using: &numbers) ? 9 : .max), using: &numbers)
      let marks = (0..<Int.random(in: 0...4, using: &numbers)).map { _ in Bool.random(using: &numbers) }
      let caret = Int.random(in: -3...99, using: &numbers)
      if Bool.random(using: &numbers) {
        let text = pieces[Int.random(in: pieces.indices, using: &numbers)]
        buffer.replace(first: first, length: length, with: text, highlights: marks, caret: caret)
      } else {
        buffer.mark(first: first, highlights: marks, caret: caret)
      }
      let preedit = buffer.preedit
      let bytes = Array(preedit.text.utf8)
      for offset in [preedit.caret, preedit.selection.lowerBound, preedit.selection.upperBound] {
        #expect(offset >= 0 && offset <= bytes.count)
        #expect(offset == bytes.count || bytes[offset] & 0xc0 != 0x80)
      }
    }
  }

  @Test("what Xlib hands over is read: multibyte and wide characters, marks alone, and nothing")
  func fromXlib() {
    var buffer = PreeditBuffer()
    var bytes = Array("かな".utf8CString)
    var feedback: [XIMFeedback] = [XIMFeedback(XIMReverse), XIMFeedback(XIMUnderline)]
    bytes.withUnsafeMutableBufferPointer { bytes in
      feedback.withUnsafeMutableBufferPointer { feedback in
        var text = XIMText()
        text.length = 2
        text.feedback = feedback.baseAddress
        text.encoding_is_wchar = 0
        text.string.multi_byte = bytes.baseAddress
        withUnsafeMutablePointer(to: &text) { text in
          buffer.draw(XIMPreeditDrawCallbackStruct(caret: 1, chg_first: 0, chg_length: 0, text: text))
        }
      }
    }
    #expect(buffer.preedit == Preedit(text: "かな", caret: 3, selection: 0..<3))
    var wide: [wchar_t] = [0x5b57]
    wide.withUnsafeMutableBufferPointer { wide in
      var text = XIMText()
      text.length = 1
      text.encoding_is_wchar = 1
      text.string.wide_char = wide.baseAddress
      withUnsafeMutablePointer(to: &text) { text in
        buffer.draw(XIMPreeditDrawCallbackStruct(caret: 1, chg_first: 0, chg_length: 2, text: text))
      }
    }
    #expect(buffer.preedit == Preedit(text: "字", caret: 3))
    buffer.draw(XIMPreeditDrawCallbackStruct(caret: 0, chg_first: 0, chg_length: 1, text: nil))
    #expect(buffer.preedit == Preedit())
  }
}
