public import Collection
import Features
import Imaging
import Numerics
import ObjectStorage
import Replica
import Synchronization

/// Brings in from a replica what it has of the objects that the listing finds, and writes to it what it lacks.
final class ReplicaStage: Sendable {
  private struct State {
    /// Claimed slots by shard.
    var claims: [Int: [Int]] = [:]
    var found: FoundReplica?
    var isLookedFor = false
    /// What publishing took.
    var written = RequestCounts()
    var reader: ReplicaReader?
  }
  private let state = Mutex(State())
  private let place: ReplicaPlace
  private let run: JobRun
  private let collection: ImageCollection
  private let writer: CollectionWriter
  private let extractor: any FeatureExtractor
  private let decoder: String
  private let isChosen: Bool
  private let workers: WorkerPool

  /// Shards fetched at one time.
  private static let fetches = 3
  /// The names of what is kept with the collection.
  private enum Kept {
    /// The bucket that the user has agreed to.
    static let bucket = "replica bucket"
    /// The user was asked.
    static let asked = "replica asked"
    /// What was in the replica when it was left last.
    static let contents = "replica contents"
    /// The bucket that cannot be written, which was said.
    static let refused = "replica refused"
  }

  /// The stage of a job; nil where nothing is to be read or written.
  static func make(
    _ run: JobRun, store: any ObjectStore, collection: ImageCollection, writer: CollectionWriter,
    extractor: any FeatureExtractor, decoder: String
  ) async throws -> ReplicaStage? {
    let request = run.request
    var choice = request.replica
    if case .automatic = choice, let bucket = try await JobRun.files.run({ collection.keptValue(Kept.bucket) }) {
      choice = .bucket(bucket)
    }
    switch try await ReplicaPlace.decide(
      choice, location: request.location, storeIdentity: store.identity, options: request.storage)
    {
    case .nothing: return nil
    case .use(let place):
      return ReplicaStage(run, place, collection, writer, extractor, decoder, isChosen: choice != .automatic)
    case .ask(let place):
      let isNew = try await JobRun.files.run {
        guard collection.keptValue(Kept.asked) == nil else { return false }
        collection.keep("yes", as: Kept.asked)
        return true
      }
      if isNew, !request.asksNothing { run.outbox.post(.question(.replica(bucket: place.bucket))) }
      return nil
    }
  }

  /// Keeps that the user agrees to a bucket. Blocking.
  static func accept(_ bucket: String, for collection: ImageCollection) { collection.keep(bucket, as: Kept.bucket) }

  private init(
    _ run: JobRun, _ place: ReplicaPlace, _ collection: ImageCollection, _ writer: CollectionWriter,
    _ extractor: any FeatureExtractor, _ decoder: String, isChosen: Bool
  ) {
    self.run = run
    self.place = place
    self.collection = collection
    self.writer = writer
    self.extractor = extractor
    self.decoder = decoder
    self.isChosen = isChosen
    workers = WorkerPool(label: "mapping.replica", width: run.request.threads)
  }

  /// What was asked of the replica's server, and for where the replica is.
  var requests: MappingReport.Requests {
    let (read, written) = state.withLock { ($0.found?.requests ?? RequestCounts(), $0.written) }
    return .init(
      list: read.list + written.list + (isChosen ? 0 : 1), get: read.get + written.get, put: read.put + written.put,
      head: read.head + written.head, retries: read.retries + written.retries)
  }

  // MARK: Reading

  /// Takes what the replica has off a list of slots to be fetched.
  /// - Returns: What has to be fetched from where it is.
  func claim(_ slots: [Int], _ loader: ImageLoader) async throws -> [Int] {
    guard !slots.isEmpty, let reader = try await reader() else { return slots }
    var rest: [Int] = []
    for slot in slots {
      guard let entry = collection.entry(slot), let knowledge = reader.knowledge(of: entry.object) else {
        rest.append(slot)
        continue
      }
      switch knowledge {
      case .picture(let shard): state.withLock { $0.claims[shard, default: []].append(slot) }
      case .leftOut(let reason): loader.leaveOut(entry, reason, isLasting: true)
      case .notAnImage: loader.refuse(entry)
      }
    }
    return rest
  }

  /// Looks for the replica, once, and takes the layouts that others have made; nil when there is nothing to be read.
  private func found() async throws -> FoundReplica? {
    if let state = state.withLock({ $0.isLookedFor ? $0 : nil }) { return state.found }
    let found: FoundReplica? = try await reading { [self] in
      guard let found = try await FoundReplica(at: place, options: run.request.storage) else { return nil }
      let known = Set(collection.stages { $0.kind == "layout" || $0.kind == "shared" }.map(\.key))
      let (_, problems) = try await found.takeLayouts(into: writer, known: known)
      say(found.problems + problems)
      return found
    }
    state.withLock { state in
      state.isLookedFor = true
      state.found = found
    }
    return found
  }

  /// What the replica has of which image, read when it is asked for first; nil when there is nothing to be read.
  private func reader() async throws -> ReplicaReader? {
    if let reader = state.withLock({ $0.reader }) { return reader }
    guard let found = try await found() else { return nil }
    let reader: ReplicaReader? = try await reading { [self] in
      let reader = try await found.reader(extractor: extractor, decoder: decoder)
      say(reader.problems)
      return reader
    }
    state.withLock { state in
      state.reader = reader
      // What could not be read once is not asked for with every page of the listing.
      if reader == nil { state.found = nil }
    }
    return reader
  }

  /// Runs `body`; a replica that cannot be read is said, and is none.
  private func reading<Value>(_ body: () async throws -> Value?) async throws -> Value? {
    do {
      return try await body()
    } catch let error as StorageError {
      try Task.checkCancellation()
      if isChosen || error.kind != .noSuchBucket && error.kind != .accessDenied {
        run.note("The replica in “\(place.bucket)” cannot be read, so images are fetched from where they are. \(error)")
      }
      return nil
    }
  }

