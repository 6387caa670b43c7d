import Collection
import Features
import Foundation
public import ObjectStorage

/// The first half of a job by itself: list, fetch, decode, keep. For measuring.
public enum ImageLoading {
  /// What was done.
  public struct Summary: Sendable {
    /// Images with a thumbnail.
    public var images: Int
    /// Images that cannot be shown.
    public var leftOut: Int
    /// Objects that are no images.
    public var otherFiles: Int
    /// Seconds by stage; those of the layout are 0.
    public var seconds: MappingReport.Seconds
    /// What was asked of the server.
    public var requests: RequestCounts
    /// Seconds of all decoders together, writing included.
    public var decodeWorkSeconds: Double
    /// What of these went into writing to the local store.
    public var storeWorkSeconds: Double
  }

  /// Does what `request` says up to the layout.
  /// - Throws: `MappingFailure`, `StorageError`, `CancellationError`.
  public static func run(_ request: MappingRequest) async throws -> Summary {
    try await JobRun(request: request, outbox: EventOutbox { _ in }).load()
  }

  /// Lists alone: everything named is in the collection afterwards, queued, and kept in the local store, as in a job that
  /// goes on to fetch it.
  /// - Throws: as `run`.
  public static func list(_ request: MappingRequest) async throws -> Summary {
    try await JobRun(request: request, outbox: EventOutbox { _ in }).listOnly()
  }
}

extension JobRun {
  /// Runs up to the layout.
  fileprivate func load() async throws -> ImageLoading.Summary {
    let start = ContinuousClock.now
    let request = request
    let store = try await Self.files.run { try openStore(request.location, options: request.storage) }
    let cache =
      request.usesStore
      ? CacheDirectory.resolve(override: request.cacheDirectory, environment: request.storage.environment) : nil
    let collection = try await Self.files.run { try ImageCollection.open(store: store, cacheDirectory: cache) }
    let loader = try await collection.withWriter { writer in
      let loader = ImageLoader(
        collection: collection, writer: writer, store: store, limits: request.limits,
        extractor: request.parameters.extractor, threads: request.threads, token: token,
        outbox: outbox, meter: meter)
      try await renewListing(store, collection, writer, loader, nil)
      return loader
    }
    var seconds = MappingReport.Seconds()
    seconds.list = listClock.seconds
    seconds.fetch = loader.fetchClock.seconds
    seconds.decode = loader.decodeClock.seconds
    seconds.features = loader.featureClock.seconds
    seconds.total = (ContinuousClock.now - start).seconds
    let counts = collection.counts
    return ImageLoading.Summary(
      images: counts.ready, leftOut: counts.leftOut, otherFiles: counts.otherFiles, seconds: seconds,
      requests: store.counts, decodeWorkSeconds: loader.decodeClock.workSeconds,
      storeWorkSeconds: loader.storeClock.workSeconds)
  }

  /// Runs up to the end of the listing.
  fileprivate func listOnly() async throws -> ImageLoading.Summary {
    let start = ContinuousClock.now
    let store = try await Self.files.run { [request] in try openStore(request.location, options: request.storage) }
    let cache =
      request.usesStore
      ? CacheDirectory.resolve(override: request.cacheDirectory, environment: request.storage.environment) : nil
    let collection = try await Self.files.run { try ImageCollection.open(store: store, cacheDirectory: cache) }
    let queue = WorkQueue()
    try await collection.withWriter { writer in
      let loader = ImageLoader(
        collection: collection, writer: writer, store: store, limits: request.limits,
        extractor: request.parameters.extractor, threads: request.threads, token: token,
        outbox: outbox, meter: meter)
      try await list(store, writer, collection, queue, loader, nil)
    }
    var seconds = MappingReport.Seconds()
    seconds.list = listClock.seconds
    seconds.total = (ContinuousClock.now - start).seconds
    return withExtendedLifetime((collection, queue)) {
      ImageLoading.Summary(
        images: collection.counts.total, leftOut: 0, otherFiles: 0, seconds: seconds, requests: store.counts,
        decodeWorkSeconds: 0, storeWorkSeconds: 0)
    }
  }
}
