/// A set of slots, a bit each.
public struct SlotSet: Sendable {
  private var words: [UInt64] = []
  /// No slot lies before this word.
  private var firstWord = 0
  /// How many slots are in the set.
  public private(set) var count = 0

  /// No slots.
  public init() {}

  /// Whether there is no slot in it.
  public var isEmpty: Bool { count == 0 }

  /// - Returns: Whether it was not in the set.
  @discardableResult
  public mutating func insert(_ slot: Int) -> Bool {
    let word = slot >> 6
    if word >= words.count {
      // In large steps: the set grows with every page of a listing.
      words.append(contentsOf: repeatElement(0, count: max(word + 1, words.count * 3 / 2 + 16) - words.count))
    }
    let bit: UInt64 = 1 << UInt64(slot & 63)
    guard words[word] & bit == 0 else { return false }
    words[word] |= bit
    count += 1
    firstWord = min(firstWord, word)
    return true
  }

  /// Takes a slot out, should it be in the set.
  public mutating func remove(_ slot: Int) {
    guard contains(slot) else { return }
    words[slot >> 6] &= ~(1 << UInt64(slot & 63))
    count -= 1
  }

  /// Takes out the lowest slots, so many at most.
  public mutating func removeFirst(_ limit: Int) -> [Int] {
    var slots: [Int] = []
    slots.reserveCapacity(min(limit, count))
    while slots.count < limit, !isEmpty {
      let bits = words[firstWord]
      guard bits != 0 else {
        firstWord += 1
        continue
      }
      slots.append(firstWord << 6 + bits.trailingZeroBitCount)
      words[firstWord] = bits & (bits - 1)
      count -= 1
    }
    return slots
  }

  /// Whether the slot is in the set.
  public func contains(_ slot: Int) -> Bool {
    slot >> 6 < words.count && words[slot >> 6] & (1 << UInt64(slot & 63)) != 0
  }
}
