import Foundation
import TestSupport
import Testing

/// Pictures at full size in the real window: details, turning, the ground behind them, several side by side.
@Suite("The full-size view", .serialized, .timeLimit(.minutes(10)))
struct FullSizeTests {
  private static let red: UInt32 = 0xFFFF_0000
  private static let green: UInt32 = 0xFF00_FF00
  private static let blue: UInt32 = 0xFF00_00FF
  private static let yellow: UInt32 = 0xFFFF_FF00

  /// A window on a folder of pictures that ImageMagick makes, each from its arguments, all laid out.
  private func window(_ pictures: [String: [String]], width: Int = 1000) async throws -> WindowUnderTest {
    let folder = try TemporaryDirectory("fullsize")
    for (name, arguments) in pictures {
      _ = try await TestSupport.run("convert", arguments + [folder.file(name)], checked: true)
    }
    let window = try await WindowUnderTest.start([folder.path, "--no-animation"], width: width, holding: folder)
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    return window
  }

  /// Opens the only picture.
  private func openOnly(_ window: WindowUnderTest) async throws {
    try await window.key("Right", "Return")
    try await window.waitForWord("opened:original")
  }

  /// The smallest rectangle around all pixels of a colour in the map's part of the window.
  private func extent(of color: UInt32, in picture: Screenshot) -> (x: Range<Int>, y: Range<Int>)? {
    var (left, right, top, bottom) = (Int.max, -1, Int.max, -1)
    for y in picture.mapRows {
      for x in 0..<picture.width where picture[x, y] == color {
        (left, right, top, bottom) = (min(left, x), max(right, x), min(top, y), max(bottom, y))
      }
    }
    return right < 0 ? nil : (left..<right + 1, top..<bottom + 1)
  }

  @Test("r turns a picture to the right: what was at its left is above; four turns lead back")
  func turning() async throws {
    let window = try await window(["a.png": ["-size", "200x200", "xc:#ff0000", "xc:#0000ff", "+append"]])
    try await openOnly(window)
    let upright = try await window.picture()
    let left = try #require(extent(of: Self.red, in: upright))
    let right = try #require(extent(of: Self.blue, in: upright))
    #expect(left.x.upperBound <= right.x.lowerBound && left.y == right.y)
    try await window.key("r")
    let turned = try await window.picture()
    let above = try #require(extent(of: Self.red, in: turned))
    let below = try #require(extent(of: Self.blue, in: turned))
    #expect(above.y.upperBound <= below.y.lowerBound && above.x == below.x)
    // As large as the window lets it: its height is what was its width.
    #expect(above.y.count + below.y.count > above.x.count * 19 / 10)
    try await window.key("R")
    #expect(try await window.picture().mapAgreement(with: upright) == 1)
    for _ in 0..<4 { try await window.key("r") }
    #expect(try await window.picture().mapAgreement(with: upright) == 1)
  }

  @Test("b shows squares, black and white behind a transparent picture, and then squares again")
  func backdrop() async throws {
    let window = try await window(["a.png": ["-size", "200x200", "xc:#ff0000", "xc:none", "+append"]])
    try await openOnly(window)
    let squares = try await window.picture()
    let opaque = try #require(extent(of: Self.red, in: squares))
    let clear = (x: opaque.x.upperBound + opaque.x.count / 2, y: opaque.y.lowerBound + opaque.y.count / 2)
    func colors(_ picture: Screenshot) -> Set<UInt32> {
      Set((0..<40).flatMap { dy in (0..<40).map { dx in picture[clear.x + dx - 20, clear.y + dy - 20] } })
    }
    #expect(colors(squares).count == 2)
    try await window.key("b")
    #expect(colors(try await window.picture()) == [0xFF00_0000])
    try await window.key("b")
    #expect(colors(try await window.picture()) == [0xFFFF_FFFF])
    try await window.key("b")
    #expect(try await window.picture().mapAgreement(with: squares) == 1)
  }

