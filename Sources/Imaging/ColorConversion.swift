internal import CVips

/// One pixel of straight colour, premultiplied: each channel × alpha / 255, rounded.
@inline(__always)
func premultiplied(red: UInt32, green: UInt32, blue: UInt32, alpha: UInt32) -> UInt32 {
  func scaled(_ channel: UInt32) -> UInt32 {
    // Exact division of 0...65025 by 255 with rounding.
    let product = channel &* alpha &+ 128
    return (product &+ product >> 8) >> 8
  }
  if alpha == 255 { return 0xFF00_0000 | red << 16 | green << 8 | blue }
  return alpha << 24 | scaled(red) << 16 | scaled(green) << 8 | scaled(blue)
}

/// What an ICC profile says of itself (ICC.1: header, tag table, description).
struct ICCProfile {
  let bytes: [UInt8]
  let reader: ByteReader

  init?(_ bytes: [UInt8]) {
    guard bytes.count > 132, bytes.count < 16 << 20 else { return nil }
    self.bytes = bytes
    reader = ByteReader(bytes)
    guard reader.has("acsp", at: 36) else { return nil }
  }

  func describes(_ channels: ChannelLayout) -> Bool {
    switch channels {
    case .color: reader.has("RGB ", at: 16)
    case .gray: reader.has("GRAY", at: 16)
    case .cmyk: reader.has("CMYK", at: 16)
    }
  }

  /// Whether colours are connected by XYZ, and not by Lab.
  var connectsByXYZ: Bool { reader.has("XYZ ", at: 20) }

  /// Where the content of a tag lies.
  func tag(_ name: String) -> Range<Int>? {
    guard let count = reader.big32(128) else { return nil }
    for index in 0..<min(count, 64) where reader.has(name, at: 132 + index * 12) {
      guard let start = reader.big32(136 + index * 12), let size = reader.big32(140 + index * 12),
        size >= 12, start <= bytes.count - size
      else { return nil }
      return start..<start + size
    }
    return nil
  }

  /// True for the usual sRGB profiles by their description, which need no conversion.
  var isSRGB: Bool {
    guard reader.has("RGB ", at: 16), let tag = tag("desc") else { return false }
    // Text in ASCII, or in UTF-16 behind a table: without the zeros they are the same.
    let text = bytes[tag].dropFirst(12).prefix(200).filter { $0 != 0 }
    let description = String(decoding: text, as: UTF8.self)
    return ["sRGB IEC61966", "sRGB built-in", "sRGB2014"].contains { description.contains($0) }
  }
}

/// Brings pixels to sRGB in place: by the embedded ICC profile when it fits the pixels and is not sRGB already (relative
/// colorimetric; tables with black point compensation), otherwise CMYK by the plain formula, and nothing else.
func convertToSRGB(_ pixels: inout [UInt32], channels: ChannelLayout, hasAlpha: Bool, profile: [UInt8]?) {
  if let profile = profile.flatMap(ICCProfile.init), profile.describes(channels), !profile.isSRGB {
    if let matrix = MatrixProfile(profile, channels: channels) {
      matrix.convert(&pixels)
      return
    }
    if convertByTables(&pixels, channels: channels, hasAlpha: hasAlpha, profile: profile) { return }
  }
  guard channels == .cmyk else { return }
  for index in pixels.indices {
    let ink = unsafeBitCast(pixels[index], to: SIMD4<UInt8>.self)
    // A row that is missing has no ink and no paper.
    if hasAlpha && pixels[index] == 0 { continue }
    let light = 255 - UInt32(ink[3])
    pixels[index] = premultiplied(
      red: (255 - UInt32(ink[0])) * light / 255, green: (255 - UInt32(ink[1])) * light / 255,
      blue: (255 - UInt32(ink[2])) * light / 255, alpha: 255)
  }
}

/// Converts by any profile, through libvips; false, with the pixels untouched, when the profile cannot be used.
func convertByTables(
  _ pixels: inout [UInt32], channels: ChannelLayout, hasAlpha: Bool, profile: ICCProfile
) -> Bool {
  Vips.start()
  let bands = channels == .gray ? 1 : channels == .cmyk ? 4 : 3
  var block = [UInt8]()
  var converted = [UInt32]()
  converted.reserveCapacity(pixels.count)
  // In blocks, so that a large picture is not held three times.
  let blockSize = 1 << 20
  var start = 0
  while start < pixels.count {
    let part = pixels[start..<min(start + blockSize, pixels.count)]
    block.removeAll(keepingCapacity: true)
    for pixel in part {
      if channels == .cmyk {
        let ink = unsafeBitCast(pixel, to: SIMD4<UInt8>.self)
        for band in 0..<4 { block.append(ink[band]) }
        continue
      }
      let alpha = pixel >> 24
      func straight(_ shift: UInt32) -> UInt8 {
        let channel = pixel >> shift & 255
        return alpha == 255 || alpha == 0 ? UInt8(channel) : UInt8(min(255, (channel * 255 + alpha / 2) / alpha))
      }
      block.append(straight(16))
      if bands == 3 {
        block.append(straight(8))
        block.append(straight(0))
      }
    }
    var rgb = [UInt8](repeating: 0, count: part.count * 3)
    let isConverted = vips_shim_convert(
      &block, Int32(part.count), Int32(bands), profile.bytes, profile.bytes.count, &rgb)
    guard isConverted else {
      Vips.forgetError()
      return false
    }
    for (index, pixel) in part.enumerated() {
      let isMissing = channels == .cmyk && hasAlpha && pixel == 0
      converted.append(
        premultiplied(
          red: UInt32(rgb[index * 3]), green: UInt32(rgb[index * 3 + 1]), blue: UInt32(rgb[index * 3 + 2]),
          alpha: isMissing ? 0 : channels == .cmyk ? 255 : pixel >> 24))
    }
    start += blockSize
  }
  pixels = converted
  return true
}
