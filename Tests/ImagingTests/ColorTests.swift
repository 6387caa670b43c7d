import Foundation
import TestSupport
import Testing

@testable import Imaging

/// A minimal ICC profile (version 2.1): sRGB's primaries and one gamma for all channels, or a grey one of that gamma.
func madeProfile(gamma: Double, isGray: Bool = false, description: String = "test") -> [UInt8] {
  func big(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * (size - 1 - $0))) }
  }
  func xyz(_ values: [Double]) -> [UInt8] {
    Array("XYZ ".utf8) + big(0, 4) + values.flatMap { big(Int(($0 * 65536).rounded()), 4) }
  }
  let curve = Array("curv".utf8) + big(0, 4) + big(1, 4) + big(Int((gamma * 256).rounded()), 2) + big(0, 2)
  let text = Array((description + "\0").utf8)
  let desc = Array("desc".utf8) + big(0, 4) + big(text.count, 4) + text + [UInt8](repeating: 0, count: 78)
  let white = xyz([0.9642, 1, 0.8249])
  var tags: [(String, [UInt8])] = [
    ("desc", desc), ("wtpt", white), ("cprt", Array("text".utf8) + big(0, 4) + [0x78, 0]),
  ]
  if isGray {
    tags.append(("kTRC", curve))
  } else {
    tags += [
      ("rXYZ", xyz([0.4361, 0.2225, 0.0139])), ("gXYZ", xyz([0.3851, 0.7169, 0.0971])),
      ("bXYZ", xyz([0.1431, 0.0606, 0.7141])), ("rTRC", curve), ("gTRC", curve), ("bTRC", curve),
    ]
  }
  var table: [UInt8] = big(tags.count, 4)
  var data: [UInt8] = []
  for (name, content) in tags {
    table += Array(name.utf8) + big(132 + 12 * tags.count + data.count, 4) + big(content.count, 4)
    data += content + [UInt8](repeating: 0, count: (4 - content.count % 4) % 4)
  }
  var header = big(128 + table.count + data.count, 4) + Array("lcms".utf8) + big(0x0210_0000, 4) + Array("mntr".utf8)
  header += Array((isGray ? "GRAY" : "RGB ").utf8) + Array("XYZ ".utf8) + big(2024, 2) + big(1, 2) + big(1, 2)
  header += [UInt8](repeating: 0, count: 6) + Array("acsp".utf8) + [UInt8](repeating: 0, count: 28)
  header += [0, 0, 0xF6, 0xD6, 0, 1, 0, 0, 0, 0, 0xD3, 0x2D]
  header += [UInt8](repeating: 0, count: 128 - header.count)
  return header + table + data
}

private func converted(_ pixel: UInt32, _ channels: ChannelLayout, _ profile: [UInt8]?, hasAlpha: Bool = false)
  -> UInt32
{
  var pixels = [pixel]
  convertToSRGB(&pixels, channels: channels, hasAlpha: hasAlpha, profile: profile)
  return pixels[0]
}

@Suite(.computing) struct ColorTests {
  @Test("an embedded profile is applied: linear light comes out as sRGB")
  func linear() {
    for pixel in [argb(255, 128, 128, 128), argb(255, 0, 0, 0), argb(255, 255, 255, 255)] {
      let expected = [0: 0, 128: 188, 255: 255][channels(pixel)[1]] ?? 0
      for (layout, isGray) in [(ChannelLayout.color, false), (.gray, true)] {
        let result = channels(converted(pixel, layout, madeProfile(gamma: 1, isGray: isGray)))
        #expect(result[0] == 255)
        #expect(result[1...].allSatisfy { abs($0 - expected) <= 2 }, "\(layout): \(result), not \(expected)")
      }
    }
  }

