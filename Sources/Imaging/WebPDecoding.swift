internal import CWebP

/// Decodes a large WebP (of an animated one, the first frame) row by row, where it is not reduced by its own decoder; nil for
/// others, and when there is no room for a file.
///
/// libwebp decodes piece by piece into a buffer for all pixels, which here is a file that few pages of are in memory. A lossy
/// picture needs little more; of a transparent one, libwebp has the alpha of all pixels in memory, a byte or two each, and of
/// a lossless one all pixels, four bytes each.
func decodeWebPByRows(_ bytes: [UInt8], _ request: DecodingRequest) throws(ImagingError) -> DecodedPicture? {
  let header = request.header
  let scale = webPScale(request)
  guard Double(header.width * header.height) * scale * scale > Double(request.mostPixelsInMemory) else { return nil }
  let result = bytes.withUnsafeBufferPointer { bytes -> Result<DecodedPicture?, ImagingError> in
    do throws(ImagingError) { return .success(try decode(bytes, request)) } catch { return .failure(error) }
  }
  return try result.get()
}

private func decode(
  _ bytes: UnsafeBufferPointer<UInt8>, _ request: DecodingRequest
) throws(ImagingError) -> DecodedPicture? {
  let header = request.header
  guard let container = WebPContainer(bytes) else { throw header.isUnreadable }
  let (width, height) = (container.width, container.height)
  try checkDimensions(width: width, height: height, limits: request.limits)
  let frame = container.frame
  let frameWidth = Int(frame.width)
  let frameHeight = Int(frame.height)
  let (left, top) = (Int(frame.x_offset), Int(frame.y_offset))
  guard frameWidth > 0, frameHeight > 0, left >= 0, top >= 0, left + frameWidth <= width, top + frameHeight <= height
  else { throw header.isUnreadable }
  guard let pixels = MappedFile(size: frameWidth * frameHeight * 4) else { return nil }
  guard let decoder = IncrementalWebPDecoder(width: frameWidth, height: frameHeight, into: pixels) else {
    throw ImagingError("There is no memory to decode the picture.")
  }

  let hasAlpha = container.hasAlpha
  var collector = RowCollector(
    sourceWidth: width, sourceHeight: height, target: request.targetSize(width: width, height: height),
    stream: request.stream, channels: .color, hasAlpha: hasAlpha, profile: container.profile)
  let row = UnsafeMutablePointer<UInt32>.allocate(capacity: width)
  defer { row.deallocate() }
  row.initialize(repeating: 0, count: width)
  let empty = [UInt32](repeating: 0, count: width)
  for _ in 0..<top where !collector.isStopped { empty.withUnsafeBufferPointer { collector.push($0.baseAddress!) } }

  let data = UnsafeBufferPointer(start: frame.fragment.bytes, count: frame.fragment.size)
  // So many rows at a time that a lossless decoder, which begins a few rows before the end of the last piece, loses little.
  let piece = max(data.count / 256, 1 << 16)
  // After so many rows their pages are given back.
  let rowsAtOnce = max(1, (1 << 20) / frameWidth)
  var given = 0
  var rows = 0
  decoding: while rows < frameHeight, !collector.isStopped {
    given = min(data.count, given + piece)
    let (finished, state) = pixels.releasedRepeatedly { decoder.take(data, upTo: given) }
    while rows < finished, !collector.isStopped {
      let source = (pixels.base + rows * frameWidth * 4).assumingMemoryBound(to: UInt32.self)
      for x in 0..<frameWidth { row[left + x] = hasAlpha ? premultiplied(source[x]) : source[x] | 0xFF00_0000 }
      collector.push(row)
      rows += 1
      if rows % rowsAtOnce == 0 || rows == finished { pixels.release() }
    }
    if state != .hungry || given == data.count { break decoding }
  }
  if rows == frameHeight {
    while collector.isPartial, !collector.isStopped {
      empty.withUnsafeBufferPointer { collector.push($0.baseAddress!) }
    }
  }
  if collector.isLessThanHalf, !collector.isStopped {
    throw missingRows(collector.rowsTaken, of: height, isTruncated: header.isTruncated)
  }
  let isTransparent = hasAlpha || collector.isPartial
  return DecodedPicture(
    originalWidth: width, originalHeight: height, width: collector.width, height: collector.height,
    pixels: collector.pixels(), channels: .color, hasAlpha: isTransparent, profile: container.profile)
}

/// A pixel of straight ARGB32, premultiplied.
@inline(__always)
private func premultiplied(_ pixel: UInt32) -> UInt32 {
  premultiplied(red: pixel >> 16 & 255, green: pixel >> 8 & 255, blue: pixel & 255, alpha: pixel >> 24)
}

