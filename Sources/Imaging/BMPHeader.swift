/// The headers of a Windows or OS/2 bitmap: BITMAPCOREHEADER (12 bytes), BITMAPINFOHEADER (40) and its longer successors,
/// OS22XBITMAPHEADER (16 to 64).
struct BMPHeader {
  enum Compression: Int { case none = 0, runs8, runs4, masks, jpeg, png, alphaMasks }

  var width, height: Int
  /// Rows are stored from the top; usually they are stored from the bottom.
  var isTopDown = false
  var bitsPerPixel: Int
  var compression = Compression.none
  /// Where the pixels begin.
  var dataOffset: Int
  /// Palette entries as opaque ARGB32.
  var palette: [UInt32] = []
  /// Masks of red, green, blue and alpha in a pixel of 16 or 32 bits.
  var masks: [UInt32] = []
}

/// Reads the headers; nil when they are cut off or say something that does not exist.
func parseBMPHeader(_ reader: ByteReader) -> BMPHeader? {
  guard let dataOffset = reader.little32(10), let headerSize = reader.little32(14) else { return nil }
  let isCore = headerSize == 12
  var header: BMPHeader
  if isCore {
    guard let width = reader.little16(18), let height = reader.little16(20), let bits = reader.little16(24) else {
      return nil
    }
    header = BMPHeader(width: width, height: height, bitsPerPixel: bits, dataOffset: dataOffset)
  } else {
    guard let width = reader.little32(18), let height = reader.little32(22), let bits = reader.little16(28) else {
      return nil
    }
    let signedHeight = Int(Int32(truncatingIfNeeded: height))
    // A negative width has no meaning; unsigned it is beyond any limit, and that is what is said.
    header = BMPHeader(width: width, height: abs(signedHeight), bitsPerPixel: bits, dataOffset: dataOffset)
    header.isTopDown = signedHeight < 0
    if headerSize >= 20 {
      guard let number = reader.little32(30), let compression = BMPHeader.Compression(rawValue: number) else {
        return nil
      }
      header.compression = compression
    }
  }
  guard [1, 2, 4, 8, 16, 24, 32].contains(header.bitsPerPixel) else { return nil }

  var paletteOffset = 14 + headerSize
  if header.bitsPerPixel == 16 || header.bitsPerPixel == 32 {
    header.masks = header.bitsPerPixel == 16 ? [0x7C00, 0x3E0, 0x1F, 0] : [0xFF0000, 0xFF00, 0xFF, 0]
    if header.compression == .masks || header.compression == .alphaMasks {
      // Behind a header of 40 bytes the masks follow; in the longer ones they are fields at the same place.
      let count = header.compression == .alphaMasks || headerSize >= 56 ? 4 : 3
      for index in 0..<count {
        guard let mask = reader.little32(54 + index * 4) else { return nil }
        header.masks[index] = UInt32(mask)
      }
      if headerSize == 40 { paletteOffset += count * 4 }
    }
  }
  if header.bitsPerPixel <= 8 {
    let entrySize = isCore ? 3 : 4
    let capacity = 1 << header.bitsPerPixel
    let stated = isCore || headerSize < 36 ? 0 : reader.little32(46) ?? 0
    // What the palette claims to hold, it holds only as far as the pixels leave room.
    let room = dataOffset > paletteOffset ? (dataOffset - paletteOffset) / entrySize : capacity
    let count = min(stated == 0 ? capacity : min(stated, capacity), room)
    for index in 0..<count {
      guard let color = reader.integer(paletteOffset + index * entrySize, size: 3, bigEndian: false) else { break }
      header.palette.append(0xFF00_0000 | UInt32(color))
    }
  }
  return header
}
