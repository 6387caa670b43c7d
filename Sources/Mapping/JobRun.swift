import Collection
import Features
import Foundation
import Imaging
import Neighbors
import Numerics
import ObjectStorage
import Replica
import Synchronization
import TSNE

/// What a job does, stage after stage.
final class JobRun: Sendable {
  let request: MappingRequest
  let outbox: EventOutbox
  let token = CancellationToken()
  let stop = Atomic(false)
  let meter = ProgressMeter()
  let listClock = BusyClock()
  private let notes = Mutex<[String]>([])
  private let store = Mutex<(any ObjectStore)?>(nil)
  private let gate = Mutex<FetchGate?>(nil)
  private let chosen = Mutex<Chosen>(Chosen())
  /// The layout that is being made while the listing is renewed.
  let early = Mutex<EarlyLayout?>(nil)

  /// The slots of the sample, and what else the report says of the job.
  private struct Chosen {
    var slots: Set<Int>?
    var sample: MappingReport.Sample?
    var shared: MappingReport.Shared?
  }

  /// Opening files and reading them while the user waits.
  static let files = WorkerPool(label: "mapping.files", width: 2, qos: .userInitiated)
  /// Raised when the decoder can show what it could not before.
  private static let decoderVersion = 1
  /// Fetches at a time from a folder, where each is a read of a local file.
  private static let folderFetches = 8
  /// An interruption that lasted so many seconds is worth a sentence when it is over.
  private static let notedSeconds = 5.0
  /// Pages that are looked through for keys with a similar beginning.
  private static let probedPages = 10

  init(request: MappingRequest, outbox: EventOutbox) {
    self.request = request
    self.outbox = outbox
  }

  func cancel() {
    token.cancel()
    early.withLock { $0 }?.token.cancel()
    outbox.mute()
    goOn()
  }

  /// Everything may be fetched.
  func goOn() {
    gate.withLock { $0 }?.open()
  }

  func tryNow() { store.withLock { $0 }?.tryNow() }

  /// Runs to the end and reports it.
  func run() async {
    let start = ContinuousClock.now
    do {
      var report = try await work()
      report.seconds.total = (ContinuousClock.now - start).seconds
      outbox.post(token.isCancelled ? .cancelled : .finished(report))
    } catch {
      outbox.post(token.isCancelled ? .cancelled : .failed(MappingFailure(error, location: request.location)))
    }
  }

  private func work() async throws -> MappingReport {
    try checkParameters()
    let request = request
    let store = try await Self.files.run { try openStore(request.location, options: request.storage) }
    self.store.withLock { $0 = store }
    let cache =
      request.usesStore
      ? CacheDirectory.resolve(override: request.cacheDirectory, environment: request.storage.environment) : nil
    let collection = try await Self.files.run {
      try ImageCollection.open(store: store, cacheDirectory: cache, limits: request.storeLimits)
    }
    return try await collection.withWriter { writer in
      try await work(store, collection, writer)
    }
  }

  private func work(
    _ store: any ObjectStore, _ collection: ImageCollection, _ writer: CollectionWriter
  ) async throws -> MappingReport {
    try Task.checkCancellation()
    outbox.post(.opened(collection))
    if request.asksNothing, collection.counts.ready > 0 { store.expectAnswer() }
    makeGate(store, collection)
    let ticker = tick(collection, store)
    defer { ticker.cancel() }
    let extractor = request.parameters.extractor
    let loader = ImageLoader(
      collection: collection, writer: writer, store: store, limits: request.limits, extractor: extractor,
      threads: request.threads, token: token, outbox: outbox, meter: meter)
    let layouts = LayoutStage(run: self, collection: collection, writer: writer, extractor: extractor)
    let decoder = "\(Self.decoderVersion), \(request.limits.maximumMegapixels) megapixels"
    switch request.mode {
    case .open, .map:
      try await Self.files.run { [self] in
        writer.setDecoder(decoder)
        writer.resetPassingProblems()
        writer.resetDamaged()
        // Before anything is adopted, so that its features come along.
        _ = try writer.features(of: extractor)
        if request.checksThumbnails { writer.checkThumbnails { [token] in token.isCancelled } }
      }
    case .continueFrom, .retry: break
    }
    chooseSample(collection)
    let shown = try await reportKnown(collection, layouts)
    let replica: ReplicaStage? =
      switch request.mode {
      case .continueFrom: nil
      case .open, .map, .retry:
        try await ReplicaStage.make(
          self, store: store, collection: collection, writer: writer, extractor: extractor, decoder: decoder)
      }

    let outcome: LayoutOutcome
    switch request.mode {
    case .open, .map:
      outcome = try await layOutWhileListing(shown, collection, writer, loader, layouts) { [self] in
        try await renewListing(store, collection, writer, loader, replica)
      }
    case .retry(let slots):
      for slot in slots { writer.reset(slot) }
      try await fetch(slots.filter { collection.entry($0)?.state == .listed }, loader)
      // The job before may have been ended half-way: the listing offers everything that is still to be fetched.
      if collection.counts.listed > 0 { try await renewListing(store, collection, writer, loader, nil) }
      outcome = try await layOut(collection, writer, loader, layouts)
    case .continueFrom(let snapshot, let iterations):
      try await mend(snapshot.slots.compactMap { collection.entry(Int($0)) }, writer, loader, layouts)
      outcome = try await layouts.proceed(from: snapshot, iterations: iterations)
    }
    try await replica?.publish()
    report(notesOf: collection)
    var report = report(outcome, collection, store, loader)
    report.replicaRequests = replica?.requests
    return report
  }

