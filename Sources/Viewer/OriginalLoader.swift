import Collection
import Dispatch
import Imaging
import ObjectStorage

/// A picture larger than its thumbnails, decoded.
struct LoadedOriginal: Sendable {
  /// Pixels of the original after orientation.
  let header: ImageHeader
  /// The picture, reduced or whole.
  let image: PixelImage
  /// Longest side that was asked for; nil for the whole picture.
  let side: Int?

  /// Whether it is good enough for `wanted` pixels on the longer side.
  func suffices(for wanted: Int) -> Bool {
    max(image.width, image.height) >= min(wanted, max(header.width, header.height, 1))
  }
}

/// Fetches and decodes originals in the background: for the full-size view, and for pictures that the map shows larger
/// than their largest thumbnail. What was asked for last comes first; what scrolled away is dropped before it starts.
@MainActor final class OriginalLoader {
  /// Decoded bytes kept in memory.
  private static let cacheLimit = 256 << 20
  /// Whole pictures beyond this many pixels are decoded reduced: a 300-megapixel original would take 1.2 GB.
  static let wholeLimit = 64_000_000
  /// The longest side that such a picture is reduced to.
  static let reducedSide = 8192
  private static let concurrentLoads = 3

  private struct Request {
    let slot: Int
    let side: Int?
    let urgent: Bool
  }

  /// Called when a picture has arrived, or could not (the reason).
  var onLoaded: ((_ slot: Int, Result<LoadedOriginal, OriginalFailure>) -> Void)?

  private var collection: ImageCollection?
  private let limits: DecodingLimits
  private let queue = DispatchQueue(label: "originals", qos: .utility, attributes: .concurrent)
  private var waiting: [Request] = []
  private var running: [Int: Task<Void, Never>] = [:]
  private var failed: [Int: OriginalFailure] = [:]
  private var cache: [Int: LoadedOriginal] = [:]
  private var cacheOrder: [Int] = []
  private var cacheBytes = 0
  private var generation = 0

  init(limits: DecodingLimits) { self.limits = limits }

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
  func loaded(_ slot: Int) -> LoadedOriginal? { cache[slot] }

  /// Why it cannot be had, if that is known.
  func failure(_ slot: Int) -> OriginalFailure? { failed[slot] }

  /// Asks for one picture before all others: for the full-size view.
  func demand(_ slot: Int, side: Int?) {
    if let known = cache[slot], known.side == nil || side.map(known.suffices) ?? false {
      touch(slot)
      return
    }
    failed[slot] = nil
    waiting.removeAll { $0.slot == slot }
    waiting.append(Request(slot: slot, side: side, urgent: true))
    startWaiting()
  }

  /// Replaces what the map would like, best last; nothing urgent is touched.
  func prefer(_ wishes: [(slot: Int, side: Int)]) {
    waiting.removeAll { !$0.urgent }
    let urgent = Set(waiting.map(\.slot))
    let wanted = wishes.filter { wish in
      !urgent.contains(wish.slot) && running[wish.slot] == nil && failed[wish.slot] == nil
        && !(cache[wish.slot]?.suffices(for: wish.side) ?? false)
    }
    waiting.insert(contentsOf: wanted.map { Request(slot: $0.slot, side: $0.side, urgent: false) }, at: 0)
    startWaiting()
  }

  private func startWaiting() {
    while let request = waiting.last, running.count < Self.concurrentLoads + (request.urgent ? 1 : 0) {
      // A second size of a picture on its way waits for the first.
      if running[request.slot] != nil { break }
      waiting.removeLast()
      start(request)
    }
  }

  private func start(_ request: Request) {
    guard let collection, let entry = collection.entry(request.slot) else { return }
    let generation = generation
    let decoder = ImageDecoder(limits: limits)
    let store = collection.store
    let queue = queue
    // A picture whose size is known to be huge is never decoded whole.
    let tooLarge = entry.width * entry.height > Self.wholeLimit
    let side = request.side.map { tooLarge ? min($0, Self.reducedSide) : $0 } ?? (tooLarge ? Self.reducedSide : nil)
    running[request.slot] = Task { [weak self] in
      let result = await Self.load(entry.object.key, from: store, decoder: decoder, side: side, on: queue)
      self?.finish(request.slot, result, generation: generation)
    }
  }

  private nonisolated static func load(
    _ key: ObjectKey, from store: any ObjectStore, decoder: ImageDecoder, side: Int?, on queue: DispatchQueue
  ) async -> Result<LoadedOriginal, OriginalFailure> {
    let bytes: [UInt8]
    do {
      switch try await store.get(key, accept: nil) {
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
          continuation.resume(returning: .success(LoadedOriginal(header: header, image: image, side: side)))
        } catch {
          continuation.resume(returning: .failure(OriginalFailure(reason: "\(error)", isCancelled: false)))
        }
      }
    }
  }

  private func finish(_ slot: Int, _ result: Result<LoadedOriginal, OriginalFailure>, generation: Int) {
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

  private func keep(_ original: LoadedOriginal, of slot: Int) {
    // A smaller picture that comes late replaces no larger one.
    if let known = cache[slot], known.image.pixels.count >= original.image.pixels.count {
      touch(slot)
      return
    }
    if let old = cache[slot] { cacheBytes -= old.image.pixels.count * 4 }
    cache[slot] = original
    cacheBytes += original.image.pixels.count * 4
    touch(slot)
    while cacheBytes > Self.cacheLimit, cacheOrder.count > 1 {
      let oldest = cacheOrder.removeFirst()
      if let dropped = cache.removeValue(forKey: oldest) { cacheBytes -= dropped.image.pixels.count * 4 }
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
