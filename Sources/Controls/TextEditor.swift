public import Drawing

/// A line of text being edited, as a value: text, caret, selection and what can be undone. Offsets are UTF-8 bytes and
/// never lie inside a grapheme.
public struct TextEditor: Sendable {
  /// The most bytes a line may hold, far above the 1,024 of an S3 key and the 4,096 of a path.
  public static let maximumLength = 16_384

  private struct Snapshot: Sendable {
    var text: String
    var caret: Int
    var anchor: Int
  }

  private enum EditKind: Hashable, Sendable {
    case typing, deletingBackward, deletingForward
  }

  /// The text.
  public private(set) var text: String
  /// Where the caret stands.
  public private(set) var caret: Int
  /// The other end of the selection; the caret's place when nothing is selected.
  public private(set) var anchor: Int
  /// Where the caret may stand.
  public private(set) var boundaries: TextBoundaries

  private var undoStack: [Snapshot] = []
  private var redoStack: [Snapshot] = []
  private var lastEdit: EditKind?

  /// A line with the caret at its end.
  public init(_ text: String = "") {
    let line = Self.singleLine(text, limit: Self.maximumLength)
    self.text = line
    boundaries = TextBoundaries(line)
    caret = line.utf8.count
    anchor = caret
  }

  /// The selected bytes; empty at the caret when nothing is selected.
  public var selection: Range<Int> { min(caret, anchor)..<max(caret, anchor) }
  /// The selected text.
  public var selectedText: String { String(text[index(selection.lowerBound)..<index(selection.upperBound)]) }
  /// The length in bytes.
  public var length: Int { text.utf8.count }
  /// Whether there is something to undo.
  public var canUndo: Bool { !undoStack.isEmpty }
  /// Whether something undone can be done again.
  public var canRedo: Bool { !redoStack.isEmpty }

  // MARK: Moving

  /// Puts the caret at the nearest place at or before `offset`; with `extending` the selection grows or shrinks to it.
  public mutating func moveCaret(to offset: Int, extending: Bool = false) {
    caret = boundaries.caret(atOrBefore: max(0, min(offset, length)))
    if !extending { anchor = caret }
    lastEdit = nil
  }

  /// Selects `range`, the caret at its end.
  public mutating func select(_ range: Range<Int>) {
    moveCaret(to: range.lowerBound)
    moveCaret(to: range.upperBound, extending: true)
  }

  /// Selects everything.
  public mutating func selectAll() { select(0..<length) }

  // MARK: Editing

  /// Types or pastes `string` in place of the selection. Line breaks become spaces, control characters vanish. Typed
  /// words are undone one at a time, each paste by itself.
  public mutating func insert(_ string: String, isTyping: Bool = false) {
    let room = Self.maximumLength - (length - selection.count)
    let line = Self.singleLine(string, limit: room)
    guard !line.isEmpty else { return }
    let startsWord = !line.hasPrefix(" ") && precededBySpace
    let continues = isTyping && lastEdit == .typing && selection.isEmpty && !startsWord
    if !continues { remember() }
    replace(selection, with: line)
    lastEdit = isTyping ? .typing : nil
  }

  /// Deletes the selection, or one grapheme or word before the caret.
  public mutating func deleteBackward(byWord: Bool = false) {
    let start = byWord ? boundaries.wordStart(before: caret) : boundaries.caret(before: caret)
    delete(selection.isEmpty ? start..<caret : selection, byWord || !selection.isEmpty ? nil : .deletingBackward)
  }

  /// Deletes the selection, or one grapheme or word after the caret.
  public mutating func deleteForward(byWord: Bool = false) {
    let end = byWord ? boundaries.wordEnd(after: caret) : boundaries.caret(after: caret)
    delete(selection.isEmpty ? caret..<end : selection, byWord || !selection.isEmpty ? nil : .deletingForward)
  }

  /// Replaces everything, the caret at the end, as one step that can be undone.
  public mutating func replaceAll(with string: String) {
    remember()
    replace(0..<length, with: Self.singleLine(string, limit: Self.maximumLength))
    lastEdit = nil
  }

  /// Takes the last step back. Answers whether there was one.
  @discardableResult public mutating func undo() -> Bool {
    guard let snapshot = undoStack.popLast() else { return false }
    redoStack.append(Snapshot(text: text, caret: caret, anchor: anchor))
    restore(snapshot)
    return true
  }

  /// Does what was undone again. Answers whether there was something.
  @discardableResult public mutating func redo() -> Bool {
    guard let snapshot = redoStack.popLast() else { return false }
    undoStack.append(Snapshot(text: text, caret: caret, anchor: anchor))
    restore(snapshot)
    return true
  }

  /// `string` as it is taken into a line of at most `limit` bytes: breaks at its ends are dropped, others and tabs become
  /// one space, other control characters vanish, and it is cut between graphemes.
  public static func singleLine(_ string: String, limit: Int) -> String {
    func isBreak(_ scalar: Unicode.Scalar) -> Bool {
      switch scalar.value {
      case 0x0a...0x0d, 0x85, 0x2028, 0x2029: true
      default: false
      }
    }
    let scalars = Array(string.unicodeScalars)
    let first = scalars.firstIndex { !isBreak($0) } ?? scalars.count
    let last = (scalars.lastIndex { !isBreak($0) } ?? -1) + 1
    guard first < last, limit > 0 else { return "" }
    var line = String.UnicodeScalarView()
    var previous: Unicode.Scalar?
    for scalar in scalars[first..<last] {
      if scalar == "\n", previous == "\r" {
        previous = scalar
        continue
      }
      previous = scalar
      if isBreak(scalar) || scalar == "\t" {
        line.append(" ")
      } else if scalar.properties.generalCategory != .control {
        line.append(scalar)
      }
    }
    let result = String(line)
    guard result.utf8.count > limit else { return result }
    let end = TextBoundaries(result).caret(atOrBefore: limit)
    return String(result[..<result.utf8.index(result.startIndex, offsetBy: end)])
  }

  // MARK: Inside

  private var precededBySpace: Bool {
    let place = selection.lowerBound
    return place > 0 && text.utf8[text.utf8.index(text.startIndex, offsetBy: place - 1)] == UInt8(ascii: " ")
  }

  private func index(_ offset: Int) -> String.Index { text.utf8.index(text.startIndex, offsetBy: offset) }

  private mutating func delete(_ range: Range<Int>, _ kind: EditKind?) {
    guard !range.isEmpty else { return }
    if kind == nil || kind != lastEdit { remember() }
    replace(range, with: "")
    lastEdit = kind
  }

  private mutating func remember() {
    undoStack.append(Snapshot(text: text, caret: caret, anchor: anchor))
    // Enough for any session; a stuck key must not fill the memory.
    if undoStack.count > 1000 { undoStack.removeFirst(200) }
    redoStack.removeAll()
  }

  private mutating func replace(_ range: Range<Int>, with string: String) {
    redoStack.removeAll()
    text.replaceSubrange(index(range.lowerBound)..<index(range.upperBound), with: string)
    boundaries = TextBoundaries(text)
    // What is inserted may join what follows into one grapheme (a letter before a combining mark): the caret goes after.
    let end = range.lowerBound + string.utf8.count
    caret = boundaries.isCaret(end) ? end : boundaries.caret(after: end)
    anchor = caret
  }

  private mutating func restore(_ snapshot: Snapshot) {
    text = snapshot.text
    boundaries = TextBoundaries(text)
    caret = snapshot.caret
    anchor = snapshot.anchor
    lastEdit = nil
  }
}
