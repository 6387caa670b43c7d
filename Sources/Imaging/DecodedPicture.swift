/// What a format's decoder is asked for.
struct DecodingRequest {
  let header: ParsedHeader
  /// The longest side wanted; nil for all pixels.
  let longestSide: Int?
  let limits: DecodingLimits
  /// Pictures beyond this many pixels are not held as a whole.
  var mostPixelsInMemory = ImageDecoder.mostPixelsInMemory
  /// Where the rows go instead of into memory.
  var stream: RowStream?

  /// The size that a picture of this size is to have in the end, before orientation.
  func targetSize(width: Int, height: Int) -> (width: Int, height: Int) {
    guard let longestSide else { return (width, height) }
    return fittedSize(width: width, height: height, longestSide: longestSide)
  }
}

/// What the four channels of a decoded row are.
enum ChannelLayout {
  /// Premultiplied ARGB32.
  case color
  /// The same, with R, G and B equal.
  case gray
  /// Cyan, magenta, yellow, black in memory order, 255 is full ink.
  case cmyk
}

/// A decoder's result, before colour management and orientation.
struct DecodedPicture {
  /// Dimensions as stored, before orientation.
  var originalWidth, originalHeight: Int
  var width, height: Int
  var pixels: [UInt32]
  var channels: ChannelLayout
  var hasAlpha: Bool
  var profile: [UInt8]?

  /// The picture in sRGB, upright. Colours are converted here, after averaging: on few pixels, whatever the original had.
  /// The pixels are moved out of here, and converted where they are.
  mutating func finished(orientation: Int) -> PixelImage {
    var pixels = self.pixels
    self.pixels = []
    convertToSRGB(&pixels, channels: channels, hasAlpha: hasAlpha, profile: profile)
    let isOpaque = !hasAlpha || pixels.allSatisfy { $0 >> 24 == 255 }
    return PixelImage(width: width, height: height, pixels: pixels, isOpaque: isOpaque).oriented(orientation)
  }
}

/// Collects the rows that a decoder delivers from the top: all of them, or area-averaged to a size; or hands them on.
struct RowCollector: ~Copyable {
  let width, height: Int
  private let sourceWidth, sourceHeight: Int
  private let stream: RowStream?
  private var averager: AreaAverager?
  private var whole: [UInt32] = []
  private(set) var rowsTaken = 0

  /// - Parameters:
  ///   - target: the size that is wanted.
  ///   - channels, hasAlpha, profile: what a stream needs to know.
  init(
    sourceWidth: Int, sourceHeight: Int, target: (width: Int, height: Int), stream: RowStream? = nil,
    channels: ChannelLayout = .color, hasAlpha: Bool = false, profile: [UInt8]? = nil
  ) {
    self.stream = stream
    stream?.begin(
      width: sourceWidth, height: sourceHeight, channels: channels, hasAlpha: hasAlpha, profile: profile)
    // Shrink-on-load rounds; what it made smaller than wanted is not enlarged.
    width = min(target.width, sourceWidth)
    height = min(target.height, sourceHeight)
    self.sourceWidth = sourceWidth
    self.sourceHeight = sourceHeight
    if (width, height) == (sourceWidth, sourceHeight) {
      averager = nil
      if stream == nil { whole.reserveCapacity(width * height) }
    } else {
      averager = AreaAverager(sourceWidth: sourceWidth, sourceHeight: sourceHeight, width: width, height: height)
    }
  }

  mutating func push(_ row: UnsafePointer<UInt32>) {
    guard rowsTaken < sourceHeight else { return }
    rowsTaken += 1
    if let stream {
      stream.push(row)
    } else if averager != nil {
      averager?.push(row)
    } else {
      whole.append(contentsOf: UnsafeBufferPointer(start: row, count: sourceWidth))
    }
  }

  /// True when nobody wants the rows that are still to come.
  var isStopped: Bool { stream?.isStopped ?? false }

  /// True when so much is missing that the picture is not to be shown.
  var isLessThanHalf: Bool { rowsTaken * 2 < sourceHeight }

  /// True when rows are missing: they are transparent in `pixels()`.
  var isPartial: Bool { rowsTaken < sourceHeight }

  /// The pixels of the target, of which missing rows are transparent; none when they were handed on.
  mutating func pixels() -> [UInt32] {
    if let stream {
      stream.flush()
      return []
    }
    if averager != nil { return averager?.finished() ?? [] }
    whole.append(contentsOf: repeatElement(0, count: width * height - whole.count))
    defer { whole = [] }
    return whole
  }
}

/// "The file ends after 12 of 480 rows." or the same for damage.
func missingRows(_ decoded: Int, of height: Int, isTruncated: Bool) -> ImagingError {
  let rows = "\(grouped(decoded)) of \(grouped(height)) rows"
  return ImagingError(isTruncated ? "The file ends after \(rows)." : "The picture is damaged after \(rows).")
}
