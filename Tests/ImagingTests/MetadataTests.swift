import Foundation
import TestSupport
import Testing

@testable import Imaging

@Suite("What a camera wrote", .computing) struct MetadataTests {
  enum Container: CaseIterable { case jpeg, png, webp, tiff }

  private static let jpeg: [UInt8] =
    PixelImage(width: 40, height: 20, pixels: [UInt32](repeating: 0xFF20_4060, count: 800), isOpaque: true)
    .jpegData(quality: 80) ?? []

  /// A file of a format with a block in the place that its standard has for it.
  private func file(_ container: Container, _ block: [UInt8]) -> [UInt8] {
    func big(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    func little(_ value: Int, _ size: Int) -> [UInt8] {
      (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] { big(body.count) + Array(name.utf8) + body + big(0) }
    func part(_ name: String, _ body: [UInt8]) -> [UInt8] {
      Array(name.utf8) + little(body.count, 4) + body + [UInt8](repeating: 0, count: body.count % 2)
    }
    switch container {
    case .jpeg: return ExifBlock.insert(block, intoJPEG: Self.jpeg)
    case .png:
      let depth: [UInt8] = [8, 2, 0, 0, 0]
      var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
      file += chunk("IHDR", big(40) + big(20) + depth)
      file += chunk("eXIf", block)
      file += chunk("IEND", [])
      return file
    case .webp:
      let flags: [UInt8] = [8, 0, 0, 0]
      var body = Array("WEBP".utf8)
      body += part("VP8X", flags + little(39, 3) + little(19, 3))
      body += part("EXIF", block)
      return Array("RIFF".utf8) + little(body.count, 4) + body
    case .tiff: return block
    }
  }

  private func fields(_ bytes: [UInt8]) -> [String: String] {
    Dictionary(ImageDecoder().metadata(of: bytes).map { ($0.name, $0.value) }) { first, _ in first }
  }

  @Test(
    "is read from every format that has a place for it, in either byte order", arguments: Container.allCases,
    [false, true])
  func formats(container: Container, bigEndian: Bool) {
    let fields = fields(file(container, ExifBlock().bytes(bigEndian: bigEndian)))
    #expect(fields["Manufacturer"] == "Ernemann")
    #expect(fields["Model"] == "Heag II")
    #expect(fields["Exposure Time"] == "1/250 sec.")
    #expect(fields["F-Number"] == "f/2.8")
    #expect(fields["Date and Time (Original)"] == "2019:07:21 10:11:12")
    #expect(fields["Position"] == "52.52000° N, 13.40500° E")
    // The position is said once, and where the other directories lie, not at all.
    #expect(!fields.keys.contains { $0.contains("Latitude") || $0.contains("Pointer") || $0.contains("Offset") })
    #expect(!fields.isEmpty && fields.values.allSatisfy { !$0.isEmpty })
  }

  @Test("says nothing where the file has no value, or one that nobody knows", arguments: [true, false])
  func missingValues(hasPhotographer: Bool) {
    func little(_ value: Int, _ size: Int) -> [UInt8] {
      (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    func entry(_ tag: Int, type: Int, count: Int, _ value: Int) -> [UInt8] {
      little(tag, 2) + little(type, 2) + little(count, 4) + little(value, 4)
    }
    // Copyright, by the photographer or by nobody, and a flash that the standard does not have.
    let copyright = Array((hasPhotographer ? "Jane Doe\0" : " \0Ed Itor\0").utf8)
    let start = 8 + 2 + 2 * 12 + 4
    let shot = start + copyright.count + copyright.count % 2
    var block = Array("II*\0".utf8) + little(8, 4) + little(2, 2)
    block += entry(0x8298, type: 2, count: copyright.count, start) + entry(0x8769, type: 4, count: 1, shot)
    block += little(0, 4) + copyright + [UInt8](repeating: 0, count: copyright.count % 2)
    block += little(1, 2) + entry(0x9209, type: 3, count: 1, 9969) + little(0, 4)
    let fields = fields(file(.jpeg, block))
    #expect(fields["Copyright"] == (hasPhotographer ? "Jane Doe (Photographer)" : "Ed Itor (Editor)"))
    #expect(fields["Flash"] == nil)
  }

  @Test("stands in the order of the file: the picture, how it was taken, where")
  func order() throws {
    let names = ImageDecoder().metadata(of: file(.jpeg, ExifBlock().bytes())).map(\.name)
    let places = try ["Manufacturer", "Model", "Exposure Time", "Position"].map {
      try #require(names.firstIndex(of: $0))
    }
    #expect(places == places.sorted())
  }

  @Test("is empty where there is none, and where nothing is a picture")
  func none() {
    #expect(ImageDecoder().metadata(of: Self.jpeg).isEmpty)
    #expect(ImageDecoder().metadata(of: []).isEmpty)
    #expect(ImageDecoder().metadata(of: Array("Exif\0\0II*\0".utf8)).isEmpty)
  }

  @Test("is one paragraph a field, whatever bytes a file calls text")
  func text() throws {
    var block = ExifBlock()
    block.picture[2].value = .text(Array("two\nlines\tand\u{1B}[31m red".utf8) + [0xFF, 0xC3])
    let maker = try #require(fields(file(.jpeg, block.bytes()))["Manufacturer"])
    #expect(maker.hasPrefix("two lines and"))
    #expect(maker.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
  }

  @Test(
    "says no position that is none", arguments: [[(91, 1), (0, 1), (0, 1)], [(52, 0), (1, 0), (1, 1)], [(52, 1)]])
  func position(latitude: [(Int, Int)]) {
    var block = ExifBlock()
    block.place[1].value = .rationals(latitude)
    let position = fields(file(.jpeg, block.bytes()))["Position"]
    // A fraction of nothing counts as nothing.
    #expect(position == nil || position?.hasPrefix("0.") == true)
  }

  @Test("is read from hostile blocks without harm: loops, lengths and places beyond the end")
  func hostile() {
    let block = ExifBlock().bytes()
    func patched(_ patches: [(Int, [UInt8])]) -> [UInt8] {
      var bytes = block
      for (offset, values) in patches { bytes.replaceSubrange(offset..<offset + values.count, with: values) }
      return bytes
    }
    // The entries of the first directory begin at 10; the link to the second is the sixth, that to the third the seventh.
    let link = 10 + 5 * 12 + 8
    let end = 10 + 7 * 12
    for bytes in [
      patched([(link, [8, 0, 0, 0])]),
      patched([(link, [8, 0, 0, 0]), (link + 12, [8, 0, 0, 0]), (end, [8, 0, 0, 0])]),
      patched([(8, [0xFF, 0xFF])]),
      patched([(10 + 2 * 12 + 4, [0xFF, 0xFF, 0xFF, 0xFF])]),
      patched([(10 + 2 * 12 + 8, [0xF0, 0xFF, 0xFF, 0x7F])]),
      patched([(4, [0xFF, 0xFF, 0xFF, 0xFF])]),
      Array(block.prefix(8)),
    ] {
      for container in Container.allCases { check(file(container, bytes)) }
    }
  }

  @Test("is read from damaged and cut files without harm", arguments: 0..<8)
  func damaged(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let block = ExifBlock().bytes(bigEndian: seed % 2 == 0)
    for _ in 0..<250 {
      var bytes = block
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
      }
      if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random)) }
      check(file(Container.allCases.randomElement(using: &random) ?? .jpeg, bytes))
    }
  }

  private func check(_ bytes: [UInt8]) {
    for field in ImageDecoder().metadata(of: bytes) {
      #expect(!field.name.isEmpty && !field.value.isEmpty && field.value.utf8.count <= 3 * 1024)
      #expect(field.value.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
    }
  }
}
