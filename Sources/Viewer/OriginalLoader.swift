import Collection
import Dispatch
import Foundation
import Imaging
import Numerics
import ObjectStorage

/// An original, decoded and made ready to be drawn.
struct LoadedOriginal<Picture: Sendable>: Sendable {
  /// Pixels of the original after orientation.
  let header: ImageHeader
  /// What is drawn.
  let picture: Picture
  /// What its file says about it.
  let metadata: [MetadataField]
  /// Longest side of the decoded picture.
  let decodedSide: Int
  /// Bytes in memory, about.
  let cost: Int
  /// Whether there is nothing larger to be had.
  let isWhole: Bool

  /// Whether it is good enough for `wanted` pixels on the longer side; nil asks for all there are.
  func suffices(for wanted: Int?) -> Bool {
    isWhole || wanted.map { decodedSide >= min($0, max(header.width, header.height)) } ?? false
  }
}

/// What is drawn, and the bytes in memory that it takes.
struct LoadedPicture<Picture: Sendable>: Sendable {
  let picture: Picture
  let cost: Int

  init(_ picture: Picture, cost: Int) {
    self.picture = picture
    self.cost = cost
  }
}

/// Makes what is drawn of the rows of a picture that is too large for memory.
protocol LargePicture<Picture>: PixelRowSink {
  associatedtype Picture: Sendable

  /// What is drawn, once all rows have come; nil when there was no room for it.
  func finished(isOpaque: Bool) -> LoadedPicture<Picture>?
}

/// Fetches and decodes originals in the background: for the full-size view, or for pictures that the map shows larger
/// than their largest thumbnail. What was asked for last comes first; what scrolled away is dropped before it starts.
@MainActor final class OriginalLoader<Picture: Sendable> {
  /// How pictures are made of what is decoded; runs in the background.
  struct Maker: Sendable {
    /// Of pixels in memory.
    let make: @Sendable (PixelImage) -> LoadedPicture<Picture>
    /// Of rows, of a picture that is too large for memory: with directories that may have room for its file, and a token
    /// that is cancelled when nobody wants it any more. Without it such pictures are reduced.
    var makeLarge: (@Sendable ([String], CancellationToken) -> any LargePicture<Picture>)?
  }

  /// Decoded bytes kept in memory.
  let cacheLimit: Int
  private let concurrentLoads = 3

  private struct Request {
    let slot: Int
    let side: Int?
    let urgent: Bool
  }

  private struct Running {
    let task: Task<Void, Never>
    let token: CancellationToken

    func cancel() {
      task.cancel()
      token.cancel()
    }
  }

  private struct Cached {
    var original: LoadedOriginal<Picture>
    /// A larger number was used later.
    var lastUse: Int
  }

  /// Called when a picture has arrived, or could not (the reason).
  var onLoaded: ((_ slot: Int, Result<LoadedOriginal<Picture>, OriginalFailure>) -> Void)?

  private var collection: ImageCollection?
  private let limits: DecodingLimits
  private let maker: Maker
  private let queue = DispatchQueue(label: "originals", qos: .utility, attributes: .concurrent)
  private var waiting: [Request] = []
  private var running: [Int: Running] = [:]
  private var failed: [Int: OriginalFailure] = [:]
  private var cache: [Int: Cached] = [:]
  private var uses = 0
  private var cacheBytes = 0
  private var generation = 0

  /// A loader that keeps about `cacheLimit` bytes of pictures.
  init(limits: DecodingLimits, cacheLimit: Int, maker: Maker) {
    self.limits = limits
    self.cacheLimit = cacheLimit
    self.maker = maker
  }

  /// Serves `collection` from now on; everything of another one is forgotten.
  func use(_ collection: ImageCollection?) {
    guard collection !== self.collection else { return }
    self.collection = collection
    generation += 1
    for load in running.values { load.cancel() }
    running = [:]
    waiting = []
    failed = [:]
    cache = [:]
    cacheBytes = 0
  }

  /// The best picture at hand.
  func loaded(_ slot: Int) -> LoadedOriginal<Picture>? { cache[slot]?.original }

  /// Why it cannot be had, if that is known.
  func failure(_ slot: Int) -> OriginalFailure? { failed[slot] }

  /// Whether nothing is on its way, nor waits for it.
  var isIdle: Bool { running.isEmpty && waiting.isEmpty }

