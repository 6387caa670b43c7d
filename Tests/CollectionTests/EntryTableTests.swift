import ObjectStorage
import TestSupport
import Testing

@testable import Collection

/// The table against arrays and dictionaries, which need more memory.
@Suite struct EntryTableTests {
  private func entry(_ slot: Int, _ key: String, _ random: inout SplitMix64) -> CollectionEntry {
    let states: [CollectionEntry.State] = [
      .listed, .ready, .notAnImage, .leftOut(reason: "one"), .leftOut(reason: "two \(slot)"),
    ]
    var object = StoredObject(
      key: ObjectKey(key), size: .random(in: 0...5, using: &random), etag: "e\(slot)", storageClass: "STANDARD")
    object.isRestored = Bool.random(using: &random)
    return CollectionEntry(
      slot: slot, object: object, width: .random(in: 0...70_000, using: &random), height: slot,
      state: states.randomElement(using: &random)!)
  }

  @Test("whatever is put in, changed and taken out, it holds what a dictionary would", arguments: 0..<8)
  func anySequence(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var table = EntryTable()
    var slots: [CollectionEntry?] = []
    var slotOfKey: [ObjectKey: Int] = [:]
    let keys = (0..<400).map { "folder/\($0).jpg" }
    for step in 0..<6000 {
      let key = keys.randomElement(using: &random)!
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<3:
        // Taken out.
        guard let slot = slotOfKey.removeValue(forKey: ObjectKey(key)) else { continue }
        slots[slot] = nil
        table[slot] = nil
      default:
        // Put in or changed, in its slot or the first that is free; sometimes in the place of another one.
        var slot = slotOfKey[ObjectKey(key)] ?? slots.firstIndex { $0 == nil } ?? slots.count
        if slotOfKey[ObjectKey(key)] == nil, step % 7 == 0, let other = slotOfKey.values.min() { slot = other }
        if slot == slots.count {
          slots.append(nil)
          table.append()
        }
        if let old = slots[slot] { slotOfKey[old.object.key] = nil }
        let made = entry(slot, key, &random)
        slots[slot] = made
        slotOfKey[made.object.key] = slot
        table[slot] = made
      }
      #expect(table.slot(of: ObjectKey(key)) == slotOfKey[ObjectKey(key)])
    }
    #expect(table.count == slots.count && Array(table) == slots)
    for key in keys { #expect(table.slot(of: ObjectKey(key)) == slotOfKey[ObjectKey(key)]) }
    #expect(table.slot(of: ObjectKey("elsewhere")) == nil)
  }

  @Test("a set of slots holds what was put in, says what is new, and gives out the lowest first")
  func slotSet() {
    var random = SplitMix64(seed: 4)
    var set = SlotSet()
    var other: Set<Int> = []
    for _ in 0..<4000 {
      let slot = Int.random(in: 0..<3000, using: &random)
      switch Int.random(in: 0..<20, using: &random) {
      case 0:
        let limit = Int.random(in: 0..<80, using: &random)
        let lowest = Array(other.sorted().prefix(limit))
        #expect(set.removeFirst(limit) == lowest)
        other.subtract(lowest)
      case 1...4:
        set.remove(slot)
        other.remove(slot)
      default: #expect(set.insert(slot) == other.insert(slot).inserted)
      }
      #expect(set.count == other.count && set.isEmpty == other.isEmpty)
    }
    for slot in 0..<4000 { #expect(set.contains(slot) == other.contains(slot)) }
  }
}
