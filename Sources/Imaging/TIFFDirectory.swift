/// The first directory of a TIFF file, or of an EXIF block, which is a TIFF file inside another.
///
/// TIFF 6.0 and BigTIFF: a byte order, the offset of the first directory, and there entries of tag, type, count and
/// value, the value in place when it is small enough.
struct TIFFDirectory {
  private var values: [Int: Int] = [:]

  var width: Int? { values[256] }
  var height: Int? { values[257] }
  /// The EXIF orientation, 1 to 8; 1 when absent or senseless.
  var orientation: Int { (1...8).contains(values[274] ?? 1) ? values[274] ?? 1 : 1 }

  /// Reads the directory of the TIFF that begins at `base`; nil when there is none.
  init?(_ reader: ByteReader, at base: Int) {
    let isBig: Bool
    if reader.has("II", at: base) {
      isBig = false
    } else if reader.has("MM", at: base) {
      isBig = true
    } else {
      return nil
    }
    func integer(_ offset: Int, _ size: Int) -> Int? { reader.integer(base + offset, size: size, bigEndian: isBig) }
    let is64Bit = integer(2, 2) == 43
    guard is64Bit || integer(2, 2) == 42, let start = is64Bit ? integer(8, 8) : integer(4, 4),
      start < reader.count, let count = integer(start, is64Bit ? 8 : 2)
    else { return nil }
    let entrySize = is64Bit ? 20 : 12
    let first = start + (is64Bit ? 8 : 2)
    for index in 0..<min(count, 4096) {
      let entry = first + index * entrySize
      guard let tag = integer(entry, 2), let type = integer(entry + 2, 2) else { break }
      guard [256, 257, 274].contains(tag), integer(entry + 4, is64Bit ? 8 : 4) == 1 else { continue }
      let sizes = [1: 1, 3: 2, 4: 4, 16: 8]
      if let size = sizes[type] { values[tag] = integer(entry + (is64Bit ? 12 : 8), size) }
    }
  }
}

/// The orientation in an EXIF block that begins at `offset`, with or without the "Exif" signature before it.
func exifOrientation(_ reader: ByteReader, at offset: Int) -> Int {
  let start = reader.has("Exif\0\0", at: offset) ? offset + 6 : offset
  return TIFFDirectory(reader, at: start)?.orientation ?? 1
}