  // Linear light is compared with the formula alone: the library's fixed-point tables are coarse near its black.
  @Test("neutral colours come out as the formulas of the profile and of sRGB say", arguments: [1.0, 1.8, 2.2, 2.6])
  func neutral(gamma: Double) throws {
    for layout in [ChannelLayout.gray, .color] {
      let icc = try #require(ICCProfile(madeProfile(gamma: gamma, isGray: layout == .gray)))
      var pixels = (0..<256).map { argb(255, UInt32($0), UInt32($0), UInt32($0)) }
      try #require(MatrixProfile(icc, channels: layout)).convert(&pixels)
      for (value, pixel) in pixels.enumerated() {
        // The file holds gamma in 256ths.
        let light = pow(Double(value) / 255, (gamma * 256).rounded() / 256)
        let expected = light <= 0.0031308 ? 12.92 * light : 1.055 * pow(light, 1 / 2.4) - 0.055
        #expect(
          channels(pixel)[1...].allSatisfy { abs(Double($0) - expected * 255) < 1 }, "\(value): \(channels(pixel))")
      }
    }
  }

  @Test("profiles of curves and a matrix give what the colour library gives", arguments: [1.8, 2.2])
  func matrix(gamma: Double) throws {
    var random = SplitMix64(seed: 13)
    for isGray in [false, true] {
      let layout: ChannelLayout = isGray ? .gray : .color
      let icc = try #require(ICCProfile(madeProfile(gamma: gamma, isGray: isGray)))
      let original = (0..<2000).map { index -> UInt32 in
        let value = UInt32(index % 256)
        return isGray || index < 256
          ? argb(255, value, value, value) : 0xFF00_0000 | UInt32.random(in: 0...0xFF_FFFF, using: &random)
      }
      var fast = original
      try #require(MatrixProfile(icc, channels: layout)).convert(&fast)
      var library = original
      #expect(convertByTables(&library, channels: layout, hasAlpha: false, profile: icc))
      let worst = zip(fast, library).map { pair in
        zip(channels(pair.0), channels(pair.1)).map { abs($0 - $1) }.max() ?? 0
      }
      #expect((worst.max() ?? 0) <= 3, "gamma \(gamma), grey \(isGray)")
      #expect(Double(worst.reduce(0, +)) / Double(worst.count) < 0.6)
    }
  }

  @Test("half transparent colours are converted as the colours they are")
  func alpha() {
    let result = channels(converted(argb(128, 64, 64, 64), .color, madeProfile(gamma: 1), hasAlpha: true))
    #expect(result[0] == 128)
    #expect(result[1...].allSatisfy { abs($0 - 94) <= 2 })
    #expect(converted(0, .color, madeProfile(gamma: 1), hasAlpha: true) == 0)
  }

  @Test("sRGB's own profile, one for other channels and a broken one change nothing")
  func unused() {
    let pixel = argb(255, 128, 64, 32)
    #expect(converted(pixel, .color, madeProfile(gamma: 1, description: "sRGB IEC61966-2.1")) == pixel)
    #expect(converted(pixel, .color, madeProfile(gamma: 1, isGray: true)) == pixel)
    #expect(converted(pixel, .color, Array(madeProfile(gamma: 1).prefix(200))) == pixel)
    #expect(converted(pixel, .color, [1, 2, 3]) == pixel)
    #expect(converted(pixel, .color, nil) == pixel)
  }

  @Test("CMYK without a profile: no ink is white, black ink is black, cyan takes the red")
  func cmyk() {
    func ink(_ c: UInt8, _ m: UInt8, _ y: UInt8, _ k: UInt8) -> UInt32 {
      unsafeBitCast(SIMD4(c, m, y, k), to: UInt32.self)
    }
    #expect(converted(ink(0, 0, 0, 0), .cmyk, nil) == argb(255, 255, 255, 255))
    #expect(converted(ink(0, 0, 0, 255), .cmyk, nil) == argb(255, 0, 0, 0))
    #expect(converted(ink(255, 0, 0, 0), .cmyk, nil) == argb(255, 0, 255, 255))
    #expect(converted(ink(0, 255, 255, 0), .cmyk, nil) == argb(255, 255, 0, 0))
  }

  @Test("premultiplying rounds to the nearest")
  func premultiplying() {
    for alpha in 0...255 {
      for value in stride(from: 0, through: 255, by: 5) {
        let pixel = premultiplied(red: UInt32(value), green: 0, blue: 255, alpha: UInt32(alpha))
        let exact = (Double(value) * Double(alpha) / 255).rounded()
        #expect(channels(pixel) == [alpha, Int(exact), 0, alpha])
      }
    }
  }

  @Test("an orientation is a permutation with the inverse it should have", arguments: 1...8)
  func orientation(number: Int) {
    var random = SplitMix64(seed: 12)
    let image = randomImage(70, 131, &random)
    let turned = image.oriented(number)
    #expect((turned.width, turned.height) == (number >= 5 ? (131, 70) : (70, 131)))
    let inverse = number == 6 ? 8 : number == 8 ? 6 : number
    #expect(turned.oriented(inverse) == image)
  }

  @Test(
    "orientations say which corner of the stored picture comes to the top left",
    arguments: [(1, 0), (2, 1), (3, 5), (4, 4), (5, 0), (6, 4), (7, 5), (8, 1)])
  func corners(number: Int, corner: Int) {
    // 0 1
    // 2 3
    // 4 5
    let image = PixelImage(width: 2, height: 3, pixels: [0, 1, 2, 3, 4, 5], isOpaque: false)
    #expect(image.oriented(number).pixels[0] == UInt32(corner))
    if number == 6 { #expect(image.oriented(6).pixels == [4, 2, 0, 5, 3, 1]) }
  }
}
