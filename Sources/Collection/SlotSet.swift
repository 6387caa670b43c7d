/// A set of slots, a bit each.
public struct SlotSet: Sendable, Equatable {
  private var words: [UInt64] = []

  /// No slots.
  public init() {}

  /// - Returns: Whether it was not in the set.
  @discardableResult
  public mutating func insert(_ slot: Int) -> Bool {
    let word = slot >> 6
    if word >= words.count {
      // In large steps: the set grows with every page of a listing.
      words.append(contentsOf: repeatElement(0, count: max(word + 1, words.count * 3 / 2 + 16) - words.count))
    }
    let bit: UInt64 = 1 << UInt64(slot & 63)
    defer { words[word] |= bit }
    return words[word] & bit == 0
  }

  /// Whether the slot is in the set.
  public func contains(_ slot: Int) -> Bool {
    slot >> 6 < words.count && words[slot >> 6] & (1 << UInt64(slot & 63)) != 0
  }
}
