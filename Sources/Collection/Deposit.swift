import Atlas
import Foundation
import ObjectStorage
import Synchronization

extension ImageCollection {
  /// Hands over to the local store what this collection has in memory alone, when the program that held the store has
  /// ended. On the store's queue.
  func deposit() {
    guard let directory, let cacheDirectory, state.withLock({ $0.lender != nil && $0.catalogue == nil }),
      let lock = try? DirectoryLock.take(in: directory)
    else { return }
    let place = Place(root: cacheDirectory, directory: directory, limits: limits)
    guard let target = try? Self.load(store: store, place: place, lock: lock) else { return }
    target.state.withLock { target in
      state.withLock { own in
        for (identifier, matrix) in own.features {
          target.features[identifier] = try? FeatureMatrix(
            directory: directory, identifier: identifier, dimension: matrix.dimension)
        }
        target.values.decoder = target.values.decoder ?? own.values.decoder
      }
    }
    let writer = CollectionWriter(target)
    let atlas = atlas
    for entry in entries {
      guard let slot = writer.take([entry.object]).unfetched.first, let missing = target.entry(slot) else { continue }
      switch entry.state {
      case .ready:
        let matrices = state.withLock { $0.features }
        _ = writer.copy(entry, from: atlas, to: missing) { matrix in
          matrices[matrix.identifier]?.row(entry.slot, identity: entry.identity)
        }
      case .leftOut(let reason) where !state.withLock({ $0.passingProblems.contains(entry.slot) }):
        writer.leaveOut(slot, reason: reason, isLasting: true)
      case .notAnImage: writer.setNotAnImage(slot)
      case .listed, .leftOut: break
      }
    }
    for (record, arrays) in stages.unwritten where target.stages(where: { $0.key == record.key }).isEmpty {
      try? writer.keep(record, arrays: arrays)
    }
    target.synchronize()
  }
}
