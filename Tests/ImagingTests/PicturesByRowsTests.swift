import CWebP
import TestSupport
import Testing

@testable import Imaging

/// A decoder that holds no picture as a whole, however small.
private let byRows: ImageDecoder = {
  var decoder = ImageDecoder()
  decoder.mostPixelsInMemory = 0
  return decoder
}()

/// Collects rows.
private final class Rows: PixelRowSink {
  var width = 0
  var pixels: [UInt32] = []
  let limit: Int

  init(limit: Int = .max) { self.limit = limit }

  func begin(width: Int, height: Int, orientation: Int) -> Bool {
    self.width = width
    return limit > 0
  }

  func take(_ row: UnsafePointer<UInt32>) -> Bool {
    pixels += UnsafeBufferPointer(start: row, count: width)
    return pixels.count / width < limit
  }
}

/// What a decoder that is asked for its rows alone answers, without the one that holds pictures as a whole.
private func rowsAlone(_ bytes: [UInt8], longestSide: Int? = nil) throws -> DecodedPicture? {
  let request = DecodingRequest(
    header: try parseHeader(bytes), longestSide: longestSide, limits: DecodingLimits(), mostPixelsInMemory: 0)
  return switch request.header.format {
  case .png: try decodeInterlacedPNG(bytes, request)
  case .webp: try decodeWebPByRows(bytes, request)
  case .gif: try decodeGIFByRows(bytes, request)
  default: nil
  }
}

/// Expects that a picture that is shown has the same pixels by its rows: as a whole, reduced, and handed on.
private func expectSame(_ bytes: [UInt8], _ name: String) throws {
  let whole = try ImageDecoder().decode(bytes)
  let rows = try byRows.decode(bytes)
  #expect(try rowsAlone(bytes) != nil, "\(name)")
  #expect(rows.header == whole.header && rows.image == whole.image, "\(name)")
  let side = max(1, max(whole.image.width, whole.image.height) / 3)
  let reduced = try ImageDecoder().decode(bytes, longestSide: side)
  let reducedRows = try byRows.decode(bytes, longestSide: side)
  #expect(reducedRows.header == reduced.header && reducedRows.image == reduced.image, "\(name)")
  let sink = Rows()
  let answer = try #require(try byRows.decode(bytes, into: sink))
  #expect(answer.header == whole.header && answer.isOpaque == whole.image.isOpaque, "\(name)")
  #expect(sink.pixels == whole.image.pixels, "\(name)")
}

/// Expects of a file cut anywhere what is expected of it as a whole, or the beginning of the picture, of which half is
/// there, or a reason. Returns how many of the cut ones were shown in part.
private func expectBeginnings(_ bytes: [UInt8], _ name: String) throws -> Int {
  let whole = try ImageDecoder().decode(bytes).image
  var parts = 0
  for length in stride(from: 20, to: bytes.count, by: max(1, bytes.count / 97)) {
    let cut = Array(bytes.prefix(length))
    if (try? ImageDecoder().decode(cut)) != nil {
      try expectSame(cut, "\(name), \(length) bytes")
      continue
    }
    guard let rows = try? byRows.decode(cut).image else { continue }
    #expect((rows.width, rows.height) == (whole.width, whole.height), "\(name), \(length) bytes")
    let sink = Rows()
    let answer = try byRows.decode(cut, into: sink)
    let complete = sink.pixels.count / whole.width
    #expect(answer != nil && 2 * complete >= whole.height, "\(name), \(length) bytes")
    #expect(rows.pixels.prefix(sink.pixels.count).elementsEqual(sink.pixels), "\(name), \(length) bytes")
    #expect(whole.pixels.prefix(sink.pixels.count).elementsEqual(sink.pixels), "\(name), \(length) bytes")
    #expect(rows.pixels.dropFirst(sink.pixels.count).allSatisfy { $0 == 0 }, "\(name), \(length) bytes")
    parts += 1
  }
  return parts
}

/// Expects of damaged files that those that are shown are the same by their rows, and that no other kills.
private func expectSameDamaged(_ bytes: [UInt8], _ name: String, seed: UInt64, rounds: Int) throws {
  var random = SplitMix64(seed: seed)
  let limits = DecodingLimits(maximumMegapixels: 20)
  var decoder = ImageDecoder(limits: limits)
  decoder.mostPixelsInMemory = 0
  for round in 0..<rounds {
    var damaged = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let place = Int.random(in: 8..<bytes.count, using: &random)
      damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    }
    let rows = try? decoder.decode(damaged)
    guard let whole = try? ImageDecoder(limits: limits).decode(damaged) else { continue }
    #expect(rows?.header == whole.header, "\(name), \(round)")
    let isEqual = rows?.image == whole.image
    #expect(isEqual, "\(name), \(round)")
  }
}

