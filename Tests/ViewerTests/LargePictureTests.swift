import Foundation
import TestSupport
import Testing

/// Originals of 300 megapixels.
@Suite("A picture of 300 megapixels", .serialized, .timeLimit(.minutes(10)))
struct LargePictureTests {
  @Test("is shown pixel by pixel within a gigabyte, also when it is progressive", arguments: [false, true])
  func pixelByPixel(progressive: Bool) async throws {
    let folder = try TemporaryDirectory("large")
    let blocks = 2_165
    try folder.write(
      FlatBlocksJPEG.bytes(columns: blocks, rows: blocks, progressive: progressive), to: "large.jpg")
    let window = try await WindowUnderTest.start([folder.path, "--no-animation"], holding: folder)
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    try await window.key("Right", "Return")
    try await window.waitForWord("opened:original")
    try await window.key("1")
    // In the middle of the window is the middle of the picture: every block has its own grey there. In the progressive one
    // libjpeg smooths from one to the next, as it holds their first coefficients alone.
    try await window.waitUntil("single pixels are seen") {
      if progressive { return try await window.state().contains("opened:original") }
      let picture = try await window.display.screenshot(window: window.window)
      let middle = (x: picture.width / 2, y: picture.mapRows.lowerBound + picture.mapRows.count / 2)
      return (-6...6).contains { dx in
        (-20...20).contains { dy in isSharp(picture, middle.x + dx, middle.y + dy, blocks) }
      }
    }
    // And elsewhere, after the hand has moved the picture a long way.
    for _ in 0..<12 { try await window.key("shift+Right") }
    try await window.waitUntil("single pixels are seen there, too") {
      let picture = try await window.picture()
      let row = picture.mapRows.lowerBound + 200
      let runs = (8..<picture.width - 8).count { picture[$0, row] != picture[$0 + 1, row] }
      if progressive { return runs > picture.width / 2 }
      // A change every eight pixels, and none in between, but for blocks of the same grey.
      return runs > picture.width / 8 * 9 / 10 && runs <= picture.width / 8 + 1
    }
    #expect(try peakMemory(window) < 1_000_000_000)
    #expect(try await window.quit() == 0)
  }

  enum Kind: CaseIterable { case interlacedPNG, gif, interlacedGIF }

  @Test("is shown within a gigabyte also when its library would hold it as a whole", arguments: Kind.allCases)
  func withoutRows(kind: Kind) async throws {
    let folder = try TemporaryDirectory("large")
    let (width, height) = (20_000, 15_000)
    let palette: [UInt8] = (UInt8.min...UInt8.max).flatMap { [$0, $0 / 2, 255 - $0] as [UInt8] }
    if kind == .interlacedPNG {
      // Of a palette there are three bytes a pixel in memory, and in the file a bit.
      let png = MadePNG(
        width: width, height: height, color: .palette, depth: 1, isInterlaced: true,
        chunks: [(name: "PLTE", content: Array(palette.suffix(6)))])
      try folder.write(png.bytes { x, y, _ in (x ^ y) >> 6 }, to: "large.png")
    } else {
      var frame = MadeGIF.Frame(width: width, height: height, data: MadeGIF.compressed(200, count: width * height))
      frame.isInterlaced = kind == .interlacedGIF
      try folder.write(MadeGIF(width: width, height: height, palette: palette, frames: [frame]).bytes, to: "large.gif")
    }
    let window = try await WindowUnderTest.start([folder.path, "--no-animation"], holding: folder)
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    try await window.key("Right", "Return")
    try await window.waitForWord("opened:original")
    #expect(try peakMemory(window) < 1_000_000_000)
    #expect(try await window.quit() == 0)
  }

  /// The most memory that the program has had, in bytes.
  private func peakMemory(_ window: WindowUnderTest) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(window.program.processID)/status", encoding: .utf8)
    let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") }?.filter(\.isNumber)
    return try #require(peak.flatMap { Int($0) }) * 1024
  }

  /// Whether the blocks around the middle of the picture are seen pixel by pixel with the picture's middle at a place.
  private func isSharp(_ picture: Screenshot, _ x: Int, _ y: Int, _ blocks: Int) -> Bool {
    // The middle of an odd number of blocks is in the middle of one.
    let (left, top) = (x - 4 - 8 * 3, y - 4 - 8 * 3)
    return (0..<7).allSatisfy { row in
      (0..<7).allSatisfy { column in
        let gray = UInt32(FlatBlocksJPEG.gray(blocks / 2 - 3 + column, blocks / 2 - 3 + row))
        return [0, 3, 7].allSatisfy { offset in
          picture[left + 8 * column + offset, top + 8 * row + offset] == 0xFF00_0000 | gray * 0x01_0101
        }
      }
    }
  }
}
