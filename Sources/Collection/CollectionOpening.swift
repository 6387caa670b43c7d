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
  /// It does not fail because of the local store: when that cannot be used (not writable, full, in use by another
  /// program), everything is kept in memory, and `takeNotes()` says so.
  /// - Parameter cacheDirectory: The local store's directory; nil keeps everything in memory.
  /// - Throws: `AtlasError` when there is no place at all for thumbnails.
  public static func open(store: any ObjectStore, cacheDirectory: String?) throws(AtlasError) -> ImageCollection {
    let directory = cacheDirectory.map { CacheDirectory.directory(of: store.identity, in: $0) }
    let name = directory ?? "memory:" + store.identity
    return try open.withLock { open throws(AtlasError) in
      if let collection = open[name]?.collection {
        collection.state.withLock { $0.store = store }
        return collection
      }
      // One that has just been let go may still be closing its catalogue, and holds the lock until it has.
      let isClosing = open[name] != nil
      let collection = try make(
        store: store, cacheDirectory: cacheDirectory, directory: directory, isClosing: isClosing)
      open = open.filter { $0.value.collection != nil }
      open[name] = Weak(collection: collection)
      return collection
    }
  }

  private static func make(
    store: any ObjectStore, cacheDirectory: String?, directory: String?, isClosing: Bool
  ) throws(AtlasError) -> ImageCollection {
    var note: String?
    if let cacheDirectory, let directory {
      do {
        try CacheDirectory.prepare(cacheDirectory)
        try PrivateFiles.makeDirectory(directory)
        var lock = try DirectoryLock.take(in: directory)
        for _ in 0..<500 where lock == nil && isClosing {
          usleep(10_000)
          lock = try DirectoryLock.take(in: directory)
        }
        if let lock {
          return try load(store: store, directory: directory, lock: lock)
        }
        note =
          "Another program has this collection open. This one keeps what it fetches in memory; open it again when the "
          + "other one is closed to use the local store."
      } catch {
        note =
          "The local store in \(cacheDirectory) cannot be used, so nothing is kept for the next time. \(error) "
          + "Free space or permissions there help, or another place (--cache-dir)."
      }
    }
    var state = State(store: store, atlas: try Atlas.temporary())
    if let note { state.notes.append(note) }
    return ImageCollection(state: state, stages: StageStore(directory: nil, records: []), directory: nil, lock: nil)
  }

  private static func load(
    store: any ObjectStore, directory: String, lock: DirectoryLock
  ) throws -> ImageCollection {
    do {
      return try loadOnce(store: store, directory: directory, lock: lock, notes: [])
    } catch let error as DatabaseError
      where [.SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR, .SQLITE_MISMATCH].contains(error.resultCode)
    {
      // What the catalogue described can no longer be told apart: all of it is made anew.
      CacheDirectory.empty(directory)
    } catch is StoreFormatError {
      CacheDirectory.empty(directory)
    }
    return try loadOnce(
      store: store, directory: directory, lock: lock,
      notes: ["The local store of this collection was damaged. It is made anew."])
  }

  private static func loadOnce(
    store: any ObjectStore, directory: String, lock: DirectoryLock, notes: [String]
  ) throws -> ImageCollection {
    let catalogue = try Catalogue(path: directory + "/catalogue.sqlite")
    var state = State(store: store, atlas: try Atlas(directory: directory + "/thumbnails"))
    if state.atlas.isReadOnly { throw StoreFailure("Cannot write", directory + "/thumbnails", code: EACCES) }
    var used: Set<Int> = []
    // Two rows of one slot can only come from damage; the thumbnail belongs to neither for certain.
    var entries = try catalogue.loadImages()
    var doubtful: Set<Int> = []
    for entry in entries where !used.insert(entry.slot).inserted { doubtful.insert(entry.slot) }
    if !doubtful.isEmpty {
      state.removedKeys = Set(entries.lazy.filter { doubtful.contains($0.slot) }.map(\.object.key))
      entries.removeAll { doubtful.contains($0.slot) }
      used.subtract(doubtful)
    }
    let count = (used.max() ?? -1) + 1
    state.entries = Array(repeating: nil, count: count)
    state.slotOfKey.reserveCapacity(entries.count)
    for entry in entries {
      state.set(entry, entry.slot)
      state.slotOfKey[entry.object.key] = entry.slot
    }
    state.order = entries.map(\.slot)
    state.freeSlots = (0..<count).reversed().filter { !used.contains($0) }
    let ready = entries.filter { $0.state == .ready }.map(\.slot)
    for slot in state.atlas.markStored(ready) {
      guard var entry = state.entries[slot] else { continue }
      entry.state = .listed
      state.set(entry, slot)
      state.changedSlots.insert(slot)
    }
    state.viewState = try catalogue.value("view")
    try catalogue.setValue(Data(store.location.text.utf8), "location")
    try catalogue.setValue(Data(String(Date().timeIntervalSince1970).utf8), "used")
    state.catalogue = catalogue
    state.notes = notes
    return ImageCollection(
      state: state, stages: StageStore(directory: directory, records: try catalogue.loadStages()),
      directory: directory, lock: lock)
  }
}
