internal import CPango

/// Where the caret may stand in a text and where its words lie (Unicode Standard Annex 29, as Pango applies it).
/// All offsets are UTF-8 bytes.
public struct TextBoundaries: Hashable, Sendable {
  /// The places of the caret, ascending, from 0 to the length: never inside a grapheme.
  public let carets: [Int]
  /// Where words begin, ascending.
  public let wordStarts: [Int]
  /// Where words end, ascending.
  public let wordEnds: [Int]

  /// Finds the boundaries of `text`.
  public init(_ text: String) {
    let count = text.unicodeScalars.count
    var attributes = [PangoLogAttr](repeating: PangoLogAttr(), count: count + 1)
    // Pango ends a text at a NUL; a space keeps the offsets.
    let utf8: [UInt8] = text.utf8.map { $0 == 0 ? 0x20 : $0 }
    utf8.withUnsafeBufferPointer { bytes in
      guard let start = bytes.baseAddress else { return }
      start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
        pango_get_log_attrs($0, Int32(bytes.count), -1, nil, &attributes, Int32(count + 1))
      }
    }
    var carets: [Int] = []
    var starts: [Int] = []
    var ends: [Int] = []
    var offset = 0
    var index = 0
    func note(_ attribute: PangoLogAttr) {
      if attribute.is_cursor_position != 0 { carets.append(offset) }
      if attribute.is_word_start != 0 { starts.append(offset) }
      if attribute.is_word_end != 0 { ends.append(offset) }
    }
    for scalar in text.unicodeScalars {
      note(attributes[index])
      offset += UTF8.width(scalar)
      index += 1
    }
    note(attributes[index])
    if carets.first != 0 { carets.insert(0, at: 0) }
    if carets.last != offset { carets.append(offset) }
    self.carets = carets
    wordStarts = starts
    wordEnds = ends
  }

  /// Whether the caret may stand at `offset`.
  public func isCaret(_ offset: Int) -> Bool { carets.binarySearch(offset).found }

  /// The nearest place of the caret at or before `offset`.
  public func caret(atOrBefore offset: Int) -> Int {
    let (index, found) = carets.binarySearch(offset)
    return found ? offset : carets[max(0, index - 1)]
  }

  /// The next place of the caret after `offset`, or the end.
  public func caret(after offset: Int) -> Int {
    let (index, found) = carets.binarySearch(offset)
    return carets[min(carets.count - 1, found ? index + 1 : index)]
  }

  /// The last place of the caret before `offset`, or 0.
  public func caret(before offset: Int) -> Int { carets[max(0, carets.binarySearch(offset).index - 1)] }

  /// Where a step of one word to the end of the text arrives: the end of the word there or of the next one.
  public func wordEnd(after offset: Int) -> Int { wordEnds.first { $0 > offset } ?? carets[carets.count - 1] }

  /// Where a step of one word to the start of the text arrives: the start of the word there or of the one before.
  public func wordStart(before offset: Int) -> Int { wordStarts.last { $0 < offset } ?? 0 }

  /// What a double click at `offset` selects: the word there, or the run between two words.
  public func word(at offset: Int) -> Range<Int> {
    let end = carets[carets.count - 1]
    let place = max(0, min(offset, end))
    for (start, stop) in zip(wordStarts, wordEnds) where start <= place && place < stop { return start..<stop }
    // At the very end of the text the word before it is meant.
    if place == end, let start = wordStarts.last, wordEnds.last == end { return start..<end }
    let lower = wordEnds.last { $0 <= place } ?? 0
    let upper = wordStarts.first { $0 > place } ?? end
    return min(lower, upper)..<upper
  }
}

extension Array<Int> {
  /// The place of `value` in an ascending array, or where it would be inserted.
  func binarySearch(_ value: Int) -> (index: Int, found: Bool) {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < value { low = middle + 1 } else { high = middle }
    }
    return (low, low < count && self[low] == value)
  }
}
