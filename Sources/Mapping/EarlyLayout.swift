import Collection
import Features
import Numerics
import Synchronization

/// The layout of the images that were known before, in the making while the listing is renewed: most of the time nothing
/// has changed, and then nobody waits for the listing.
final class EarlyLayout: Sendable {
  let token = CancellationToken()
  let meter = ProgressMeter()
  private let mostChanges: Int
  private let changes = Atomic(0)

  /// - Parameter mostChanges: With more images that have come or gone the layout is of no use.
  init(mostChanges: Int) { self.mostChanges = mostChanges }

  /// Images have come or gone.
  func note(changes count: Int) {
    if changes.add(count, ordering: .relaxed).newValue > mostChanges { token.cancel() }
  }
}

extension JobRun {
  /// Renews the listing and ends at a layout of what it brings; where the request asks for that, what is known already is
  /// laid out meanwhile.
  ///
  /// That layout is the result where nothing has changed, and new images are placed into it where they are few. A layout
  /// depends on its images alone, so it comes out the same.
  /// - Parameter shown: The layout that is shown since the location was opened.
  func layOutWhileListing(
    _ shown: LayoutSnapshot?, _ collection: ImageCollection, _ writer: CollectionWriter, _ loader: ImageLoader,
    _ layouts: LayoutStage, renewListing: @escaping @Sendable () async throws -> Void
  ) async throws -> LayoutOutcome {
    let known = readyImages(collection)
    let isComplete = !collection.entries.contains { $0.state == .listed && isChosen($0.slot) }
    guard request.laysOutEarly, isComplete, !known.isEmpty else {
      try await renewListing()
      return try await layOut(collection, writer, loader, layouts)
    }
    let early = EarlyLayout(mostChanges: request.keepsLayout ? layouts.mostChanges(of: known.count) : 0)
    self.early.withLock { $0 = early }
    // Cancelled before the job had it.
    if token.isCancelled { early.token.cancel() }
    let stage = LayoutStage(
      run: self, collection: collection, writer: writer, extractor: layouts.extractor, token: early.token,
      meter: early.meter)
    async let first = layOut(known, stage, shown)
    do {
      try await renewListing()
    } catch {
      early.token.cancel()
      throw error
    }
    let now = readyImages(collection)
    let isSame = now.elementsEqual(known) { $0.slot == $1.slot && $0.identity == $1.identity }
    if !isSame { early.note(changes: abs(now.count - known.count)) }
    do {
      if let outcome = try await first, isSame {
        writer.commit()
        noteSample()
        return outcome
      }
    } catch  where early.token.isCancelled && !token.isCancelled {
      // Too much has changed.
    }
    return try await layOut(collection, writer, loader, layouts)
  }

  /// The layout of known images; nil where something is missing that has to be fetched.
  private func layOut(
    _ images: [CollectionEntry], _ stage: LayoutStage, _ shown: LayoutSnapshot?
  ) async throws -> LayoutOutcome? {
    defer { early.withLock { $0 = nil } }
    var isOpening = false
    if case .open = request.mode { isOpening = true }
    if let outcome = try await stage.stored(images, otherKinds: otherKinds, shown: isOpening ? shown : nil) {
      return outcome
    }
    guard try await stage.canCompute(images) else { return nil }
    if request.keepsLayout, let outcome = try await stage.place(images) { return outcome }
    return try await stage.compute(images)
  }
}
