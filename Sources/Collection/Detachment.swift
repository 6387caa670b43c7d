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
        "The local store can no longer be written, so what is fetched from now on is kept in memory only. \(reason)")
    }
    stages.detach()
  }

  /// Moves the thumbnails to where there is space, and returns their new atlas. Blocking. When two threads find the disk
  /// full at the same time, the first one moves them.
  func moveThumbnails(from full: Atlas) throws(AtlasError) -> Atlas {
    try state.withLock { state throws(AtlasError) in
      guard state.atlas === full else { return state.atlas }
      let atlas = try Atlas.temporary()
      for slot in full.storedSlots() {
        guard let info = full.info(slot) else { continue }
        let levels = thumbnailLevels.indices.compactMap { index in
          full.level(index, of: slot).map { level in
            (
              width: level.width, height: level.height,
              pixels: Array(UnsafeBufferPointer(start: level.pixels, count: level.width * level.height))
            )
          }
        }
        guard levels.count == thumbnailLevels.count else { continue }
        try atlas.store(slot: slot, levels: levels, averageColor: info.averageColor, isOpaque: info.isOpaque)
      }
      state.atlas = atlas
      return atlas
    }
  }
}
