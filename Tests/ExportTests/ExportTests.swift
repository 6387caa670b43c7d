import Foundation
import TestSupport
import Testing

@testable import Export

/// Keys and files, without a map.
@Suite(.computing)
struct ExportTests {
  @Test("keys that are plain text stay as they are")
  func plainKeys() {
    for key in ["a/b.jpg", "Ünïcödé 日本 🎈.png", "with \"quotes\", commas & more"] {
      #expect(escapedKey(Array(key.utf8)) == key)
    }
  }

  @Test("control characters, bytes that are no UTF-8 and backslashes are escaped")
  func escapes() {
    #expect(escapedKey(Array("a\nb\u{7f}c\u{85}".utf8)) == "a\\x0ab\\x7fc\\xc2\\x85")
    #expect(escapedKey([0x61, 0xff, 0xc3]) == "a\\xff\\xc3")
    #expect(escapedKey([0xed, 0xa0, 0x80]) == "\\xed\\xa0\\x80")
    #expect(escapedKey(Array("a\\xff".utf8)) == "a\\\\xff")
  }

  @Test("every key can be had back from its escaped form")
  func roundTrip() throws {
    var random = SplitMix64(seed: 11)
    let alphabet: [UInt8] = [0, 10, 27, 34, 44, 47, 92, 97, 120, 0x7f, 0x80, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0xff]
    for _ in 0..<500 {
      let key = (0..<Int.random(in: 0...12, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
      #expect(unescaped(escapedKey(key)) == key)
    }
  }

  private func unescaped(_ text: String) -> [UInt8] {
    var result: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        result.append(byte)
        continue
      }
      if rest.popFirst() == UInt8(ascii: "\\") {
        result.append(UInt8(ascii: "\\"))
      } else {
        result.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)!)
        rest = rest.dropFirst(2)
      }
    }
    return result
  }

  @Test("the path that a key becomes stays below its folder, whatever the key is")
  func safePaths() {
    func path(_ key: String) -> String { OriginalFiles.relativePath(Array(key.utf8)) }
    #expect(path("a/b c/ä.jpg") == "a/b c/ä.jpg")
    #expect(path("/etc//passwd") == "etc/passwd")
    #expect(path("../../x/./y.png") == "_/_/x/y.png")
    #expect(path("//") == "image")
    #expect(path("a\nb\\c.png") == "a_x0ab__c.png")
    #expect(OriginalFiles.relativePath([0x61, 0xff]) == "a_xff")
    let long = path(String(repeating: "ü", count: 400) + ".jpeg")
    #expect(long.utf8.count <= 200 && long.hasSuffix("ü.jpeg"))
    var random = SplitMix64(seed: 3)
    for _ in 0..<500 {
      let key = (0..<12).map { _ in [46, 47, 0, 92, 97, 0xff].randomElement(using: &random)! as UInt8 }
      let parts = OriginalFiles.relativePath(key).split(separator: "/", omittingEmptySubsequences: false)
      #expect(parts.allSatisfy { !["", ".", ".."].contains($0) && !$0.utf8.contains(0) })
    }
  }

  @Test("sizes and formats are read from what is typed")
  func names() {
    #expect(PictureSize(parsing: "3840x2160") == PictureSize(width: 3840, height: 2160))
    for wrong in ["", "x", "100", "100x", "0x100", "-5x100", "100x100x100", "40000x100", "30000x30000", "1e3x100"] {
      #expect(PictureSize(parsing: wrong) == nil, "\(wrong)")
    }
    #expect(PictureFormat(fileName: "a/B.JPG") == .jpeg)
    #expect(PictureFormat(fileName: "a.pdf") == .pdf)
    #expect(PictureFormat(fileName: "a.png/b") == nil)
    #expect(PictureFormat(fileName: "png") == nil)
    #expect(LayoutFormat(fileName: "x.csv") == .csv)
    #expect(LayoutFormat(fileName: "x.png") == nil)
  }

  @Test("a file is replaced as a whole, keeps its links, and has the rights of a new file")
  func replacing() throws {
    let folder = try TemporaryDirectory("export")
    try folder.write(Array("old".utf8), to: "real.csv")
    try FileManager.default.createSymbolicLink(atPath: folder.file("link.csv"), withDestinationPath: "real.csv")
    try OutputFile(path: folder.file("link.csv")).write(Array("new".utf8))
    #expect(FileManager.default.contents(atPath: folder.file("real.csv")) == Data("new".utf8))
    let kind = try FileManager.default.attributesOfItem(atPath: folder.file("link.csv"))[.type] as? FileAttributeType
    #expect(kind == .typeSymbolicLink)
    try OutputFile(path: folder.file("fresh.csv")).write([1])
    try folder.write([1], to: "reference")
    let rights = try ["fresh.csv", "reference"].map {
      try FileManager.default.attributesOfItem(atPath: folder.file($0))[.posixPermissions] as? Int
    }
    #expect(rights[0] == rights[1])
  }

  @Test("a file that breaks off is not there, and what was there before still is")
  func breakingOff() throws {
    let folder = try TemporaryDirectory("export")
    try folder.write(Array("old".utf8), to: "a.csv")
    let file = try OutputFile(path: folder.file("a.csv"))
    #expect(throws: ExportError.self) {
      try file.write { sink in
        _ = [UInt8](repeating: 1, count: 100).withUnsafeBytes { sink($0) }
        throw TestSupportError("enough")
      }
    }
    #expect(FileManager.default.contents(atPath: folder.file("a.csv")) == Data("old".utf8))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.csv"])
  }

  @Test("what cannot be written is told at once")
  func unwritable() throws {
    let folder = try TemporaryDirectory("export")
    for path in [folder.path, folder.file("missing/a.csv"), "/proc/a.csv", ""] {
      #expect(throws: ExportError.self) { try OutputFile(path: path) }
    }
    let full = try OutputFile(path: "/dev/full")
    #expect(throws: ExportError.self) { try full.write([1, 2, 3]) }
  }
}
