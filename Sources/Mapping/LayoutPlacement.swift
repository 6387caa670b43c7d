import Collection
import Neighbors
import Numerics
import TSNE

/// New images in a layout that stays as it is.
extension LayoutStage {
  /// Up to this share of the images may have come or gone; beyond it the layout no longer tells of them.
  private static let mostChanges = 0.05
  /// A layout of fewer images is made anew before anybody misses the old one.
  private static let fewest = 20

  /// How many of so many images may come or go before the layout is made anew.
  func mostChanges(of count: Int) -> Int {
    guard count >= Self.fewest, ReferenceSearch.isAvailable(for: parameters.metric) else { return 0 }
    return Int(Double(count) * Self.mostChanges)
  }

  /// Takes the layout of these parameters that was used last, and puts each image that it does not know to where its
  /// nearest ones are, by itself (`TSNEPlacement`). What was known stays where it is.
  ///
  /// A layout with placed images is never the base of another one, so that nothing drifts; what was placed before keeps its
  /// place.
  /// - Parameter images: Ready ones, in the order of keys, with their features.
  /// - Returns: nil where the layout has to be made anew: there is none, too much has changed, or the distance does not
  ///   allow it.
  func place(_ images: [CollectionEntry]) async throws -> LayoutOutcome? {
    guard images.count >= Self.fewest, ReferenceSearch.isAvailable(for: parameters.metric) else { return nil }
    return try await worker.run { [self] in try placed(images) }
  }

  /// Blocking.
  private func placed(_ images: [CollectionEntry]) throws -> LayoutOutcome? {
    guard let base = base(for: images) else { return nil }
    let clock = BusyClock()
    let (places, new) = try clock.measure { try positions(of: images, in: base) }
    let slots = images.map { Int32($0.slot) }
    let known = Set(base.slots)
    var outcome = LayoutOutcome(
      snapshot: LayoutSnapshot(
        slots: slots, positions: places, iteration: base.iteration, iterations: base.iterations, klDivergence: nil,
        isFinal: true, placed: slots.filter { !known.contains($0) }))
    outcome.layoutSeconds = clock.seconds
    outcome.reusedLayout = false
    outcome.placed = outcome.snapshot.placed.count
    outcome.newlyPlaced = new
    noteLoweredPerplexity(base.slots.count)
    let complete = keys(images).layout
    let key = StageKeys.partial(of: complete, positions: places, iteration: base.iteration)
    outcome.snapshot.layoutID = key
    LayoutFile.write(
      outcome.snapshot, images: images, parameters: parameters, by: writer, key: key, base: complete, kind: "placed")
    run.outbox.post(.layout(outcome.snapshot))
    return outcome
  }

  private func base(for images: [CollectionEntry]) -> LayoutSnapshot? {
    let most = Int(Double(images.count) * Self.mostChanges)
    for record in ownRecords(["layout", "stopped"]) {
      guard let count = LayoutFile.imageCount(of: record, in: collection),
        let snapshot = LayoutFile.read(record, from: collection, images: images)
      else { continue }
      let (come, gone) = (images.count - snapshot.slots.count, count - snapshot.slots.count)
      // Without any change it is one that was stopped or continued, and has been passed over.
      if come + gone > 0, come + gone <= most { return snapshot }
    }
    return nil
  }

  /// The layouts by these parameters, last used first.
  private func ownRecords(_ kinds: Set<String>) -> [StageRecord] {
    var wanted = parameters
    wanted.tsne.threads = 1
    return collection.stages { kinds.contains($0.kind) }.filter { record in
      var description = LayoutFile.description(of: record)
      description?.parameters.tsne.threads = 1
      return description?.parameters == wanted
    }
  }

  /// The places by slot, and those that images placed into the same layout before have got.
  private func knownPlaces(_ images: [CollectionEntry], _ base: LayoutSnapshot) -> [Int32: SIMD2<Float>] {
    func places(_ layout: LayoutSnapshot) -> [Int32: SIMD2<Float>] {
      Dictionary(
        uniqueKeysWithValues: layout.slots.enumerated().map { row, slot in
          (slot, SIMD2(layout.positions[2 * row], layout.positions[2 * row + 1]))
        })
    }
    let own = places(base)
    for record in ownRecords(["placed"]) {
      guard let earlier = LayoutFile.read(record, from: collection, images: images).map(places),
        own.allSatisfy({ earlier[$0.key] == nil || earlier[$0.key] == $0.value })
      else { continue }
      return own.merging(earlier) { mine, _ in mine }
    }
    return own
  }

  /// The places of all images, x and y of each, and the slots of those that had none before.
  private func positions(
    of images: [CollectionEntry], in base: LayoutSnapshot
  ) throws -> (places: [Float], new: [Int]) {
    let known = knownPlaces(images, base)
    let new = images.filter { known[Int32($0.slot)] == nil }.map(\.slot)
    var placed: [Float] = []
    if !new.isEmpty {
      run.outbox.post(.stage(.layout))
      meter.begin(.layout, total: 0)
      let matrix = try writer.features(of: extractor)
      func rows(_ slots: [Int]) -> ByteRows {
        ByteRows(pointer: matrix.pointer, owner: matrix, rowIndices: slots, dimension: matrix.dimension)
      }
      let placement = try TSNEPlacement(reference: base.positions, threads: run.request.threads, token: token)
      let graph = try ReferenceSearch(
        metric: parameters.metric, k: placement.neighborCount, threads: run.request.threads
      ).run(rows(new), among: rows(base.slots.map(Int.init)), token: token)
      placed = try placement.place(neighbors: graph, token: token)
    }
    var next = 0
    let places = images.flatMap { image -> [Float] in
      if let place = known[Int32(image.slot)] { return [place.x, place.y] }
      defer { next += 1 }
      return Array(placed[2 * next..<2 * next + 2])
    }
    return (places, new)
  }
}
