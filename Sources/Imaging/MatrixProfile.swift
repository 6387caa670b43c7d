import Glibc

/// The conversion to sRGB by a profile that consists of three tone curves and a matrix (ICC.1, "three-component
/// matrix-based profiles"), or of one curve for grey: what cameras, phones and screens have (Display P3, Adobe RGB).
///
/// libvips would do the same, but builds its tables anew for each picture, which takes longer than decoding a small one.
struct MatrixProfile {
  /// Linear light for each 8-bit value, of red, green and blue, or three times grey.
  private let light: [[Float]]
  /// From linear light to that of sRGB, rows for red, green and blue.
  private let matrix: [SIMD3<Float>]

  /// Nil for profiles of other kinds, and for damaged ones.
  init?(_ profile: ICCProfile, channels: ChannelLayout) {
    // A table, where there is one, takes precedence over curves and matrix.
    guard profile.connectsByXYZ, profile.tag("A2B0") == nil else { return nil }
    switch channels {
    case .cmyk: return nil
    case .gray:
      guard let curve = profile.tag("kTRC").flatMap({ toneCurve(profile.reader, $0) }) else { return nil }
      light = [curve, curve, curve]
      matrix = [SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)]
    case .color:
      var curves: [[Float]] = []
      var primaries: [SIMD3<Float>] = []
      for name in ["r", "g", "b"] {
        guard let curve = profile.tag(name + "TRC").flatMap({ toneCurve(profile.reader, $0) }),
          let tag = profile.tag(name + "XYZ"), tag.count >= 20,
          let x = fixed(profile.reader, tag.lowerBound + 8), let y = fixed(profile.reader, tag.lowerBound + 12),
          let z = fixed(profile.reader, tag.lowerBound + 16)
        else { return nil }
        curves.append(curve)
        primaries.append(SIMD3(x, y, z))
      }
      light = curves
      matrix = srgbFromXYZ.map { row in
        SIMD3((row * primaries[0]).sum(), (row * primaries[1]).sum(), (row * primaries[2]).sum())
      }
    }
  }

  /// Converts premultiplied pixels in place.
  func convert(_ pixels: inout [UInt32]) {
    var previous: (pixel: UInt32, result: UInt32) = (0, 0)
    for index in pixels.indices {
      let pixel = pixels[index]
      if pixel != previous.pixel { previous = (pixel, converted(pixel)) }
      pixels[index] = previous.result
    }
  }

  private func converted(_ pixel: UInt32) -> UInt32 {
    let alpha = pixel >> 24
    guard alpha > 0 else { return 0 }
    func straight(_ shift: UInt32) -> Int {
      let channel = pixel >> shift & 255
      return Int(alpha == 255 ? channel : min(255, (channel * 255 + alpha / 2) / alpha))
    }
    let color = SIMD3(light[0][straight(16)], light[1][straight(8)], light[2][straight(0)])
    func encoded(_ row: SIMD3<Float>) -> UInt32 {
      let value = (row * color).sum()
      return UInt32(srgbEncoding[Int(min(max(value, 0), 1) * Float(srgbEncoding.count - 1) + 0.5)])
    }
    return premultiplied(red: encoded(matrix[0]), green: encoded(matrix[1]), blue: encoded(matrix[2]), alpha: alpha)
  }
}

/// From XYZ relative to D50, the connection space of profiles, to linear sRGB (IEC 61966-2-1, Bradford adaptation).
private let srgbFromXYZ: [SIMD3<Float>] = [
  SIMD3(3.133_856, -1.616_867, -0.490_615), SIMD3(-0.978_768, 1.916_142, 0.033_454),
  SIMD3(0.071_945, -0.228_991, 1.405_243),
]

/// sRGB's 8-bit value for linear light in steps fine enough for its steepest part, near black: a fifth of a level.
private let srgbEncoding: [UInt8] = (0...16384).map { step in
  let light = Double(step) / 16384
  let value = light <= 0.003_130_8 ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055
  return UInt8((value * 255).rounded())
}

/// A signed number with 16 bits behind the point.
private func fixed(_ reader: ByteReader, _ offset: Int) -> Float? {
  reader.big32(offset).map { Float(Int32(truncatingIfNeeded: $0)) / 65536 }
}

/// Linear light for each 8-bit value by a curve of type `curv` (identity, gamma or table) or `para` (formulas 0 to 4).
private func toneCurve(_ reader: ByteReader, _ tag: Range<Int>) -> [Float]? {
  let start = tag.lowerBound
  let inputs = (0...255).map { Float($0) / 255 }
  if reader.has("curv", at: start) {
    guard let count = reader.big32(start + 8), count <= 65536 else { return nil }
    if count == 0 { return inputs }
    if count == 1 { return reader.big16(start + 12).map { gamma in inputs.map { powf($0, Float(gamma) / 256) } } }
    let table = (0..<count).compactMap { reader.big16(start + 12 + $0 * 2) }
    guard table.count == count else { return nil }
    return inputs.map { input in
      let position = input * Float(count - 1)
      let first = min(Int(position), count - 2)
      let fraction = position - Float(first)
      return (Float(table[first]) * (1 - fraction) + Float(table[first + 1]) * fraction) / 65535
    }
  }
  guard reader.has("para", at: start), let kind = reader.big16(start + 8), kind <= 4 else { return nil }
  let parameters = (0..<[1, 3, 4, 5, 7][kind]).compactMap { fixed(reader, start + 12 + $0 * 4) }
  guard parameters.count == [1, 3, 4, 5, 7][kind] else { return nil }
  // All are (a x + b)^g + e above d, and c x + f below.
  let p = parameters + [Float](repeating: 0, count: 7 - parameters.count)
  let (g, a, b) = (p[0], kind == 0 ? 1 : p[1], p[2])
  let (threshold, slope, above, below): (Float, Float, Float, Float) =
    switch kind {
    case 0: (0, 0, 0, 0)
    case 1: (a == 0 ? 0 : -b / a, 0, 0, 0)
    case 2: (a == 0 ? 0 : -b / a, 0, p[3], p[3])
    case 3: (p[4], p[3], 0, 0)
    default: (p[4], p[3], p[5], p[6])
    }
  return inputs.map { input in
    let value = input >= threshold ? powf(max(0, a * input + b), g) + above : slope * input + below
    return value.isFinite ? min(max(value, 0), 1) : 0
  }
}
