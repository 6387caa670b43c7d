/// Decodes a Windows or OS/2 bitmap: 1, 2, 4 and 8 bits with palette, plain or run-length coded, 16, 24 and 32 bits, with
/// masks or without.
///
/// Done here because the library that reads the other formats has no reader for this one but ImageMagick's, which reads
/// a hundred formats more, whatever the name says. An alpha mask counts only where some pixel is not transparent by it:
/// many writers leave the fourth byte zero.
func decodeBMP(_ bytes: [UInt8], _ request: DecodingRequest) throws(ImagingError) -> DecodedPicture {
  guard let header = parseBMPHeader(ByteReader(bytes)) else { throw ImagingError("The BMP header is damaged.") }
  let (width, height) = (header.width, header.height)
  switch (header.compression, header.bitsPerPixel) {
  case (.none, _), (.runs8, 8), (.runs4, 4), (.masks, 16), (.masks, 32), (.alphaMasks, 16), (.alphaMasks, 32): break
  case (.jpeg, _), (.png, _): throw ImagingError("BMP pictures with JPEG or PNG inside cannot be shown.")
  default: throw ImagingError("The BMP header is damaged: its compression does not fit its depth.")
  }

  let isRunLengthCoded = header.compression == .runs8 || header.compression == .runs4
  let usesAlpha = !isRunLengthCoded && hasAlpha(header, bytes)
  var collector = RowCollector(
    sourceWidth: width, sourceHeight: height, target: request.targetSize(width: width, height: height),
    stream: request.stream, channels: .color, hasAlpha: usesAlpha, profile: nil)
  var row = [UInt32](repeating: 0, count: width)
  if isRunLengthCoded {
    let (indices, rowsReached) = decodeRuns(header, bytes)
    let missing = height - rowsReached
    for y in 0..<height where !collector.isStopped {
      let stored = header.isTopDown ? y : height - 1 - y
      for x in 0..<width { row[x] = color(Int(indices[stored * width + x]), header.palette) }
      row.withUnsafeBufferPointer { collector.push($0.baseAddress!) }
    }
    if missing * 2 > height { throw missingRows(rowsReached, of: height, isTruncated: true) }
  } else {
    let stride = (width * header.bitsPerPixel + 31) / 32 * 4
    let present = min(height, max(0, bytes.count - header.dataOffset + 3) / stride)
    if present * 2 < height { throw missingRows(present, of: height, isTruncated: true) }
    for y in 0..<height where !collector.isStopped {
      let stored = header.isTopDown ? y : height - 1 - y
      if stored < present {
        readRow(header, bytes, at: header.dataOffset + stored * stride, usesAlpha: usesAlpha, into: &row)
      } else {
        for x in 0..<width { row[x] = 0 }
      }
      row.withUnsafeBufferPointer { collector.push($0.baseAddress!) }
    }
    if present < height {
      return picture(&collector, header, hasAlpha: true)
    }
  }
  return picture(&collector, header, hasAlpha: usesAlpha)
}

private func picture(_ collector: inout RowCollector, _ header: BMPHeader, hasAlpha: Bool) -> DecodedPicture {
  DecodedPicture(
    originalWidth: header.width, originalHeight: header.height, width: collector.width, height: collector.height,
    pixels: collector.pixels(), channels: .color, hasAlpha: hasAlpha, profile: nil)
}

private func color(_ index: Int, _ palette: [UInt32]) -> UInt32 {
  index < palette.count ? palette[index] : 0xFF00_0000
}

/// A field of a pixel as 8 bits.
private struct Field {
  private let mask, shift, maximum: UInt32

  init(_ mask: UInt32) {
    self.mask = mask
    shift = mask == 0 ? 0 : UInt32(mask.trailingZeroBitCount)
    maximum = mask >> shift
  }

  func value(_ pixel: UInt32) -> UInt32 {
    maximum == 0 ? 0 : UInt32((UInt64(pixel & mask) >> UInt64(shift)) * 255 / UInt64(maximum)) & 255
  }
}

