public import Atlas
public import Foundation
internal import Imaging
public import NPY
public import ObjectStorage
import Synchronization

/// The images of one location and what is known of each: in memory, and behind it in the local store where there is one.
///
/// Reading is for any thread and quick. Changes go through a `CollectionWriter`, of which there is one at a time; what it
/// changes is seen at once and written to disk in batches on a queue of its own. One directory has one collection object
/// in a process, and one process that writes to it.
public final class ImageCollection: Sendable {
  struct State {
    var store: any ObjectStore
    var atlas: Atlas
    var entries = EntryTable()
    /// All slots in the order of keys; nil when it has to be sorted anew.
    var order: [Int]? = [] { didSet { if order == nil { orderVersion += 1 } } }
    var orderVersion = 0
    /// Slots that were free when the collection was opened. One that becomes free later may still be on a screen.
    var freeSlots: [Int] = []
    /// What the catalogue does not know yet.
    var changedSlots = SlotSet()
    var removedKeys: Set<ObjectKey> = []
    /// Left out for a reason that may pass: on disk they count as not yet fetched.
    var passingProblems: Set<Int> = []
    var features: [String: FeatureMatrix] = [:]
    /// What the catalogue knows beside images and stages.
    var values = CatalogueSnapshot.Values()
    var catalogue: Catalogue?
    /// Whether the catalogue knows more than its snapshot.
    var isSnapshotStale = false
    /// The directory of another process that this collection reads from.
    var lender: Lender?
    /// Ready entries by their content; see `slot(of:)`.
    var pictures: [ContentName: CollectionEntry]?
    var notes: [String] = []
    var counts = Counts()

    /// Puts an entry in its slot, or nothing; the counts follow.
    mutating func set(_ entry: CollectionEntry?, _ slot: Int) {
      if let old = entries[slot] { counts.add(old.state, -1) }
      if let entry { counts.add(entry.state, 1) }
      entries[slot] = entry
    }
  }

  /// How many objects there are of each kind.
  public struct Counts: Sendable, Equatable {
    /// Known, not fetched yet.
    public var listed = 0
    /// Images with a thumbnail.
    public var ready = 0
    /// Images that cannot be shown.
    public var leftOut = 0
    /// Objects that are no images.
    public var otherFiles = 0
    /// All objects.
    public var total: Int { listed + ready + leftOut + otherFiles }

    mutating func add(_ state: CollectionEntry.State, _ number: Int) {
      switch state {
      case .listed: listed += number
      case .ready: ready += number
      case .leftOut: leftOut += number
      case .notAnImage: otherFiles += number
      }
    }
  }

  let state: Mutex<State>
  let stages: StageStore
  /// The directory on disk; nil when everything is in memory.
  public let directory: String?
  /// The store that the directory is part of.
  let cacheDirectory: String?
  let limits: StoreLimits
  private let lock: DirectoryLock?
  /// Everything that touches the disk for long.
  let queue = DispatchQueue(label: "collection.store", qos: .utility)
  let turns = Turns()

  init(
    state: consuming State, stages: StageStore, cacheDirectory: String? = nil, directory: String? = nil,
    limits: StoreLimits = StoreLimits(), lock: DirectoryLock? = nil
  ) {
    self.state = Mutex(state)
    self.stages = stages
    self.cacheDirectory = cacheDirectory
    self.directory = directory
    self.limits = limits
    self.lock = lock
  }

  deinit {
    // The catalogue's file is closed before the lock is let go.
    state.withLock { $0.catalogue?.close() }
  }

  // MARK: Reading

  /// Where the images come from, with the credentials of the job that opened the collection last.
  public var store: any ObjectStore { state.withLock { $0.store } }

  /// The thumbnails.
  public var atlas: Atlas { state.withLock { $0.atlas } }

  /// The location.
  public var location: Location { store.location }

  /// Whether what is found is kept for the next time.
  public var isKept: Bool { state.withLock { $0.catalogue != nil } }

  /// What is known of one image; nil when the slot is none.
  public func entry(_ slot: Int) -> CollectionEntry? {
    state.withLock { state in state.entries.indices.contains(slot) ? state.entries[slot] : nil }
  }

  /// How many objects there are of each kind.
  public var counts: Counts { state.withLock { $0.counts } }

  /// The slot of the object with this key.
  public func slot(of key: ObjectKey) -> Int? { state.withLock { $0.entries.slot(of: key) } }

  /// Everything known, in the order of keys.
  public var entries: [CollectionEntry] {
    var entries: [CollectionEntry] = []
    eachEntry { entries.append($0) }
    return entries
  }

  /// Calls `body` with everything known, in the order of keys. Of a large collection that takes a while: others may look at
  /// it, and change it, all the time.
  private func eachEntry(_ body: (CollectionEntry) -> Void) {
    let order = slotsInOrder()
    for first in stride(from: 0, to: order.count, by: Self.entriesAtOnce) {
      state.withLock { state in
        for slot in order[first..<min(order.count, first + Self.entriesAtOnce)]
        where state.entries.indices.contains(slot) {
          if let entry = state.entries[slot] { body(entry) }
        }
      }
    }
  }

  private static let entriesAtOnce = 1024

  /// Everything that another computer may take over: fetched images, and what is left out for a reason that lasts. In
  /// the order of keys.
  public var entriesToShare: [CollectionEntry] {
    let passing = state.withLock { $0.passingProblems }
    return entries.filter { $0.state != .listed && !passing.contains($0.slot) }
  }

