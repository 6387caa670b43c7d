/// JPEG: the markers up to the first scan. Orientation from APP1 "Exif", the profile from APP2 "ICC_PROFILE", the size
/// from the frame header (ITU-T T.81, ICC.1 annex B.4).
func parseJPEGHeader(_ reader: ByteReader) throws(ImagingError) -> ParsedHeader? {
  var offset = 2
  var orientation: Int?
  var exif: Range<Int>?
  var chunks: [Int: Range<Int>] = [:]
  var chunkCount = 0
  while true {
    // Between segments anything may lie; the next marker is what counts.
    while let byte = reader.byte(offset), byte != 0xFF { offset += 1 }
    while reader.byte(offset) == 0xFF { offset += 1 }
    guard let marker = reader.byte(offset) else { return nil }
    offset += 1
    if marker == 0 || marker == 1 || (0xD0...0xD8).contains(marker) { continue }
    if marker == 0xD9 || marker == 0xDA { throw ImagingError("The JPEG has no frame header: its size is unknown.") }
    guard let length = reader.big16(offset), length >= 2 else { return nil }
    let body = offset + 2
    let end = offset + length
    switch marker {
    case 0xC0...0xCF where ![0xC4, 0xC8, 0xCC].contains(marker):
      guard let height = reader.big16(body + 1), let width = reader.big16(body + 3) else { return nil }
      let isComplete = chunkCount > 0 && (1...chunkCount).allSatisfy { chunks[$0] != nil }
      let profile = isComplete ? (1...chunkCount).flatMap { reader.bytes[chunks[$0] ?? 0..<0] } : nil
      return ParsedHeader(
        format: .jpeg, width: width, height: height, orientation: orientation ?? 1, profile: profile, exif: exif)
    case 0xE1 where orientation == nil && reader.has("Exif\0\0", at: body):
      orientation = exifOrientation(reader, at: body)
      exif = body..<min(end, reader.count)
    case 0xE2 where reader.has("ICC_PROFILE\0", at: body) && length > 16 && end <= reader.count:
      chunks[Int(reader.bytes[body + 12])] = body + 14..<end
      chunkCount = Int(reader.bytes[body + 13])
    default: break
    }
    offset = end
  }
}

/// PNG: IHDR, and the orientation from eXIf, before or behind the image data (PNG, third edition).
func parsePNGHeader(_ reader: ByteReader) -> ParsedHeader? {
  guard reader.has("IHDR", at: 12), let width = reader.big32(16), let height = reader.big32(20) else { return nil }
  var parsed = ParsedHeader(format: .png, width: width, height: height, isInterlaced: reader.byte(28) == 1)
  var offset = 8
  while let length = reader.big32(offset) {
    if reader.has("IEND", at: offset + 4) { return parsed }
    if reader.has("eXIf", at: offset + 4) {
      parsed.orientation = exifOrientation(reader, at: offset + 8)
      parsed.exif = offset + 8..<min(offset + 8 + length, reader.count)
    }
    offset += 12 + length
  }
  parsed.isTruncated = true
  return parsed
}

/// WebP: the canvas of VP8X, or the frame of VP8 or VP8L; the orientation from the EXIF chunk (RFC 9649).
func parseWebPHeader(_ reader: ByteReader) -> ParsedHeader? {
  func little24(_ offset: Int) -> Int? { reader.integer(offset, size: 3, bigEndian: false) }
  var parsed: ParsedHeader?
  if reader.has("VP8X", at: 12), let width = little24(24), let height = little24(27), let flags = reader.byte(20) {
    parsed = ParsedHeader(format: .webp, width: width + 1, height: height + 1)
    parsed?.isAnimated = flags & 2 != 0
    var offset = 12
    while let length = reader.little32(offset + 4) {
      if reader.has("EXIF", at: offset) {
        parsed?.orientation = exifOrientation(reader, at: offset + 8)
        parsed?.exif = offset + 8..<min(offset + 8 + length, reader.count)
      }
      offset += 8 + length + length % 2
    }
  } else if reader.has("VP8L", at: 12), reader.byte(20) == 0x2F, let bits = reader.little32(21) {
    parsed = ParsedHeader(format: .webp, width: bits & 0x3FFF + 1, height: bits >> 14 & 0x3FFF + 1)
  } else if reader.has("VP8 ", at: 12), let width = reader.little16(26), let height = reader.little16(28) {
    parsed = ParsedHeader(format: .webp, width: width & 0x3FFF, height: height & 0x3FFF)
  }
  if let size = reader.little32(4), size > reader.count - 8 { parsed?.isTruncated = true }
  return parsed
}

/// GIF: the logical screen (GIF89a).
func parseGIFHeader(_ reader: ByteReader) -> ParsedHeader? {
  guard let width = reader.little16(6), let height = reader.little16(8) else { return nil }
  return ParsedHeader(format: .gif, width: width, height: height)
}

/// TIFF: the first directory.
func parseTIFFHeader(_ reader: ByteReader) throws(ImagingError) -> ParsedHeader? {
  guard let directory = TIFFDirectory(reader, at: 0) else { return nil }
  guard let width = directory.width, let height = directory.height else {
    throw ImagingError("The TIFF does not say how large the picture is.")
  }
  return ParsedHeader(
    format: .tiff, width: width, height: height, orientation: directory.orientation, exif: 0..<reader.count)
}
