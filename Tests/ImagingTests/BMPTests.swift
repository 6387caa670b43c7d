import TestSupport
import Testing

@testable import Imaging

private func little(_ value: Int, _ size: Int) -> [UInt8] {
  (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

/// A bitmap file with a header of 40 bytes.
private func bitmap(
  width: Int, height: Int, bits: Int, compression: Int = 0, masks: [Int] = [], palette: [Int] = [], data: [UInt8]
) -> [UInt8] {
  let offset = 54 + 4 * (masks.count + palette.count)
  var file: [UInt8] = [0x42, 0x4D]
  file += little(offset + data.count, 4) + little(0, 4) + little(offset, 4)
  file += little(40, 4) + little(width, 4) + little(height, 4) + little(1, 2) + little(bits, 2) + little(compression, 4)
  file += little(data.count, 4) + little(2835, 4) + little(2835, 4) + little(palette.count, 4) + little(0, 4)
  return file + (masks + palette).flatMap { little($0, 4) } + data
}

private func pixels(_ file: [UInt8]) throws -> [UInt32] { try ImageDecoder().decode(file).image.pixels }

private let black: UInt32 = 0xFF00_0000
private let red: UInt32 = 0xFFFF_0000
private let green: UInt32 = 0xFF00_FF00
private let blue: UInt32 = 0xFF00_00FF

@Suite(.computing) struct BMPTests {
  @Test("24 bits: rows are padded and stored from the bottom")
  func trueColor() throws {
    let data: [UInt8] = [0, 0, 255, 0, 255, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0]
    #expect(try pixels(bitmap(width: 2, height: 2, bits: 24, data: data)) == [blue, black, red, green])
    #expect(try pixels(bitmap(width: 2, height: -2, bits: 24, data: data)) == [red, green, blue, black])
  }

  @Test("palettes of 1, 4 and 8 bits; an index outside is black")
  func palettes() throws {
    let palette = [0xFF0000, 0x00FF00, 0x0000FF]
    #expect(
      try pixels(bitmap(width: 3, height: 1, bits: 1, palette: Array(palette.prefix(2)), data: [0b0100_0000, 0, 0, 0]))
        == [red, green, red])
    #expect(
      try pixels(bitmap(width: 3, height: 1, bits: 4, palette: palette, data: [0x21, 0x0F, 0, 0])) == [
        blue, green, red,
      ])
    #expect(
      try pixels(bitmap(width: 3, height: 1, bits: 8, palette: palette, data: [2, 9, 1, 0])) == [blue, black, green])
  }

  @Test("16 and 32 bits, by the usual masks or the file's")
  func masks() throws {
    #expect(
      try pixels(bitmap(width: 2, height: 1, bits: 16, data: little(0x7C00, 2) + little(0x1F, 2))) == [red, blue])
    #expect(
      try pixels(
        bitmap(
          width: 2, height: 1, bits: 16, compression: 3, masks: [0xF800, 0x7E0, 0x1F],
          data: little(0x7E0, 2) + little(0xF800, 2)))
        == [green, red])
    #expect(try pixels(bitmap(width: 1, height: 1, bits: 32, data: little(0x00FF_0000, 4))) == [red])
    let alpha = [0xFF0000, 0xFF00, 0xFF, 0xFF00_0000]
    #expect(
      try pixels(
        bitmap(width: 2, height: 1, bits: 32, compression: 6, masks: alpha, data: little(0x80FF_0000, 4) + little(0, 4))
      )
        == [0x8080_0000, 0])
    // Alpha zero everywhere was never meant.
    #expect(
      try pixels(bitmap(width: 1, height: 1, bits: 32, compression: 6, masks: alpha, data: little(0x00FF_0000, 4))) == [
        red
      ])
  }

  @Test("run-length coding of 8 and 4 bits: runs, literals, jumps, ends")
  func runs() throws {
    let palette = [0x000000, 0xFF0000, 0x00FF00, 0x0000FF]
    let runs8: [UInt8] = [2, 1, 0, 3, 2, 3, 1, 0, 0, 0, 0, 2, 4, 0, 1, 3, 0, 1]
    #expect(
      try pixels(bitmap(width: 5, height: 2, bits: 8, compression: 1, palette: palette, data: runs8))
        == [black, black, black, black, blue, red, red, green, blue, red])
    let runs4: [UInt8] = [3, 0x12, 0, 3, 0x32, 0x10, 0, 1]
    #expect(
      try pixels(bitmap(width: 6, height: 1, bits: 4, compression: 2, palette: palette, data: runs4))
        == [red, green, red, blue, green, red])
  }

  @Test("half of the rows is enough, less is a reason, a wild header is a reason")
  func damage() throws {
    let row: [UInt8] = [0, 0, 255, 0]
    let whole = bitmap(width: 1, height: 4, bits: 24, data: row + row + row + row)
    // The bottom rows are first in the file.
    #expect(try pixels(Array(whole.dropLast(8))) == [0, 0, red, red])
    #expect(reason(Array(whole.dropLast(12))) == "The file ends after 1 of 4 rows.")
    #expect(reason(bitmap(width: 1, height: 1, bits: 5, data: row)) != nil)
    #expect(reason(bitmap(width: 1, height: 1, bits: 24, compression: 1, data: row)) != nil)
    #expect(reason(bitmap(width: 0, height: 1, bits: 24, data: row)) != nil)
    #expect(reason(bitmap(width: 100_000, height: 100_000, bits: 24, data: row))?.contains("10,000 megapixels") == true)
  }

  @Test("any bytes behind a good header are a picture or a reason")
  func random() throws {
    var random = SplitMix64(seed: 11)
    for _ in 0..<300 {
      let bits = [1, 2, 4, 8, 16, 24, 32].randomElement(using: &random) ?? 8
      var file = bitmap(
        width: .random(in: 1...40, using: &random), height: .random(in: -40...40, using: &random), bits: bits,
        compression: .random(in: 0...6, using: &random), palette: [1, 2, 3],
        data: (0..<Int.random(in: 0...2000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
      for _ in 0..<2 { file[.random(in: 2..<54, using: &random)] = .random(in: 0...255, using: &random) }
      if let decoded = try? ImageDecoder(limits: DecodingLimits(maximumMegapixels: 5)).decode(file, longestSide: 16) {
        #expect(max(decoded.image.width, decoded.image.height) <= 16)
      }
    }
  }
}
