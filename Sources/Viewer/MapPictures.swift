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
  private var sprites: [Sprite] = []

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

  /// Runs `body`, which draws a frame or a part of one.
  func drawing<Result>(_ body: (any OriginalSource) -> Result) -> Result {
    inUse = []
    return body(Source(pictures: self))
  }

  /// Asks for what a scene shows larger than there are thumbnails, and for nothing else.
  func ask(for scene: Scene) {
    let wishes = scene.opened == nil ? wishes(of: scene) : []
    guard hasWishes || !wishes.isEmpty else { return }
    hasWishes = !wishes.isEmpty
    loader.prefer(wishes)
  }

  private static let mostWishes = 64
  private static var largestThumbnail: Int { thumbnailLevels.last ?? 128 }

  /// The pictures in view, the one nearest to the pointer last.
  private func wishes(of scene: Scene) -> [(slot: Int, side: Int)] {
    guard scene.spriteSide > Self.largestThumbnail else { return [] }
    let viewport = scene.camera.viewport
    scene.collectSprites(in: viewport, into: &sprites)
    let side = Self.decodedSide(for: scene.spriteSide)
    let eye = scene.pointer ?? Rect(viewport).center
    func distance(_ sprite: Sprite) -> Double { Rect(sprite.rect).center.distance(to: eye) }
    return sprites.filter(\.isReady).map { (slot: Int($0.slot), distance: distance($0)) }
      .sorted { $0.distance < $1.distance }.prefix(Self.mostWishes).reversed().map { (slot: $0.slot, side: side) }
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
