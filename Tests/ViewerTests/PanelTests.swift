import Foundation
import TestSupport
import Testing

/// Everything that can lie over the map, in the smallest window and in a very large one.
@Suite("Panels of every size", .serialized, .timeLimit(.minutes(10)))
struct PanelTests {
  /// A window of a size, with its scale.
  struct Size: Sendable, CustomTestStringConvertible {
    let width, height, scale: Int
    var testDescription: String { "\(width) × \(height) at scale \(scale)" }

    /// The window is a little smaller than the display.
    var display: (width: Int, height: Int) { (width + 20, height + 40) }
    /// What lies between the bar and the status line.
    var map: (top: Int, bottom: Int) { (48 * scale, height - 27 * scale) }
  }

  static let sizes = [
    Size(width: 320, height: 240, scale: 1), Size(width: 640, height: 480, scale: 2),
    Size(width: 3840, height: 2160, scale: 2),
  ]

  /// Where two pictures of a window differ.
  private func difference(_ one: Screenshot, _ other: Screenshot) -> (x: Range<Int>, y: Range<Int>)? {
    var (left, right, top, bottom) = (Int.max, -1, Int.max, -1)
    for y in 0..<min(one.height, other.height) {
      for x in 0..<min(one.width, other.width) where one[x, y] != other[x, y] {
        (left, right, top, bottom) = (min(left, x), max(right, x), min(top, y), max(bottom, y))
      }
    }
    return right < 0 ? nil : (left..<right + 1, top..<bottom + 1)
  }

  /// The picture without bar and status line, which say something else now and then.
  private func map(_ picture: Screenshot, _ size: Size) -> [UInt32] {
    Array(picture.pixels[size.map.top * picture.width..<(size.map.bottom - 1) * picture.width])
  }

  @Test("panels lie within the map, as a whole, and leave no trace", arguments: sizes)
  func panels(size: Size) async throws {
    let folder = try TemporaryDirectory("panels")
    for name in try FileManager.default.contentsOfDirectory(atPath: sampleImages + "/fruit") {
      try folder.copy(sampleImages + "/fruit/" + name, to: name)
    }
    try folder.write(Array("<html></html>".utf8), to: "a-page-with-a-rather-long-name-that-needs-room.png")
    let window = try await WindowUnderTest.start(
      [folder.path, "--no-animation"], width: size.display.width, height: size.display.height, dpi: 96 * size.scale,
      holding: folder)
    try await window.waitForState("finished")
    try await window.point(3, 24 * size.scale)
    let before = try await window.picture()
    // The window manager has a frame of its own to put on the display.
    let size = Size(width: before.width, height: before.height, scale: size.scale)
    for (key, word) in [("question", "keys"), ("n", "notes"), ("p", "problems"), ("slash", "prompt")] {
      try await window.key(key)
      try await window.waitForWord(word)
      let shown = try await window.picture()
      let mapOnly = Screenshot(shown, showing: size.map.top..<size.map.bottom, of: before)
      let panel = try #require(difference(before, mapOnly), "\(word)")
      // All around it is the map.
      #expect(panel.x.lowerBound > 0 && panel.x.upperBound < size.width, "\(word): \(panel)")
      #expect(panel.y.lowerBound > size.map.top && panel.y.upperBound < size.map.bottom, "\(word): \(panel)")
      // There is room for its words.
      #expect(panel.x.count > 200 * size.scale && panel.y.count > 50 * size.scale, "\(word): \(panel)")
      try await window.key("Escape")
      try await window.waitForWord(word, present: false)
      #expect(map(try await window.picture(), size) == map(before, size), "\(word)")
    }
  }

  @Test("the strip, the details and pictures side by side share the window, and give it back", arguments: sizes)
  func sharing(size: Size) async throws {
    let window = try await WindowUnderTest.start(
      [sampleImages + "/fruit", "--no-animation"], width: size.display.width, height: size.display.height,
      dpi: 96 * size.scale)
    try await window.waitForState("finished")
    try await window.point(3, 24 * size.scale)
    let before = try await window.picture()
    let size = Size(width: before.width, height: before.height, scale: size.scale)
    try await window.key("Right", "m")
    try await window.waitUntil("the strip") { try await window.state().contains("strip:1/") }
    let strip = try await window.picture()
    // The map is smaller, and there is some of it.
    #expect(strip != before)
    let canvas = Screenshot.canvas
    let upper = (size.map.top..<size.map.top + 40 * size.scale).contains { y in
      (0..<size.width).contains { strip[$0, y] != canvas }
    }
    #expect(upper)
    try await window.key("Return")
    try await window.waitForWord("opened:original")
    try await window.key("e")
    try await window.waitForWord("details")
    let details = try await window.picture()
    // At the left is the picture, at the right are words.
    for part in [0..<size.width / 3, size.width * 2 / 3..<size.width] {
      let colors = Set(
        stride(from: size.map.top + 8, to: size.map.bottom - 8, by: 2).flatMap { y in part.map { details[$0, y] } })
      #expect(colors.count > 8)
    }
    try await window.key("e", "Escape", "Escape", "Escape")
    try await window.waitForWord("details", present: false)
    try await window.key("ctrl+a", "v")
    try await window.waitUntil("side by side, or a sentence that says how many are") {
      let state = try await window.state()
      return state.contains("beside:") || state.contains("selected:")
    }
    try await window.key("Escape", "Escape", "Escape")
    try await window.waitForWord("selected:0")
    try await window.key("0")
    #expect(map(try await window.picture(), size) == map(before, size))
    #expect(try await window.quit() == 0)
  }
}
