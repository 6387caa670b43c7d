import Atlas
import Collection
import Foundation
import Geometry
import Imaging
import Mapping
import Numerics
import ObjectStorage
import Rendering
import Scene
import Synchronization
import TSNE
import TestSupport
import Testing

@testable import Viewer

/// The originals behind pictures that the map shows larger than there are thumbnails.
@MainActor @Suite("Originals on the map", .serialized, .timeLimit(.minutes(10)))
struct MapPicturesTests {
  /// A folder of pictures of 480 × 480 pixels, mapped.
  private func collection(_ count: Int, _ folder: TemporaryDirectory) async throws -> ImageCollection {
    for index in 0..<count {
      var random = TestSupport.SplitMix64(seed: UInt64(index))
      let color = UInt32.random(in: 0...0xFF_FFFF, using: &random)
      var pixels: [UInt32] = []
      for place in 0..<480 * 480 {
        let square = UInt32(place % 480 / 16 + place / 480 / 16)
        pixels.append(0xFF00_0000 | (color ^ square))
      }
      let image = PixelImage(width: 480, height: 480, pixels: pixels, isOpaque: true)
      try folder.write(try #require(image.jpegData(quality: 80)), to: "\(index).jpg")
    }
    var tsne = TSNEParameters(threads: 2)
    tsne.iterations = 20
    tsne.earlyIterations = 5
    tsne.perplexity = 5
    let request = MappingRequest(
      location: try Location(parsing: folder.path, currentDirectory: "/"), storage: StorageOptions(environment: [:]),
      parameters: MapParameters(tsne: tsne), cacheDirectory: nil, limits: DecodingLimits(), threads: 2, mode: .map,
      usesStore: false)
    let opened = Mutex<ImageCollection?>(nil)
    let job = Mutex<MappingJob?>(nil)
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let made = MappingJob(request) { events in
        for event in events {
          switch event {
          case .opened(let collection): opened.withLock { $0 = collection }
          case .finished, .failed, .cancelled: continuation.resume()
          default: break
          }
        }
      }
      job.withLock { $0 = made }
      made.start()
    }
    return try #require(opened.withLock { $0 })
  }

  /// A scene in which `count` pictures lie `pitch` pixels apart, so large that all fill a viewport.
  private func scene(_ count: Int, columns: Int, pitch: Double, side: Int) -> Scene {
    let rows = (count + columns - 1) / columns
    var scene = Scene(
      viewport: PixelRect(x: 0, y: 0, width: Int(pitch) * columns, height: Int(pitch) * rows), uiScale: 1,
      isAnimationEnabled: false)
    _ = scene.handle(.imagesAdded(slots: Array(0..<count)))
    _ = scene.handle(.imagesReady((0..<count).map { (slot: $0, aspect: 1) }))
    _ = scene.handle(
      .layout(
        slots: (0..<count).map { Int32($0) },
        positions: (0..<count).flatMap { [Float($0 % columns), Float($0 / columns)] }, isFinal: true, animated: false))
    // Larger pictures until they are as large as wanted.
    for _ in 0..<40 where scene.spriteSide < side { _ = scene.handle(.key(.character("]"), [], isRepeat: false)) }
    return scene
  }

  /// Draws again and again, as the window does, until nothing is asked for any more; how many pictures came.
  private func rest(_ pictures: MapPictures, _ scene: Scene, _ atlas: Atlas) async throws -> Int {
    var renderer = MapRenderer(background: 0xFF00_0000)
    var arrivals = 0
    var isNeeded = true
    pictures.onArrival = {
      arrivals += 1
      isNeeded = true
    }
    let end = ContinuousClock.now + .seconds(240)
    while isNeeded || !pictures.originals.isIdle {
      try #require(arrivals < 2_000 && ContinuousClock.now < end, "decoding without end")
      if isNeeded {
        isNeeded = false
        pictures.drawing { _ in }
        pictures.ask(
          for: scene,
          seen: pictures.wantsOriginals(for: scene) ? renderer.seenSprites(scene: scene, atlas: atlas) : [])
      }
      try await Task.sleep(for: .milliseconds(2))
    }
    return arrivals
  }

  @Test("all that are in view come, however many, and then nothing more is decoded")
  func all() async throws {
    let folder = try TemporaryDirectory("originals")
    let count = 200
    let collection = try await collection(count, folder)
    let scene = scene(count, columns: 20, pitch: 140, side: 140)
    try #require(scene.spriteSide > 128)
    let pictures = MapPictures(limits: DecodingLimits())
    pictures.originals.use(collection)
    var renderer = MapRenderer(background: 0xFF00_0000)
    let seen = renderer.seenSprites(scene: scene, atlas: collection.atlas)
    #expect(seen.count > 64)
    let arrivals = try await rest(pictures, scene, collection.atlas)
    for sprite in seen {
      let original = pictures.originals.loaded(Int(sprite.slot))
      #expect(original.map { $0.decodedSide >= scene.spriteSide } == true, "\(sprite.slot)")
    }
    #expect(arrivals == seen.count)
  }

