public import Atlas
import Foundation
import GRDB
public import ObjectStorage
import Synchronization

extension ImageCollection {
  /// The collections that are open in this process, by directory or identity.
  private static let open = Mutex<[String: Weak]>([:])
  private struct Weak { weak var collection: ImageCollection? }

  /// Opens the collection of a store, or hands out the one that is open already. Blocking: files are read.
  ///
  /// It does not fail because of the local store: where that can only be read (not writable, full, in use by another
  /// program), what is new is kept in memory and temporary files, and `takeNotes()` says so.
  /// - Parameters:
  ///   - cacheDirectory: The local store's directory; nil keeps everything in memory.
  ///   - limits: What the local store may take of the disk.
  /// - Throws: `AtlasError` when there is no place at all for thumbnails.
  public static func open(
    store: any ObjectStore, cacheDirectory: String?, limits: StoreLimits = StoreLimits()
  ) throws(AtlasError) -> ImageCollection {
    let place = cacheDirectory.map { root in
      Place(root: root, directory: CacheDirectory.directory(of: store.identity, in: root), limits: limits)
    }
    let name = place?.directory ?? "memory:" + store.identity
    return try open.withLock { open throws(AtlasError) in
      if let collection = open[name]?.collection {
        collection.state.withLock { $0.store = store }
        return collection
      }
      // One that has just been let go may still be closing its catalogue, and holds the lock until it has.
      let isClosing = open[name] != nil
      let collection = try make(store: store, place: place, isClosing: isClosing)
      open = open.filter { $0.value.collection != nil }
      open[name] = Weak(collection: collection)
      return collection
    }
  }

  /// Where a collection is kept.
  struct Place {
    var root: String
    var directory: String
    var limits: StoreLimits
  }

  private static func make(
    store: any ObjectStore, place: Place?, isClosing: Bool
  ) throws(AtlasError) -> ImageCollection {
    var note: String?
    if let place {
      do {
        try CacheDirectory.prepare(place.root)
        try PrivateFiles.makeDirectory(place.directory)
        var lock = try DirectoryLock.take(in: place.directory)
        for _ in 0..<500 where lock == nil && isClosing {
          usleep(10_000)
          lock = try DirectoryLock.take(in: place.directory)
        }
        if let lock {
          let collection = try load(store: store, place: place, lock: lock)
          collection.queue.async { collection.markUsed() }
          return collection
        }
        note =
          "Another program has this collection open. What it has stored is read from there; what this one fetches "
          + "is added to the local store when the other one is closed."
      } catch {
        note =
          "The local store in \(place.root) cannot be written, so what is new is not kept for the next time. \(error) "
          + "Free space or permissions there help, or another place (--cache-dir)."
      }
      if let collection = borrow(store: store, place: place, note: note) { return collection }
    }
    var state = State(store: store, atlas: try Atlas.temporary())
    if let note { state.notes.append(note) }
    return ImageCollection(state: state, stages: StageStore(directory: nil, records: []))
  }

  // MARK: To read and write

  /// The collection in a directory whose lock is held.
  static func load(store: any ObjectStore, place: Place, lock: DirectoryLock) throws -> ImageCollection {
    let directory = place.directory
    let path = directory + "/" + Catalogue.name
    let snapshot = CatalogueSnapshot(in: directory)
    do {
      let catalogue = try Catalogue(path: path)
      let generation = try catalogue.generation()
      if let snapshot, hasLost(catalogue, at: generation, since: snapshot) {
        catalogue.close()
        return try recover(snapshot, store: store, place: place, lock: lock)
      }
      var values = snapshot?.values ?? .init()
      values.stages = try catalogue.loadStages().map(CatalogueSnapshot.StageRow.init)
      values.take(try catalogue.values())
      if let snapshot, snapshot.isComplete, snapshot.generation == generation {
        return try assemble(
          store: store, place: place, lock: lock, catalogue: catalogue, entries: snapshot.entries, values: values)
      }
      let collection = try assemble(
        store: store, place: place, lock: lock, catalogue: catalogue, entries: try catalogue.loadImages(),
        values: values)
      // Slots that are free now must not be given away while an old snapshot still calls them somebody's.
      collection.state.withLock { $0.isSnapshotStale = true }
      collection.writeSnapshot()
      return collection
    } catch let error as DatabaseError where error.isDamage {
      return try recover(snapshot, store: store, place: place, lock: lock)
    } catch is StoreFormatError {
      return try recover(snapshot, store: store, place: place, lock: lock)
    }
  }

  /// Whether a catalogue knows less than its snapshot: of a damaged log of changes, SQLite believes what comes before the
  /// damage, which may be nothing, and reports no error.
  private static func hasLost(
    _ catalogue: Catalogue, at generation: Int64?, since snapshot: CatalogueSnapshot
  ) -> Bool {
    guard snapshot.isComplete, !snapshot.entries.isEmpty else { return false }
    guard !catalogue.isNew, let generation else { return true }
    let (lead, overflows) = snapshot.generation.subtractingReportingOverflow(generation)
    // Every catalogue counts from another random number.
    return !overflows && lead > 0 && lead < 1 << 32
  }

