import Collection
import Features
import Foundation
import Neighbors
import Numerics
import ObjectStorage
import Synchronization
import TSNE

/// What the layout came to.
struct LayoutOutcome: Sendable {
  var snapshot: LayoutSnapshot
  var neighbourSeconds = 0.0
  var affinitySeconds = 0.0
  var layoutSeconds = 0.0
  var neighbourRecall: Double?
  var reusedNeighbours = true
  var reusedLayout = true
  /// How many images were put into a layout made without them; nil for a layout of all of them.
  var placed: Int?
  /// Those that were put into it just now.
  var newlyPlaced: [Int] = []
}

/// From features to positions: neighbours, affinities and t-SNE, each taken from the store where it is there.
final class LayoutStage: Sendable {
  let run: JobRun
  let collection: ImageCollection
  let writer: CollectionWriter
  let extractor: any FeatureExtractor
  let worker = WorkerPool(label: "mapping.layout", width: 1)
  let token: CancellationToken
  let meter: ProgressMeter

  /// The time between two snapshots.
  private static let snapshotInterval = Duration.nanoseconds(33_333_334)

  /// - Parameters:
  ///   - token: Ends what is computed; nil for the job's.
  ///   - meter: Told how far that is; nil for the job's.
  init(
    run: JobRun, collection: ImageCollection, writer: CollectionWriter, extractor: any FeatureExtractor,
    token: CancellationToken? = nil, meter: ProgressMeter? = nil
  ) {
    self.token = token ?? run.token
    self.meter = meter ?? run.meter
    self.run = run
    self.collection = collection
    self.writer = writer
    self.extractor = extractor
  }

  var parameters: MapParameters { run.request.parameters }

  func keys(_ images: [CollectionEntry]) -> StageKeys {
    StageKeys(images: images, featureIdentifier: extractor.identifier, parameters: parameters)
  }

  // MARK: From the store

  /// The layout that was shown last, for the images that are still there. Blocking.
  func lastShown(_ images: [CollectionEntry]) -> LayoutSnapshot? {
    guard let record = collection.stages(where: { ["layout", "stopped", "placed"].contains($0.kind) }).first else {
      return nil
    }
    return LayoutFile.read(record, from: collection, images: images)
  }

  /// The layout of these images by these parameters, if the store has it. One of the other `kinds`, one that was stopped or
  /// continued or into which new images were placed, counts when it was shown after the complete one.
  /// - Parameter shown: A layout that need not be reported, because it has been.
  func stored(
    _ images: [CollectionEntry], otherKinds kinds: Set<String>, shown: LayoutSnapshot? = nil
  ) async throws -> LayoutOutcome? {
    guard !images.isEmpty else { return nil }
    return try await worker.run { [self] in
      let keys = keys(images)
      let records = collection.stages {
        $0.key == keys.layout || (kinds.contains($0.kind) && $0.base == keys.layout)
      }
      for record in records {
        guard let snapshot = LayoutFile.read(record, from: collection, images: images),
          snapshot.slots.count == images.count
        else { continue }
        if record.kind == "shared" { collection.takeOver(record, as: "layout") }
        noteLoweredPerplexity(images.count)
        for note in storedNotes(keys) { run.note(note) }
        if snapshot != shown {
          run.outbox.post(.stage(.layout))
          run.outbox.post(.layout(snapshot))
        }
        var outcome = LayoutOutcome(snapshot: snapshot)
        outcome.placed = LayoutFile.description(of: record)?.placed
        return outcome
      }
      return nil
    }
  }

  /// Whether the neighbours of these images are in the store, undamaged.
  func hasNeighbours(_ images: [CollectionEntry]) async throws -> Bool {
    try await worker.run { [self] in NeighbourFile.stored(in: collection, keys(images), count: images.count) != nil }
  }

  /// Whether nothing has to be fetched before these images are laid out.
  func canCompute(_ images: [CollectionEntry]) async throws -> Bool {
    if try await hasNeighbours(images) { return true }
    return try await worker.run { [self] in
      let matrix = try writer.features(of: extractor)
      return writer.withoutFeatures(images, in: matrix).isEmpty
    }
  }

