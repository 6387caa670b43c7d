import TestSupport
import Testing

@testable import Imaging

func argb(_ alpha: UInt32, _ red: UInt32, _ green: UInt32, _ blue: UInt32) -> UInt32 {
  alpha << 24 | red << 16 | green << 8 | blue
}

func channels(_ pixel: UInt32) -> [Int] { [24, 16, 8, 0].map { Int(pixel >> UInt32($0) & 255) } }

/// A premultiplied picture of random pixels, every third of them opaque.
func randomImage(_ width: Int, _ height: Int, _ random: inout SplitMix64, opaque: Bool = false) -> PixelImage {
  let pixels = (0..<width * height).map { index -> UInt32 in
    let alpha = opaque || index % 3 == 0 ? 255 : UInt32.random(in: 0...255, using: &random)
    func channel() -> UInt32 { UInt32.random(in: 0...alpha, using: &random) }
    return argb(alpha, channel(), channel(), channel())
  }
  return PixelImage(width: width, height: height, pixels: pixels, isOpaque: opaque)
}

/// Mean of each channel, in 0...255.
func means(_ image: PixelImage) -> [Double] {
  var sums = [0.0, 0.0, 0.0, 0.0]
  for pixel in image.pixels { for (index, value) in channels(pixel).enumerated() { sums[index] += Double(value) } }
  return sums.map { $0 / Double(image.pixels.count) }
}

/// Mean absolute difference of all channels, in levels of 255.
func difference(_ first: PixelImage, _ second: PixelImage) -> Double {
  guard first.width == second.width, first.height == second.height else { return .infinity }
  var sum = 0
  for (a, b) in zip(first.pixels, second.pixels) {
    for (x, y) in zip(channels(a), channels(b)) { sum += abs(x - y) }
  }
  return Double(sum) / Double(first.pixels.count * 4)
}

/// The area average as its definition says, in double precision, for shrinking.
func averagedByDefinition(_ image: PixelImage, _ width: Int, _ height: Int) -> [[Double]] {
  func weights(_ source: Int, _ target: Int, _ index: Int) -> [(Int, Double)] {
    let low = Double(index) * Double(source) / Double(target)
    let high = Double(index + 1) * Double(source) / Double(target)
    return (Int(low)...min(source - 1, Int(high))).map {
      ($0, max(0, min(high, Double($0 + 1)) - max(low, Double($0))))
    }
  }
  return (0..<width * height).map { place in
    var sums = [0.0, 0.0, 0.0, 0.0]
    for (y, rowWeight) in weights(image.height, height, place / width) {
      for (x, weight) in weights(image.width, width, place % width) {
        for (index, value) in channels(image.pixels[y * image.width + x]).enumerated() {
          sums[index] += Double(value) * weight * rowWeight
        }
      }
    }
    let area = Double(image.width * image.height) / Double(width * height)
    return sums.map { $0 / area }
  }
}

@Suite(.computing) struct AreaAverageTests {
  @Test("small cases are exact to the pixel")
  func exact() {
    let gray = { (values: [UInt32]) in values.map { argb(255, $0, $0, $0) } }
    let row = PixelImage(width: 3, height: 1, pixels: gray([0, 90, 180]), isOpaque: true)
    #expect(row.areaAveraged(width: 2, height: 1).pixels == gray([30, 150]))
    #expect(row.areaAveraged(width: 1, height: 1).pixels == gray([90]))
    let column = PixelImage(width: 1, height: 5, pixels: gray([10, 20, 30, 40, 50]), isOpaque: true)
    // 2.5 rows each: (10 + 20 + 30 / 2) / 2.5 and (30 / 2 + 40 + 50) / 2.5.
    #expect(column.areaAveraged(width: 1, height: 2).pixels == gray([18, 42]))
    let square = PixelImage(width: 2, height: 2, pixels: gray([0, 1, 2, 3]), isOpaque: true)
    #expect(square.areaAveraged(width: 1, height: 1).pixels == gray([2]))
  }

  @Test("enlarging interpolates between the centres of pixels")
  func enlarging() {
    let row = PixelImage(width: 2, height: 1, pixels: [argb(255, 0, 0, 0), argb(255, 200, 100, 40)], isOpaque: true)
    let wide = row.areaAveraged(width: 4, height: 1).pixels.map { channels($0)[1] }
    #expect(wide == [0, 50, 150, 200])
    let one = PixelImage(width: 1, height: 1, pixels: [argb(255, 7, 8, 9)], isOpaque: true)
    #expect(Set(one.areaAveraged(width: 5, height: 3).pixels) == [argb(255, 7, 8, 9)])
  }

  @Test("a transparent pixel's colour does not bleed into its neighbour")
  func transparency() {
    let row = PixelImage(width: 2, height: 1, pixels: [0, argb(255, 0, 0, 255)], isOpaque: false)
    #expect(row.areaAveraged(width: 1, height: 1).pixels == [argb(128, 0, 0, 128)])
  }

  @Test("a picture of one colour keeps it at every size, also from extreme ones")
  func constant() {
    var random = SplitMix64(seed: 2)
    for _ in 0..<60 {
      let pixel = randomImage(1, 1, &random).pixels[0]
      let (width, height) = (Int.random(in: 1...300, using: &random), Int.random(in: 1...300, using: &random))
      let image = PixelImage(
        width: width, height: height, pixels: Array(repeating: pixel, count: width * height), isOpaque: false)
      let small = image.areaAveraged(
        width: .random(in: 1...350, using: &random), height: .random(in: 1...350, using: &random))
      #expect(Set(small.pixels) == [pixel])
    }
    let long = PixelImage(width: 1, height: 300_000, pixels: Array(repeating: ~0, count: 300_000), isOpaque: true)
    #expect(long.areaAveraged(width: 1, height: 1).pixels == [~0])
    #expect(Set(long.areaAveraged(width: 1, height: 7).pixels) == [~0])
  }

