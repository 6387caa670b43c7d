import Collection
import Dispatch
import Imaging
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

/// Fetches and decodes originals in the background: for the full-size view, or for pictures that the map shows larger
/// than their largest thumbnail. What was asked for last comes first; what scrolled away is dropped before it starts.
@MainActor final class OriginalLoader<Picture: Sendable> {
  /// Whole pictures beyond this many pixels are decoded reduced: a 300-megapixel original would take 1.2 GB.
  private let wholeLimit = 64_000_000
  /// The longest side that such a picture is reduced to.
  private let reducedSide = 8192
  /// Decoded bytes kept in memory.
  let cacheLimit: Int
  private let concurrentLoads = 3

  private struct Request {
    let slot: Int
    let side: Int?
    let urgent: Bool
  }

  /// Called when a picture has arrived, or could not (the reason).
  var onLoaded: ((_ slot: Int, Result<LoadedOriginal<Picture>, OriginalFailure>) -> Void)?

  private var collection: ImageCollection?
  private let limits: DecodingLimits
  private let queue = DispatchQueue(label: "originals", qos: .utility, attributes: .concurrent)
  private var waiting: [Request] = []
  private var running: [Int: Task<Void, Never>] = [:]
  private var failed: [Int: OriginalFailure] = [:]
  private var cache: [Int: LoadedOriginal<Picture>] = [:]
  private var cacheOrder: [Int] = []
  private var cacheBytes = 0
  private var generation = 0

  /// Makes what is drawn of a decoded picture; runs in the background.
  private let make: @Sendable (PixelImage) -> Picture

  /// A loader that keeps about `cacheLimit` bytes of pictures.
  init(limits: DecodingLimits, cacheLimit: Int, make: @escaping @Sendable (PixelImage) -> Picture) {
    self.limits = limits
    self.cacheLimit = cacheLimit
    self.make = make
  }

  /// Serves `collection` from now on; everything of another one is forgotten.
  func use(_ collection: ImageCollection?) {
    guard collection !== self.collection else { return }
    self.collection = collection
    generation += 1
    for task in running.values { task.cancel() }
    running = [:]
    waiting = []
    failed = [:]
    cache = [:]
    cacheOrder = []
    cacheBytes = 0
  }

  /// The best picture at hand.
  func loaded(_ slot: Int) -> LoadedOriginal<Picture>? { cache[slot] }

  /// Why it cannot be had, if that is known.
  func failure(_ slot: Int) -> OriginalFailure? { failed[slot] }

  /// Asks for some pictures before all others, best first, and for none that was asked for like this before: for the
  /// full-size view. What has failed is tried again only by `again`.
  func demand(_ wishes: [(slot: Int, side: Int?)], again: Bool = false) {
    var wanted: [Request] = []
    for wish in wishes.reversed() {
      if let known = cache[wish.slot], known.suffices(for: wish.side) {
        touch(wish.slot)
        continue
      }
      if again { failed[wish.slot] = nil }
      if failed[wish.slot] == nil { wanted.append(Request(slot: wish.slot, side: wish.side, urgent: true)) }
    }
    guard !wanted.isEmpty else { return }
    let named = Set(wishes.map(\.slot))
    waiting.removeAll { $0.urgent || named.contains($0.slot) }
    for (other, task) in running where !named.contains(other) { task.cancel() }
    waiting += wanted
    startWaiting()
  }

  /// The full-size view was left: nothing urgent is wanted any more.
  func drop() {
    waiting.removeAll { $0.urgent }
    for task in running.values { task.cancel() }
  }

  /// What could not be had may be there by now.
  func forgetFailures() { failed = [:] }

  /// Replaces what the map would like, best last; nothing urgent is touched. What is on its way and not wanted any more is
  /// given up.
  func prefer(_ wishes: [(slot: Int, side: Int)]) {
    waiting.removeAll { !$0.urgent }
    let named = Set(wishes.map(\.slot))
    for (slot, task) in running where !named.contains(slot) { task.cancel() }
    let urgent = Set(waiting.map(\.slot))
    let wanted = wishes.filter { wish in
      !urgent.contains(wish.slot) && running[wish.slot] == nil && failed[wish.slot] == nil
        && !(cache[wish.slot]?.suffices(for: wish.side) ?? false)
    }
    waiting.insert(contentsOf: wanted.map { Request(slot: $0.slot, side: $0.side, urgent: false) }, at: 0)
    startWaiting()
  }

  private func startWaiting() {
    waiting.removeAll { request in cache[request.slot]?.suffices(for: request.side) ?? false }
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
    let decoder = ImageDecoder(limits: limits)
    let store = collection.store
    let queue = queue
    // A picture whose size is known to be huge is never decoded whole.
    let isHuge = entry.width * entry.height > wholeLimit
    let side = request.side.map { isHuge ? min($0, reducedSide) : $0 } ?? (isHuge ? reducedSide : nil)
    let isLargest = side == nil || (isHuge && side == reducedSide)
    let make = make
    running[request.slot] = Task { [weak self] in
      let result = await Self.load(
        entry.object, from: store, decoder: decoder, side: side, isLargest: isLargest, on: queue, make: make)
      self?.finish(request.slot, result, generation: generation)
    }
  }

  private nonisolated static func load(
    _ object: StoredObject, from store: any ObjectStore, decoder: ImageDecoder, side: Int?, isLargest: Bool,
    on queue: DispatchQueue, make: @escaping @Sendable (PixelImage) -> Picture
  ) async -> Result<LoadedOriginal<Picture>, OriginalFailure> {
    let bytes: [UInt8]
    do {
      switch try await store.get(object) {
      case .bytes(let body, _): bytes = body
      case .rejected: return .failure(OriginalFailure(reason: "The original is no image.", isCancelled: false))
      }
    } catch {
      return .failure(OriginalFailure(reason: "\(error)", isCancelled: error is CancellationError))
    }
    return await withCheckedContinuation { continuation in
      queue.async {
        do throws(ImagingError) {
          let (header, image) = try decoder.decode(bytes, longestSide: side)
          let decodedSide = max(image.width, image.height)
          continuation.resume(
            returning: .success(
              LoadedOriginal(
                header: header, picture: make(image), metadata: decoder.metadata(of: bytes), decodedSide: decodedSide,
                // With the halved copies of a pyramid.
                cost: image.pixels.count * 16 / 3,
                isWhole: isLargest || decodedSide >= max(header.width, header.height))))
        } catch {
          continuation.resume(returning: .failure(OriginalFailure(reason: "\(error)", isCancelled: false)))
        }
      }
    }
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
    if let known = cache[slot], known.decodedSide >= original.decodedSide, !original.isWhole {
      touch(slot)
      return
    }
    if let old = cache[slot] { cacheBytes -= old.cost }
    cache[slot] = original
    cacheBytes += original.cost
    touch(slot)
    while cacheBytes > cacheLimit, cacheOrder.count > 1 {
      let oldest = cacheOrder.removeFirst()
      if let dropped = cache.removeValue(forKey: oldest) { cacheBytes -= dropped.cost }
    }
  }

  private func touch(_ slot: Int) {
    cacheOrder.removeAll { $0 == slot }
    cacheOrder.append(slot)
  }
}

/// Why an original cannot be shown.
struct OriginalFailure: Error, Sendable {
  /// One sentence.
  let reason: String
  /// Whether nothing is wrong but that it is no longer wanted.
  let isCancelled: Bool
}
