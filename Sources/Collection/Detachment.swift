internal import Atlas
import Foundation
import Synchronization

extension ImageCollection {
  /// What the user should be told about the local store, once.
  public func takeNotes() -> [String] {
    state.withLock { state in
      defer { state.notes = [] }
      return state.notes
    }
  }

  /// Writes no more to the local store: the last transaction stands, and everything after it stays in memory.
  func detach(_ reason: String) {
    state.withLock { state in
      guard state.catalogue != nil else { return }
      state.catalogue = nil
      state.notes.append(
        "The local store can no longer be written, so what is fetched from now on is kept in memory only. \(reason) "
          + "Free space or permissions there help, then open the location again.")
    }
    stages.detach()
  }

  /// One at a time moves thumbnails; the others find them moved.
  private static let moving = Mutex(())

  /// Moves the thumbnails to where there is space, and returns their new atlas. Blocking, but nobody who reads the
  /// collection meanwhile waits for it. When two threads find the disk full at the same time, the first one moves them.
  func moveThumbnails(from full: Atlas) throws(AtlasError) -> Atlas {
    try Self.moving.withLock { _ throws(AtlasError) in
      let present = atlas
      guard present === full else { return present }
      let roomy = try Atlas.temporary()
      var copied: Set<Int> = []
      func copy(_ slots: [Int]) throws(AtlasError) {
        for slot in slots where copied.insert(slot).inserted { try Self.copy(slot, from: full, to: roomy) }
      }
      try copy(full.storedSlots())
      try state.withLock { state throws(AtlasError) in
        // What others could still store meanwhile.
        try copy(full.storedSlots())
        state.atlas = roomy
      }
      return roomy
    }
  }

  private static func copy(_ slot: Int, from full: Atlas, to roomy: Atlas) throws(AtlasError) {
    guard let info = full.info(slot) else { return }
    let levels = thumbnailLevels.indices.compactMap { index in
      full.level(index, of: slot).map { level in
        (
          width: level.width, height: level.height,
          pixels: Array(UnsafeBufferPointer(start: level.pixels, count: level.width * level.height))
        )
      }
    }
    guard levels.count == thumbnailLevels.count else { return }
    try roomy.store(slot: slot, levels: levels, averageColor: info.averageColor, isOpaque: info.isOpaque)
  }
}
