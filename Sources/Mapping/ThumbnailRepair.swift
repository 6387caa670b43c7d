import Atlas
public import Collection
import Features
public import Imaging
import Numerics
import ObjectStorage

/// Makes thumbnails anew that were found damaged while they were looked at.
public enum ThumbnailRepair {
  /// Objects fetched at one time: it goes on behind everything else.
  private static let fetches = 4

  /// Fetches and decodes images once more, when the job that changes the collection now is done.
  /// - Parameters:
  ///   - slots: Those that `Atlas.takeDamaged` has told.
  ///   - collection: Where they belong.
  ///   - limits: Pictures beyond these are left out.
  ///   - parameters: Those of the layout that is shown: the features by which it compares images are made as well.
  /// - Returns: Those whose thumbnails are there again. The others are left to the next job.
  public static func run(
    _ slots: [Int], of collection: ImageCollection, limits: DecodingLimits, parameters: MapParameters
  ) async -> [Int] {
    await collection.withWriter { writer in
      // A job may have seen to some meanwhile.
      let damaged = slots.filter { collection.entry($0)?.state == .ready && collection.atlas.info($0) == nil }
      for slot in damaged { writer.reset(slot) }
      let loader = ImageLoader(
        collection: collection, writer: writer, store: collection.store, limits: limits,
        extractor: parameters.extractor, threads: 1, token: CancellationToken(),
        outbox: EventOutbox { _ in }, meter: ProgressMeter())
      let queue = WorkQueue()
      queue.add(damaged)
      queue.finish()
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<fetches {
          group.addTask {
            while let slot = await queue.next() {
              // Where nothing comes in at all, nothing of the rest will.
              do { try await loader.load(slot) } catch { queue.abandon() }
            }
          }
        }
      }
      let mended = damaged.filter { collection.entry($0)?.state == .ready }
      for slot in Set(damaged).subtracting(mended) { writer.reset(slot) }
      return mended
    }
  }
}