  private func checkParameters() throws {
    let parameters = request.parameters
    var reason: String?
    if let problem = parameters.tsne.problem { reason = problem.description }
    if let problem = parameters.metricParameters.problem(for: parameters.metric) { reason = problem }
    if !(1...512).contains(parameters.featureSide) {
      reason = "The features' side is \(parameters.featureSide); it must be 1 to 512 pixels."
    }
    guard let reason else { return }
    throw MappingFailure(
      kind: .invalidRequest, what: "The map cannot be made with these parameters.", why: reason,
      remedy: "Change it and try again.")
  }

  // MARK: Reports

  /// Tells the user something, once.
  func note(_ text: String) {
    let isNew = notes.withLock { notes in
      guard !notes.contains(text) else { return false }
      notes.append(text)
      return true
    }
    if isNew { outbox.post(.note(text)) }
  }

  private func report(notesOf collection: ImageCollection) { for text in collection.takeNotes() { note(text) } }

  /// Reports progress a few times a second, and what has happened to the local store.
  private func tick(_ collection: ImageCollection, _ store: any ObjectStore) -> Task<Void, Never> {
    Task.detached { [self] in
      var interruption: StorageInterruption?
      while !Task.isCancelled {
        report(notesOf: collection)
        let now = store.interruption
        if let over = interruption, now?.since != over.since { note(interruptionIsOver: over) }
        interruption = now
        let meter = early.withLock { $0 }?.meter ?? meter
        outbox.post(
          .progress(
            meter.sample(bytes: store.counts.bytesFetched, counts: collection.counts, interruption: interruption)))
        try? await Task.sleep(for: .milliseconds(150))
      }
    }
  }

  private func note(interruptionIsOver over: StorageInterruption) {
    let seconds = (ContinuousClock.now - over.since).seconds
    guard seconds >= Self.notedSeconds else { return }
    note("\(over.title) for \(Int(seconds)) seconds: waited, and carried on.")
  }

  /// Returns the layout that is shown now.
  private func reportKnown(_ collection: ImageCollection, _ layouts: LayoutStage) async throws -> LayoutSnapshot? {
    let slots = collection.slotsInKeyOrder.filter(isChosen)
    let ready = readyImages(collection)
    let leftOut = collection.leftOutSlots
    guard !slots.isEmpty || !leftOut.isEmpty else { return nil }
    let layout = try await Self.files.run { layouts.lastShown(ready) }
    outbox.post(.known(slots: slots, ready: ready.map(\.slot), layout: layout, viewState: collection.loadViewState()))
    if !leftOut.isEmpty { outbox.post(.leftOut(slots: leftOut)) }
    return layout
  }

  private func report(
    _ outcome: LayoutOutcome, _ collection: ImageCollection, _ store: any ObjectStore, _ loader: ImageLoader
  ) -> MappingReport {
    var report = MappingReport()
    report.images = outcome.snapshot.slots.count
    report.otherFiles = collection.counts.otherFiles
    report.leftOut = leftOut(collection)
    report.seconds.list = listClock.seconds
    report.seconds.fetch = loader.fetchClock.seconds
    report.seconds.decode = loader.decodeClock.seconds
    report.seconds.features = loader.featureClock.seconds
    report.seconds.neighbours = outcome.neighbourSeconds
    report.seconds.affinities = outcome.affinitySeconds
    report.seconds.layout = outcome.layoutSeconds
    let counts = store.counts
    report.requests = .init(
      list: counts.list, get: counts.get, put: counts.put, head: counts.head, retries: counts.retries)
    report.bytesFetched = counts.bytesFetched
    report.reused.thumbnails = loader.decodedCount == 0
    report.reused.features = loader.decodedCount == 0
    report.reused.neighbours = outcome.reusedNeighbours
    report.reused.layout = outcome.reusedLayout
    report.klDivergence = outcome.snapshot.klDivergence
    report.neighbourRecall = outcome.neighbourRecall
    report.placed = outcome.placed
    report.newlyPlaced = outcome.newlyPlaced
    report.iterations = outcome.snapshot.iteration
    report.seed = request.parameters.tsne.seed
    report.notes = notes.withLock { $0 }
    (report.sample, report.replica) = chosen.withLock { ($0.sample, $0.shared) }
    return report
  }

