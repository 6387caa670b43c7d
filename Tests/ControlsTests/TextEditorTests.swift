import Controls
import Drawing
import TestSupport
import Testing

@Suite("The text editor", .computing)
struct TextEditorTests {
  /// Pieces that try the rules: letters, spaces, marks that join what is before, emoji sequences, both directions.
  static let pieces = [
    "a", "Z", " ", "  ", "/", "ä", "e\u{301}", "\u{301}", "👩‍👩‍👧‍👦", "\u{200d}", "🇩🇪", "🇫", "ש", "שלום", "日本", "👍🏽", "word ",
    "\t", "x\ny", "1.5",
  ]

  enum Action: CaseIterable {
    case type, paste, backspace, delete, wordBackspace, wordDelete, move, extend, selectAll, undo, redo, replaceAll
  }

  private func act(_ action: Action, on editor: inout TextEditor, using generator: inout SplitMix64) {
    let piece = Self.pieces.randomElement(using: &generator)!
    let place = Int.random(in: 0...editor.length, using: &generator)
    switch action {
    case .type: editor.insert(piece, isTyping: true)
    case .paste: editor.insert(piece + piece)
    case .backspace: editor.deleteBackward()
    case .delete: editor.deleteForward()
    case .wordBackspace: editor.deleteBackward(byWord: true)
    case .wordDelete: editor.deleteForward(byWord: true)
    case .move: editor.moveCaret(to: place)
    case .extend: editor.moveCaret(to: place, extending: true)
    case .selectAll: editor.selectAll()
    case .undo: editor.undo()
    case .redo: editor.redo()
    case .replaceAll: editor.replaceAll(with: piece)
    }
  }

  @Test("after any edits the caret and the selection lie between graphemes", arguments: 0..<40)
  func caretOnBorders(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    var editor = TextEditor("my-bucket/photos")
    for _ in 0..<120 {
      act(Action.allCases.randomElement(using: &generator)!, on: &editor, using: &generator)
      let carets = TextBoundaries(editor.text).carets
      #expect(carets.contains(editor.caret) && carets.contains(editor.anchor))
      #expect(!editor.text.unicodeScalars.contains { $0.properties.generalCategory == .control })
    }
  }

  @Test("undoing everything returns to the start, redoing everything to the end", arguments: 0..<40)
  func undoReturns(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    let start = "bucket/Ägypten 👩‍👩‍👧‍👦"
    var editor = TextEditor(start)
    let actions = Action.allCases.filter { $0 != .undo && $0 != .redo }
    for _ in 0..<80 { act(actions.randomElement(using: &generator)!, on: &editor, using: &generator) }
    let end = Array(editor.text.utf8)
    while editor.undo() {}
    #expect(editor.text.utf8.elementsEqual(start.utf8))
    while editor.redo() {}
    #expect(Array(editor.text.utf8) == end)
  }

  @Test("random edits do to the text what they do to a plain array of letters", arguments: 0..<40)
  func againstModel(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    var editor = TextEditor("")
    var model: [Character] = []
    var caret = 0
    var anchor = 0
    func removeSelection() -> Bool {
      let range = min(caret, anchor)..<max(caret, anchor)
      guard !range.isEmpty else { return false }
      model.removeSubrange(range)
      caret = range.lowerBound
      anchor = caret
      return true
    }
    for _ in 0..<300 {
      switch Int.random(in: 0..<6, using: &generator) {
      case 0, 1:
        let letter = "abc /".randomElement(using: &generator)!
        editor.insert(String(letter), isTyping: Bool.random(using: &generator))
        _ = removeSelection()
        model.insert(letter, at: caret)
        caret += 1
        anchor = caret
      case 2:
        editor.deleteBackward()
        if !removeSelection(), caret > 0 {
          caret -= 1
          anchor = caret
          model.remove(at: caret)
        }
      case 3:
        editor.deleteForward()
        if !removeSelection(), caret < model.count { model.remove(at: caret) }
      case 4:
        caret = Int.random(in: 0...model.count, using: &generator)
        anchor = caret
        editor.moveCaret(to: caret)
      default:
        caret = Int.random(in: 0...model.count, using: &generator)
        editor.moveCaret(to: caret, extending: true)
      }
      #expect(editor.text == String(model))
      #expect(editor.caret == caret && editor.anchor == anchor)
    }
  }

  @Test("typed words are undone one at a time, deletions of letters together")
  func coalescing() {
    var editor = TextEditor("")
    for letter in "one two" { editor.insert(String(letter), isTyping: true) }
    editor.undo()
    #expect(editor.text == "one ")
    editor.undo()
    #expect(editor.text == "")
    editor.redo()
    editor.redo()
    #expect(editor.text == "one two")
    for _ in 0..<3 { editor.deleteBackward() }
    editor.undo()
    #expect(editor.text == "one two")
    // After a movement of the caret a new step begins.
    editor.insert("a", isTyping: true)
    editor.moveCaret(to: 0)
    editor.insert("b", isTyping: true)
    editor.undo()
    #expect(editor.text == "one twoa")
    // A new edit forgets what was undone.
    editor.insert("c", isTyping: true)
    #expect(!editor.canRedo)
  }

  @Test(
    "what is taken in is one line",
    arguments: [
      ("a\nb", "a b"), ("a\r\nb", "a b"), ("path/with break\n", "path/with break"), ("\n\n", ""), ("a\tb", "a b"),
      ("a\u{0}\u{7}b\u{1b}", "ab"), ("a\u{2028}b\u{85}c", "a b c"), ("a\n\nb", "a  b"),
    ])
  func oneLine(pasted: String, expected: String) {
    var editor = TextEditor("")
    editor.insert(pasted)
    #expect(editor.text == expected)
  }

  @Test("Backspace and Delete take whole graphemes", arguments: ["e\u{301}", "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "각"])
  func graphemes(grapheme: String) {
    var editor = TextEditor("a" + grapheme + "b")
    editor.moveCaret(to: 1)
    editor.deleteForward()
    #expect(editor.text == "ab")
    editor = TextEditor("a" + grapheme + "b")
    editor.moveCaret(to: 1 + grapheme.utf8.count)
    editor.deleteBackward()
    #expect(editor.text == "ab")
  }

  @Test("composed and decomposed letters stay the bytes they are")
  func bytes() {
    var editor = TextEditor("")
    editor.insert("e\u{301}é")
    #expect(Array(editor.text.utf8) == Array("e\u{301}é".utf8))
  }

  @Test("a giant paste is cut between graphemes")
  func limit() {
    var editor = TextEditor("ab")
    editor.insert(String(repeating: "👩‍👩‍👧‍👦", count: 2000))
    #expect(editor.length <= TextEditor.maximumLength && editor.length > TextEditor.maximumLength - 30)
    #expect((editor.length - 2) % 25 == 0)
  }
}
