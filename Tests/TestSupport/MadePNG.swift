/// A PNG file made by hand (PNG, third edition), of any kind of pixels, in one pass or in seven, not compressed.
public struct MadePNG {
  /// What the samples of a pixel are.
  public enum Color: Int, CaseIterable, Sendable {
    case gray = 0
    case rgb = 2
    case palette = 3
    case grayAlpha = 4
    case rgba = 6

    /// Samples of a pixel.
    public var bands: Int { [.gray: 1, .rgb: 3, .palette: 1, .grayAlpha: 2, .rgba: 4][self] ?? 1 }
    /// Bits that a sample may have.
    public var depths: [Int] {
      switch self {
      case .gray: [1, 2, 4, 8, 16]
      case .palette: [1, 2, 4, 8]
      default: [8, 16]
      }
    }
  }

  /// Dimensions in pixels.
  public var width, height: Int
  /// The kind of pixels.
  public var color: Color
  /// Bits of a sample.
  public var depth: Int
  /// Whether it is in seven passes.
  public var isInterlaced: Bool
  /// Chunks before the pixels, by their names: `PLTE`, `tRNS`, `gAMA` and the like.
  public var chunks: [(name: String, content: [UInt8])]

  /// Describes a file.
  public init(
    width: Int, height: Int, color: Color, depth: Int, isInterlaced: Bool,
    chunks: [(name: String, content: [UInt8])] = []
  ) {
    (self.width, self.height, self.color, self.depth) = (width, height, color, depth)
    (self.isInterlaced, self.chunks) = (isInterlaced, chunks)
  }

  /// The file, each sample of which is as `sample` says by column, row and band; bits that it has no room for are lost.
  public func bytes(_ sample: (_ x: Int, _ y: Int, _ band: Int) -> Int) -> [UInt8] {
    let passes =
      isInterlaced
      ? [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
      : [(0, 0, 1, 1)]
    var data: [UInt8] = []
    data.reserveCapacity(width * height * color.bands * depth / 8 + 2 * height + 1024)
    for (left, top, stepX, stepY) in passes where left < width {
      for y in stride(from: top, to: height, by: stepY) {
        // Not filtered.
        data.append(0)
        var bits = 0
        var count = 0
        for x in stride(from: left, to: width, by: stepX) {
          for band in 0..<color.bands {
            bits = bits << depth | sample(x, y, band) & (1 << depth - 1)
            count += depth
            while count >= 8 {
              count -= 8
              data.append(UInt8(truncatingIfNeeded: bits >> count))
            }
            bits &= 0xFF
          }
        }
        if count > 0 { data.append(UInt8(truncatingIfNeeded: bits << (8 - count))) }
      }
    }
    var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    file += Self.chunk(
      "IHDR",
      Self.big(width) + Self.big(height) + [UInt8(depth), UInt8(color.rawValue), 0, 0, isInterlaced ? 1 : 0])
    for (name, content) in chunks { file += Self.chunk(name, content) }
    file += Self.chunk("IDAT", Self.stored(data))
    return file + Self.chunk("IEND", [])
  }

  /// The content of an `iCCP` chunk.
  public static func profileChunk(_ profile: [UInt8]) -> [UInt8] { Array("profile\0\0".utf8) + stored(profile) }

  private static func big(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + content
    return big(content.count) + body + big(Int(checksum(body)))
  }

  /// A zlib stream in which nothing is compressed (RFC 1950, RFC 1951).
  private static func stored(_ bytes: [UInt8]) -> [UInt8] {
    var stream: [UInt8] = [0x78, 0x01]
    stream.reserveCapacity(bytes.count + bytes.count / 1024 + 64)
    var start = 0
    repeat {
      let end = min(start + 65535, bytes.count)
      let count = UInt16(end - start)
      stream.append(end == bytes.count ? 1 : 0)
      for half in [count, ~count] { stream += [UInt8(truncatingIfNeeded: half), UInt8(truncatingIfNeeded: half >> 8)] }
      stream += bytes[start..<end]
      start = end
    } while start < bytes.count
    var (low, high): (UInt32, UInt32) = (1, 0)
    for byte in bytes {
      low = (low + UInt32(byte)) % 65521
      high = (high + low) % 65521
    }
    return stream + big(Int(high << 16 | low))
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
  }

  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    let table = table
    return ~bytes.reduce(~0) { table[Int(($0 ^ UInt32($1)) & 0xFF)] ^ $0 >> 8 }
  }
}