  private func leftOut(_ collection: ImageCollection) -> [MappingReport.LeftOut] {
    collection.entries.compactMap { entry in
      guard case .leftOut(let reason) = entry.state else { return nil }
      return .init(key: entry.object.key.displayName, reason: reason)
    }
  }

  // MARK: Listing and loading

  func renewListing(
    _ store: any ObjectStore, _ collection: ImageCollection, _ writer: CollectionWriter, _ loader: ImageLoader,
    _ replica: ReplicaStage?
  ) async throws {
    outbox.post(.stage(.listing))
    meter.begin(.listing, total: 0)
    let queue = WorkQueue()
    let gate = gate.withLock { $0 }
    gate?.beginListing()
    do {
      try await pump(queue, loader) { [self] in
        try await list(store, writer, collection, queue, loader, replica)
        try await replica?.bringIn(loader, failed: queue) { self.announce($0, to: gate, loader) }
        gate?.finishListing()
        queue.finish()
      }
    } catch let error as ListingError {
      try Task.checkCancellation()
      // Where nobody watches, yesterday's map must not be taken for today's.
      guard error.isFirst, isOffline(error.cause), collection.counts.ready > 0, !request.asksNothing else {
        throw error.cause
      }
      note("The listing could not be renewed, so this is what was known before. \(error.cause)")
      outbox.post(.listed(slots: [], complete: true))
    }
    noteListingProblems(store.listingProblems)
    guard collection.counts.total == 0 else { return }
    throw MappingFailure.empty(request.location, similar: try? await similarKey())
  }

  /// One sentence, however many there are: a tree of dangling links must not bury everything else that is said.
  private func noteListingProblems(_ problems: [ListingProblem]) {
    guard let first = problems.first else { return }
    note(
      problems.count == 1
        ? "\(first.key.displayName) could not be listed: \(first.reason)"
        : "\(problems.count) entries could not be listed, such as \(first.key.displayName): \(first.reason)")
  }

  /// What went wrong with the listing, and not with one of the objects fetched meanwhile.
  private struct ListingError: Error {
    var cause: StorageError
    /// Whether nothing of the listing had come yet.
    var isFirst: Bool
  }

  private func isOffline(_ error: StorageError) -> Bool {
    MappingFailure(error, location: request.location).kind == .network
  }

  func list(
    _ store: any ObjectStore, _ writer: CollectionWriter, _ collection: ImageCollection, _ queue: WorkQueue,
    _ loader: ImageLoader, _ replica: ReplicaStage?
  ) async throws {
    func fetch(_ slots: [Int]) async throws {
      let rest = try await replica?.claim(slots, loader) ?? slots
      announce(rest, to: gate.withLock { $0 }, loader)
      queue.add(rest)
    }
    var pages = store.list().makeAsyncIterator()
    var pageCount = 0
    // A server that names a key twice does not have it fetched twice.
    var queued = SlotSet()
    while true {
      let begin = listClock.begin()
      let page: [StoredObject]?
      do {
        page = try await pages.next()
        listClock.end(begin)
      } catch {
        listClock.end(begin)
        guard let error = error as? StorageError else { throw error }
        throw ListingError(cause: error, isFirst: pageCount == 0)
      }
      // A listing that is cancelled ends like one that is complete.
      try Task.checkCancellation()
      try token.check()
      guard let page else { break }
      pageCount += 1
      let change = writer.take(page)
      if !change.removed.isEmpty { outbox.post(.removed(slots: change.removed)) }
      // A sample can only be taken of everything.
      guard request.sample == nil else { continue }
      let shown = change.new.filter { slot in collection.entry(slot).map(collection.isListedByName) ?? false }
      if !shown.isEmpty { outbox.post(.listed(slots: shown, complete: false)) }
      early.withLock { $0 }?.note(changes: shown.count + change.removed.count)
      let unfetched = change.unfetched.filter { queued.insert($0) }
      let repeated = change.unfetched.count - unfetched.count
      meter.add(total: page.count - repeated, known: page.count - change.unfetched.count)
      try await fetch(unfetched)
    }
    let gone = writer.finishListing(sparing: store.listingProblems.map(\.key))
    if !gone.isEmpty { outbox.post(.removed(slots: gone)) }
    early.withLock { $0 }?.note(changes: gone.count)
    if request.sample != nil {
      let before = chosen.withLock { $0.slots ?? [] }
      let slots = chooseSample(collection)
      let left = before.subtracting(slots)
      if !left.isEmpty { outbox.post(.removed(slots: left.sorted())) }
      let new = slots.filter { !before.contains($0) }
      if !new.isEmpty { outbox.post(.listed(slots: new, complete: false)) }
      outbox.post(.ready(slots: new.filter { collection.entry($0)?.state == .ready }))
      let unfetched = slots.filter { collection.entry($0)?.state == .listed }
      meter.add(total: slots.count, known: slots.count - unfetched.count)
      try await fetch(unfetched)
    }
    outbox.post(.listed(slots: [], complete: true))
    outbox.post(.stage(.loading))
    meter.continueLoading()
  }

