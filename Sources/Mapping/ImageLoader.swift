import Collection
import Features
import Imaging
import Numerics
import ObjectStorage
import Synchronization

/// Fetches objects, decodes them, and puts thumbnails and features into the collection: one slot a call, many calls at the
/// same time.
final class ImageLoader: Sendable {
  let fetchClock = BusyClock()
  let decodeClock = BusyClock()
  let featureClock = BusyClock()
  /// Keeping what was decoded, which is counted as decoding as well.
  let storeClock = BusyClock()

  private let collection: ImageCollection
  let writer: CollectionWriter
  private let store: any ObjectStore
  private let decoder: ImageDecoder
  private let extractor: any FeatureExtractor
  private let token: CancellationToken
  private let outbox: EventOutbox
  private let meter: ProgressMeter
  private let decoders: WorkerPool
  private let giants = WorkerPool(label: "mapping.decode-large", width: 1)
  private let budget = ByteBudget(limit: 256 << 20)
  private struct Counts {
    var deferred: [Int] = []
    var decoded = 0
    var failuresInARow = 0
  }
  private let counts = Mutex(Counts())

  /// Pictures with more pixels are decoded one at a time.
  private static let giantPixels = 50_000_000
  /// Objects that fail one after the other for a reason that concerns all of them, until the job is given up.
  private static let patience = 3
  /// What is named like no image is expected to be refused by its first bytes.
  private static let probeBytes: Int64 = 256 << 10
  /// Twice the largest thumbnail: what is left to shrink after the decoder's own reduction is then at least one half,
  /// which keeps thumbnails as sharp as those made from all pixels.
  private static let decodedSide = 256

  init(
    collection: ImageCollection, writer: CollectionWriter, store: any ObjectStore, limits: DecodingLimits,
    extractor: any FeatureExtractor, threads: Int, token: CancellationToken, outbox: EventOutbox, meter: ProgressMeter
  ) {
    self.collection = collection
    self.writer = writer
    self.store = store
    self.decoder = ImageDecoder(limits: limits)
    self.extractor = extractor
    self.token = token
    self.outbox = outbox
    self.meter = meter
    decoders = WorkerPool(label: "mapping.decode", width: threads)
  }

  /// Pictures that were decoded.
  var decodedCount: Int { counts.withLock { $0.decoded } }

  /// Slots that failed for a reason that may have passed by now, once.
  func takeDeferred() -> [Int] {
    counts.withLock { counts in
      defer { counts.deferred = [] }
      return counts.deferred
    }
  }

  /// Bytes of an object.
  func size(of slot: Int) -> Int64 { collection.entry(slot)?.object.size ?? 0 }

  /// Whether bytes of an object will be asked for: the listing does not tell already that it cannot be read.
  func isFetched(_ slot: Int) -> Bool {
    collection.entry(slot).map { $0.object.size > 0 && store.refusal(of: $0.object) == nil } ?? false
  }

  /// Brings one object in. What is wrong with it alone is noted in its entry.
  /// - Parameter isLast: Whether what fails for a reason that may pass is left out; otherwise it is deferred.
  /// - Throws: `CancellationError`; `StorageError` when nothing else will come in either.
  func load(_ slot: Int, isLast: Bool = true) async throws {
    guard let entry = collection.entry(slot) else { return }
    let claims = claimsImage(entry.object.key)
    if entry.object.size == 0 {
      if claims { leaveOut(entry, "The file is empty.", isLasting: true) } else { refuse(entry) }
      return
    }
    let weight = claims ? entry.object.size : min(entry.object.size, Self.probeBytes)
    await budget.take(weight)
    defer { budget.give(weight) }
    try Task.checkCancellation()
    let result: FetchResult
    // Another file's ending says more than none.
    let expected: Acceptance = claims ? .likely : collection.isListedByName(entry) ? .open : .unlikely
    do {
      result = try await fetchClock.measure {
        try await store.get(entry.object, expected: expected) { sniffFormat($0) != nil }
      }
      counts.withLock { $0.failuresInARow = 0 }
    } catch let error as StorageError {
      try Task.checkCancellation()
      if !isLast, Self.mayPass(error.kind) {
        counts.withLock { $0.deferred.append(slot) }
      } else {
        leaveOut(entry, error.description, isLasting: false)
      }
      if error.concernsWholeLocation {
        let failures = counts.withLock { counts in
          counts.failuresInARow += 1
          return counts.failuresInARow
        }
        if failures >= Self.patience { throw error }
      }
      return
    }
    switch result {
    case .rejected(let head):
      if claims { leaveOut(entry, reason(for: head), isLasting: true) } else { refuse(entry) }
    case .bytes(let bytes, let etag):
      try await keep(bytes, etag: etag, entry)
    }
  }

