/// The pictures that the user has chosen, by slot: one bit each.
public struct Selection: Hashable, Sendable {
  private var words: [UInt64] = []
  /// How many they are.
  public private(set) var count = 0

  /// Nothing.
  public init() {}

  /// These pictures.
  public init(_ slots: some Sequence<Int>) {
    for slot in slots { insert(slot) }
  }

  /// Whether nothing is selected.
  public var isEmpty: Bool { count == 0 }

  /// Whether a picture is selected.
  @inline(__always)
  public func contains(_ slot: Int) -> Bool {
    let word = slot >> 6
    return slot >= 0 && word < words.count && words[word] & (1 << UInt64(slot & 63)) != 0
  }

  /// The slots, ascending.
  public var slots: [Int] {
    var result: [Int] = []
    result.reserveCapacity(count)
    for (index, word) in words.enumerated() {
      var rest = word
      while rest != 0 {
        result.append(index << 6 | rest.trailingZeroBitCount)
        rest &= rest &- 1
      }
    }
    return result
  }

  /// Selects a picture.
  public mutating func insert(_ slot: Int) {
    guard slot >= 0, !contains(slot) else { return }
    let word = slot >> 6
    if word >= words.count { words.append(contentsOf: repeatElement(0, count: word + 1 - words.count)) }
    words[word] |= 1 << UInt64(slot & 63)
    count += 1
  }

  /// Selects pictures.
  /// - Returns: Those that were not, in their order.
  @discardableResult
  public mutating func insert(contentsOf slots: [Int]) -> [Int] {
    var new: [Int] = []
    for slot in slots where slot >= 0 && !contains(slot) {
      insert(slot)
      new.append(slot)
    }
    return new
  }

  /// Selects a picture no more.
  public mutating func remove(_ slot: Int) {
    guard contains(slot) else { return }
    words[slot >> 6] &= ~(1 << UInt64(slot & 63))
    count -= 1
  }

  /// Selects a picture, or no more.
  public mutating func toggle(_ slot: Int) {
    if contains(slot) { remove(slot) } else { insert(slot) }
  }

  /// Equal where the same pictures are selected, however the selection came about.
  public static func == (one: Selection, other: Selection) -> Bool {
    guard one.count == other.count else { return false }
    let shared = min(one.words.count, other.words.count)
    return one.words[..<shared] == other.words[..<shared]
  }

  /// In step with `==`.
  public func hash(into hasher: inout Hasher) { for slot in slots { hasher.combine(slot) } }
}