  /// The collection as its snapshot knows it: the database is damaged. What the snapshot does not know is made anew.
  private static func recover(
    _ snapshot: CatalogueSnapshot?, store: any ObjectStore, place: Place, lock: DirectoryLock
  ) throws -> ImageCollection {
    for suffix in ["", "-wal", "-shm"] { unlink(place.directory + "/" + Catalogue.name + suffix) }
    guard let snapshot, !snapshot.entries.isEmpty else {
      CacheDirectory.empty(place.directory)
      let collection = try assemble(
        store: store, place: place, lock: lock,
        catalogue: try Catalogue(path: place.directory + "/" + Catalogue.name), entries: [], values: .init())
      collection.state.withLock {
        $0.notes.append("The local store of this collection was damaged. It is made anew.")
      }
      return collection
    }
    let collection = try assemble(
      store: store, place: place, lock: lock,
      catalogue: try Catalogue(path: place.directory + "/" + Catalogue.name), entries: snapshot.entries,
      values: snapshot.values)
    try collection.rebuildCatalogue()
    collection.writeSnapshot()
    return collection
  }

  private static func assemble(
    store: any ObjectStore, place: Place, lock: DirectoryLock, catalogue: Catalogue, entries known: [CollectionEntry],
    values: CatalogueSnapshot.Values
  ) throws -> ImageCollection {
    let directory = place.directory
    var state = State(store: store, atlas: try Atlas(directory: directory + "/thumbnails"))
    if state.atlas.isReadOnly { throw StoreFailure("Cannot write", directory + "/thumbnails", code: EACCES) }
    // Two rows of one slot can only come from damage; the thumbnail belongs to neither for certain.
    var used: [Bool] = Array(repeating: false, count: (known.lazy.map(\.slot).max() ?? -1) + 1)
    var doubtful: Set<Int> = []
    for entry in known {
      if used[entry.slot] { doubtful.insert(entry.slot) }
      used[entry.slot] = true
    }
    var entries = known
    if !doubtful.isEmpty {
      state.removedKeys = Set(entries.lazy.filter { doubtful.contains($0.slot) }.map(\.object.key))
      entries.removeAll { doubtful.contains($0.slot) }
      for slot in doubtful { used[slot] = false }
    }
    state.entries = EntryTable(vacant: used.count)
    for entry in entries { state.set(entry, entry.slot) }
    state.order = entries.map(\.slot)
    state.freeSlots = used.indices.reversed().filter { !used[$0] }
    let ready = entries.lazy.filter { $0.state == .ready }.map(\.slot)
    for slot in state.atlas.markStored(Array(ready)) {
      guard var entry = state.entries[slot] else { continue }
      entry.state = .listed
      state.set(entry, slot)
      state.changedSlots.insert(slot)
    }
    state.values = values
    state.catalogue = catalogue
    let records = values.stages.map(\.record)
    removeStrays(in: directory, keeping: records)
    return ImageCollection(
      state: state, stages: StageStore(directory: directory, records: records), cacheDirectory: place.root,
      directory: directory, limits: place.limits, lock: lock)
  }

  /// Removes what a program that was ended in the middle of writing has left behind.
  private static func removeStrays(in directory: String, keeping records: [StageRecord]) {
    let known = Set(records.lazy.flatMap(\.files).map(\.name))
    for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    where name.hasSuffix(".part") || (name.hasSuffix(".npy") && !known.contains(name)) {
      unlink(directory + "/" + name)
    }
  }

  /// Notes that the collection is used now: after all others, also when the clock was set back.
  private func markUsed() {
    guard let cacheDirectory, let catalogue = state.withLock({ $0.catalogue }) else { return }
    let latest = CacheDirectory.lastUse(in: cacheDirectory, except: directory)
    let now = max(Date().timeIntervalSince1970, latest + 0.001)
    state.withLock { state in
      state.values.used = now
      state.values.location = state.store.location.text
    }
    try? catalogue.setValue(Data(location.text.utf8), "location")
    try? catalogue.setValue(Data(String(now).utf8), "used")
    keepToLimits()
  }

  // MARK: To read alone

  /// The collection as another process keeps it, or as it lies in a directory that cannot be written; nil when there is
  /// nothing that can be read.
  private static func borrow(store: any ObjectStore, place: Place, note: String?) -> ImageCollection? {
    guard let lender = Lender(directory: place.directory),
      let atlas = try? Atlas.temporary(over: place.directory + "/thumbnails")
    else { return nil }
    var state = State(store: store, atlas: atlas)
    let count = (lender.firstEntries.lazy.map(\.slot).max() ?? -1) + 1
    state.entries = EntryTable(vacant: count)
    for var entry in lender.firstEntries where state.entries[entry.slot] == nil {
      if entry.state == .ready, atlas.info(entry.slot) == nil { entry.state = .listed }
      state.set(entry, entry.slot)
    }
    state.order = nil
    state.values = lender.values
    state.lender = lender
    if let note { state.notes.append(note) }
    return ImageCollection(
      state: state, stages: StageStore(directory: nil, records: lender.values.stages.map(\.record)),
      cacheDirectory: place.root, directory: place.directory, limits: place.limits)
  }
}
