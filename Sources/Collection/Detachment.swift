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

  /// Writes no more to the local store: the last transaction stands and its files are still read, and everything after
  /// it stays in memory and temporary files.
  func detach(_ reason: String) {
    let isFirst = state.withLock { state in
      guard state.catalogue != nil else { return false }
      state.catalogue = nil
      state.atlas.spill()
      state.notes.append(
        "The local store can no longer be written, so what is fetched from now on is kept until the program ends. "
          + reason)
      return true
    }
    if isFirst { stages.detach() }
  }

  /// Makes room as the limits ask for, and detaches where there is none to be made. Blocking.
  func keepToLimits() {
    guard let directory, let cacheDirectory, isKept else { return }
    let shortage = CacheDirectory.trim(cacheDirectory, to: limits, keeping: directory)
    guard let shortage else { return }
    detach("\(shortage.description) Free space there helps, or another place (--cache-dir).")
  }
}
