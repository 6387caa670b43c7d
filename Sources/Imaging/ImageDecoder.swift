/// Bytes to pixels: the format is told by the first bytes, the limits are checked on the header, and whatever the bytes
/// hold, the answer is a picture or a reason.
///
/// A value without state: any number of threads may decode at once. Every call blocks; callers use dispatch queues.
public struct ImageDecoder: Sendable {
  /// What is refused.
  public let limits: DecodingLimits

  /// Pictures beyond this many pixels are not held as a whole while they are decoded, by whatever their format's library
  /// would: 64 MB of pixels at four bytes, in each thread that decodes.
  static let mostPixelsInMemory = 16_000_000
  var mostPixelsInMemory = Self.mostPixelsInMemory

  /// Creates a decoder that refuses what exceeds `limits`.
  public init(limits: DecodingLimits = DecodingLimits()) { self.limits = limits }

  /// Format, dimensions and orientation, read from the header alone: no pixel is decoded and no memory is taken.
  ///
  /// Throws when the bytes are no picture that can be shown, when the header is damaged, and when the picture is larger
  /// than the limit.
  public func header(of bytes: [UInt8]) throws(ImagingError) -> ImageHeader {
    try parseHeader(bytes).checked(limits).header
  }

  /// The picture, oriented, in sRGB, premultiplied.
  ///
  /// With `longestSide` it is area-averaged so that its longest side is exactly that, or the original's where that is
  /// less (a picture is never enlarged); memory is then bounded by rows of the original, not by its size; but
  /// libwebp holds lossless pictures, at four bytes a pixel, and the alpha of lossy ones, at one or two. With nil it is
  /// whole.
  ///
  /// A truncated or damaged picture is shown, transparent where it is missing, when at least half of its rows could be
  /// decoded; otherwise that is the error.
  public func decode(
    _ bytes: [UInt8], longestSide: Int? = nil
  ) throws(ImagingError) -> (header: ImageHeader, image: PixelImage) {
    let parsed = try parseHeader(bytes).checked(limits)
    let request = DecodingRequest(
      header: parsed, longestSide: longestSide, limits: limits, mostPixelsInMemory: mostPixelsInMemory)
    var decoded = try decodePixels(bytes, request)
    var header = parsed
    (header.width, header.height) = (decoded.originalWidth, decoded.originalHeight)
    return (header.header, decoded.finished(orientation: parsed.orientation))
  }

  /// The pixels as the file has them.
  func decodePixels(_ bytes: [UInt8], _ request: DecodingRequest) throws(ImagingError) -> DecodedPicture {
    switch request.header.format {
    case .jpeg: return try decodeJPEG(bytes, request)
    case .bmp: return try decodeBMP(bytes, request)
    case .png: if let picture = try decodeInterlacedPNG(bytes, request) { return picture }
    case .webp: if let picture = try decodeWebPByRows(bytes, request) { return picture }
    case .gif: if let picture = try decodeGIFByRows(bytes, request) { return picture }
    case .tiff: break
    }
    return try decodeByVips(bytes, request)
  }
}
