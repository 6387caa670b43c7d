internal import CX11

/// What an input method shows in a text before it commits it: Japanese in the making, an accent that waits for its letter.
public struct Preedit: Hashable, Sendable {
  /// The text; empty when nothing is in the making.
  public var text: String
  /// Where the caret stands in it, in UTF-8 bytes.
  public var caret: Int
  /// The part that is being converted, in UTF-8 bytes; empty for none.
  public var selection: Range<Int>

  /// A text with its caret.
  public init(text: String = "", caret: Int = 0, selection: Range<Int> = 0..<0) {
    self.text = text
    self.caret = caret
    self.selection = selection
  }
}

/// The text in the making as the input method builds it, by changes counted in characters (Unicode scalars).
struct PreeditBuffer {
  private var scalars: [Unicode.Scalar] = []
  private var isHighlighted: [Bool] = []
  private var caret = 0

  /// Puts `text` in place of `length` characters from `first` on; `highlights` tells for each of its characters whether
  /// it is being converted. What an input method says wrongly is brought into range.
  mutating func replace(first: Int, length: Int, with text: String, highlights: [Bool], caret: Int) {
    let low = max(0, min(scalars.count, first))
    let high = low + min(scalars.count - low, max(0, length))
    let new = Array(text.unicodeScalars)
    scalars.replaceSubrange(low..<high, with: new)
    isHighlighted.replaceSubrange(
      low..<high, with: new.indices.map { highlights.indices.contains($0) && highlights[$0] })
    move(to: caret)
  }

  /// Changes how characters from `first` on are marked, and not the text.
  mutating func mark(first: Int, highlights: [Bool], caret: Int) {
    for (index, value) in highlights.enumerated() where isHighlighted.indices.contains(first + index) {
      isHighlighted[first + index] = value
    }
    move(to: caret)
  }

  /// Puts the caret before a character.
  mutating func move(to caret: Int) { self.caret = max(0, min(scalars.count, caret)) }

  /// Moves the caret by characters and tells where it is now.
  mutating func move(by distance: Int) -> Int {
    move(to: caret + max(-scalars.count, min(scalars.count, distance)))
    return caret
  }

  /// Puts the caret at the beginning or the end.
  mutating func move(toEnd: Bool) -> Int {
    caret = toEnd ? scalars.count : 0
    return caret
  }

  /// As a window reports it.
  var preedit: Preedit {
    var text = ""
    var offsets: [Int] = []
    for scalar in scalars {
      offsets.append(text.utf8.count)
      text.unicodeScalars.append(scalar)
    }
    offsets.append(text.utf8.count)
    guard let first = isHighlighted.firstIndex(of: true), let last = isHighlighted.lastIndex(of: true) else {
      return Preedit(text: text, caret: offsets[caret])
    }
    return Preedit(text: text, caret: offsets[caret], selection: offsets[first]..<offsets[last + 1])
  }
}

extension PreeditBuffer {
  /// Takes in what Xlib hands to `XNPreeditDrawCallback`. The locale is always one of UTF-8.
  mutating func draw(_ change: XIMPreeditDrawCallbackStruct) {
    let (first, length, caret) = (Int(change.chg_first), Int(change.chg_length), Int(change.caret))
    guard let text = change.text?.pointee else {
      return replace(first: first, length: length, with: "", highlights: [], caret: caret)
    }
    let count = Int(text.length)
    let marked = XIMFeedback(XIMReverse | XIMHighlight)
    var highlights: [Bool] = []
    if let feedback = text.feedback { highlights = (0..<count).map { feedback[$0] & marked != 0 } }
    if text.encoding_is_wchar != 0 {
      guard let wide = text.string.wide_char else { return mark(first: first, highlights: highlights, caret: caret) }
      let scalars = (0..<count).compactMap { Unicode.Scalar(UInt32(bitPattern: wide[$0])) }
      let string = String(String.UnicodeScalarView(scalars))
      replace(first: first, length: length, with: string, highlights: highlights, caret: caret)
    } else {
      guard let bytes = text.string.multi_byte else { return mark(first: first, highlights: highlights, caret: caret) }
      replace(first: first, length: length, with: String(cString: bytes), highlights: highlights, caret: caret)
    }
  }

  /// Takes in what Xlib hands to `XNPreeditCaretCallback`, and answers where the caret is now.
  mutating func moveCaret(_ change: XIMPreeditCaretCallbackStruct) -> Int {
    switch change.direction {
    case XIMForwardChar: return move(by: 1)
    case XIMBackwardChar: return move(by: -1)
    case XIMLineStart, XIMPreviousLine, XIMCaretUp: return move(toEnd: false)
    case XIMLineEnd, XIMNextLine, XIMCaretDown: return move(toEnd: true)
    case XIMAbsolutePosition:
      move(to: Int(change.position))
      return move(by: 0)
    default: return move(by: 0)
    }
  }
}
