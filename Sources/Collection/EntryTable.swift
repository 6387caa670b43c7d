import ObjectStorage

/// The entries of a collection by slot and by key, in few bytes each: there may be a million of them.
///
/// An entry takes 56 bytes and its key; what finds it by key takes 6 to 11 more. Growing never copies entries.
struct EntryTable: Sendable {
  /// An entry without what its place says, and without the rare.
  private struct Record: Sendable {
    var object: StoredObject
    var status: Status
    var width: UInt32
    var height: UInt32
  }

  private enum Status: UInt8, Sendable {
    case vacant
    case listed
    case ready
    case notAnImage
    /// The reason stands in `reasons`.
    case leftOut
  }

  private static let recordsInChunk = 2048
  private static let vacant = Record(
    object: StoredObject(key: ObjectKey(bytes: []), size: 0, etag: ""), status: .vacant, width: 0, height: 0)

  private var chunks: [[Record]] = []
  private var reasons: [Int: String] = [:]
  private var keys = SlotIndex()
  /// Slots, vacant ones included.
  private(set) var count = 0

  /// No entries.
  init() {}

  /// Vacant slots.
  init(vacant count: Int) {
    for _ in 0..<count { append() }
    keys.reserveCapacity(count)
  }

  /// The occupied slots in the order of keys.
  func slotsByKey() -> [Int] {
    indices.filter { record($0).status != .vacant }.sorted { record($0).object.key < record($1).object.key }
  }

  /// All slots.
  var indices: Range<Int> { 0..<count }

  /// Makes a vacant slot behind the last.
  mutating func append() {
    if count % Self.recordsInChunk == 0 {
      var chunk: [Record] = []
      chunk.reserveCapacity(Self.recordsInChunk)
      chunks.append(chunk)
    }
    chunks[count / Self.recordsInChunk].append(Self.vacant)
    count += 1
  }

  /// The slot of a key.
  func slot(of key: ObjectKey) -> Int? {
    keys.slot(hash: Self.hash(key)) { record($0).object.key == key }
  }

  /// The entry in a slot; nil for a vacant one. No two entries have the same key.
  subscript(slot: Int) -> CollectionEntry? {
    get {
      let record = record(slot)
      let state: CollectionEntry.State
      switch record.status {
      case .vacant: return nil
      case .listed: state = .listed
      case .ready: state = .ready
      case .notAnImage: state = .notAnImage
      case .leftOut: state = .leftOut(reason: reasons[slot] ?? "")
      }
      return CollectionEntry(
        slot: slot, object: record.object, width: Int(record.width), height: Int(record.height), state: state)
    }
    set {
      precondition(newValue.map { $0.slot == slot } ?? true, "an entry lies in its slot")
      let old = record(slot)
      if old.status == .leftOut { reasons[slot] = nil }
      if old.status != .vacant, old.object.key != newValue?.object.key {
        let hash = Self.hash(old.object.key)
        keys.remove(slot, hash: hash) { [chunks] in Self.hash(of: $0, in: chunks) }
      }
      guard let entry = newValue else {
        set(Self.vacant, slot)
        return
      }
      let status: Status
      switch entry.state {
      case .listed: status = .listed
      case .ready: status = .ready
      case .notAnImage: status = .notAnImage
      case .leftOut(let reason):
        status = .leftOut
        reasons[slot] = reason
      }
      let isNew = old.status == .vacant || old.object.key != entry.object.key
      set(
        Record(
          object: entry.object, status: status, width: UInt32(clamping: entry.width),
          height: UInt32(clamping: entry.height)), slot)
      if isNew {
        keys.insert(slot, hash: Self.hash(entry.object.key)) { [chunks] in Self.hash(of: $0, in: chunks) }
      }
    }
  }

  private func record(_ slot: Int) -> Record { chunks[slot / Self.recordsInChunk][slot % Self.recordsInChunk] }

  private mutating func set(_ record: Record, _ slot: Int) {
    chunks[slot / Self.recordsInChunk][slot % Self.recordsInChunk] = record
  }

  private static func hash(_ key: ObjectKey) -> Int { key.hashValue }

  private static func hash(of slot: Int, in chunks: [[Record]]) -> Int {
    hash(chunks[slot / recordsInChunk][slot % recordsInChunk].object.key)
  }
}

extension EntryTable: Sequence {
  /// The entries in the order of slots; nil for vacant ones.
  func makeIterator() -> some IteratorProtocol<CollectionEntry?> {
    indices.lazy.map { self[$0] }.makeIterator()
  }
}

/// Finds slots by a hash of what lies in them: open addressing with four bytes a place.
private struct SlotIndex: Sendable {
  /// A slot and one; 0 for a free place. A power of two of them.
  private var places: [UInt32] = []
  private var used = 0

  private func place(_ hash: Int) -> Int { hash & (places.count - 1) }

  func slot(hash: Int, where isWanted: (Int) -> Bool) -> Int? {
    guard used > 0 else { return nil }
    var place = place(hash)
    while places[place] != 0 {
      let slot = Int(places[place]) - 1
      if isWanted(slot) { return slot }
      place = (place + 1) & (places.count - 1)
    }
    return nil
  }

  /// Before anything is put in.
  mutating func reserveCapacity(_ count: Int) {
    var size = 16
    while 2 * size < 3 * count { size *= 2 }
    places = Array(repeating: 0, count: size)
  }

  /// - Parameter hashOf: The hash of what lies in a slot.
  mutating func insert(_ slot: Int, hash: Int, hashOf: (Int) -> Int) {
    if 3 * (used + 1) > 2 * places.count { grow(hashOf) }
    put(slot, hash)
    used += 1
  }

  private mutating func put(_ slot: Int, _ hash: Int) {
    var place = place(hash)
    while places[place] != 0 { place = (place + 1) & (places.count - 1) }
    places[place] = UInt32(slot + 1)
  }

  private mutating func grow(_ hashOf: (Int) -> Int) {
    let old = places
    places = Array(repeating: 0, count: Swift.max(16, 2 * old.count))
    for place in old where place != 0 { put(Int(place) - 1, hashOf(Int(place) - 1)) }
  }

  mutating func remove(_ slot: Int, hash: Int, hashOf: (Int) -> Int) {
    var free = place(hash)
    while places[free] != UInt32(slot + 1) {
      guard places[free] != 0 else { return }
      free = (free + 1) & (places.count - 1)
    }
    used -= 1
    // What follows moves up where that brings it closer to where it belongs, so that no gap hides it.
    var next = free
    while true {
      next = (next + 1) & (places.count - 1)
      guard places[next] != 0 else { break }
      let wanted = place(hashOf(Int(places[next]) - 1))
      let distance = (next - wanted) & (places.count - 1)
      if distance >= (next - free) & (places.count - 1) {
        places[free] = places[next]
        free = next
      }
    }
    places[free] = 0
  }
}
