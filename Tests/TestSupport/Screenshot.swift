import Foundation

/// The pixels of a screen or window.
public struct Screenshot: Sendable, Equatable {
  /// Width in pixels.
  public let width: Int
  /// Height in pixels.
  public let height: Int
  /// Row by row, each 0xFFRRGGBB.
  public let pixels: [UInt32]

  /// The pixel at a place, counted from the upper left corner.
  public subscript(x: Int, y: Int) -> UInt32 { pixels[y * width + x] }

  /// Some rows of a picture, the others from another one of the same size.
  public init(_ picture: Screenshot, showing rows: Range<Int>, of other: Screenshot) {
    precondition(picture.width == other.width && picture.height == other.height)
    (width, height) = (picture.width, picture.height)
    let (start, end) = (rows.lowerBound * picture.width, rows.upperBound * picture.width)
    pixels = Array(other.pixels[..<start] + picture.pixels[start..<end] + other.pixels[end...])
  }

  /// Reads an X window dump (XWD, version 7: a header of big-endian words, colours, rows) of a TrueColor visual.
  init(xwd bytes: [UInt8]) throws {
    func word(_ index: Int) -> Int {
      (0..<4).reduce(0) { $0 << 8 | Int(bytes[index * 4 + $1]) }
    }
    guard bytes.count >= 100, word(1) == 7, word(2) == 2 else { throw TestSupportError("Not an XWD Z-pixmap") }
    let (width, height) = (word(4), word(5))
    let (leastFirst, bytesPerPixel, bytesPerLine) = (word(7) == 0, word(11) / 8, word(12))
    let masks = [word(14), word(15), word(16)]
    let start = word(0) + word(19) * 12
    guard (2...4).contains(bytesPerPixel), masks.allSatisfy({ $0 != 0 }),
      bytes.count >= start + height * bytesPerLine
    else { throw TestSupportError("An XWD file of another kind than expected") }
    var pixels = [UInt32](repeating: 0, count: width * height)
    for y in 0..<height {
      for x in 0..<width {
        let offset = start + y * bytesPerLine + x * bytesPerPixel
        var value = 0
        for index in 0..<bytesPerPixel {
          value = value << 8 | Int(bytes[offset + (leastFirst ? bytesPerPixel - 1 - index : index)])
        }
        var pixel: UInt32 = 0xff
        for mask in masks {
          let field = (value & mask) >> mask.trailingZeroBitCount
          let maximum = mask >> mask.trailingZeroBitCount
          pixel = pixel << 8 | UInt32((field * 255 + maximum / 2) / maximum)
        }
        pixels[y * width + x] = pixel
      }
    }
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }

  /// Writes a PNG file, to look at.
  public func write(to path: String) async throws {
    let scratch = try TemporaryDirectory("screenshot")
    var bytes = Array("P6\n\(width) \(height)\n255\n".utf8)
    for pixel in pixels { bytes += [UInt8(pixel >> 16 & 0xff), UInt8(pixel >> 8 & 0xff), UInt8(pixel & 0xff)] }
    _ = try await run("convert", [try scratch.write(bytes, to: "screen.ppm"), path], checked: true)
  }
}