  /// What was to be said when the neighbours were searched.
  private func storedNotes(_ keys: StageKeys) -> [String] {
    collection.stages { $0.kind == "neighbours" && $0.key == keys.neighbours }.first.map(NeighbourFile.notes) ?? []
  }

  /// Says that so many images do not allow the perplexity asked for; returns what they allow.
  @discardableResult func noteLoweredPerplexity(_ count: Int) -> Double {
    let asked = parameters.tsne.perplexity
    let effective = TSNEParameters.effectivePerplexity(requested: asked, count: count)
    if count > 1, effective < asked {
      let number = effective.formatted(
        .number.precision(.fractionLength(0...1)).locale(.init(identifier: "en_US_POSIX")))
      run.note("Perplexity is lowered to \(number): \(count) images allow no more.")
    }
    return effective
  }

  // MARK: Computed

  /// The complete layout of these images (ready, in the order of keys).
  func compute(_ images: [CollectionEntry]) async throws -> LayoutOutcome {
    try await worker.run { [self] in try layOut(images, from: nil, iterations: parameters.tsne.iterations) }
  }

  /// More iterations from given positions.
  func proceed(from snapshot: LayoutSnapshot, iterations: Int) async throws -> LayoutOutcome {
    var known: [(entry: CollectionEntry, x: Float, y: Float)] = []
    for (index, slot) in snapshot.slots.enumerated() {
      guard let entry = collection.entry(Int(slot)), entry.state == .ready else { continue }
      known.append((entry, snapshot.positions[2 * index], snapshot.positions[2 * index + 1]))
    }
    guard !known.isEmpty else {
      throw MappingFailure(
        kind: .empty, what: "There is no layout to continue.", remedy: "Refresh makes one from what is there now.")
    }
    known.sort { $0.entry.object.key < $1.entry.object.key }
    let images = known.map(\.entry)
    let start = LayoutSnapshot(
      slots: images.map { Int32($0.slot) }, positions: known.flatMap { [$0.x, $0.y] }, iteration: snapshot.iteration,
      iterations: snapshot.iterations, klDivergence: nil, isFinal: false)
    return try await worker.run { [self] in try layOut(images, from: start, iterations: iterations) }
  }

  /// Blocking.
  private func layOut(
    _ images: [CollectionEntry], from previous: LayoutSnapshot?, iterations: Int
  ) throws -> LayoutOutcome {
    let keys = keys(images)
    var outcome = LayoutOutcome(
      snapshot: LayoutSnapshot(
        slots: images.map { Int32($0.slot) }, positions: [Float](repeating: 0, count: 2 * images.count), iteration: 0,
        iterations: 0, klDivergence: nil, isFinal: true))
    outcome.reusedLayout = false
    guard images.count > 1 else {
      save(&outcome.snapshot, images, keys, isComplete: true)
      run.outbox.post(.layout(outcome.snapshot))
      outcome.reusedNeighbours = false
      return outcome
    }
    let effective = noteLoweredPerplexity(images.count)
    let clock = BusyClock()
    let neighbours = try clock.measure { try self.neighbours(of: images, keys, &outcome) }
    outcome.neighbourSeconds = clock.seconds
    outcome.neighbourRecall = neighbours.graph.recall

    run.outbox.post(.stage(.affinities))
    meter.begin(.affinities, total: 0)
    let affinityClock = BusyClock()
    let affinities = try affinityClock.measure {
      try Affinities(
        graph: neighbours.graph.first(keys.k), perplexity: effective, threads: run.request.threads, token: token)
    }
    outcome.affinitySeconds = affinityClock.seconds

    let layoutClock = BusyClock()
    let (snapshot, isComplete, waited) = try layoutClock.measure {
      try optimize(
        affinities, start: previous?.positions ?? neighbours.start, slots: outcome.snapshot.slots, from: previous,
        iterations: iterations)
    }
    outcome.layoutSeconds = layoutClock.seconds - waited
    outcome.snapshot = snapshot
    save(&outcome.snapshot, images, keys, isComplete: isComplete)
    run.outbox.post(.layout(outcome.snapshot))
    return outcome
  }

