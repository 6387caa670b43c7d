import Foundation
import TestSupport
import Testing

@testable import Imaging

/// Collects what a picture's rows are.
private final class Rows: PixelRowSink {
  var width = 0
  var height = 0
  var orientation = 0
  var pixels: [UInt32] = []
  /// Rows that are wanted.
  let limit: Int

  init(limit: Int = .max) { self.limit = limit }

  func begin(width: Int, height: Int, orientation: Int) -> Bool {
    (self.width, self.height, self.orientation) = (width, height, orientation)
    return limit > 0
  }

  func take(_ row: UnsafePointer<UInt32>) -> Bool {
    pixels += UnsafeBufferPointer(start: row, count: width)
    return pixels.count / width < limit
  }
}

@Suite("A picture by its rows", .computing) struct RowStreamTests {
  /// The upright picture that rows make, missing ones transparent.
  private func picture(_ rows: Rows, isOpaque: Bool) -> PixelImage {
    let missing = rows.width * rows.height - rows.pixels.count
    return PixelImage(
      width: rows.width, height: rows.height, pixels: rows.pixels + [UInt32](repeating: 0, count: missing),
      isOpaque: isOpaque
    ).oriented(rows.orientation)
  }

  @Test("has the pixels that it has as a whole, of every odd file", .enabled(if: oddFiles != nil))
  func oddOnes() throws {
    let decoder = ImageDecoder(limits: DecodingLimits(maximumMegapixels: 4))
    var count = 0
    for expected in try OddFilesTests.expectations() {
      let bytes = try odd(expected.name)
      let rows = Rows()
      guard let whole = try? decoder.decode(bytes) else {
        #expect((try? decoder.decode(bytes, into: rows)) == nil, "\(expected.name)")
        continue
      }
      let answer = try decoder.decode(bytes, into: rows)
      let result = try #require(answer)
      #expect(result.header == whole.header, "\(expected.name)")
      #expect(picture(rows, isOpaque: result.isOpaque) == whole.image, "\(expected.name)")
      count += 1
    }
    #expect(count > 60)
  }

  @Test("is given up when nobody wants more", arguments: [0, 1, 20])
  func stopped(limit: Int) throws {
    let image = PixelImage(
      width: 60_000, height: 40, pixels: [UInt32](repeating: 0xFF10_2030, count: 2_400_000), isOpaque: true)
    let bytes = try #require(image.jpegData(quality: 70))
    let rows = Rows(limit: limit)
    let answer = try ImageDecoder().decode(bytes, into: rows)
    #expect(answer == nil)
    #expect(rows.pixels.count == limit * 60_000)
  }

  @Test("the pixels of a JPEG that was made by hand are those that its blocks say")
  func knownPixels() throws {
    let (columns, rows) = (480, 300)
    let plain = try ImageDecoder().decode(FlatBlocksJPEG.bytes(columns: columns, rows: rows)).image
    for (column, row) in [(0, 0), (479, 0), (17, 211), (479, 299)] {
      let gray = UInt32(FlatBlocksJPEG.gray(column, row))
      #expect(plain.pixels[(8 * row + 3) * plain.width + 8 * column + 5] == 0xFF00_0000 | gray * 0x01_0101)
    }
  }

  @Test("pictures that ImageMagick made progressive, in many passes, have the pixels of those it did not")
  func passes() async throws {
    let folder = try TemporaryDirectory("progressive")
    // 4:2:0, and large enough for files.
    let source = [
      "-size", "3600x2800", "plasma:red-blue", "-seed", "7", "-sampling-factor", "4:2:0", "-quality", "82",
    ]
    _ = try await run(
      "convert",
      source + [
        "-write", "mpr:a", "+delete", "mpr:a", "-interlace", "none", "-write", folder.file("plain.jpg"), "-interlace",
        "JPEG", folder.file("progressive.jpg"),
      ], checked: true)
    let images = try ["plain.jpg", "progressive.jpg"].map { name in
      try ImageDecoder().decode([UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.file(name))))).image
    }
    #expect(images[0].width == 3600)
    // Not compared by the macro, which would print millions of pixels.
    let isEqual = images[0] == images[1]
    #expect(isEqual)
  }
}