@Suite("An interlaced PNG by its rows", .computing) struct InterlacedPNGTests {
  /// One of random pixels, with all that such a file needs.
  private func made(
    _ color: MadePNG.Color, _ depth: Int, width: Int, height: Int, isTransparent: Bool, hasProfile: Bool,
    _ random: inout SplitMix64
  ) -> [UInt8] {
    var chunks: [(name: String, content: [UInt8])] = []
    if hasProfile {
      let isGray = color == .gray || color == .grayAlpha
      chunks.append(("iCCP", MadePNG.profileChunk(madeProfile(gamma: 1.8, isGray: isGray))))
    } else if Bool.random(using: &random) {
      chunks.append(("gAMA", [0, 0, 0xB1, 0x8F]))
    }
    func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) } }
    if color == .palette { chunks.append(("PLTE", bytes(3 << depth))) }
    // A transparent colour that occurs.
    let most = min(1 << depth - 1, 255)
    if isTransparent, color == .palette { chunks.append(("tRNS", bytes(1 << depth - 1))) }
    if isTransparent, color == .gray { chunks.append(("tRNS", [0, UInt8(most / 2)])) }
    if isTransparent, color == .rgb { chunks.append(("tRNS", [0, 1, 0, 1, 0, 1])) }
    let png = MadePNG(width: width, height: height, color: color, depth: depth, isInterlaced: true, chunks: chunks)
    return png.bytes { _, _, _ in
      Bool.random(using: &random) ? Int.random(in: 0..<1 << depth, using: &random) : isTransparent ? most / 2 & 1 : most
    }
  }

  @Test("has the pixels that it has as a whole, of every kind", arguments: MadePNG.Color.allCases)
  func kinds(color: MadePNG.Color) throws {
    var random = SplitMix64(seed: 21)
    for depth in color.depths {
      for isTransparent in [false, true] where !isTransparent || color.rawValue < 4 {
        for hasProfile in [false, true] {
          for _ in 0..<3 {
            let (width, height) = (Int.random(in: 1...60, using: &random), Int.random(in: 1...60, using: &random))
            let bytes = made(
              color, depth, width: width, height: height, isTransparent: isTransparent, hasProfile: hasProfile, &random)
            try expectSame(bytes, "\(color), \(depth) bits, \(width) × \(height), \(isTransparent), \(hasProfile)")
          }
        }
      }
    }
  }

  @Test("has them at every size at which some of the passes are empty")
  func sizes() throws {
    var random = SplitMix64(seed: 22)
    for width in 1...10 {
      for height in 1...10 {
        let bytes = made(
          .rgb, 8, width: width, height: height, isTransparent: false, hasProfile: false, &random)
        try expectSame(bytes, "\(width) × \(height)")
      }
    }
  }

  @Test("is what the same picture is in one pass, and the samples that were written")
  func onePass() throws {
    let sample = { (x: Int, y: Int, band: Int) in x * 7 + y * 13 + band * 101 }
    var png = MadePNG(width: 45, height: 37, color: .rgb, depth: 8, isInterlaced: true)
    let interlaced = try byRows.decode(png.bytes(sample)).image
    png.isInterlaced = false
    #expect(try ImageDecoder().decode(png.bytes(sample)).image == interlaced)
    for (x, y) in [(0, 0), (44, 36), (13, 8), (2, 35)] {
      let expected = argb(
        255, UInt32(sample(x, y, 0) & 255), UInt32(sample(x, y, 1) & 255), UInt32(sample(x, y, 2) & 255))
      #expect(interlaced.pixels[y * 45 + x] == expected)
    }
  }

  @Test("cut anywhere is its beginning, when half of the rows are complete, or has a reason")
  func cut() throws {
    var random = SplitMix64(seed: 23)
    var parts = 0
    for (color, depth) in [(MadePNG.Color.rgb, 8), (.grayAlpha, 16), (.palette, 8)] {
      let bytes = made(color, depth, width: 251, height: 203, isTransparent: false, hasProfile: false, &random)
      parts += try expectBeginnings(bytes, "\(color)")
      #expect(throws: ImagingError.self) { try byRows.decode(Array(bytes.prefix(bytes.count * 7 / 10))) }
    }
    // The last quarter of each file, but for what libpng reads at once.
    #expect(parts > 50)
  }

  @Test("says how many rows there are of one that is cut off")
  func reason() throws {
    let png = MadePNG(width: 400, height: 320, color: .rgb, depth: 8, isInterlaced: true)
    let bytes = png.bytes { x, _, _ in x }
    do {
      _ = try byRows.decode(Array(bytes.prefix(bytes.count * 7 / 10)))
      Issue.record("less than half is there")
    } catch {
      // Of the half of the bytes that are the odd rows two fifths, less what libpng reads at once.
      let rows = (110...128).first { "\(error)" == "The file ends after \($0) of 320 rows." }
      #expect(rows != nil, "\(error)")
    }
  }

  @Test("damaged is a picture, the same as by libvips, or has a reason")
  func damage() throws {
    var random = SplitMix64(seed: 24)
    for color in MadePNG.Color.allCases {
      let bytes = made(color, 8, width: 40, height: 31, isTransparent: false, hasProfile: true, &random)
      try expectSameDamaged(bytes, "\(color)", seed: 25, rounds: 150)
    }
  }

  @Test("is given up when nobody wants more", arguments: [0, 1, 9])
  func stopped(limit: Int) throws {
    let sink = Rows(limit: limit)
    let png = MadePNG(width: 120_000, height: 20, color: .gray, depth: 8, isInterlaced: true)
    let answer = try byRows.decode(png.bytes { x, y, _ in x + y }, into: sink)
    #expect(answer == nil)
    #expect(sink.pixels.count == limit * 120_000)
  }
}