  /// Takes the sample of what is known now, where one is asked for.
  @discardableResult
  private func chooseSample(_ collection: ImageCollection) -> [Int] {
    guard let count = request.sample else { return [] }
    let shown = Set(collection.slotsInKeyOrder)
    let images = collection.entries.filter { shown.contains($0.slot) }
    let slots = Sample(count: count, seed: request.parameters.tsne.seed).choose(images)
    let sample: MappingReport.Sample? =
      slots.count < images.count ? .init(size: slots.count, of: images.count) : nil
    chosen.withLock { chosen in
      chosen.slots = Set(slots)
      chosen.sample = sample
    }
    outbox.post(.sampled(sample))
    return slots
  }

  func isChosen(_ slot: Int) -> Bool { chosen.withLock { $0.slots?.contains(slot) ?? true } }

  func noteSample() {
    guard let sample = chosen.withLock({ $0.sample }) else { return }
    note("This is a sample: \(sample.size) of \(sample.of) images (--sample).")
  }

  /// Tells the gate what is to be fetched, before it comes there.
  private func announce(_ slots: [Int], to gate: FetchGate?, _ loader: ImageLoader) {
    guard let gate else { return }
    // What has only changed its name costs nothing, and what is left out unread neither.
    let fetched = slots.filter { loader.isFetched($0) && !loader.writer.isHereOtherwise($0) }
    gate.add(objects: fetched.count, bytes: fetched.reduce(0) { $0 + loader.size(of: $1) })
  }

  /// Bounds what is fetched before somebody has agreed to more.
  private func makeGate(_ store: any ObjectStore, _ collection: ImageCollection) {
    guard case .bucket = request.location.kind, let allowance = request.allowance else { return }
    let start = ContinuousClock.now
    let made = FetchGate(.init(objects: allowance.objects, bytes: allowance.bytes)) { [self] objects, bytes in
      let counts = store.counts
      let seconds = (ContinuousClock.now - start).seconds
      let server = store.identity.prefix { $0 != "|" }
      let estimate = FetchEstimate(
        objects: objects, bytes: bytes, known: collection.counts.ready, listings: counts.list,
        rate: counts.get > 20 && seconds > 1 ? Double(counts.get) / seconds : nil,
        isAmazon: server == "aws" || server.contains(".amazonaws.com"))
      if request.asksNothing {
        note(estimate.text)
        goOn()
      } else {
        outbox.post(.question(.fetch(estimate)))
      }
    }
    gate.withLock { $0 = made }
  }

  /// Something was written to the replica.
  func noteShared(_ outcome: ReplicaWriter.Outcome) {
    guard outcome.objects > 0 else { return }
    chosen.withLock {
      $0.shared = .init(
        images: outcome.images, layouts: outcome.layouts, objects: outcome.objects, bytes: outcome.bytes)
    }
  }

  /// Fetches chosen slots, which are what is missing of `all`.
  private func fetch(_ slots: [Int], of all: Int? = nil, _ loader: ImageLoader) async throws {
    guard !slots.isEmpty else { return }
    outbox.post(.stage(.loading))
    meter.begin(.loading, total: all ?? slots.count, known: (all ?? slots.count) - slots.count)
    let queue = WorkQueue()
    announce(slots, to: gate.withLock { $0 }, loader)
    queue.add(slots)
    try await pump(queue, loader) { queue.finish() }
  }

