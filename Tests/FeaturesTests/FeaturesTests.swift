import Imaging
import TestSupport
import Testing

@testable import Features

private func features(_ image: PixelImage, side: Int = 50) -> [UInt8] {
  let extractor = PixelFeatures(side: side)
  // Filled with a value that must not remain.
  var vector = [UInt8](repeating: 77, count: extractor.dimension)
  vector.withUnsafeMutableBufferPointer { extractor.extract(from: image, into: $0) }
  return vector
}

private func image(_ width: Int, _ height: Int, _ pixels: [UInt32]) -> PixelImage {
  PixelImage(width: width, height: height, pixels: pixels, isOpaque: pixels.allSatisfy { $0 >> 24 == 255 })
}

@Suite(.computing) struct PixelFeaturesTests {
  @Test("identifier and dimension tell the side")
  func identity() {
    #expect(PixelFeatures().identifier == "pixels-50")
    #expect(PixelFeatures().dimension == 7500)
    #expect(PixelFeatures(side: 8).identifier == "pixels-8")
    #expect(PixelFeatures(side: 8).dimension == 192)
  }

  @Test("channels come as red, green, blue, rows from the top")
  func order() {
    let corners = image(2, 2, [0xFF01_0203, 0xFF04_0506, 0xFF07_0809, 0xFF0A_0B0C])
    #expect(features(corners, side: 2) == Array(1...12))
  }

  @Test("transparent pixels are seen over white")
  func transparency() {
    #expect(features(image(1, 1, [0]), side: 1) == [255, 255, 255])
    // Half transparent red: premultiplied 128, over white 255, 127, 127.
    #expect(features(image(1, 1, [0x8080_0000]), side: 1) == [255, 127, 127])
  }

  @Test(
    "a picture of one colour gives that colour everywhere, whatever its shape",
    arguments: [(1, 1), (3, 700), (50, 50), (640, 20)])
  func constant(size: (Int, Int)) {
    let vector = features(image(size.0, size.1, Array(repeating: 0xFF0A_141E, count: size.0 * size.1)))
    #expect(vector == (0..<2500).flatMap { _ in [10, 20, 30] as [UInt8] })
  }

  @Test("the square is the stretched picture: its average is the picture's")
  func mean() {
    var random = SplitMix64(seed: 9)
    for (width, height) in [(200, 130), (51, 400), (60, 60)] {
      let pixels = (0..<width * height).map { _ in 0xFF00_0000 | UInt32.random(in: 0...0xFF_FFFF, using: &random) }
      let vector = features(image(width, height, pixels))
      for (channel, shift) in [16, 8, 0].enumerated() {
        let before = pixels.reduce(0.0) { $0 + Double($1 >> UInt32(shift) & 255) } / Double(pixels.count)
        let after = stride(from: channel, to: 7500, by: 3).reduce(0.0) { $0 + Double(vector[$1]) } / 2500
        #expect(abs(before - after) < 0.5)
      }
    }
  }

  @Test("a gradient stays a gradient when the picture is smaller than the square")
  func enlarging() {
    let gradient = image(10, 1, (0..<10).map { 0xFF00_0000 | UInt32($0 * 20) * 0x01_0101 })
    let row = stride(from: 0, to: 150, by: 3).map { features(gradient)[$0] }
    #expect(zip(row, row.dropFirst()).allSatisfy { $0 <= $1 })
    #expect(row.first == 0 && row.last == 180)
    #expect(Set(row).count > 40)
  }
}