  @Test("what does not fit into memory together comes smaller, none drives out another for ever, and the rest is rest")
  func tooMany() async throws {
    let folder = try TemporaryDirectory("originals")
    let count = 60
    let collection = try await collection(count, folder)
    let scene = scene(count, columns: 10, pitch: 300, side: 300)
    // Room for two dozen of them as they are, and for all at 256 pixels.
    let pictures = MapPictures(limits: DecodingLimits(), cacheLimit: 24 * 480 * 480 * 4)
    pictures.originals.use(collection)
    var renderer = MapRenderer(background: 0xFF00_0000)
    let seen = renderer.seenSprites(scene: scene, atlas: collection.atlas)
    try #require(seen.count > 30)
    let arrivals = try await rest(pictures, scene, collection.atlas)
    let loaded = seen.filter { pictures.originals.loaded(Int($0.slot)) != nil }
    #expect(loaded.count == seen.count)
    #expect(arrivals <= 2 * seen.count)
    // The same view asks for nothing.
    #expect(try await rest(pictures, scene, collection.atlas) == 0)
  }

  @Test("what lies beneath others is not asked for")
  func hidden() async throws {
    let folder = try TemporaryDirectory("originals")
    let count = 40
    let collection = try await collection(count, folder)
    var scene = Scene(
      viewport: PixelRect(x: 0, y: 0, width: 600, height: 500), uiScale: 1, isAnimationEnabled: false)
    _ = scene.handle(.imagesAdded(slots: Array(0..<count)))
    _ = scene.handle(.imagesReady((0..<count).map { (slot: $0, aspect: 1) }))
    // All on one heap but two that span the map.
    _ = scene.handle(
      .layout(
        slots: (0..<count).map { Int32($0) },
        positions: (0..<count).flatMap { [Float($0 == 0 ? -10 : $0 == 1 ? 10 : 0), 0] }, isFinal: true, animated: false)
    )
    for _ in 0..<40 where scene.spriteSide < 200 { _ = scene.handle(.key(.character("]"), [], isRepeat: false)) }
    let pictures = MapPictures(limits: DecodingLimits())
    pictures.originals.use(collection)
    _ = try await rest(pictures, scene, collection.atlas)
    let loaded = (0..<count).count { pictures.originals.loaded($0) != nil }
    #expect((1...5).contains(loaded))
  }
}

/// A picture that is too large for memory, whatever way the camera was held.
@MainActor @Suite("Large originals") struct LargeOriginalTests {
  @Test("are upright, as EXIF says", arguments: 1...8)
  func orientation(orientation: Int) throws {
    let (width, height) = (41, 23)
    var colors: [UInt32] = []
    for place in 0..<width * height {
      colors.append(0xFF00_0000 | UInt32(place % width * 6) << 16 | UInt32(place / width * 9))
    }
    let image = PixelImage(width: width, height: height, pixels: colors, isOpaque: true)
    var block = ExifBlock()
    block.picture[4].value = .shorts([orientation])
    let bytes = ExifBlock.insert(block.bytes(), intoJPEG: try #require(image.jpegData(quality: 95)))
    let expected = try ImageDecoder().decode(bytes)
    let sink = LargeOriginal(directories: [NSTemporaryDirectory()], token: CancellationToken())
    let decoded = try ImageDecoder().decode(bytes, into: sink)
    let isOpaque = try #require(decoded).isOpaque
    let pyramid = try #require(sink.finished(isOpaque: isOpaque)).picture
    #expect(pyramid.width == expected.header.width && pyramid.height == expected.header.height)
    let size = (width: pyramid.width, height: pyramid.height)
    let pixels = UnsafeMutablePointer<UInt32>.allocate(capacity: size.width * size.height)
    pixels.initialize(repeating: 0, count: size.width * size.height)
    defer { pixels.deallocate() }
    var renderer = OriginalRenderer()
    renderer.render(
      pyramid, in: Rect(x: 0, y: 0, width: Double(size.width), height: Double(size.height)), backdrop: .none,
      into: pixels, stride: size.width, clip: PixelRect(x: 0, y: 0, width: size.width, height: size.height))
    #expect(Array(UnsafeBufferPointer(start: pixels, count: size.width * size.height)) == expected.image.pixels)
  }
}