  /// Takes what layouts others have made, and brings in what was claimed; what does not come is told to `announce` and
  /// added to `queue`.
  func bringIn(
    _ loader: ImageLoader, failed queue: WorkQueue, announce: @escaping @Sendable ([Int]) -> Void
  ) async throws {
    // Also where nothing has to be fetched.
    _ = try await found()
    let (reader, claims) = state.withLock { state in
      defer { state.claims = [:] }
      return (state.reader, state.claims)
    }
    guard let reader, !claims.isEmpty else { return }
    let shards = WorkQueue()
    shards.add(claims.keys.sorted())
    shards.finish()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<Self.fetches {
        group.addTask { [self] in
          while let shard = await shards.next() {
            try Task.checkCancellation()
            let left = try await bringIn(shard, claims[shard] ?? [], reader, loader)
            announce(left)
            queue.add(left)
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Returns the slots that did not come.
  private func bringIn(
    _ number: Int, _ slots: [Int], _ reader: ReplicaReader, _ loader: ImageLoader
  ) async throws -> [Int] {
    let shard: ReplicaShard
    do {
      shard = try await reader.shard(number)
    } catch let unusable as ReplicaShard.Unusable {
      say([unusable.reason])
      return slots
    } catch let error as StorageError {
      try Task.checkCancellation()
      run.note("A part of the replica in “\(place.bucket)” could not be read. \(error.message)")
      return slots
    }
    return try await withThrowingTaskGroup(of: (left: [Int], isDamaged: Bool).self) { group in
      let width = max(1, (slots.count + 7) / 8)
      for start in stride(from: 0, to: slots.count, by: width) {
        let part = Array(slots[start..<min(start + width, slots.count)])
        group.addTask { [self] in
          try await workers.run { [self] in
            var left: [Int] = []
            var isDamaged = false
            for slot in part {
              try run.token.check()
              switch try keep(slot, shard, reader) {
              case .kept: loader.adopted(slot)
              case .gone: left.append(slot)
              case .damaged:
                isDamaged = true
                left.append(slot)
              }
            }
            return (left, isDamaged)
          }
        }
      }
      var (left, isDamaged) = ([Int](), false)
      for try await part in group {
        left += part.left
        isDamaged = isDamaged || part.isDamaged
      }
      if isDamaged { say([reader.refuse(number)]) }
      return left
    }
  }

  /// What became of a picture from a replica.
  private enum Taking {
    case kept
    /// Nobody wants it any more.
    case gone
    /// It is no picture.
    case damaged
  }

  /// Blocking.
  private func keep(_ slot: Int, _ shard: ReplicaShard, _ reader: ReplicaReader) throws -> Taking {
    guard let entry = collection.entry(slot), let place = reader.row(of: entry.object) else { return .gone }
    guard let picture = shard.picture(place.row) else { return .damaged }
    let isKept = try writer.store(
      slot, header: ImageHeader(format: .jpeg, width: place.width, height: place.height),
      thumbnail: picture.thumbnail, features: picture.features, by: extractor, etag: nil, size: entry.object.size)
    return isKept ? .kept : .gone
  }

  private func say(_ problems: [String]) {
    guard let first = problems.first else { return }
    run.note(
      "The replica in “\(place.bucket)” is damaged or was tampered with, and that part of it is fetched anew: \(first)"
        + (problems.count > 1 ? " (and \(problems.count - 1) more)." : "."))
  }

  // MARK: Writing

  /// Writes what the replica lacks, when anything has changed since it was looked at last.
  func publish() async throws {
    let contents = try await JobRun.files.run { [self] in
      DerivedKey { hash in
        hash.field(place.location.text)
        hash.field(extractor.identifier)
        for entry in collection.entriesToShare { hash.field(entry.identity) }
        for key in collection.stages(where: { $0.kind == "layout" }).map(\.key).sorted() { hash.field(key) }
      }.text
    }
    let (known, refusedFor) = try await JobRun.files.run { [self] in
      (collection.keptValue(Kept.contents), collection.keptValue(Kept.refused))
    }
    let refusedFiles = state.withLock { $0.found?.refusedFiles ?? [] }
    let isRefused = refusedFor == place.bucket
    guard known != contents || !refusedFiles.isEmpty, !isRefused || isChosen else { return }
    let replica = ReplicaWriter(
      place, options: run.request.storage, collection: collection, writer: writer, extractor: extractor,
      decoder: decoder, refused: refusedFiles)
    do {
      let outcome = try await replica.write()
      try await JobRun.files.run { [self] in
        collection.keep(contents, as: Kept.contents)
        if refusedFor != nil { collection.keep("", as: Kept.refused) }
      }
      state.withLock { $0.written = outcome.requests }
      run.noteShared(outcome)
    } catch let error as StorageError {
      try Task.checkCancellation()
      switch error.kind {
      case .noSuchBucket where !isChosen: return
      case .accessDenied:
        guard !isRefused else { return }
        run.note(
          "What was fetched is not shared with others, because these keys may not write to “\(place.bucket)”. "
            + "Nothing else is lost.")
        try await JobRun.files.run { [self] in collection.keep(place.bucket, as: Kept.refused) }
      default:
        run.note("The replica in “\(place.bucket)” could not be written. \(error)")
      }
    }
  }
}

extension ImageCollection {
  /// Yes to `MappingQuestion.replica`: from the next job on, the replica in this bucket is read and written. Blocking.
  public func acceptReplica(_ bucket: String) { ReplicaStage.accept(bucket, for: self) }
}
