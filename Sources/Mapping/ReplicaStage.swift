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
    var reader: ReplicaReader?
    var isOpened = false
  }
  private let state = Mutex(State())
  private let place: ReplicaPlace
  private let run: JobRun
  private let collection: ImageCollection
  private let writer: CollectionWriter
  private let extractor: PixelFeatures
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
    /// The replica cannot be written, and that was said.
    static let refused = "replica refused"
  }

  /// The stage of a job; nil where nothing is to be read or written.
  static func make(
    _ run: JobRun, store: any ObjectStore, collection: ImageCollection, writer: CollectionWriter,
    extractor: PixelFeatures, decoder: String
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
    _ extractor: PixelFeatures, _ decoder: String, isChosen: Bool
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

  // MARK: Reading

  /// Takes what the replica has off a list of slots to be fetched.
  /// - Returns: What has to be fetched from where it is.
  func claim(_ slots: [Int], _ loader: ImageLoader) async throws -> [Int] {
    guard !slots.isEmpty, let reader = try await opened() else { return slots }
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

  /// The reader, opened when it is asked for first; nil when there is nothing to be read.
  private func opened() async throws -> ReplicaReader? {
    if let state = state.withLock({ $0.isOpened ? $0 : nil }) { return state.reader }
    var reader: ReplicaReader?
    do {
      reader = try await ReplicaReader.open(
        place, options: run.request.storage, extractor: extractor, decoder: decoder)
      if let reader {
        let known = Set(collection.stages { $0.kind == "layout" }.map(\.key))
        let (_, problems) = try await reader.takeLayouts(into: writer, known: known)
        say(reader.problems + problems)
      }
    } catch let error as StorageError {
      try Task.checkCancellation()
      if isChosen || error.kind != .noSuchBucket && error.kind != .accessDenied {
        run.note("The replica in “\(place.bucket)” cannot be read, so images are fetched from where they are. \(error)")
      }
    }
    state.withLock { state in
      state.isOpened = true
      state.reader = reader
    }
    return reader
  }

  /// Brings in what was claimed; what does not come is added to `queue`.
  func bringIn(_ loader: ImageLoader, failed queue: WorkQueue) async throws {
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
    return try await withThrowingTaskGroup(of: [Int].self) { group in
      let width = max(1, (slots.count + 7) / 8)
      for start in stride(from: 0, to: slots.count, by: width) {
        let part = Array(slots[start..<min(start + width, slots.count)])
        group.addTask { [self] in
          try await workers.run { [self] in
            try part.filter { slot in
              try run.token.check()
              guard try keep(slot, shard, reader) else { return true }
              loader.adopted(slot)
              return false
            }
          }
        }
      }
      var left: [Int] = []
      for try await part in group { left += part }
      return left
    }
  }

  /// Blocking.
  private func keep(_ slot: Int, _ shard: ReplicaShard, _ reader: ReplicaReader) throws -> Bool {
    guard let entry = collection.entry(slot), let place = reader.row(of: entry.object),
      let picture = shard.picture(place.row)
    else { return false }
    return try writer.store(
      slot, header: ImageHeader(format: .jpeg, width: place.width, height: place.height),
      thumbnail: picture.thumbnail, features: picture.features, by: extractor, etag: nil, size: entry.object.size)
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
    let (known, refused) = try await JobRun.files.run { [self] in
      (collection.keptValue(Kept.contents), collection.keptValue(Kept.refused))
    }
    guard known != contents, refused == nil || isChosen else { return }
    let replica = ReplicaWriter(
      place, options: run.request.storage, collection: collection, writer: writer, extractor: extractor,
      decoder: decoder, refused: state.withLock { $0.reader?.refusedFiles ?? [] })
    do {
      let outcome = try await replica.write()
      state.withLock { $0.isOpened = false }
      try await JobRun.files.run { [self] in collection.keep(contents, as: Kept.contents) }
      run.noteShared(outcome)
    } catch let error as StorageError {
      try Task.checkCancellation()
      switch error.kind {
      case .noSuchBucket where !isChosen: return
      case .accessDenied:
        run.note(
          "What was fetched is not shared with others, because these keys may not write to “\(place.bucket)”. "
            + "Nothing else is lost.")
        try await JobRun.files.run { [self] in collection.keep("yes", as: Kept.refused) }
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