  /// Runs `fill` and, at the same time, fetchers that take from the queue until it is finished and empty.
  private func pump(
    _ queue: WorkQueue, _ loader: ImageLoader, fill: @escaping @Sendable () async throws -> Void
  ) async throws {
    try await pump(queue, loader, isLast: false, fill: fill)
    // What failed while the others came in gets a second chance when they are done.
    let deferred = loader.takeDeferred()
    guard !deferred.isEmpty else { return }
    let again = WorkQueue()
    again.add(deferred)
    try await pump(again, loader, isLast: true) { again.finish() }
  }

  private func pump(
    _ queue: WorkQueue, _ loader: ImageLoader, isLast: Bool, fill: @escaping @Sendable () async throws -> Void
  ) async throws {
    let fetchers: Int
    switch request.location.kind {
    case .bucket: fetchers = max(1, request.storage.maximumConnections)
    case .folder: fetchers = max(Self.folderFetches, 2 * request.threads)
    }
    try await withTaskCancellationHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await fill() }
        for _ in 0..<fetchers {
          group.addTask {
            while let slot = await queue.next() {
              try Task.checkCancellation()
              if try await self.adopt(slot, loader) { continue }
              // What gets a second chance has passed before.
              if !isLast, loader.isFetched(slot), let gate = self.gate.withLock({ $0 }) {
                await gate.pass(bytes: loader.size(of: slot))
                // A job that is cancelled opens its gate.
                try self.token.check()
                try Task.checkCancellation()
              }
              try await loader.load(slot, isLast: isLast)
            }
          }
        }
        do {
          while try await group.next() != nil {}
        } catch {
          queue.abandon()
          goOn()
          group.cancelAll()
          throw error
        }
      }
    } onCancel: {
      queue.abandon()
      goOn()
    }
    try Task.checkCancellation()
  }

  /// Takes a picture from where it already is, if it is anywhere.
  private func adopt(_ slot: Int, _ loader: ImageLoader) async throws -> Bool {
    guard loader.writer.mayAdopt(slot) else { return false }
    guard try await Self.files.run({ loader.writer.adopt(slot) }) else { return false }
    loader.adopted(slot)
    return true
  }

  /// A key that begins like the location, but goes on without a slash.
  private func similarKey() async throws -> String? {
    guard case .bucket(let endpoint, let name, let prefix) = request.location.kind, !prefix.isEmpty else { return nil }
    let beginning = Array(prefix.dropLast())
    let parent = beginning.lastIndex(of: UInt8(ascii: "/")).map { Array(beginning[...$0]) } ?? []
    let location = Location(.bucket(endpoint: endpoint, name: name, prefix: parent))
    let store = try openStore(location, options: request.storage)
    var pages = 0
    for try await page in store.list() {
      if let object = page.first(where: { $0.key.bytes.starts(with: beginning) }) { return object.key.displayName }
      pages += 1
      // Keys come in their order: what begins like this would have come by now.
      if let last = page.last, beginning.lexicographicallyPrecedes(last.key.bytes) { return nil }
      if pages == Self.probedPages { return nil }
    }
    return nil
  }

  // MARK: Layout

  /// The kinds of layouts that count beside complete ones.
  var otherKinds: Set<String> {
    var kinds: Set<String> = []
    if case .open = request.mode { kinds.insert("stopped") }
    if request.keepsLayout { kinds.insert("placed") }
    return kinds
  }

  func layOut(
    _ collection: ImageCollection, _ writer: CollectionWriter, _ loader: ImageLoader, _ layouts: LayoutStage
  ) async throws -> LayoutOutcome {
    writer.commit()
    noteSample()
    if let outcome = try await layouts.stored(readyImages(collection), otherKinds: otherKinds) { return outcome }
    try await mend(readyImages(collection), writer, loader, layouts)
    let images = readyImages(collection)
    if request.keepsLayout, let outcome = try await layouts.place(images) { return outcome }
    guard !images.isEmpty else {
      throw MappingFailure.noImages(
        request.location, otherFiles: collection.counts.otherFiles, leftOut: leftOut(collection))
    }
    return try await layouts.compute(images)
  }

  func readyImages(_ collection: ImageCollection) -> [CollectionEntry] {
    collection.entries.filter { $0.state == .ready && isChosen($0.slot) }
  }

  /// Fetches what has no features, or damaged ones, unless the neighbours are known without them.
  private func mend(
    _ images: [CollectionEntry], _ writer: CollectionWriter, _ loader: ImageLoader, _ layouts: LayoutStage
  ) async throws {
    guard !images.isEmpty, try await !layouts.hasNeighbours(images) else { return }
    let extractor = request.parameters.extractor
    let missing = try await Self.files.run {
      writer.withoutFeatures(images, in: try writer.features(of: extractor))
    }
    try await fetch(missing.map(\.slot), of: images.count, loader)
  }
}
