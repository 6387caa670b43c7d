import Collection
import Mapping

// Damage to what is on the disk.
extension Application {
  /// Thumbnails were found damaged: they are made anew behind whatever goes on, each once.
  func mend(_ slots: [Int]) {
    let new = slots.filter { mendedSlots.insert($0).inserted }
    guard !new.isEmpty, let collection = jobs.collection, let parameters = shownParameters ?? bar.parameters else {
      return
    }
    let limits = options.limits
    Task { [weak self] in
      let mended = await ThumbnailRepair.run(new, of: collection, limits: limits, parameters: parameters)
      guard let self, jobs.collection === collection, !mended.isEmpty else { return }
      map.thumbnailsMended()
    }
  }
}
