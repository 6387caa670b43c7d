internal import CVips
import Glibc

/// Spares the process libvips' plug-ins (ImageMagick, Poppler, OpenSlide, HEIF, JPEG XL), which are never used here but
/// would be loaded with it: 20 ms and 7 MB less at the first picture that is no JPEG. Optional.
///
/// It sets an environment variable, so it is called first in `main`, before there is a second thread.
public func prepareImaging() {
  // The directory in which libvips looks for plug-ins; one that the user has chosen stays.
  setenv("VIPSHOME", "/nonexistent", 0)
}

/// libvips, started when it is first needed, and told to do only what is wanted here: one thread a picture (the callers
/// decode many at once), nothing cached, no loaders but four.
enum Vips {
  private static let isStarted: Bool = vips_shim_start()

  static func start() { _ = isStarted }

  /// libvips collects error messages of all threads in one place; they are not shown, because they may be another
  /// picture's, and must not pile up.
  static func forgetError() { vips_error_clear() }
}

/// Owns a reference to a libvips object.
private final class VipsReference<Object> {
  let pointer: UnsafeMutablePointer<Object>
  init(_ pointer: UnsafeMutablePointer<Object>) { self.pointer = pointer }
  deinit { g_object_unref(pointer) }
}

/// Decodes PNG, WebP, GIF (first frame) or TIFF (first page) row by row.
func decodeByVips(_ bytes: [UInt8], _ request: DecodingRequest) throws(ImagingError) -> DecodedPicture {
  Vips.start()
  let result = bytes.withUnsafeBytes { bytes -> Result<DecodedPicture, ImagingError> in
    do throws(ImagingError) { return .success(try decode(bytes, request)) } catch { return .failure(error) }
  }
  // Buffers that libvips keeps for this thread; threads of a dispatch queue come and go.
  vips_thread_shutdown()
  if case .failure = result { Vips.forgetError() }
  return try result.get()
}

private func decode(
  _ bytes: UnsafeRawBufferPointer, _ request: DecodingRequest
) throws(ImagingError) -> DecodedPicture {
  let header = request.header
  let unreadable = header.isUnreadable
  let scale = webPScale(request)
  guard let loaded = load(bytes, header.format, scale: scale) else { throw unreadable }
  var image = VipsReference(loaded)
  let width = Int(vips_image_get_width(image.pointer))
  let height = Int(vips_image_get_height(image.pointer))
  try checkDimensions(width: width, height: height, limits: request.limits)
  guard vips_image_get_bands(image.pointer) <= 64 else {
    throw ImagingError("The picture has \(vips_image_get_bands(image.pointer)) channels a pixel; that cannot be shown.")
  }
  let (originalWidth, originalHeight) = scale < 1 ? (header.width, header.height) : (width, height)

  let profile = embeddedProfile(image.pointer)
  if !SampleConverter.canRead(image.pointer) {
    guard let converted = vips_shim_to_srgb(image.pointer) else { throw unreadable }
    image = VipsReference(converted)
  }
  let converter = SampleConverter(image.pointer)
  guard let created = vips_region_new(image.pointer) else { throw unreadable }
  let region = VipsReference(created)
  var collector = RowCollector(
    sourceWidth: width, sourceHeight: height,
    target: request.targetSize(width: originalWidth, height: originalHeight), stream: request.stream,
    channels: converter.channels, hasAlpha: converter.hasAlpha, profile: profile)
  let row = UnsafeMutablePointer<UInt32>.allocate(capacity: width)
  defer { row.deallocate() }
  let batch = 16
  rows: while collector.rowsTaken < height, !collector.isStopped {
    let top = collector.rowsTaken
    let count = min(batch, height - top)
    guard vips_shim_prepare(region.pointer, Int32(top), Int32(count)) else { break rows }
    for line in 0..<count {
      guard let samples = vips_shim_row(region.pointer, Int32(top + line)) else { break rows }
      converter.convert(samples, into: row, count: width)
      collector.push(row)
    }
  }
  if collector.isLessThanHalf, !collector.isStopped {
    throw missingRows(
      collector.rowsTaken * originalHeight / height, of: originalHeight, isTruncated: header.isTruncated)
  }
  let hasAlpha = converter.hasAlpha || collector.isPartial
  return DecodedPicture(
    originalWidth: originalWidth, originalHeight: originalHeight, width: collector.width, height: collector.height,
    pixels: collector.pixels(), channels: converter.channels, hasAlpha: hasAlpha, profile: profile)
}

private func load(_ bytes: UnsafeRawBufferPointer, _ format: ImageFormat, scale: Double) -> UnsafeMutablePointer<
  VipsImage
>? {
  switch format {
  case .png: vips_shim_load_png(bytes.baseAddress, bytes.count)
  case .webp: vips_shim_load_webp(bytes.baseAddress, bytes.count, scale)
  case .gif: vips_shim_load_gif(bytes.baseAddress, bytes.count)
  case .tiff: vips_shim_load_tiff(bytes.baseAddress, bytes.count)
  case .jpeg, .bmp: nil
  }
}

/// A large WebP is reduced by its own decoder, which then needs no memory for all pixels (a lossless one does): to twice the
/// wanted size, the rest is averaged.
func webPScale(_ request: DecodingRequest) -> Double {
  let header = request.header
  guard header.format == .webp, !header.isAnimated, let longestSide = request.longestSide,
    header.width * header.height > 4_000_000
  else { return 1 }
  return min(1, Double(2 * longestSide) / Double(max(header.width, header.height)))
}

private func embeddedProfile(_ image: UnsafeMutablePointer<VipsImage>) -> [UInt8]? {
  var count = 0
  guard let data = vips_shim_profile(image, &count), count > 0 else { return nil }
  return Array(UnsafeRawBufferPointer(start: data, count: count))
}

extension SampleConverter {
  /// Whether an image is of a kind that `convert` reads; others are converted to sRGB by libvips first.
  fileprivate static func canRead(_ image: UnsafeMutablePointer<VipsImage>) -> Bool {
    let format = vips_image_get_format(image)
    let interpretation = vips_image_guess_interpretation(image)
    return (format == VIPS_FORMAT_UCHAR || format == VIPS_FORMAT_USHORT)
      && [
        VIPS_INTERPRETATION_B_W, VIPS_INTERPRETATION_GREY16, VIPS_INTERPRETATION_sRGB, VIPS_INTERPRETATION_RGB,
        VIPS_INTERPRETATION_RGB16, VIPS_INTERPRETATION_CMYK, VIPS_INTERPRETATION_MULTIBAND,
      ].contains { $0 == interpretation }
  }

  fileprivate init(_ image: UnsafeMutablePointer<VipsImage>) {
    let bands = Int(vips_image_get_bands(image))
    self.init(
      bands: bands, is16Bit: vips_image_get_format(image) == VIPS_FORMAT_USHORT,
      isCMYK: vips_image_guess_interpretation(image) == VIPS_INTERPRETATION_CMYK && bands >= 4)
  }
}