/// Whether the alpha mask of the header means anything.
private func hasAlpha(_ header: BMPHeader, _ bytes: [UInt8]) -> Bool {
  guard header.masks.count == 4, header.masks[3] != 0, header.dataOffset < bytes.count else { return false }
  let size = header.bitsPerPixel / 8
  let reader = ByteReader(bytes)
  let alpha = Field(header.masks[3])
  return stride(from: header.dataOffset, to: bytes.count - size + 1, by: size).contains { offset in
    alpha.value(UInt32(reader.integer(offset, size: size, bigEndian: false) ?? 0)) != 0
  }
}

/// Reads one row that is stored plainly. Bytes behind the end of the file count as zero: at most the padding.
private func readRow(_ header: BMPHeader, _ bytes: [UInt8], at start: Int, usesAlpha: Bool, into row: inout [UInt32]) {
  func byte(_ offset: Int) -> UInt32 { start + offset < bytes.count ? UInt32(bytes[start + offset]) : 0 }
  switch header.bitsPerPixel {
  case 24:
    for x in row.indices {
      row[x] = 0xFF00_0000 | byte(x * 3 + 2) << 16 | byte(x * 3 + 1) << 8 | byte(x * 3)
    }
  case 16, 32:
    let size = header.bitsPerPixel / 8
    let fields = header.masks.map(Field.init)
    let (red, green, blue, alpha) = (fields[0], fields[1], fields[2], fields[3])
    for x in row.indices {
      var pixel = byte(x * size) | byte(x * size + 1) << 8
      if size == 4 { pixel |= byte(x * 4 + 2) << 16 | byte(x * 4 + 3) << 24 }
      row[x] = premultiplied(
        red: red.value(pixel), green: green.value(pixel), blue: blue.value(pixel),
        alpha: usesAlpha ? alpha.value(pixel) : 255)
    }
  default:
    let bits = header.bitsPerPixel
    let perByte = 8 / bits
    let mask = UInt32(1) << UInt32(bits) - 1
    for x in row.indices {
      let shift = UInt32((perByte - 1 - x % perByte) * bits)
      row[x] = color(Int(byte(x / perByte) >> shift & mask), header.palette)
    }
  }
}

/// Expands run-length coded pixels to palette indices, rows as stored; pixels that are skipped have index 0. Returns also
/// the number of rows that were reached.
private func decodeRuns(_ header: BMPHeader, _ bytes: [UInt8]) -> (indices: [UInt8], rowsReached: Int) {
  let (width, height) = (header.width, header.height)
  var indices = [UInt8](repeating: 0, count: width * height)
  let isNibbles = header.compression == .runs4
  var offset = header.dataOffset
  var x = 0
  var y = 0
  func put(_ value: UInt8) {
    if x < width && y < height { indices[y * width + x] = value }
    x += 1
  }
  while offset >= 0, offset + 1 < bytes.count, y < height {
    let count = Int(bytes[offset])
    let code = bytes[offset + 1]
    offset += 2
    if count > 0 {
      for index in 0..<count { put(isNibbles ? (index % 2 == 0 ? code >> 4 : code & 15) : code) }
      continue
    }
    switch code {
    case 0: (x, y) = (0, y + 1)
    case 1: return (indices, height)
    case 2:
      guard offset + 1 < bytes.count else { return (indices, y) }
      x += Int(bytes[offset])
      y += Int(bytes[offset + 1])
      offset += 2
    default:
      let size = isNibbles ? (Int(code) + 1) / 2 : Int(code)
      guard offset + size <= bytes.count else { return (indices, y) }
      for index in 0..<Int(code) {
        put(
          isNibbles
            ? (index % 2 == 0 ? bytes[offset + index / 2] >> 4 : bytes[offset + index / 2] & 15)
            : bytes[offset + index])
      }
      offset += size + size % 2
    }
  }
  return (indices, min(y + (x > 0 ? 1 : 0), height))
}