  @Test("the average of a picture stays, and no pixel is brighter than its alpha")
  func mean() {
    var random = SplitMix64(seed: 3)
    for _ in 0..<40 {
      let image = randomImage(.random(in: 1...120, using: &random), .random(in: 1...120, using: &random), &random)
      let small = image.areaAveraged(
        width: .random(in: 1...image.width, using: &random), height: .random(in: 1...image.height, using: &random))
      // Each pixel is rounded by at most half a level; over many the errors cancel.
      for (before, after) in zip(means(image), means(small)) { #expect(abs(before - after) <= 0.5) }
      for pixel in small.pixels {
        let values = channels(pixel)
        #expect(values[1...].allSatisfy { $0 <= values[0] })
      }
    }
  }

  @Test("every pixel is the average of the area it covers")
  func definition() {
    var random = SplitMix64(seed: 4)
    for _ in 0..<25 {
      let image = randomImage(.random(in: 1...60, using: &random), .random(in: 1...60, using: &random), &random)
      let width = Int.random(in: 1...image.width, using: &random)
      let height = Int.random(in: 1...image.height, using: &random)
      let small = image.areaAveraged(width: width, height: height)
      for (pixel, expected) in zip(small.pixels, averagedByDefinition(image, width, height)) {
        for (value, wanted) in zip(channels(pixel), expected) { #expect(abs(Double(value) - wanted) < 0.502) }
      }
    }
  }

  @Test("rows averaged as they arrive give the same as the picture in memory")
  func streaming() {
    var random = SplitMix64(seed: 5)
    for _ in 0..<40 {
      let image = randomImage(.random(in: 1...90, using: &random), .random(in: 1...90, using: &random), &random)
      let width = Int.random(in: 1...image.width, using: &random)
      let height = Int.random(in: 1...image.height, using: &random)
      var collector = RowCollector(sourceWidth: image.width, sourceHeight: image.height, target: (width, height))
      image.pixels.withUnsafeBufferPointer { pixels in
        for y in 0..<image.height { collector.push(pixels.baseAddress! + y * image.width) }
      }
      let isPartial = collector.isPartial
      #expect(!isPartial)
      let pixels = collector.pixels()
      #expect(pixels == image.areaAveraged(width: width, height: height).pixels)
    }
  }

  @Test("rows that never arrive are transparent", arguments: [(8, 8), (4, 4)])
  func partial(size: (Int, Int)) {
    var collector = RowCollector(sourceWidth: 8, sourceHeight: 8, target: (size.0, size.1))
    let row = [UInt32](repeating: ~0, count: 8)
    for _ in 0..<6 { row.withUnsafeBufferPointer { collector.push($0.baseAddress!) } }
    let isShown = collector.isPartial && !collector.isLessThanHalf
    #expect(isShown)
    let pixels = collector.pixels()
    #expect(pixels.prefix(pixels.count * 3 / 4).allSatisfy { $0 == ~0 })
    #expect(pixels.suffix(pixels.count / 4).allSatisfy { $0 == 0 })
  }

  @Test("sizes are in proportion, never enlarged, never empty")
  func fitting() {
    #expect(fittedSize(width: 400, height: 300, longestSide: 128) == (128, 96))
    #expect(fittedSize(width: 300, height: 400, longestSide: 128) == (96, 128))
    #expect(fittedSize(width: 100, height: 90, longestSide: 128) == (100, 90))
    #expect(fittedSize(width: 3000, height: 3, longestSide: 128) == (128, 1))
    #expect(fittedSize(width: 128, height: 128, longestSide: 128) == (128, 128))
  }

  @Test("levels go from 4 to 128, a small picture keeps its own size, and the colour is the average")
  func pyramid() {
    var random = SplitMix64(seed: 6)
    let large = ThumbnailPyramid(of: randomImage(400, 200, &random, opaque: true))
    #expect(large.levels.map(\.width) == [4, 8, 16, 32, 64, 128])
    #expect(large.levels.map(\.height) == [2, 4, 8, 16, 32, 64])
    #expect(large.levels.allSatisfy { $0.isOpaque })
    let small = randomImage(20, 30, &random)
    let pyramid = ThumbnailPyramid(of: small)
    #expect(pyramid.levels.map(\.height) == [4, 8, 16, 30, 30, 30])
    #expect(pyramid.levels[5] == small)
    for (value, mean) in zip(channels(pyramid.averageColor), means(small)) { #expect(abs(Double(value) - mean) < 2) }
    #expect(ThumbnailPyramid(of: randomImage(1, 1, &random)).levels.allSatisfy { $0.width == 1 && $0.height == 1 })
  }

  @Test("levels of levels are as good as levels of the original")
  func pyramidQuality() {
    var random = SplitMix64(seed: 8)
    let image = randomImage(200, 141, &random)
    for level in ThumbnailPyramid(of: image).levels.dropLast() {
      #expect(difference(level, image.areaAveraged(width: level.width, height: level.height)) < 4)
    }
    let even = randomImage(256, 128, &random)
    for level in ThumbnailPyramid(of: even).levels {
      #expect(difference(level, even.areaAveraged(width: level.width, height: level.height)) < 1, "each step rounds")
    }
  }
}