  /// Asks for some pictures before all others, best first, and for none that was asked for like this before: for the
  /// full-size view. What has failed is tried again only by `again`.
  func demand(_ wishes: [(slot: Int, side: Int?)], again: Bool = false) {
    var wanted: [Request] = []
    for wish in wishes.reversed() {
      if let known = loaded(wish.slot), known.suffices(for: wish.side) {
        touch(wish.slot)
        continue
      }
      if again { failed[wish.slot] = nil }
      if failed[wish.slot] == nil { wanted.append(Request(slot: wish.slot, side: wish.side, urgent: true)) }
    }
    guard !wanted.isEmpty else { return }
    let named = Set(wishes.map(\.slot))
    waiting.removeAll { $0.urgent || named.contains($0.slot) }
    for (other, load) in running where !named.contains(other) { load.cancel() }
    waiting += wanted
    startWaiting()
  }

  /// The full-size view was left: nothing urgent is wanted any more.
  func drop() {
    waiting.removeAll { $0.urgent }
    for load in running.values { load.cancel() }
  }

  /// What could not be had may be there by now.
  func forgetFailures() { failed = [:] }

  /// Replaces what the map would like, best last; nothing urgent is touched. What is on its way and not wanted any more is
  /// given up, and what is there and wanted is kept before all else.
  func prefer(_ wishes: [(slot: Int, side: Int)]) {
    waiting.removeAll { !$0.urgent }
    let named = Set(wishes.map(\.slot))
    for (slot, load) in running where !named.contains(slot) { load.cancel() }
    let urgent = Set(waiting.map(\.slot))
    let wanted = wishes.filter { wish in
      if let known = loaded(wish.slot) {
        touch(wish.slot)
        if known.suffices(for: wish.side) { return false }
      }
      return !urgent.contains(wish.slot) && running[wish.slot] == nil && failed[wish.slot] == nil
    }
    waiting.insert(contentsOf: wanted.map { Request(slot: $0.slot, side: $0.side, urgent: false) }, at: 0)
    startWaiting()
  }

  private func startWaiting() {
    waiting.removeAll { request in loaded(request.slot)?.suffices(for: request.side) ?? false }
    // A second size of a picture on its way waits for the first.
    while let index = waiting.lastIndex(where: { running[$0.slot] == nil }),
      running.count < concurrentLoads + (waiting[index].urgent ? 1 : 0)
    {
      start(waiting.remove(at: index))
    }
  }

  private func start(_ request: Request) {
    guard let collection, let entry = collection.entry(request.slot) else { return }
    let generation = generation
    let token = CancellationToken()
    let load = OriginalDecoding(
      decoder: ImageDecoder(limits: limits), side: request.side, maker: maker,
      // Beside the thumbnails there is more room than where temporary files may lie in memory.
      directories: [collection.directory, NSTemporaryDirectory()].compactMap { $0 }, token: token)
    let store = collection.store
    let queue = queue
    let task = Task { [weak self] in
      let result = await load.run(entry.object, from: store, on: queue)
      self?.finish(request.slot, result, generation: generation)
    }
    running[request.slot] = Running(task: task, token: token)
  }

  private func finish(_ slot: Int, _ result: Result<LoadedOriginal<Picture>, OriginalFailure>, generation: Int) {
    guard generation == self.generation else { return }
    running[slot] = nil
    switch result {
    case .success(let original): keep(original, of: slot)
    case .failure(let failure) where !failure.isCancelled: failed[slot] = failure
    case .failure: break
    }
    onLoaded?(slot, result)
    startWaiting()
  }

  private func keep(_ original: LoadedOriginal<Picture>, of slot: Int) {
    // A smaller picture that comes late replaces no larger one.
    if let known = loaded(slot), known.decodedSide >= original.decodedSide, !original.isWhole || known.isWhole {
      touch(slot)
      return
    }
    if let old = cache[slot] { cacheBytes -= old.original.cost }
    cache[slot] = Cached(original: original, lastUse: 0)
    cacheBytes += original.cost
    touch(slot)
    while cacheBytes > cacheLimit, cache.count > 1, let oldest = cache.min(by: { $0.value.lastUse < $1.value.lastUse })
    {
      cache[oldest.key] = nil
      cacheBytes -= oldest.value.original.cost
    }
  }

  private func touch(_ slot: Int) {
    uses += 1
    cache[slot]?.lastUse = uses
  }
}

/// Why an original cannot be shown.
struct OriginalFailure: Error, Sendable {
  /// One sentence.
  let reason: String
  /// Whether nothing is wrong but that it is no longer wanted.
  let isCancelled: Bool
}
