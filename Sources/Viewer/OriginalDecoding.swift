import Collection
import Dispatch
import Imaging
import Numerics
import ObjectStorage

/// One original on its way from its file to what is drawn.
struct OriginalDecoding<Picture: Sendable>: Sendable {
  let decoder: ImageDecoder
  /// The longest side that is wanted; nil for all pixels.
  let side: Int?
  let maker: OriginalLoader<Picture>.Maker
  let directories: [String]
  let token: CancellationToken

  /// Whole pictures beyond this many pixels are not kept in memory: one of 300 megapixels would take 1.2 GB.
  private static var mostPixelsInMemory: Int { 32_000_000 }
  /// The longest side of such a picture where there is no room for a file, and of any that is reduced.
  private static var reducedSide: Int { 4096 }
  private static var largestSide: Int { 8192 }

  /// Fetches and decodes.
  func run(
    _ object: StoredObject, from store: any ObjectStore, on queue: DispatchQueue
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
      queue.async { continuation.resume(returning: decode(bytes)) }
    }
  }

  private func decode(_ bytes: [UInt8]) -> Result<LoadedOriginal<Picture>, OriginalFailure> {
    do throws(ImagingError) {
      let known = try decoder.header(of: bytes)
      let isHuge = known.width * known.height > Self.mostPixelsInMemory
      if isHuge, side == nil, let large = try decodeLarge(bytes) { return .success(large) }
      if token.isCancelled { return .failure(OriginalFailure(reason: "", isCancelled: true)) }
      let side = isHuge ? min(side ?? Self.reducedSide, Self.largestSide) : side
      let (header, image) = try decoder.decode(bytes, longestSide: side)
      let decodedSide = max(image.width, image.height)
      let made = maker.make(image)
      return .success(
        LoadedOriginal(
          header: header, picture: made.picture, metadata: decoder.metadata(of: bytes), decodedSide: decodedSide,
          cost: made.cost, isWhole: self.side == nil || decodedSide >= max(header.width, header.height)))
    } catch {
      return .failure(OriginalFailure(reason: "\(error)", isCancelled: false))
    }
  }

  /// All pixels of a picture too large for memory; nil where there is no room for them either.
  private func decodeLarge(_ bytes: [UInt8]) throws(ImagingError) -> LoadedOriginal<Picture>? {
    guard let sink = maker.makeLarge?(directories, token), let result = try decoder.decode(bytes, into: sink),
      let made = sink.finished(isOpaque: result.isOpaque)
    else { return nil }
    return LoadedOriginal(
      header: result.header, picture: made.picture, metadata: decoder.metadata(of: bytes),
      decodedSide: max(result.header.width, result.header.height), cost: made.cost, isWhole: true)
  }
}