  private static func mayPass(_ kind: StorageError.Kind) -> Bool {
    switch kind {
    case .unreachable, .throttled, .serverFailure, .interrupted, .invalidAnswer, .notS3, .insecure: true
    default: false
    }
  }

  private func keep(_ bytes: [UInt8], etag: String, _ entry: CollectionEntry) async throws {
    let isFirst = entry.state != .ready
    do {
      let isGiant = try await decoders.run { [self] in
        try decodeClock.measure {
          let header = try decoder.header(of: bytes)
          if header.width * header.height > Self.giantPixels { return true }
          try decode(bytes, etag: etag, entry)
          return false
        }
      }
      if isGiant {
        try await giants.run { [self] in try decodeClock.measure { try decode(bytes, etag: etag, entry) } }
      }
    } catch let error as ImagingError {
      leaveOut(entry, error.description, isLasting: true)
      return
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      leaveOut(entry, "There is no place to keep it. \(error)", isLasting: false)
      return
    }
    counts.withLock { $0.decoded += 1 }
    meter.complete()
    if isFirst { announce(entry) }
  }

  /// A picture came in by another way than being fetched.
  func adopted(_ slot: Int) {
    meter.complete()
    if let entry = collection.entry(slot) { announce(entry) }
  }

  private func announce(_ entry: CollectionEntry) {
    if !collection.isListedByName(entry) { outbox.post(.listed(slots: [entry.slot], complete: false)) }
    outbox.post(.ready(slots: [entry.slot]))
  }

  /// Blocking.
  private func decode(_ bytes: [UInt8], etag: String, _ entry: CollectionEntry) throws {
    try token.check()
    let (header, image) = try decoder.decode(bytes, longestSide: Self.decodedSide)
    try token.check()
    let thumbnail = ThumbnailPyramid(of: image)
    let features = featureClock.measure {
      [UInt8](unsafeUninitializedCapacity: extractor.dimension) { buffer, count in
        extractor.extract(
          from: image, into: UnsafeMutableBufferPointer(rebasing: buffer[..<extractor.dimension]))
        count = extractor.dimension
      }
    }
    _ = try storeClock.measure {
      try writer.store(
        entry.slot, header: header, thumbnail: thumbnail, features: features, by: extractor, etag: etag,
        size: Int64(bytes.count))
    }
  }

  private func claimsImage(_ key: ObjectKey) -> Bool {
    nameClaimsImage(key.bytes[((key.bytes.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...])
  }

  /// What the decoder says about bytes that are no image, or of a kind that cannot be shown.
  private func reason(for head: [UInt8]) -> String {
    do {
      _ = try decoder.header(of: head)
      return "The file is no image."
    } catch {
      return error.description
    }
  }

  /// An object claims to be an image and cannot be shown.
  func leaveOut(_ entry: CollectionEntry, _ reason: String, isLasting: Bool) {
    writer.leaveOut(entry.slot, reason: reason, isLasting: isLasting)
    meter.complete()
    outbox.post(.leftOut(slots: [entry.slot]))
  }

  /// An object is no image.
  func refuse(_ entry: CollectionEntry) {
    writer.setNotAnImage(entry.slot)
    meter.complete()
    if collection.isListedByName(entry) { outbox.post(.removed(slots: [entry.slot])) }
  }
}
