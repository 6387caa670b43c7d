/// What the header of a picture says, before anything is decoded.
struct ParsedHeader {
  var format: ImageFormat
  /// Dimensions as stored, before orientation.
  var width, height: Int
  var orientation = 1
  /// An embedded ICC profile, where the header parser collects it (JPEG).
  var profile: [UInt8]?
  /// Where the EXIF block is, with or without the "Exif" signature before it.
  var exif: Range<Int>?
  var isAnimated = false
  /// Whether the rows of a PNG come in seven passes.
  var isInterlaced = false
  /// True when the file's own structure says that it is longer than the bytes there are.
  var isTruncated = false

  var header: ImageHeader {
    orientation >= 5
      ? ImageHeader(format: format, width: height, height: width, orientation: orientation)
      : ImageHeader(format: format, width: width, height: height, orientation: orientation)
  }

  /// That the picture cannot be decoded at all.
  var isUnreadable: ImagingError {
    isTruncated
      ? missingRows(0, of: height, isTruncated: true)
      : ImagingError("The \(format.displayName) cannot be decoded: it is damaged.")
  }

  func checked(_ limits: DecodingLimits) throws(ImagingError) -> ParsedHeader {
    try checkDimensions(width: width, height: height, limits: limits)
    return self
  }
}

/// Throws when a picture of this size is not to be decoded.
func checkDimensions(width: Int, height: Int, limits: DecodingLimits) throws(ImagingError) {
  guard width > 0, height > 0 else {
    throw ImagingError("The header says that the picture has no pixels (\(width) × \(height)).")
  }
  guard width < 1 << 31, height < 1 << 31 else {
    throw ImagingError("The header says an impossible size (\(grouped(width)) × \(grouped(height)) pixels).")
  }
  let megapixels = Double(width) * Double(height) / 1e6
  guard megapixels <= limits.maximumMegapixels else {
    // Rounded up, so that a picture just above the limit does not seem to be at it.
    throw ImagingError(
      "The picture has \(grouped(Int(megapixels.rounded(.up)))) megapixels; the limit is "
        + "\(grouped(limits.maximumMegapixels)) (--max-megapixels).")
  }
}

/// A number with a comma after each three digits from the right: 3,600.
func grouped(_ number: Int) -> String {
  var text = String(number.magnitude)
  var place = text.count - 3
  while place > 0 {
    text.insert(",", at: text.index(text.startIndex, offsetBy: place))
    place -= 3
  }
  return number < 0 ? "-" + text : text
}

private func grouped(_ number: Double) -> String {
  guard number.isFinite, abs(number) < 1e15 else { return "\(number)" }
  return number == number.rounded() ? grouped(Int(number)) : "\(number)"
}

/// Reads the header of a picture.
func parseHeader(_ bytes: [UInt8]) throws(ImagingError) -> ParsedHeader {
  guard let format = bytes.withUnsafeBytes(sniffFormat) else { throw ImagingError(reasonAgainst(bytes)) }
  let reader = ByteReader(bytes)
  let parsed: ParsedHeader? =
    switch format {
    case .jpeg: try parseJPEGHeader(reader)
    case .png: parsePNGHeader(reader)
    case .webp: parseWebPHeader(reader)
    case .gif: parseGIFHeader(reader)
    case .tiff: try parseTIFFHeader(reader)
    case .bmp: parseBMPHeader(reader).map { ParsedHeader(format: .bmp, width: $0.width, height: $0.height) }
    }
  guard let parsed else {
    throw ImagingError("The file ends within its header, or the header is damaged (\(format.displayName)).")
  }
  return parsed
}

extension ImageFormat {
  var displayName: String { self == .webp ? "WebP" : rawValue.uppercased() }
}

/// Numbers and ranges of hostile bytes: what lies outside is nil.
struct ByteReader {
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var count: Int { bytes.count }

  func byte(_ offset: Int) -> Int? {
    offset >= 0 && offset < bytes.count ? Int(bytes[offset]) : nil
  }

  /// An unsigned integer of `size` bytes (at most 8, the top bit not set).
  func integer(_ offset: Int, size: Int, bigEndian: Bool) -> Int? {
    guard offset >= 0, offset <= bytes.count - size else { return nil }
    var value: UInt64 = 0
    for index in 0..<size { value = value << 8 | UInt64(bytes[offset + (bigEndian ? index : size - 1 - index)]) }
    return Int(exactly: value)
  }

  func little16(_ offset: Int) -> Int? { integer(offset, size: 2, bigEndian: false) }
  func little32(_ offset: Int) -> Int? { integer(offset, size: 4, bigEndian: false) }
  func big16(_ offset: Int) -> Int? { integer(offset, size: 2, bigEndian: true) }
  func big32(_ offset: Int) -> Int? { integer(offset, size: 4, bigEndian: true) }

  func has(_ text: String, at offset: Int) -> Bool {
    let wanted = Array(text.utf8)
    return offset >= 0 && offset <= bytes.count - wanted.count
      && wanted.indices.allSatisfy { bytes[offset + $0] == wanted[$0] }
  }
}
