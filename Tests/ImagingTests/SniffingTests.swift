import TestSupport
import Testing

@testable import Imaging

private func format(_ bytes: [UInt8]) -> ImageFormat? { bytes.withUnsafeBytes(sniffFormat) }

@Suite(.computing) struct SniffingTests {
  @Test("the first bytes tell the format")
  func formats() {
    #expect(format([0xFF, 0xD8, 0xFF, 0xE0]) == .jpeg)
    #expect(format([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0]) == .png)
    #expect(format(Array("GIF89a".utf8)) == .gif)
    #expect(format(Array("RIFF1234WEBPVP8 ".utf8)) == .webp)
    #expect(format(Array("RIFF1234WAVEfmt ".utf8)) == nil)
    #expect(format([0x49, 0x49, 42, 0, 8, 0, 0, 0]) == .tiff)
    #expect(format([0x4D, 0x4D, 0, 43, 0, 8]) == .tiff)
    #expect(format([0x49, 0x49, 42, 0, 16, 0, 0, 0, 0x43, 0x52]) == nil, "Canon's raw files are no TIFF to show")
    #expect(format(Array("BM is a text as well as others".utf8)) == nil)
    #expect(format([0x42, 0x4D] + [UInt8](repeating: 0, count: 12) + [40, 0, 0, 0]) == .bmp)
    #expect(format([]) == nil)
  }

  @Test("no beginning of any length is read beyond its end")
  func short() {
    for head in [
      [0xFF, 0xD8, 0xFF], [0x89, 0x50], [0x42, 0x4D, 0, 0], Array("RIFF....WEB".utf8), Array("....ftyp".utf8),
    ] as [[UInt8]] {
      for count in 0...head.count {
        _ = format(Array(head.prefix(count)))
        #expect(!reasonAgainst(Array(head.prefix(count))).isEmpty)
      }
    }
  }

  @Test("names claim to be images by their extension, whatever its case and the bytes before it")
  func names() {
    for name in ["a.jpg", "b.JPEG", "ünï.PnG", "x.y.webp", "raw.CR2", "p.heic", ".gif"] {
      #expect(nameClaimsImage(Array(name.utf8)), "\(name)")
    }
    for name in ["jpg", "a.txt", "a.jpg.txt", "folder.jpg/", "", "a.", "a.jpgjpgjpgjpg"] {
      #expect(!nameClaimsImage(Array(name.utf8)), "\(name)")
    }
    #expect(nameClaimsImage([0xFF, 0xFE, 0x2E, 0x70, 0x6E, 0x67]))
  }

  @Test("what is no image is named")
  func reasons() {
    #expect(reasonAgainst(Array("\0\0\0\u{18}ftypheic\0\0\0\0".utf8)) == "HEIC images cannot be shown.")
    #expect(reasonAgainst(Array("\0\0\0\u{18}ftypavif\0\0\0\0".utf8)) == "AVIF images cannot be shown.")
    #expect(reasonAgainst(Array("\0\0\0\u{18}ftypisom\0\0\0\0".utf8)) == "This is a video, not an image.")
    #expect(reasonAgainst(Array("%PDF-1.7 and so on".utf8)) == "This is a PDF document, not an image.")
    #expect(reasonAgainst(Array("  <!DOCTYPE html><html>".utf8)) == "This is an HTML page, not an image.")
    #expect(reasonAgainst(Array("<?xml version='1.0'?><Error>".utf8)) == "This is an XML document, not an image.")
    #expect(reasonAgainst([UInt8](repeating: 1, count: 100)) == "The file is not an image in a known format.")
  }

  @Test("numbers are grouped by thousands")
  func grouping() {
    #expect(
      [0, 999, 1000, 3600, 1_234_567, -4500].map { grouped($0) } == [
        "0", "999", "1,000", "3,600", "1,234,567", "-4,500",
      ])
  }
}
