/// Decodes the first frame of a large GIF row by row; nil for others, and when there is no room for a file.
///
/// libvips has the canvas in memory, at four bytes a pixel. Here the rows of a frame are decoded as they are needed; of an
/// interlaced one, the even rows, which come first, are kept in a file as palette indices until the odd ones come.
///
/// Done here and not by giflib, which sees other pictures in odd files than libvips does in small ones: it refuses extensions
/// of another length than usual, ends with an error where the data of a frame end early, and leaves the rest, the canvas, to
/// its caller anyway.
func decodeGIFByRows(_ bytes: [UInt8], _ request: DecodingRequest) throws(ImagingError) -> DecodedPicture? {
  let result = bytes.withUnsafeBufferPointer { bytes -> Result<DecodedPicture?, ImagingError> in
    guard let structure = GIFStructure(bytes), structure.width * structure.height > request.mostPixelsInMemory else {
      return .success(nil)
    }
    do throws(ImagingError) { return .success(try decode(bytes, structure, request)) } catch { return .failure(error) }
  }
  return try result.get()
}

private func decode(
  _ bytes: UnsafeBufferPointer<UInt8>, _ structure: GIFStructure, _ request: DecodingRequest
) throws(ImagingError) -> DecodedPicture? {
  let (width, height) = (structure.width, structure.height)
  try checkDimensions(width: width, height: height, limits: request.limits)
  guard let rows = GIFFrameRows(bytes, structure.frame) else { return nil }
  var collector = RowCollector(
    sourceWidth: width, sourceHeight: height, target: request.targetSize(width: width, height: height),
    stream: request.stream, channels: .color, hasAlpha: structure.hasTransparency)

  let ground: UInt32 = structure.hasTransparency ? 0 : 0xFF00_0000
  var colors = [UInt32](repeating: 0, count: 256)
  colors.replaceSubrange(0..<structure.frame.palette.count, with: structure.frame.palette)
  if let index = structure.frame.transparentIndex { colors[index] = 0 }
  for index in colors.indices { colors[index] |= ground }

  let frame = structure.frame
  let row = UnsafeMutablePointer<UInt32>.allocate(capacity: width)
  defer { row.deallocate() }
  if !collector.isStopped { try rows.begin() }
  for y in 0..<height where !collector.isStopped {
    var filled = 0
    if frame.top..<frame.top + frame.height ~= y {
      guard let count = try rows.next() else { break }
      for x in 0..<count { row[frame.left + x] = colors[Int(rows.indices[x])] }
      filled = count
    }
    for x in 0..<min(frame.left, width) { row[x] = ground }
    for x in min(frame.left + filled, width)..<width { row[x] = ground }
    collector.push(row)
  }
  if collector.isLessThanHalf, !collector.isStopped {
    throw missingRows(collector.rowsTaken, of: height, isTruncated: !frame.isComplete)
  }
  let hasAlpha = structure.hasTransparency || collector.isPartial
  return DecodedPicture(
    originalWidth: width, originalHeight: height, width: collector.width, height: collector.height,
    pixels: collector.pixels(), channels: .color, hasAlpha: hasAlpha, profile: nil)
}

/// The rows of a frame from the top, as palette indices.
private final class GIFFrameRows {
  /// The indices of the row that was asked for last.
  let indices: UnsafeMutablePointer<UInt8>

  private let frame: GIFStructure.Frame
  private var decoder: LZWDecoder
  private var row = 0
  /// The even rows of an interlaced frame, in their places, and how many indices of each are there.
  private let evenRows: UnnamedFile?
  private var evenRowCounts: [Int] = []
  private var evenRowReader: RowReader?

  /// Nil when there is no room for a file.
  init?(_ bytes: UnsafeBufferPointer<UInt8>, _ frame: GIFStructure.Frame) {
    self.frame = frame
    decoder = LZWDecoder(bytes, at: frame.data)
    var file: UnnamedFile?
    if frame.isInterlaced, frame.width > 0 {
      file = UnnamedFile(size: frame.width * ((frame.height + 1) / 2))
      if file == nil { return nil }
    }
    evenRows = file
    indices = .allocate(capacity: max(1, frame.width))
    indices.initialize(repeating: 0, count: max(1, frame.width))
  }

  deinit { indices.deallocate() }

  /// Reads the even rows of an interlaced frame, which come first: every eighth, those in their middle, those in the middle
  /// of the gaps (GIF89a, appendix E).
  func begin() throws(ImagingError) {
    guard let evenRows else { return }
    evenRowCounts = [Int](repeating: 0, count: (frame.height + 1) / 2)
    reading: for (first, step) in [(0, 8), (4, 8), (2, 4)] {
      for y in stride(from: first, to: frame.height, by: step) {
        let count = decoder.decode(into: indices, count: frame.width)
        try evenRows.write(UnsafeRawBufferPointer(start: indices, count: count), at: y / 2 * frame.width)
        evenRowCounts[y / 2] = count
        if count < frame.width { break reading }
      }
    }
    evenRowReader = RowReader(evenRows, at: 0, rowSize: frame.width, rows: evenRowCounts.count)
  }

  /// Reads the next row. Returns how many of its indices are there: where data end that are not damaged, what is behind is
  /// not covered by the frame. Nil when the row is missing.
  func next() throws(ImagingError) -> Int? {
    defer { row += 1 }
    var count: Int
    if let evenRowReader, row % 2 == 0 {
      guard let stored = try evenRowReader.next() else { return nil }
      count = evenRowCounts[row / 2]
      indices.update(from: stored.assumingMemoryBound(to: UInt8.self), count: count)
    } else {
      count = decoder.decode(into: indices, count: frame.width)
    }
    return count == frame.width || decoder.end == .regular ? count : nil
  }
}