@Suite("A GIF by its rows", .computing) struct GIFRowsTests {
  private func colors(_ count: Int, _ random: inout SplitMix64) -> [UInt8] {
    (0..<3 * count).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  /// Indices in runs of random lengths: short strings and long ones.
  private func indices(_ count: Int, depth: Int, _ random: inout SplitMix64) -> [UInt8] {
    var indices: [UInt8] = []
    while indices.count < count {
      let run = Bool.random(using: &random) ? 1 : Int.random(in: 1...300, using: &random)
      indices += repeatElement(UInt8.random(in: 0...UInt8(1 << depth - 1), using: &random), count: run)
    }
    return Array(indices.prefix(count))
  }

  private func made(_ random: inout SplitMix64) -> MadeGIF {
    let depth = Int.random(in: 2...8, using: &random)
    let (width, height) = (Int.random(in: 1...70, using: &random), Int.random(in: 1...70, using: &random))
    // Some files have fewer colours than their indices name, or none.
    let colorCount = [0, 2, 1 << depth, 1 << depth, 1 << depth].randomElement(using: &random) ?? 2
    var gif = MadeGIF(
      width: width, height: height, palette: colorCount == 0 ? [] : colors(colorCount, &random), frames: [])
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let isWhole = Bool.random(using: &random)
      let frameWidth = isWhole ? width : Int.random(in: 0...80, using: &random)
      let frameHeight = isWhole ? height : Int.random(in: 0...80, using: &random)
      let all = frameWidth * frameHeight
      // Some frames end early.
      let count = Int.random(in: 0..<4, using: &random) == 0 ? Int.random(in: 0...all, using: &random) : all
      var frame = MadeGIF.Frame(
        left: isWhole ? 0 : .random(in: 0...20, using: &random), top: isWhole ? 0 : .random(in: 0...20, using: &random),
        width: frameWidth, height: frameHeight, depth: depth,
        data: MadeGIF.compressed(indices(count, depth: depth, &random), depth: depth))
      frame.isInterlaced = Bool.random(using: &random)
      if Int.random(in: 0..<3, using: &random) == 0 {
        frame.transparentIndex = .random(in: 0..<1 << depth, using: &random)
      }
      if Int.random(in: 0..<3, using: &random) == 0 { frame.palette = colors(1 << depth, &random) }
      gif.frames.append(frame)
    }
    return gif
  }

  @Test("has the pixels that it has as a whole: interlaced, transparent, smaller than its canvas, or larger")
  func kinds() throws {
    var random = SplitMix64(seed: 31)
    var count = 0
    for round in 0..<400 {
      let bytes = made(&random).bytes
      guard (try? ImageDecoder().decode(bytes)) != nil else {
        _ = try? byRows.decode(bytes)
        continue
      }
      try expectSame(bytes, "\(round)")
      count += 1
    }
    #expect(count > 300)
  }

