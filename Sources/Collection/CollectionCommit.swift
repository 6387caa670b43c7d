import Atlas
import Synchronization

extension ImageCollection {
  /// Writes what has changed: first the thumbnails and features, then the catalogue that vouches for them.
  func commit() {
    let (catalogue, atlas, matrices, entries, keys) = state.withLock { state in
      let entries = state.changedSlots.sorted().compactMap { slot -> CollectionEntry? in
        var entry = state.entries[slot]
        if state.passingProblems.contains(slot) { entry?.state = .listed }
        return entry
      }
      let keys = Array(state.removedKeys)
      state.changedSlots = []
      state.removedKeys = []
      return (state.catalogue, state.atlas, Array(state.features.values), entries, keys)
    }
    guard let catalogue, !entries.isEmpty || !keys.isEmpty else { return }
    do {
      if entries.contains(where: { $0.state == .ready }) {
        try atlas.flush()
        for matrix in matrices { try matrix.flush() }
      }
      try catalogue.save(entries, removing: keys)
    } catch {
      detach("\(error)")
    }
  }
}
