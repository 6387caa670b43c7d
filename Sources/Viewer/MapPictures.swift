import Atlas
import Imaging
import Rendering

/// Pixels in memory of their own, at an address that stays.
final class OwnedPixels: Sendable {
  let width, height: Int
  let isOpaque: Bool
  /// Written in `init` alone, freed in `deinit`.
  private nonisolated(unsafe) let memory: UnsafeMutablePointer<UInt32>

  init(_ image: PixelImage) {
    width = image.width
    height = image.height
    isOpaque = image.isOpaque
    memory = .allocate(capacity: max(1, image.pixels.count))
    image.pixels.withUnsafeBufferPointer { pixels in
      if let start = pixels.baseAddress { memory.initialize(from: start, count: pixels.count) }
    }
  }

  deinit { memory.deallocate() }

  /// The pixels, for as long as this object lives.
  var source: PixelSource { PixelSource(pixels: memory, width: width, height: height, isOpaque: isOpaque) }
}

/// The originals behind pictures that the map shows larger than their largest thumbnail. While a frame is drawn it hands
/// out what is at hand and notes what would be better; after the frame that is asked for.
@MainActor final class MapPictures {
  private let loader: OriginalLoader<OwnedPixels>
  private var wishes: [(slot: Int, side: Int)] = []
  /// What the present frame draws; kept until the next one.
  private var inUse: [OwnedPixels] = []

  /// A picture came in, and the map is to be drawn again.
  var onArrival: (() -> Void)?

  init(limits: DecodingLimits) {
    loader = OriginalLoader(limits: limits, cacheLimit: 192 << 20) { OwnedPixels($0) }
    loader.onLoaded = { [weak self] _, result in
      if case .success = result { self?.onArrival?() }
    }
  }

  /// The loader behind it.
  var originals: OriginalLoader<OwnedPixels> { loader }

  /// Runs `body`, which draws a frame, and then asks for what it missed.
  func drawing<Result>(_ body: (any OriginalSource) -> Result) -> Result {
    wishes = []
    inUse = []
    let result = body(Source(pictures: self))
    // The renderer goes from back to front: the last wish is the topmost picture.
    if !wishes.isEmpty { loader.prefer(wishes.suffix(Self.mostWishes)) }
    return result
  }

  private static let mostWishes = 64

  /// The half of the renderer's protocol that must not be bound to an actor; it is only called while drawing.
  private struct Source: OriginalSource {
    let pictures: MapPictures

    func pixels(slot: Int, minimumSide: Int) -> PixelSource? {
      MainActor.assumeIsolated { SendableSource(source: pictures.pixels(slot: slot, minimumSide: minimumSide)) }.source
    }
  }

  /// Never leaves the main thread; the wrapper only satisfies `assumeIsolated`.
  private struct SendableSource: @unchecked Sendable { let source: PixelSource? }

  private func pixels(slot: Int, minimumSide: Int) -> PixelSource? {
    let known = loader.loaded(slot)
    // Sizes in doubling steps: a zoom must not decode the same picture for every frame.
    var side = 2 * (thumbnailLevels.last ?? 128)
    while side < minimumSide { side *= 2 }
    if !(known?.suffices(for: minimumSide) ?? false) { wishes.append((slot, side)) }
    guard let picture = known?.picture else { return nil }
    inUse.append(picture)
    return picture.source
  }
}
