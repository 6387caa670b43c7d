internal import CJPEG

/// Owns one libjpeg decoder.
private final class JPEGSource {
  let decoder: OpaquePointer
  init(_ decoder: OpaquePointer) { self.decoder = decoder }
  deinit { cjpeg_close(decoder) }

  var error: ImagingError {
    let message = String(cString: cjpeg_message(decoder))
    let cause = message.hasSuffix(".") ? String(message.dropLast()) : message
    return ImagingError("The JPEG cannot be decoded: \(cause).")
  }
}

/// Decodes a JPEG at the smallest of 1/1, 1/2, 1/4 and 1/8 of its size whose longest side is at least twice the wanted
/// one, and averages the rest of the way.
///
/// The reduced sizes come from the inverse DCT of fewer coefficients: nearly an average of 8 × 8, 4 × 4 or 2 × 2 pixels,
/// and much cheaper. Averaging those by a factor near one would blur: against a full decode and area average, thumbnails
/// of 128 px differ by a mean of 3 to 5 of 255 levels when the reduced size is only just large enough, by 0.4 to 1.6 when
/// it is twice as large, at nearly the same cost (libvips leaves the same factor). The other eighths that libjpeg-turbo
/// knows have no vector code and are slower than the next larger power of two.
func decodeJPEG(_ bytes: [UInt8], _ request: DecodingRequest) throws(ImagingError) -> DecodedPicture {
  let result = bytes.withUnsafeBufferPointer { bytes -> Result<DecodedPicture, ImagingError> in
    do throws(ImagingError) { return .success(try decodeJPEG(bytes, request)) } catch { return .failure(error) }
  }
  return try result.get()
}

private func decodeJPEG(
  _ bytes: UnsafeBufferPointer<UInt8>, _ request: DecodingRequest
) throws(ImagingError) -> DecodedPicture {
  var info = cjpeg_info()
  guard let opened = cjpeg_open(bytes.baseAddress, bytes.count, &info) else {
    throw ImagingError("There is no memory to decode the picture.")
  }
  let source = JPEGSource(opened)
  guard !cjpeg_failed(opened) else { throw source.error }
  let originalWidth = Int(info.width)
  let originalHeight = Int(info.height)
  try checkDimensions(width: originalWidth, height: originalHeight, limits: request.limits)

  let target = request.targetSize(width: originalWidth, height: originalHeight)
  let wanted = max(target.width, target.height)
  let longest = max(originalWidth, originalHeight)
  let denominator = [8, 4, 2].first { (longest + $0 - 1) / $0 >= 2 * wanted } ?? 1
  var rowWidth: Int32 = 0
  var rowCount: Int32 = 0
  guard cjpeg_start(opened, Int32(denominator), &rowWidth, &rowCount) else {
    var endsEarly = false
    _ = cjpeg_good_rows(opened, &endsEarly)
    throw endsEarly ? missingRows(0, of: originalHeight, isTruncated: true) : source.error
  }

  let width = Int(rowWidth)
  let height = Int(rowCount)
  let channels: ChannelLayout = info.is_cmyk ? .cmyk : info.is_gray ? .gray : .color
  var collector = RowCollector(
    sourceWidth: width, sourceHeight: height, target: target, stream: request.stream, channels: channels,
    hasAlpha: false, profile: request.header.profile)
  let batch = 16
  let rows = UnsafeMutablePointer<UInt32>.allocate(capacity: width * batch)
  defer { rows.deallocate() }
  var endsEarly = false
  var total = 0
  while total < height, !collector.isStopped {
    let read = rows.withMemoryRebound(to: UInt8.self, capacity: width * 4 * batch) {
      Int(cjpeg_read(opened, $0, width * 4, Int32(batch)))
    }
    let good = Int(cjpeg_good_rows(opened, &endsEarly))
    if info.is_cmyk && info.is_inverted {
      for index in 0..<read * width { rows[index] = ~rows[index] }
    }
    for row in 0..<read where collector.rowsTaken < good { collector.push(rows + row * width) }
    total += read
    // What follows a loss is invented.
    if read == 0 || good < total { break }
  }
  if collector.isLessThanHalf, !collector.isStopped {
    let reported = collector.rowsTaken * originalHeight / height
    if endsEarly || !cjpeg_failed(opened) {
      throw missingRows(reported, of: originalHeight, isTruncated: endsEarly)
    }
    throw source.error
  }
  let hasAlpha = collector.isPartial
  return DecodedPicture(
    originalWidth: originalWidth, originalHeight: originalHeight, width: collector.width, height: collector.height,
    pixels: collector.pixels(), channels: channels, hasAlpha: hasAlpha, profile: request.header.profile)
}