  @Test("has them where the canvas is said to be as large as a screen")
  func screens() throws {
    var random = SplitMix64(seed: 32)
    for (width, height) in [(640, 480), (1600, 1200), (0, 0), (3000, 10), (640, 481)] {
      var gif = MadeGIF(width: width, height: height, palette: colors(4, &random), frames: [])
      gif.frames = [
        MadeGIF.Frame(
          left: 3, top: 2, width: 30, height: 20, depth: 2,
          data: MadeGIF.compressed(indices(600, depth: 2, &random), depth: 2))
      ]
      if width == 0 {
        #expect(reason(gif.bytes) == "The header says that the picture has no pixels (0 × 0).")
      } else {
        try expectSame(gif.bytes, "\(width) × \(height)")
      }
    }
  }

  @Test("has them whatever its codes are")
  func codes() throws {
    var random = SplitMix64(seed: 33)
    var count = 0
    for round in 0..<1500 {
      let depth = Int.random(in: 0...12, using: &random)
      let data = (0..<Int.random(in: 1...300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      // Codes with zeros in them are more often good.
      let mask = UInt8.random(in: 0...255, using: &random)
      var frame = MadeGIF.Frame(width: 40, height: 30, depth: depth, data: data.map { $0 & mask })
      frame.isInterlaced = Bool.random(using: &random)
      let bytes = MadeGIF(width: 40, height: 30, palette: colors(256, &random), frames: [frame]).bytes
      guard (try? ImageDecoder().decode(bytes)) != nil else {
        _ = try? byRows.decode(bytes)
        continue
      }
      try expectSame(bytes, "\(round), depth \(depth)")
      count += 1
    }
    #expect(count > 200)
  }

  @Test("cut anywhere is its beginning, when half of the rows are complete, or has a reason", arguments: [false, true])
  func cut(interlaced: Bool) throws {
    var random = SplitMix64(seed: 34)
    let noise = (0..<60 * 50).map { _ in UInt8.random(in: 0...255, using: &random) }
    let data = MadeGIF.compressed(noise, depth: 8)
    var gif = MadeGIF(
      width: 60, height: 50, palette: colors(256, &random),
      frames: [MadeGIF.Frame(width: 60, height: 50, data: data)])
    gif.frames[0].isInterlaced = interlaced
    #expect(try expectBeginnings(gif.bytes, "interlaced: \(interlaced)") > (interlaced ? 10 : 30))
    let cut = Array(gif.bytes.prefix(1000))
    do {
      _ = try byRows.decode(cut)
      Issue.record("less than half is there")
    } catch { #expect("\(error)".hasPrefix("The file ends after "), "\(error)") }
  }

  @Test("damaged is a picture, the same as by libvips, or has a reason")
  func damage() throws {
    var random = SplitMix64(seed: 35)
    for round in 0..<20 {
      try expectSameDamaged(made(&random).bytes, "\(round)", seed: 36, rounds: 60)
    }
  }

  @Test("made of one colour in few codes is as large as it says", arguments: [false, true])
  func flat(interlaced: Bool) throws {
    var frame = MadeGIF.Frame(width: 5000, height: 3000, data: MadeGIF.compressed(3, count: 15_000_000))
    frame.isInterlaced = interlaced
    let palette: [UInt8] = (UInt8.min...UInt8.max).flatMap { [$0, 1, 2] as [UInt8] }
    let sink = Rows()
    let answer = try byRows.decode(
      MadeGIF(width: 5000, height: 3000, palette: palette, frames: [frame]).bytes, into: sink)
    #expect(answer?.isOpaque == true)
    #expect(sink.pixels.count == 15_000_000)
    let isFlat = sink.pixels.allSatisfy { $0 == 0xFF03_0102 }
    #expect(isFlat)
  }
}

/// What libwebp makes of pixels, which are taken as straight colour.
private func encodedWebP(_ image: PixelImage, quality: Float?) -> [UInt8] {
  var output: UnsafeMutablePointer<UInt8>?
  let count = image.pixels.withUnsafeBytes { pixels in
    let first = pixels.baseAddress?.assumingMemoryBound(to: UInt8.self)
    let (width, height, stride) = (Int32(image.width), Int32(image.height), Int32(image.width * 4))
    return quality.map { WebPEncodeBGRA(first, width, height, stride, $0, &output) }
      ?? WebPEncodeLosslessBGRA(first, width, height, stride, &output)
  }
  defer { WebPFree(output) }
  return Array(UnsafeBufferPointer(start: output, count: count))
}

/// A container of chunks (RFC 9649).
private func container(_ chunks: [(name: String, content: [UInt8])]) -> [UInt8] {
  let body = Array("WEBP".utf8) + chunks.flatMap { chunk($0.name, $0.content) }
  return Array("RIFF".utf8) + little(body.count, 4) + body
}

private func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
  Array(name.utf8) + little(content.count, 4) + content + [UInt8](repeating: 0, count: content.count % 2)
}

private func little(_ value: Int, _ size: Int) -> [UInt8] {
  (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

/// The chunks of a file that hold the picture.
private func pictureChunks(_ file: [UInt8]) -> [UInt8] {
  file.dropFirst(12).starts(with: Array("VP8X".utf8)) ? Array(file.dropFirst(30)) : Array(file.dropFirst(12))
}

@Suite("A WebP by its rows", .computing) struct WebPRowsTests {
  /// A picture as cameras make them, with some noise.
  private func smooth(_ width: Int, _ height: Int, opaque: Bool, _ random: inout SplitMix64) -> PixelImage {
    let noise = UInt32.random(in: 1...40, using: &random)
    let pixels = (0..<width * height).map { index -> UInt32 in
      let (x, y) = (UInt32(index % width), UInt32(index / width))
      func channel(_ value: UInt32) -> UInt32 { value % 200 + UInt32.random(in: 0..<noise, using: &random) }
      let alpha: UInt32 = opaque ? 255 : x < 3 ? 0 : min(255, y * 5 + UInt32.random(in: 0..<noise, using: &random))
      return argb(alpha, channel(2 * x), channel(3 * y), channel(x + y))
    }
    return PixelImage(width: width, height: height, pixels: pixels, isOpaque: opaque)
  }

  @Test("has the pixels that it has as a whole: lossy and lossless, opaque and transparent")
  func kinds() throws {
    var random = SplitMix64(seed: 41)
    for round in 0..<60 {
      let (width, height) = (Int.random(in: 1...120, using: &random), Int.random(in: 1...120, using: &random))
      let image = smooth(width, height, opaque: round % 2 == 0, &random)
      let quality: Float? = round % 3 == 0 ? nil : .random(in: 0...100, using: &random)
      try expectSame(encodedWebP(image, quality: quality), "\(round), \(width) × \(height)")
    }
  }

  @Test("has them when its bytes come in many pieces", arguments: [nil, 98])
  func pieces(quality: Float?) throws {
    var random = SplitMix64(seed: 42)
    let bytes = encodedWebP(smooth(1500, 1100, opaque: false, &random), quality: quality)
    #expect(bytes.count > 3 << 16)
    try expectSame(bytes, "\(bytes.count) bytes")
  }

  @Test("has its colours brought to sRGB by its profile")
  func profile() throws {
    var random = SplitMix64(seed: 43)
    let picture = encodedWebP(smooth(40, 30, opaque: true, &random), quality: 80)
    let name = String(decoding: picture[12..<16], as: UTF8.self)
    let header: [UInt8] = [0x20, 0, 0, 0] + little(39, 3) + little(29, 3)
    let bytes = container([
      ("VP8X", header), ("ICCP", madeProfile(gamma: 1)), (name, Array(picture.dropFirst(20))),
    ])
    try expectSame(bytes, "with a profile")
    #expect(try byRows.decode(bytes).image != byRows.decode(picture).image)
  }

  @Test("animated is its first frame where that lies on the canvas")
  func animated() throws {
    var random = SplitMix64(seed: 44)
    for round in 0..<40 {
      let (width, height) = (Int.random(in: 20...90, using: &random), Int.random(in: 20...90, using: &random))
      var chunks: [(name: String, content: [UInt8])] = []
      var hasAlpha = false
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let isWhole = Bool.random(using: &random)
        let left = isWhole ? 0 : 2 * Int.random(in: 0...5, using: &random)
        let top = isWhole ? 0 : 2 * Int.random(in: 0...5, using: &random)
        let frameWidth = isWhole ? width : Int.random(in: 1...width - left, using: &random)
        let frameHeight = isWhole ? height : Int.random(in: 1...height - top, using: &random)
        let isOpaque = Bool.random(using: &random)
        hasAlpha = hasAlpha || !isOpaque
        let picture = encodedWebP(
          smooth(frameWidth, frameHeight, opaque: isOpaque, &random), quality: Bool.random(using: &random) ? nil : 70)
        let place = little(left / 2, 3) + little(top / 2, 3) + little(frameWidth - 1, 3) + little(frameHeight - 1, 3)
        chunks.append(
          ("ANMF", place + little(100, 3) + [UInt8.random(in: 0...3, using: &random)] + pictureChunks(picture)))
      }
      let header: [UInt8] = [hasAlpha ? 0x12 : 0x02, 0, 0, 0] + little(width - 1, 3) + little(height - 1, 3)
      let bytes = container([("VP8X", header), ("ANIM", [0, 0, 0, 0, 0, 0])] + chunks)
      try expectSame(bytes, "\(round)")
    }
  }

  @Test("cut anywhere is its beginning, when half of the rows are complete, or has a reason", arguments: [nil, 95])
  func cut(quality: Float?) throws {
    var random = SplitMix64(seed: 45)
    let image = smooth(300, 200, opaque: quality == nil, &random)
    let bytes = encodedWebP(image, quality: quality)
    #expect(try expectBeginnings(bytes, quality == nil ? "lossless" : "lossy") > 10)
    do {
      _ = try byRows.decode(Array(bytes.prefix(bytes.count / 3)))
      Issue.record("less than half is there")
    } catch { #expect("\(error)".hasPrefix("The file ends after "), "\(error)") }
  }

  @Test("damaged is a picture, the same as by libvips, or has a reason")
  func damage() throws {
    var random = SplitMix64(seed: 46)
    for round in 0..<12 {
      let image = smooth(70, 60, opaque: round % 2 == 0, &random)
      let bytes = encodedWebP(image, quality: round % 3 == 0 ? nil : 75)
      try expectSameDamaged(bytes, "\(round)", seed: 47, rounds: 60)
    }
  }

  @Test("is reduced by its own decoder only where that has few pixels then")
  func reduced() throws {
    var random = SplitMix64(seed: 48)
    let bytes = encodedWebP(smooth(2400, 1800, opaque: true, &random), quality: 60)
    let request = { (side: Int) in
      DecodingRequest(
        header: try parseHeader(bytes), longestSide: side, limits: DecodingLimits(), mostPixelsInMemory: 1_000_000)
    }
    #expect(try decodeWebPByRows(bytes, request(100)) == nil)
    let large = try #require(try decodeWebPByRows(bytes, request(1100)))
    #expect((large.width, large.height) == (1100, 825))
  }
}

@Suite("Any file by its rows", .computing) struct AnyFileByRowsTests {
  @Test("of the odd ones, is the same as otherwise, or is shown though it was not", .enabled(if: oddFiles != nil))
  func oddOnes() throws {
    let limits = DecodingLimits(maximumMegapixels: 4)
    var decoder = ImageDecoder(limits: limits)
    decoder.mostPixelsInMemory = 0
    for expected in try OddFilesTests.expectations() {
      let bytes = try odd(expected.name)
      let rows = try? decoder.decode(bytes)
      guard let whole = try? ImageDecoder(limits: limits).decode(bytes) else { continue }
      #expect(rows?.header == whole.header, "\(expected.name)")
      let isEqual = rows?.image == whole.image
      #expect(isEqual, "\(expected.name)")
    }
  }

  @Test("has no place for its rows where there is none, and is then held as a whole")
  func noRoom() throws {
    #expect(UnnamedFile(size: 1 << 60) == nil)
    #expect(MappedFile(size: 1 << 60) == nil)
    let file = try #require(UnnamedFile(size: 10))
    try file.write(UnsafeRawBufferPointer(start: nil, count: 0), at: 0)
    let bytes: [UInt8] = [1, 2, 3]
    try bytes.withUnsafeBytes { try file.write($0, at: 4) }
    let reader = RowReader(file, at: 4, rowSize: 1, rows: 3)
    for byte in bytes { #expect(try reader.next()?.load(as: UInt8.self) == byte) }
    #expect(try reader.next() == nil)
  }

  @Test("in mapped memory keeps what was written when its pages are given back")
  func mapping() throws {
    let mapped = try #require(MappedFile(size: 8 << 20))
    let places = stride(from: 0, to: 8 << 20, by: 4096)
    mapped.releasedRepeatedly {
      for place in places { mapped.base.storeBytes(of: UInt32(place), toByteOffset: place, as: UInt32.self) }
    }
    mapped.release()
    let isKept = places.allSatisfy { mapped.base.load(fromByteOffset: $0, as: UInt32.self) == UInt32($0) }
    #expect(isKept)
  }
}