  private func neighbours(
    of images: [CollectionEntry], _ keys: StageKeys, _ outcome: inout LayoutOutcome
  ) throws -> NeighbourFile {
    run.outbox.post(.stage(.neighbours))
    let meter = meter
    meter.begin(.neighbours, total: 100)
    if let stored = NeighbourFile.stored(in: collection, keys, count: images.count) {
      for note in stored.notes { run.note(note) }
      return stored
    }
    outcome.reusedNeighbours = false
    let matrix = try writer.features(of: extractor)
    let rows = ByteRows(
      pointer: matrix.pointer, owner: matrix, rowIndices: images.map(\.slot), dimension: matrix.dimension)
    let search = NeighborSearch(
      metric: parameters.metric, k: keys.searchedK, threads: run.request.threads, seed: parameters.tsne.seed,
      reducedDimension: parameters.reducedDimension, parameters: parameters.metricParameters,
      subject: .images)
    let run = run
    let (graph, start, notes) = try search.run(
      rows, token: token, progress: { meter.setCompleted(Int($0 * 100)) }, announce: { run.note($0) })
    for note in notes { run.note(note) }
    let file = NeighbourFile(graph: graph, start: start, notes: notes)
    file.save(by: writer, key: keys.neighbours)
    return file
  }

  private func optimize(
    _ affinities: Affinities, start: [Float], slots: [Int32], from previous: LayoutSnapshot?, iterations: Int
  ) throws -> (LayoutSnapshot, isComplete: Bool, waited: Double) {
    var tsne = parameters.tsne
    tsne.threads = run.request.threads
    tsne.iterations = iterations
    if previous != nil { tsne.earlyIterations = 0 }
    let done = previous?.iteration ?? 0
    run.stop.store(false, ordering: .relaxed)
    run.outbox.post(.stage(.layout))
    meter.begin(.layout, total: done + iterations, known: done)
    let optimizer = try TSNEOptimizer(affinities: affinities, start: start, parameters: tsne, token: token)
    func snapshot(isFinal: Bool) -> LayoutSnapshot {
      let divergence = isFinal ? optimizer.klDivergence() : nil
      return LayoutSnapshot(
        slots: slots, positions: optimizer.positions, iteration: done + optimizer.iteration,
        iterations: done + iterations, klDivergence: divergence.flatMap { $0.isFinite ? $0 : nil }, isFinal: isFinal)
    }
    var last = ContinuousClock.now - Self.snapshotInterval
    var pace = run.request.isPaced ? LayoutPace(count: slots.count, iterations: iterations) : nil
    while !optimizer.isFinished {
      pace?.pause(done: optimizer.iteration) { [run, token] in
        run.stop.load(ordering: .relaxed) || token.isCancelled
      }
      if run.stop.load(ordering: .relaxed) { break }
      try optimizer.step()
      meter.setCompleted(optimizer.iteration)
      let now = ContinuousClock.now
      if run.request.publishesSnapshots, now - last >= Self.snapshotInterval {
        last = now
        run.outbox.post(.layout(snapshot(isFinal: false)))
      }
    }
    try token.check()
    return (snapshot(isFinal: true), previous == nil && optimizer.isFinished, pace?.waited ?? 0)
  }

  /// Keeps a layout, which then knows what it is kept as.
  private func save(
    _ snapshot: inout LayoutSnapshot, _ images: [CollectionEntry], _ keys: StageKeys, isComplete: Bool
  ) {
    let key =
      isComplete
      ? keys.layout
      : StageKeys.partial(of: keys.layout, positions: snapshot.positions, iteration: snapshot.iteration)
    snapshot.layoutID = key
    LayoutFile.write(
      snapshot, images: images, parameters: parameters, by: writer, key: key, base: keys.layout,
      kind: isComplete ? "layout" : "stopped")
  }
}
