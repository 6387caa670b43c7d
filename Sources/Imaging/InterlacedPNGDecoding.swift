internal import CPNG

/// Owns one libpng decoder.
private final class PNGSource {
  let decoder: OpaquePointer
  init(_ decoder: OpaquePointer) { self.decoder = decoder }
  deinit { cpng_close(decoder) }
}

/// One of the seven passes of an interlaced PNG: every so many columns of every so many rows (PNG, third edition, 8.2).
private struct Adam7Pass {
  let row, rowStep, column, columnStep: Int

  static let all = [
    Adam7Pass(row: 0, rowStep: 8, column: 0, columnStep: 8), Adam7Pass(row: 0, rowStep: 8, column: 4, columnStep: 8),
    Adam7Pass(row: 4, rowStep: 8, column: 0, columnStep: 4), Adam7Pass(row: 0, rowStep: 4, column: 2, columnStep: 4),
    Adam7Pass(row: 2, rowStep: 4, column: 0, columnStep: 2), Adam7Pass(row: 0, rowStep: 2, column: 1, columnStep: 2),
    Adam7Pass(row: 1, rowStep: 2, column: 0, columnStep: 1),
  ]

  func columns(of width: Int) -> Int { max(0, width - column + columnStep - 1) / columnStep }
  func rows(of height: Int) -> Int { max(0, height - row + rowStep - 1) / rowStep }
}

/// A pass as it lies in the file.
private struct StoredPass {
  let pass: Adam7Pass
  let columns: Int
  let rows: Int
  let offset: Int
}

/// Decodes a large interlaced PNG; nil for other PNGs, and when there is no room for a file.
///
/// libpng's own way, and libvips', is to have all of the picture in memory. Here the first six passes, which are the even
/// rows, go into a file, one after the other; then each even row is put together, and each odd one is a row of the seventh
/// pass, just decoded. A row counts as there when all of its pixels are: of a file that is cut off, half of the rows are
/// seen when three quarters of the pixels are in it.
func decodeInterlacedPNG(_ bytes: [UInt8], _ request: DecodingRequest) throws(ImagingError) -> DecodedPicture? {
  let header = request.header
  guard header.isInterlaced, header.width * header.height > request.mostPixelsInMemory else { return nil }
  let result = bytes.withUnsafeBufferPointer { bytes -> Result<DecodedPicture?, ImagingError> in
    do throws(ImagingError) { return .success(try decode(bytes, request)) } catch { return .failure(error) }
  }
  return try result.get()
}

private func decode(
  _ bytes: UnsafeBufferPointer<UInt8>, _ request: DecodingRequest
) throws(ImagingError) -> DecodedPicture? {
  let header = request.header
  var info = cpng_info()
  guard let opened = cpng_open(bytes.baseAddress, bytes.count, &info) else {
    throw ImagingError("There is no memory to decode the picture.")
  }
  let source = PNGSource(opened)
  guard !cpng_failed(opened) else { throw header.isUnreadable }
  let (width, height) = (Int(info.width), Int(info.height))
  try checkDimensions(width: width, height: height, limits: request.limits)

  var passes: [StoredPass] = []
  var size = 0
  for pass in Adam7Pass.all.dropLast() {
    passes.append(
      StoredPass(pass: pass, columns: pass.columns(of: width), rows: pass.rows(of: height), offset: size))
    size += pass.columns(of: width) * pass.rows(of: height) * MemoryLayout<UInt32>.size
  }
  guard let file = UnnamedFile(size: size) else { return nil }

  let converter = SampleConverter(bands: Int(info.bands), is16Bit: info.is_16bit)
  let profile = info.profile.map { Array(UnsafeBufferPointer(start: $0, count: info.profile_size)) }
  var collector = RowCollector(
    sourceWidth: width, sourceHeight: height, target: request.targetSize(width: width, height: height),
    stream: request.stream, channels: converter.channels, hasAlpha: converter.hasAlpha, profile: profile)
  if !collector.isStopped {
    let rows = PassRows(source, converter: converter, width: width, sampleBytes: info.row_size)
    let stored = try store(passes, from: rows, in: file)
    try handOn(passes, stored: stored, from: rows, in: file, to: &collector, width: width, height: height)
  }
  if collector.isLessThanHalf, !collector.isStopped {
    throw missingRows(collector.rowsTaken, of: height, isTruncated: header.isTruncated)
  }
  let hasAlpha = converter.hasAlpha || collector.isPartial
  return DecodedPicture(
    originalWidth: width, originalHeight: height, width: collector.width, height: collector.height,
    pixels: collector.pixels(), channels: converter.channels, hasAlpha: hasAlpha, profile: profile)
}

