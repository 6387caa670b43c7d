import Atlas
import Foundation
import GRDB
import ObjectStorage
import Synchronization

extension ImageCollection {
  /// Writes what has changed: first the thumbnails and features, then the catalogue that vouches for them.
  func commit() {
    while commitPart() {}
  }

  /// Entries that are written in one go: their copies take memory.
  private static let entriesInPart = 4096

  /// - Returns: Whether there may be more to write.
  private func commitPart() -> Bool {
    let (catalogue, atlas, matrices, slots, entries, keys) = state.withLock { state in
      let slots = state.changedSlots.removeFirst(Self.entriesInPart)
      let entries = slots.compactMap { slot in state.entries[slot].map { Self.asKept($0, state.passingProblems) } }
      let keys = Array(state.removedKeys)
      state.removedKeys = []
      return (state.catalogue, state.atlas, Array(state.features.values), slots, entries, keys)
    }
    // What comes in meanwhile makes a batch of its own.
    let isFull = slots.count == Self.entriesInPart
    guard let catalogue, !entries.isEmpty || !keys.isEmpty else { return isFull }
    do {
      if entries.contains(where: { $0.state == .ready }) {
        try atlas.flush()
        for matrix in matrices { try matrix.flush() }
      }
      do {
        try catalogue.save(entries, removing: keys)
      } catch let error as DatabaseError where error.isDamage {
        try rebuildCatalogue()
      }
      state.withLock { $0.isSnapshotStale = true }
    } catch {
      detach("\(error)")
    }
    keepToLimits()
    return isFull
  }

  /// An entry as the next program is to find it.
  private static func asKept(_ entry: CollectionEntry, _ passingProblems: Set<Int>) -> CollectionEntry {
    guard passingProblems.contains(entry.slot) else { return entry }
    var entry = entry
    entry.state = .listed
    return entry
  }

  private static func kept(_ order: [Int], _ state: State) -> [CollectionEntry] {
    order.compactMap { slot in
      guard state.entries.indices.contains(slot), let entry = state.entries[slot] else { return nil }
      return asKept(entry, state.passingProblems)
    }
  }

  /// Makes the catalogue anew from what is in memory: its file is damaged. On the store's queue, or before anybody else
  /// has the collection.
  func rebuildCatalogue() throws {
    guard let directory else { return }
    let path = directory + "/" + Catalogue.name
    state.withLock { $0.catalogue }?.close()
    for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
    let catalogue = try Catalogue(path: path)
    let order = slotsInOrder()
    let (entries, values) = state.withLock { state in
      state.catalogue = catalogue
      state.isSnapshotStale = true
      state.values.location = state.store.location.text
      return (Self.kept(order, state), state.values)
    }
    try catalogue.save(entries, removing: [])
    for record in stages.records(where: { _ in true }) { try catalogue.save(record) }
    for (name, value) in values.single { try catalogue.setValue(value, name) }
  }

  /// Writes the catalogue's snapshot where it is not the newest, and nothing waits to be committed. On the store's queue,
  /// or before anybody else has the collection.
  func writeSnapshot() {
    guard let directory, let catalogue = state.withLock({ $0.isSnapshotStale ? $0.catalogue : nil }),
      let generation = try? catalogue.generation()
    else { return }
    let stages = stages.records { _ in true }.map(CatalogueSnapshot.StageRow.init)
    let order = slotsInOrder()
    let kept = state.withLock { state -> (values: CatalogueSnapshot.Values, entries: EntryTable, passing: Set<Int>)? in
      // Who comes or goes after `order` was taken is still to be committed.
      guard state.changedSlots.isEmpty, state.removedKeys.isEmpty else { return nil }
      var values = state.values
      values.location = state.store.location.text
      values.stages = stages
      return (values, state.entries, state.passingProblems)
    }
    guard let kept else { return }
    // Another program may be reading: then it is done next time.
    try? catalogue.checkpoint()
    // Without it the next opening is slower, no more. One entry after the other: together they take much memory.
    let entries = order.lazy.compactMap { slot in
      kept.entries.indices.contains(slot) ? kept.entries[slot].map { Self.asKept($0, kept.passing) } : nil
    }
    try? CatalogueSnapshot.write(
      to: directory + "/" + CatalogueSnapshot.name, generation: generation, values: kept.values, entries: entries)
    state.withLock { $0.isSnapshotStale = false }
  }
}

extension DatabaseError {
  /// Whether the file is no longer what was written. (A damaged header may also say that it is of a version that can
  /// only be read; where the whole directory can only be read, its lock cannot be taken, and nobody asks.)
  var isDamage: Bool {
    [.SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR, .SQLITE_MISMATCH, .SQLITE_FORMAT, .SQLITE_READONLY]
      .contains(resultCode)
  }
}
