/// Turns rows of samples, each pixel's bands side by side, into premultiplied ARGB32, or CMYK.
struct SampleConverter {
  private let bands: Int
  private let is16Bit: Bool
  let channels: ChannelLayout
  let hasAlpha: Bool

  init(bands: Int, is16Bit: Bool, isCMYK: Bool = false) {
    self.bands = bands
    self.is16Bit = is16Bit
    channels = isCMYK ? .cmyk : bands <= 2 ? .gray : .color
    hasAlpha = !isCMYK && (bands == 2 || bands >= 4)
  }

  func convert(_ samples: UnsafeRawPointer, into row: UnsafeMutablePointer<UInt32>, count: Int) {
    if is16Bit {
      let samples = samples.assumingMemoryBound(to: UInt16.self)
      // v / 257 rounded: the 8-bit value that 16-bit samples were made from comes back.
      convert(into: row, count: count) { (UInt32(samples[$0]) &* 255 &+ 32895) >> 16 }
    } else {
      let samples = samples.assumingMemoryBound(to: UInt8.self)
      convert(into: row, count: count) { UInt32(samples[$0]) }
    }
  }

  @inline(__always)
  private func convert(into row: UnsafeMutablePointer<UInt32>, count: Int, _ sample: (Int) -> UInt32) {
    switch (channels, bands) {
    case (.cmyk, _):
      for x in 0..<count {
        let at = x * bands
        let ink = SIMD4(sample(at), sample(at + 1), sample(at + 2), sample(at + 3))
        row[x] = unsafeBitCast(SIMD4<UInt8>(truncatingIfNeeded: ink), to: UInt32.self)
      }
    case (_, 1):
      for x in 0..<count { row[x] = 0xFF00_0000 | sample(x) &* 0x01_0101 }
    case (_, 2):
      for x in 0..<count {
        let gray = sample(x * 2)
        row[x] = premultiplied(red: gray, green: gray, blue: gray, alpha: sample(x * 2 + 1))
      }
    case (_, 3):
      for x in 0..<count {
        row[x] = 0xFF00_0000 | sample(x * 3) << 16 | sample(x * 3 + 1) << 8 | sample(x * 3 + 2)
      }
    default:
      for x in 0..<count {
        let at = x * bands
        row[x] = premultiplied(red: sample(at), green: sample(at + 1), blue: sample(at + 2), alpha: sample(at + 3))
      }
    }
  }
}
