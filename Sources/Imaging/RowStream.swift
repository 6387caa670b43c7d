/// Takes the rows of a picture that is never in memory as a whole.
public protocol PixelRowSink: AnyObject {
  /// The picture has this extent as it is stored, and is upright once it is turned and mirrored by an EXIF orientation
  /// (1 to 8). Whether its rows are wanted.
  func begin(width: Int, height: Int, orientation: Int) -> Bool
  /// The next row from the top, in sRGB, premultiplied. Whether more are wanted. Rows that are missing at the end, of a
  /// truncated file, do not come; they are transparent.
  func take(_ row: UnsafePointer<UInt32>) -> Bool
}

extension ImageDecoder {
  /// Hands all pixels of a picture to `sink`, row by row: memory is bounded by some rows of the original. What must be kept of
  /// a large picture until its rows are complete (progressive JPEG, interlaced PNG and GIF, WebP) is kept in a file; but
  /// libwebp holds lossless pictures, at four bytes a pixel, 1.1 GB for the largest there can be, and the alpha of lossy
  /// ones, at one or two.
  ///
  /// As `decode` otherwise. Nil when the sink wanted no more.
  public func decode(
    _ bytes: [UInt8], into sink: any PixelRowSink
  ) throws(ImagingError) -> (header: ImageHeader, isOpaque: Bool)? {
    let parsed = try parseHeader(bytes).checked(limits)
    let stream = RowStream(sink, orientation: parsed.orientation)
    let decoded = try decodePixels(
      bytes,
      DecodingRequest(
        header: parsed, longestSide: nil, limits: limits, mostPixelsInMemory: mostPixelsInMemory, stream: stream))
    if stream.isStopped { return nil }
    var header = parsed
    (header.width, header.height) = (decoded.originalWidth, decoded.originalHeight)
    return (header.header, stream.isOpaque && stream.isComplete)
  }
}

/// Brings rows to sRGB and hands them on, many at a time: what a profile needs to be prepared is prepared for each batch.
final class RowStream {
  private let sink: any PixelRowSink
  private let orientation: Int
  private var width = 0
  private var height = 0
  private var channels = ChannelLayout.color
  private var hasAlpha = false
  private var profile: [UInt8]?
  private var batch: [UInt32] = []
  private var rowsHandedOn = 0
  /// All alpha values, combined bit by bit.
  private var alpha: UInt32 = 0xFF00_0000
  /// Whether the sink wants no more.
  private(set) var isStopped = false

  private static let batchPixels = 1 << 20

  init(_ sink: any PixelRowSink, orientation: Int) {
    self.sink = sink
    self.orientation = orientation
  }

  /// Whether no pixel that was handed on is transparent.
  var isOpaque: Bool { alpha == 0xFF00_0000 }
  /// Whether all rows were handed on.
  var isComplete: Bool { rowsHandedOn == height }

  func begin(width: Int, height: Int, channels: ChannelLayout, hasAlpha: Bool, profile: [UInt8]?) {
    (self.width, self.height, self.channels, self.hasAlpha) = (width, height, channels, hasAlpha)
    self.profile = profile
    batch.reserveCapacity(max(width, Self.batchPixels + width))
    isStopped = !sink.begin(width: width, height: height, orientation: orientation)
  }

  func push(_ row: UnsafePointer<UInt32>) {
    guard !isStopped else { return }
    batch.append(contentsOf: UnsafeBufferPointer(start: row, count: width))
    if batch.count >= Self.batchPixels { flush() }
  }

  /// Hands on what has been collected.
  func flush() {
    guard !isStopped, !batch.isEmpty else { return }
    convertToSRGB(&batch, channels: channels, hasAlpha: hasAlpha, profile: profile)
    var all = alpha
    batch.withUnsafeBufferPointer { pixels in
      for pixel in pixels { all &= pixel }
      guard let first = pixels.baseAddress else { return }
      for row in 0..<pixels.count / width where !isStopped {
        isStopped = !sink.take(first + row * width)
        rowsHandedOn += 1
      }
    }
    alpha = all & 0xFF00_0000
    batch.removeAll(keepingCapacity: true)
  }
}
