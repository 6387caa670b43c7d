import Atlas
import Geometry
import Imaging
import Rendering
import Scene

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

/// The originals behind pictures that the map shows larger than their largest thumbnail: those in view are asked for, the
/// ones near the pointer first, and what scrolled away is wanted no more. While a frame is drawn it hands out what is at
/// hand.
@MainActor final class MapPictures {
  private let loader: OriginalLoader<OwnedPixels>
  /// What the present frame draws; kept until the next one.
  private var inUse: [OwnedPixels] = []
  private var hasWishes = false

  /// A picture came in, and the map is to be drawn again.
  var onArrival: (() -> Void)?

  /// Decoded bytes that may be kept.
  static let cacheLimit = 192 << 20

  init(limits: DecodingLimits, cacheLimit: Int = MapPictures.cacheLimit) {
    loader = OriginalLoader(
      limits: limits, cacheLimit: cacheLimit,
      maker: OriginalLoader<OwnedPixels>.Maker { LoadedPicture(OwnedPixels($0), cost: 4 * $0.pixels.count) })
    loader.onLoaded = { [weak self] _, result in
      if case .success = result { self?.onArrival?() }
    }
  }

  /// The loader behind it.
  var originals: OriginalLoader<OwnedPixels> { loader }

  /// Runs `body`, which draws a frame or a part of one.
  func drawing<Result>(_ body: (any OriginalSource) -> Result) -> Result {
    inUse = []
    return body(Source(pictures: self))
  }

  /// Whether a scene shows pictures larger than there are thumbnails: `ask` then needs those that are seen.
  func wantsOriginals(for scene: Scene) -> Bool {
    scene.opened == nil && scene.spriteSide > Self.largestThumbnail
  }

  /// Asks for what a scene shows larger than there are thumbnails, and for nothing else.
  /// - Parameter seen: the pictures that can be seen; none unless `wantsOriginals`.
  func ask(for scene: Scene, seen: [Sprite]) {
    let wishes = wantsOriginals(for: scene) ? wishes(of: scene, seen: seen) : []
    guard hasWishes || !wishes.isEmpty else { return }
    hasWishes = !wishes.isEmpty
    loader.prefer(wishes)
  }

  private static var largestThumbnail: Int { thumbnailLevels.last ?? 128 }
  /// What the pictures in view may take of the cache. The rest is room for the one that arrives, and for what a shape
  /// rounded to a thumbnail's pixels does not tell.
  private static let shareInView = 0.85

  /// The pictures in view, the one nearest to the pointer last. They never are more than can be in memory together, or
  /// each that came would drive out another that is asked for again: all get a smaller size then, and should that not be
  /// enough, the outermost none.
  private func wishes(of scene: Scene, seen: [Sprite]) -> [(slot: Int, side: Int)] {
    let ready = seen.filter(\.isReady)
    let limit = Int(Double(loader.cacheLimit) * Self.shareInView)
    func bytes(_ sprite: Sprite, side: Int) -> Int {
      let (short, long) = (min(sprite.width, sprite.height), max(sprite.width, sprite.height))
      return 4 * side * (side * Int(short) / Int(long) + 1)
    }
    var side = Self.decodedSide(for: scene.spriteSide)
    while side > 2 * Self.largestThumbnail, ready.reduce(0, { $0 + bytes($1, side: side) }) > limit { side /= 2 }
    let eye = scene.pointer ?? Rect(scene.camera.viewport).center
    func distance(_ sprite: Sprite) -> Double { Rect(sprite.rect).center.distance(to: eye) }
    var wishes: [(slot: Int, side: Int)] = []
    var total = 0
    for (sprite, _) in ready.map({ ($0, distance($0)) }).sorted(by: { $0.1 < $1.1 }) {
      total += bytes(sprite, side: side)
      if total > limit { break }
      wishes.append((Int(sprite.slot), side))
    }
    return wishes.reversed()
  }

  /// Sizes in doubling steps: a zoom must not decode the same picture for every frame.
  private static func decodedSide(for side: Int) -> Int {
    var decoded = 2 * largestThumbnail
    while decoded < side { decoded *= 2 }
    return decoded
  }

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
    guard let picture = loader.loaded(slot)?.picture else { return nil }
    inUse.append(picture)
    return picture.source
  }
}