  @Test("e shows at the right of the picture what is known of it, gives it back its room, and can be scrolled")
  func details() async throws {
    let folder = try TemporaryDirectory("details")
    _ = try await TestSupport.run(
      "convert", ["-size", "600x300", "xc:#ff0000", "-quality", "95", folder.file("plain.jpg")], checked: true)
    let plain = try #require(FileManager.default.contents(atPath: folder.file("plain.jpg")))
    var block = ExifBlock()
    // More than fits into the window.
    block.picture[2].value = .text(Array(repeating: Array("Ernemann ".utf8), count: 100).flatMap { $0 })
    try folder.write(ExifBlock.insert(block.bytes(), intoJPEG: [UInt8](plain)), to: "exif.jpg")
    try FileManager.default.removeItem(atPath: folder.file("plain.jpg"))
    let window = try await WindowUnderTest.start([folder.path, "--no-animation"], holding: folder)
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    try await openOnly(window)
    let before = try await window.picture()
    try await window.key("e")
    try await window.waitForWord("details")
    let shown = try await window.picture()
    let panel = 340
    // The picture has moved out of the panel's way, and words are there.
    let red = try #require(before.mapRows.first { before[before.width / 2, $0] >> 16 & 0xFF > 250 })
    let columns = (0..<shown.width).filter { shown[$0, (red + shown.height / 2) / 2] >> 16 & 0xFF > 250 }
    #expect(!columns.isEmpty && columns.allSatisfy { $0 < shown.width - panel })
    func words(_ picture: Screenshot) -> [UInt32] {
      picture.mapRows.flatMap { y in (picture.width - panel + 4..<picture.width).map { picture[$0, y] } }
    }
    #expect(Set(words(shown)).count > 20)
    try await window.key("Next")
    let scrolled = try await window.picture()
    #expect(words(scrolled) != words(shown))
    try await window.key("Prior")
    #expect(words(try await window.picture()) == words(shown))
    try await window.key("e")
    try await window.waitForWord("details", present: false)
    #expect(try await window.picture().mapAgreement(with: before) == 1)
  }

  @Test("v shows the selected pictures side by side, none over another; Esc leads back; too many are refused")
  func sideBySide() async throws {
    let window = try await window([
      "a.png": ["-size", "300x200", "xc:#ff0000"], "b.png": ["-size", "300x200", "xc:#00ff00"],
      "c.png": ["-size", "300x200", "xc:#0000ff"], "d.png": ["-size", "300x200", "xc:#ffff00"],
    ])
    // One selected picture is no company.
    try await window.key("v")
    #expect(!(try await window.state().contains("beside")))
    try await window.key("ctrl+a", "v")
    try await window.waitForWord("beside:4")
    try await window.waitForWord("opened:original")
    let picture = try await window.picture()
    let cells = try [Self.red, Self.green, Self.blue, Self.yellow].map { try #require(extent(of: $0, in: picture)) }
    for (index, cell) in cells.enumerated() {
      #expect(cell.x.count > 200 && cell.y.count > 120)
      for other in cells[..<index] { #expect(!cell.x.overlaps(other.x) || !cell.y.overlaps(other.y)) }
    }
    // The keyboard goes on to the next one, and the turn is its own.
    try await window.key("Right", "r")
    let turned = try await window.picture()
    let now = [Self.red, Self.green, Self.blue, Self.yellow].compactMap { extent(of: $0, in: turned) }
    #expect(now.count { $0.y.count > $0.x.count } == 1)
    // The line around the one with the keyboard lies over the edge of the picture.
    func isElsewhere(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
      abs(one.lowerBound - other.lowerBound) > 6 || abs(one.upperBound - other.upperBound) > 6
    }
    #expect(zip(now, cells).count { isElsewhere($0.0.x, $0.1.x) || isElsewhere($0.0.y, $0.1.y) } == 1)
    try await window.key("Escape")
    try await window.waitForWord("beside:4", present: false)
    _ = try await window.picture()
    #expect(!(try await window.state().contains("opened")))
  }
}
