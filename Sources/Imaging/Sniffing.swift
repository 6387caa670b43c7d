/// The format of a file by its first bytes, of which 32 are enough; nil when it is none that can be shown.
public func sniffFormat(_ head: UnsafeRawBufferPointer) -> ImageFormat? {
  func has(_ text: String, at offset: Int = 0) -> Bool { holds(head, Array(text.utf8), at: offset) }
  if holds(head, [0xFF, 0xD8, 0xFF]) { return .jpeg }
  if holds(head, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
  if has("GIF87a") || has("GIF89a") { return .gif }
  if has("RIFF") && has("WEBP", at: 8) { return .webp }
  // Classic TIFF is version 42, BigTIFF 43, each in either byte order. Canon's raw files say "CR" in the first unused
  // bytes: their first directory is a preview of unknown sense.
  if holds(head, [0x49, 0x49, 42, 0]) || holds(head, [0x4D, 0x4D, 0, 42]) { return has("CR", at: 8) ? nil : .tiff }
  if holds(head, [0x49, 0x49, 43, 0]) || holds(head, [0x4D, 0x4D, 0, 43]) { return .tiff }
  // "BM" alone begins many a text: the size of the second header must be one that exists.
  if has("BM"), head.count >= 18 {
    let size = UInt32(head[14]) | UInt32(head[15]) << 8 | UInt32(head[16]) << 16 | UInt32(head[17]) << 24
    if size == 12 || (16...64).contains(size) || size == 108 || size == 124 { return .bmp }
  }
  return nil
}

private func holds(_ head: UnsafeRawBufferPointer, _ bytes: [UInt8], at offset: Int = 0) -> Bool {
  head.count >= offset + bytes.count && bytes.indices.allSatisfy { head[offset + $0] == bytes[$0] }
}

/// Extensions by which a name claims to be a picture: those that can be shown, and those that cannot, so that the latter
/// are listed with a reason instead of being passed over.
private let imageExtensions: Set<String> = [
  "jpg", "jpeg", "jpe", "jfif", "pjpeg", "png", "apng", "webp", "gif", "tif", "tiff", "bmp", "dib", "mpo",
  "heic", "heif", "hif", "avif", "jp2", "j2k", "jpf", "jpx", "jpm", "j2c", "jxl", "jxr", "psd", "psb", "xcf", "svg",
  "svgz",
  "ico", "cur", "tga", "dds", "exr", "hdr", "ppm", "pgm", "pbm", "pnm", "pam", "pcx", "qoi", "raw", "dng", "cr2", "cr3",
  "nef", "arw", "orf", "rw2", "raf", "pef", "srw", "ai", "eps", "wmf", "emf", "fits", "dcm",
]

/// Whether a file's name claims that it is a picture, by its extension in any case, including formats that cannot be
/// shown (HEIC, PSD, JPEG 2000, …). The name is bytes, which need not be UTF-8.
public func nameClaimsImage(_ fileName: some Collection<UInt8>) -> Bool {
  let tail = Array(fileName.suffix(8))
  guard let dot = tail.lastIndex(of: UInt8(ascii: ".")) else { return false }
  let ending = tail[(dot + 1)...].map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
  return imageExtensions.contains(String(decoding: ending, as: UTF8.self))
}

/// Why these bytes are no picture that can be shown: a sentence that names what they are, where that is known.
func reasonAgainst(_ bytes: [UInt8]) -> String {
  guard !bytes.isEmpty else { return "The file is empty." }
  let name = bytes.withUnsafeBytes(imageFormatThatCannotBeShown)
  if let name { return "\(name) images cannot be shown." }
  let other = bytes.withUnsafeBytes(kindOfFile)
  if let other { return "This is \(other), not an image." }
  return bytes.count < 32
    ? "The file is too short to be an image (\(bytes.count) \(bytes.count == 1 ? "byte" : "bytes"))."
    : "The file is not an image in a known format."
}

private func imageFormatThatCannotBeShown(_ head: UnsafeRawBufferPointer) -> String? {
  func has(_ text: String, at offset: Int = 0) -> Bool { holds(head, Array(text.utf8), at: offset) }
  if has("ftyp", at: 4) {
    for brand in ["heic", "heix", "hevc", "heim", "heis", "mif1", "msf1"] where has(brand, at: 8) { return "HEIC" }
    for brand in ["avif", "avis"] where has(brand, at: 8) { return "AVIF" }
    if has("crx ", at: 8) { return "Canon raw" }
  }
  if has("jP  ", at: 4) || holds(head, [0xFF, 0x4F, 0xFF, 0x51]) { return "JPEG 2000" }
  if holds(head, [0xFF, 0x0A]) || has("JXL ", at: 4) { return "JPEG XL" }
  if holds(head, [0x49, 0x49, 0xBC]) { return "JPEG XR" }
  if (has("II") || has("MM")) && has("CR", at: 8) { return "Canon raw" }
  if has("IIRO") || has("IIRS") || has("MMOR") { return "Olympus raw" }
  if has("IIU\0") { return "Panasonic raw" }
  if has("FUJIFILMCCD-RAW") { return "Fujifilm raw" }
  if has("8BPS") { return "Photoshop" }
  if has("gimp xcf") { return "GIMP" }
  if has("DDS ") { return "DDS" }
  if has("qoif") { return "QOI" }
  if has("SIMPLE  =") { return "FITS" }
  if has("DICM", at: 128) { return "DICOM" }
  if holds(head, [0x76, 0x2F, 0x31, 0x01]) { return "OpenEXR" }
  if has("#?RADIANCE") || has("#?RGBE") { return "Radiance" }
  if holds(head, [0, 0, 1, 0]) || holds(head, [0, 0, 2, 0]) { return "Icon (ICO)" }
  if head.count > 3, head[0] == 0x50, (0x31...0x37).contains(head[1]), [0x20, 0x0A, 0x0D, 0x09].contains(head[2]) {
    return "Netpbm (PBM, PGM, PPM)"
  }
  if head.count > 128, head[0] == 10, head[1] <= 5, head[2] <= 1, [1, 2, 4, 8].contains(head[3]) { return "PCX" }
  // A Targa file has no signature at its start, but the newer ones have one at their end.
  if head.count > 26, has("TRUEVISION-XFILE.", at: head.count - 18) { return "Targa" }
  return nil
}

private func kindOfFile(_ head: UnsafeRawBufferPointer) -> String? {
  func has(_ text: String) -> Bool { holds(head, Array(text.utf8)) }
  if has("%PDF-") { return "a PDF document" }
  if has("%!PS") { return "a PostScript document" }
  if has("PK\u{3}\u{4}") { return "a ZIP archive or office document" }
  if holds(head, [0x1F, 0x8B]) { return "a gzip archive" }
  if has("\u{7F}ELF") { return "a program" }
  if holds(head, Array("ftyp".utf8), at: 4) || holds(head, [0x1A, 0x45, 0xDF, 0xA3]) { return "a video" }
  if has("RIFF") { return "a sound or video file" }
  let text = head.prefix(512).map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
  let isText = text.allSatisfy { $0 >= 0x20 && $0 != 0x7F || [0x09, 0x0A, 0x0C, 0x0D].contains($0) }
  guard isText else { return nil }
  let start = String(decoding: text, as: UTF8.self)
  if start.contains("<!doctype html") || start.contains("<html") { return "an HTML page" }
  if start.contains("<svg") { return "an SVG drawing" }
  if start.hasPrefix("<?xml") { return "an XML document" }
  return head.count >= 8 ? "a text" : nil
}
