import Foundation
import TestSupport
import Testing

@testable import Imaging

/// The folder of odd files; nil where `../shared` is missing: those tests are then skipped, visibly.
let oddFiles = sharedImages.map { $0 + "/odd" }

func odd(_ name: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(fileURLWithPath: try #require(oddFiles) + "/" + name)))
}

func reason(_ bytes: [UInt8], _ limits: DecodingLimits = DecodingLimits()) -> String? {
  do throws(ImagingError) {
    _ = try ImageDecoder(limits: limits).decode(bytes, longestSide: 64)
    return nil
  } catch { return error.description }
}

@Suite(.computing, .enabled(if: oddFiles != nil)) struct OddFilesTests {
  /// Files that another program calls broken and that show at least half of a picture, or whose damage does not concern
  /// the picture.
  static let shownThough: Set<String> = [
    "broken_data_stream.png", "made-bitrot-2.jpg", "made-truncated-90.jpg", "truncated_image.png", "truncated_jpeg.jpg",
    "png_decompression_dos.png", "made-300megapixel-gray.png",
  ]
  /// Formats that another program reads and this one names.
  static let otherFormats: Set<String> = ["DDS", "ICO", "PSD", "PPM", "TGA", "PCX", "JPEG2000"]

  struct Expectation {
    var name, verdict, format: String
    var width, height, orientation: Int
  }

  static func expectations() throws -> [Expectation] {
    let table = try String(contentsOfFile: try #require(sharedImages) + "/odd_expected.csv", encoding: .utf8)
    return table.split(whereSeparator: \.isNewline).dropFirst().compactMap { line in
      let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      guard fields.count >= 8 else { return nil }
      return Expectation(
        name: fields[0], verdict: fields[1], format: fields[2], width: Int(fields[4]) ?? 0, height: Int(fields[5]) ?? 0,
        orientation: Int(fields[7].trimmingCharacters(in: .whitespaces)) ?? 1)
    }
  }

  @Test("each odd file is a picture of the right size or has a reason", .timeLimit(.minutes(10)))
  func all() throws {
    let expectations = try Self.expectations()
    #expect(expectations.count > 140)
    for expected in expectations {
      let bytes = try odd(expected.name)
      do throws(ImagingError) {
        let (header, image) = try ImageDecoder().decode(bytes, longestSide: 128)
        #expect(
          expected.verdict == "ok" || Self.shownThough.contains(expected.name), "\(expected.name) was decoded")
        #expect(max(image.width, image.height) == min(128, max(header.width, header.height)), "\(expected.name)")
        #expect(image.pixels.count == image.width * image.height)
        #expect(image.isOpaque == image.pixels.allSatisfy { $0 >> 24 == 255 }, "\(expected.name)")
        if expected.verdict == "ok" {
          // The table has sizes before orientation. XMP, where two PNGs say theirs, is not EXIF.
          let isTurned = header.orientation >= 5
          #expect((isTurned ? header.height : header.width) == expected.width, "\(expected.name)")
          #expect((isTurned ? header.width : header.height) == expected.height, "\(expected.name)")
          if !expected.name.hasPrefix("xmp_") {
            #expect(header.orientation == expected.orientation, "\(expected.name)")
          }
        }
      } catch {
        let isKnown = expected.verdict != "ok" || Self.otherFormats.contains(expected.format)
        #expect(isKnown, "\(expected.name): \(error)")
        #expect(error.description.hasSuffix(".") || error.description.hasSuffix(")."), "\(expected.name): \(error)")
      }
    }
  }

  @Test(
    "reasons are sentences that say what is the matter",
    arguments: [
      ("made-3600megapixel-1bit.png", "The picture has 3,600 megapixels; the limit is 300 (--max-megapixels)."),
      ("made-html.png", "This is an HTML page, not an image."),
      ("made-text.jpg", "This is a text, not an image."),
      ("made-zero-bytes.jpg", "The file is empty."),
      ("made-one-byte.png", "The file is too short to be an image (1 byte)."),
      ("made-truncated-50.jpg", "The file ends after 303 of 711 rows."),
      ("hopper.psd", "Photoshop images cannot be shown."),
      ("invalid_header_length.jp2", "JPEG 2000 images cannot be shown."),
      ("zero_width.gif", "The header says that the picture has no pixels (0 × 32)."),
    ])
  func reasons(name: String, expected: String) throws {
    #expect(reason(try odd(name)) == expected)
  }

  @Test("all eight orientations come out upright", arguments: ["landscape", "portrait"])
  func orientations(kind: String) throws {
    // Eight photographs that look the same when they are turned as they say, but for the number painted on them.
    let first = try ImageDecoder().decode(try odd("\(kind)_1.jpg"), longestSide: 64).image
    for number in 2...8 {
      let (header, image) = try ImageDecoder().decode(try odd("\(kind)_\(number).jpg"), longestSide: 64)
      #expect(header.orientation == number)
      #expect((header.width, header.height) == (kind == "landscape" ? (600, 450) : (450, 600)))
      #expect(difference(first, image) < 12, "\(kind)_\(number)")
    }
  }

  @Test("an orientation moves pixels and changes none", arguments: 1...8)
  func orientedPixels(number: Int) throws {
    let plain = try ImageDecoder().decode(try odd("made-exif-orientation-1.jpg")).image
    let (header, image) = try ImageDecoder().decode(try odd("made-exif-orientation-\(number).jpg"))
    #expect(header.orientation == number)
    #expect(image == plain.oriented(number))
    #expect(number == 1 || image != plain)
  }

  @Test("the same picture in six formats looks the same")
  func formats() throws {
    let reference = try ImageDecoder().decode(try odd("hopper.png")).image
    for (name, tolerance) in [
      ("hopper.bmp", 0.0), ("hopper.tif", 0), ("hopper_lzma.tif", 0), ("hopper.gif", 10), ("hopper.webp", 6),
      ("hopper.jpg", 6),
    ] {
      #expect(difference(reference, try ImageDecoder().decode(try odd(name)).image) <= tolerance, "\(name)")
    }
  }

  @Test("CMYK comes out in the colours of the RGB picture")
  func cmyk() throws {
    let cmyk = try ImageDecoder().decode(try odd("made-cmyk.jpg"), longestSide: 100).image
    let rgb = try ImageDecoder().decode(try odd("made-444.jpg"), longestSide: 100).image
    #expect(difference(cmyk, rgb) < 12)
    #expect(cmyk.isOpaque)
  }

  @Test("16 bits, one bit, grey and transparency are read")
  func depths() throws {
    let deep = try ImageDecoder().decode(try odd("made-16bit.png")).image
    #expect(Set(deep.pixels).count > 50)
    let bits = try ImageDecoder().decode(try odd("made-1bit.png")).image
    #expect(Set(bits.pixels) == [0xFF00_0000, 0xFFFF_FFFF])
    let gray = try ImageDecoder().decode(try odd("made-gray.jpg")).image
    #expect(gray.pixels.allSatisfy { channels($0)[1] == channels($0)[2] && channels($0)[2] == channels($0)[3] })
    for name in ["transparent.png", "transparent.webp", "rgb_trns.png", "tiff_16bit_RGBa_target.png"] {
      let image = try ImageDecoder().decode(try odd(name)).image
      #expect(!image.isOpaque, "\(name)")
      #expect(image.pixels.allSatisfy { pixel in channels(pixel)[1...].allSatisfy { $0 <= channels(pixel)[0] } })
    }
  }

  @Test(
    "a reduced JPEG looks like the whole one averaged",
    arguments: ["flower.jpg", "junk_jpeg_header.jpg", "made-progressive.jpg", "iptc.jpg"])
  func reducedJPEG(name: String) throws {
    let bytes = try odd(name)
    let whole = try ImageDecoder().decode(bytes).image
    for side in [32, 64, 128] {
      let reduced = try ImageDecoder().decode(bytes, longestSide: side).image
      #expect(difference(reduced, whole.areaAveraged(width: reduced.width, height: reduced.height)) < 2, "\(side)")
    }
  }

  @Test("a picture of 300 megapixels is read by rows, one above the limit not at all")
  func limit() throws {
    let bytes = try odd("made-300megapixel-gray.png")
    #expect(try ImageDecoder().header(of: bytes) == ImageHeader(format: .png, width: 20000, height: 15000))
    #expect(
      reason(bytes, DecodingLimits(maximumMegapixels: 299.5))
        == "The picture has 300 megapixels; the limit is 299.5 (--max-megapixels).")
  }

  @Test(
    "a file cut anywhere is a picture with a transparent rest, or a reason",
    arguments: [
      "hopper.jpg", "made-progressive.jpg", "hopper.png", "hopper.bmp", "hopper.tif", "hopper.webp", "hopper.gif",
    ])
  func cut(name: String) throws {
    let bytes = try odd(name)
    for part in 0..<24 {
      let cut = Array(bytes.prefix(bytes.count * part / 24))
      do throws(ImagingError) {
        let (header, image) = try ImageDecoder().decode(cut)
        #expect(image.width == header.width && image.height == header.height)
      } catch {
        #expect(!error.description.isEmpty)
      }
    }
    // Of a progressive file a small part holds all rows, coarsely.
    #expect(reason(Array(bytes.prefix(bytes.count / (name.contains("progressive") ? 40 : 6)))) != nil)
    #expect(reason(bytes) == nil)
  }

  @Test(
    "random damage never kills",
    arguments: [
      "hopper.jpg", "pil_sample_cmyk.jpg", "made-progressive.jpg", "transparent.png", "i_trns.png", "transparent.webp",
      "dispose_bgnd.gif", "hopper_lzma.tif", "multipage.tiff", "pal8_offset.bmp", "landscape_6.jpg",
    ])
  func damage(name: String) throws {
    let bytes = try odd(name)
    var random = SplitMix64(seed: 10)
    for round in 0..<40 {
      var damaged = bytes
      // Headers are where it hurts: half of the rounds hit the first bytes alone.
      let end = round % 2 == 0 ? min(400, bytes.count) : bytes.count
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        damaged[Int.random(in: 0..<end, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let limits = DecodingLimits(maximumMegapixels: 20)
      if let (header, image) = try? ImageDecoder(limits: limits).decode(damaged, longestSide: 64) {
        #expect(max(image.width, image.height) == min(64, max(header.width, header.height)))
      }
    }
  }

  @Test("many threads decode at once and get what one gets", .timeLimit(.minutes(10)))
  func threads() throws {
    let names = [
      "hopper.jpg", "hopper.png", "hopper.webp", "hopper.gif", "hopper.tif", "hopper.bmp", "landscape_6.jpg",
      "made-text.jpg",
      "broken.png", "made-cmyk.jpg", "exif.png", "truncated_image.png",
    ]
    let files = try names.map { try odd($0) }
    let expected = files.map { try? ImageDecoder().decode($0, longestSide: 100).image }
    DispatchQueue.concurrentPerform(iterations: 8 * files.count) { index in
      let file = index % files.count
      let image = try? ImageDecoder().decode(files[file], longestSide: 100).image
      #expect(image == expected[file], "\(names[file])")
    }
  }
}