  /// Every image that is to be shown, fetched or not, in the order of keys.
  public var slotsInKeyOrder: [Int] { slots(where: Self.isShown) }

  /// Every image that cannot be shown, in the order of keys.
  public var leftOutSlots: [Int] {
    slots { if case .leftOut = $0.state { true } else { false } }
  }

  /// The slots of those entries, in the order of keys, without all entries in memory at one time.
  private func slots(where isWanted: (CollectionEntry) -> Bool) -> [Int] {
    var slots: [Int] = []
    eachEntry { if isWanted($0) { slots.append($0.slot) } }
    return slots
  }

  /// Whether an object belongs on the map as far as is known: it is an image, or may turn out to be one by its name (no
  /// extension says nothing; `notes.txt` has to prove by its bytes that it is one).
  static func isShown(_ entry: CollectionEntry) -> Bool {
    switch entry.state {
    case .ready: true
    case .leftOut, .notAnImage: false
    case .listed: mayBeImage(entry.object.key)
    }
  }

  /// Whether an object is on the map before its bytes are known. What is not joins the map when it is `ready`.
  public func isListedByName(_ entry: CollectionEntry) -> Bool { Self.mayBeImage(entry.object.key) }

  private static let knownEndings = Mutex<[[UInt8]: Bool]>([:])

  static func mayBeImage(_ key: ObjectKey) -> Bool {
    let name = key.bytes[((key.bytes.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...]
    guard let dot = name.dropFirst().lastIndex(of: UInt8(ascii: ".")) else { return true }
    // Large collections have few extensions, and this is asked of every name.
    let ending = Array(name[dot...])
    return knownEndings.withLock { known in
      if let answer = known[ending] { return answer }
      if known.count > 1_000 { known = [:] }
      let answer = nameClaimsImage(name)
      known[ending] = answer
      return answer
    }
  }

  /// All slots in the order of keys. Sorts without holding up others, who may go on changing the collection.
  func slotsInOrder() -> [Int] {
    let (order, version, entries) = state.withLock { state in
      (state.order, state.orderVersion, state.order == nil ? state.entries : EntryTable())
    }
    if let order { return order }
    let sorted = entries.slotsByKey()
    state.withLock { if $0.orderVersion == version { $0.order = sorted } }
    return sorted
  }

  // MARK: View state

  /// Keeps what the window wants to find again: camera, parameters. Returns at once.
  public func saveViewState(_ view: Data) {
    state.withLock { $0.values.view = view }
    queue.async { [self] in
      // The newest one counts, should several wait.
      let (catalogue, newest) = state.withLock { ($0.catalogue, $0.values.view) }
      if let newest { try? catalogue?.setValue(newest, "view") }
    }
  }

  /// What `saveViewState` kept last.
  public func loadViewState() -> Data? { state.withLock { $0.values.view } }

  /// A single value kept with the collection; nil for none.
  public func keptValue(_ name: String) -> String? { state.withLock { $0.values.kept[name] } }

  /// Keeps a single value with the collection, for as long as the collection is kept. Blocking.
  public func keep(_ value: String, as name: String) {
    let catalogue = state.withLock { state in
      state.values.kept[name] = value
      state.isSnapshotStale = true
      return state.catalogue
    }
    try? catalogue?.setValue(Data(value.utf8), "kept " + name)
  }

  /// Waits until everything that was to be kept is on disk. Blocking, for the end of the program.
  public func synchronize() {
    queue.sync {
      commit()
      writeSnapshot()
      // The program that held the store may have ended since the last job.
      deposit()
    }
  }

  // MARK: Derived stages

  /// The stages that satisfy `condition`, last used first.
  public func stages(where condition: (StageRecord) -> Bool) -> [StageRecord] {
    if let lender = state.withLock({ $0.lender }) { stages.add(lender.stages()) }
    return stages.records(where: condition)
  }

  /// The arrays of a stage by name; nil when one is damaged, and the stage then counts as never made. Blocking.
  /// - Parameter isUse: Whether the stage counts as used now.
  public func arrays(of record: StageRecord, isUse: Bool = true) -> [String: NPYArray]? {
    if let arrays = stages.load(record, directory: directory) {
      guard isUse else { return arrays }
      let touched = stages.touch(record)
      queue.async { [self] in try? state.withLock { $0.catalogue }?.save(touched) }
      return arrays
    }
    stages.remove(record, directory: isKept ? directory : nil)
    queue.async { [self] in try? state.withLock { $0.catalogue }?.removeStage(record.key) }
    return nil
  }
}

extension ImageCollection {
  /// A stage that came from others counts as the user's own from now on. Returns at once.
  public func takeOver(_ record: StageRecord, as kind: String) {
    guard let (kept, gone) = stages.change(record.key, to: kind) else { return }
    state.withLock { $0.isSnapshotStale = true }
    // After what `arrays` has put there.
    queue.async { [self] in
      guard let catalogue = state.withLock({ $0.catalogue }) else { return }
      try? catalogue.save(kept)
      for record in gone { try? catalogue.removeStage(record.key) }
    }
  }
}

extension CollectionEntry {
  /// What the content is known by: XXH64 of key, ETag and size. It is what layouts name images by, since slots mean
  /// nothing outside one store.
  public var identity: UInt64 {
    var bytes = object.key.bytes
    bytes.append(0)
    bytes += object.etag.utf8
    return Checksum.of(bytes, seed: UInt64(bitPattern: object.size))
  }
}