/// The container of a WebP by libwebpdemux, also of one that is cut off.
private final class WebPContainer {
  private let demuxer: OpaquePointer
  private let iterator: UnsafeMutablePointer<WebPIterator>
  let width, height: Int
  /// Whether a pixel of any frame may be transparent: where it says so, or covers less than the canvas.
  private(set) var hasAlpha: Bool

  /// Nil when it is damaged, or ends before the first frame.
  init?(_ bytes: UnsafeBufferPointer<UInt8>) {
    var data = WebPData(bytes: bytes.baseAddress, size: bytes.count)
    var state = WEBP_DEMUX_PARSE_ERROR
    guard let opened = WebPDemuxPartial(&data, &state) else { return nil }
    demuxer = opened
    iterator = .allocate(capacity: 1)
    iterator.initialize(to: WebPIterator())
    width = Int(WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH))
    height = Int(WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT))
    let flags = WebPDemuxGetI(demuxer, WEBP_FF_FORMAT_FLAGS)
    hasAlpha = flags & ALPHA_FLAG.rawValue != 0
    if flags & ANIMATION_FLAG.rawValue != 0, WebPDemuxGetFrame(demuxer, 1, iterator) != 0 {
      repeat {
        let frame = iterator.pointee
        if frame.has_alpha != 0 || Int(frame.width) != width || Int(frame.height) != height { hasAlpha = true }
      } while WebPDemuxNextFrame(iterator) != 0
    }
    WebPDemuxReleaseIterator(iterator)
    // libwebp knows no larger ones; a canvas of an animation may be.
    let largestSide = 0x3FFF
    guard width <= largestSide, height <= largestSide, WebPDemuxGetFrame(demuxer, 1, iterator) != 0 else { return nil }
  }

  deinit {
    WebPDemuxReleaseIterator(iterator)
    iterator.deallocate()
    WebPDemuxDelete(demuxer)
  }

  /// The first frame, whose bytes live as long as the file's.
  var frame: WebPIterator { iterator.pointee }

  /// The embedded ICC profile.
  var profile: [UInt8]? {
    guard WebPDemuxGetI(demuxer, WEBP_FF_FORMAT_FLAGS) & ICCP_FLAG.rawValue != 0 else { return nil }
    var chunk = WebPChunkIterator()
    defer { WebPDemuxReleaseChunkIterator(&chunk) }
    guard WebPDemuxGetChunk(demuxer, "ICCP", 1, &chunk) != 0, chunk.chunk.size > 0 else { return nil }
    return Array(UnsafeBufferPointer(start: chunk.chunk.bytes, count: chunk.chunk.size))
  }
}

/// Owns one libwebp decoder that takes its bytes piece by piece and writes straight ARGB32.
private final class IncrementalWebPDecoder {
  enum State { case hungry, done, failed }

  private let configuration: UnsafeMutablePointer<WebPDecoderConfig>
  private let decoder: OpaquePointer
  private let pixels: MappedFile

  init?(width: Int, height: Int, into pixels: MappedFile) {
    self.pixels = pixels
    configuration = .allocate(capacity: 1)
    configuration.initialize(to: WebPDecoderConfig())
    guard WebPInitDecoderConfig(configuration) != 0 else {
      configuration.deallocate()
      return nil
    }
    #if _endian(little)
      configuration.pointee.output.colorspace = MODE_BGRA
    #else
      configuration.pointee.output.colorspace = MODE_ARGB
    #endif
    configuration.pointee.output.is_external_memory = 1
    configuration.pointee.output.u.RGBA = WebPRGBABuffer(
      rgba: pixels.base.assumingMemoryBound(to: UInt8.self), stride: Int32(width * 4), size: width * height * 4)
    guard let opened = WebPIDecode(nil, 0, configuration) else {
      configuration.deallocate()
      return nil
    }
    decoder = opened
  }

  deinit {
    WebPIDelete(decoder)
    WebPFreeDecBuffer(&configuration.pointee.output)
    configuration.deallocate()
  }

  /// Decodes as far as the first `count` bytes of `data` allow. Returns how many rows are finished.
  func take(_ data: UnsafeBufferPointer<UInt8>, upTo count: Int) -> (rows: Int, state: State) {
    let status = WebPIUpdate(decoder, data.baseAddress, count)
    var rows: Int32 = 0
    guard WebPIDecGetRGB(decoder, &rows, nil, nil, nil) != nil else {
      return (0, status == VP8_STATUS_SUSPENDED ? .hungry : .failed)
    }
    return (Int(rows), status == VP8_STATUS_OK ? .done : status == VP8_STATUS_SUSPENDED ? .hungry : .failed)
  }
}