/// Decodes the rows of the passes, one after the other.
private final class PassRows {
  private let source: PNGSource
  private let converter: SampleConverter
  private let samples: UnsafeMutablePointer<UInt8>
  /// The row that was decoded last; the pixels behind its columns mean nothing.
  let pixels: UnsafeMutablePointer<UInt32>

  init(_ source: PNGSource, converter: SampleConverter, width: Int, sampleBytes: Int) {
    self.source = source
    self.converter = converter
    // Aligned for samples of 16 bits.
    samples = UnsafeMutableRawPointer.allocate(byteCount: sampleBytes, alignment: 16)
      .bindMemory(to: UInt8.self, capacity: sampleBytes)
    samples.initialize(repeating: 0, count: sampleBytes)
    pixels = .allocate(capacity: width)
    pixels.initialize(repeating: 0, count: width)
  }

  deinit {
    samples.deallocate()
    pixels.deallocate()
  }

  /// False when there is no row any more.
  func decode(columns: Int) -> Bool {
    guard cpng_read_row(source.decoder, samples) else { return false }
    converter.convert(samples, into: pixels, count: columns)
    return true
  }
}

/// Writes the passes to the file. Returns how many rows of each there are.
private func store(
  _ passes: [StoredPass], from rows: PassRows, in file: UnnamedFile
) throws(ImagingError) -> [Int] {
  var stored = passes.map { _ in 0 }
  let writer = PixelWriter(file, at: 0)
  decoding: for (index, pass) in passes.enumerated() where pass.columns > 0 {
    while stored[index] < pass.rows {
      guard rows.decode(columns: pass.columns) else { break decoding }
      try writer.append(UnsafeBufferPointer(start: rows.pixels, count: pass.columns))
      stored[index] += 1
    }
  }
  try writer.flush()
  return stored
}

/// The passes of an even row, by its number within eight.
private let passesOfRow = [0: [0, 1, 3, 5], 2: [4, 5], 4: [2, 3, 5], 6: [4, 5]]

/// Hands on the rows from the top, until one is not there.
private func handOn(
  _ passes: [StoredPass], stored: [Int], from rows: PassRows, in file: UnnamedFile, to collector: inout RowCollector,
  width: Int, height: Int
) throws(ImagingError) {
  let readers = zip(passes, stored).map { pass, rows in
    RowReader(file, at: pass.offset, rowSize: pass.columns * MemoryLayout<UInt32>.size, rows: rows)
  }
  let row = UnsafeMutablePointer<UInt32>.allocate(capacity: width)
  defer { row.deallocate() }
  for y in 0..<height where !collector.isStopped {
    guard y % 2 == 0 else {
      guard rows.decode(columns: width) else { return }
      collector.push(rows.pixels)
      continue
    }
    for index in passesOfRow[y % 8] ?? [] where passes[index].columns > 0 {
      guard let part = try readers[index].next() else { return }
      let pixels = part.assumingMemoryBound(to: UInt32.self)
      let (column, step) = (passes[index].pass.column, passes[index].pass.columnStep)
      for x in 0..<passes[index].columns { row[column + x * step] = pixels[x] }
    }
    collector.push(row)
  }
}
