import Foundation
import TestSupport
import Testing

@Suite("Colours and folders in the window", .serialized, .timeLimit(.minutes(10)))
struct LabelTests {
  /// The colours of the dark look, in the order of the classes.
  static let colors: [UInt32] = [0xFF78_60FF, 0xFFC4_FF00, 0xFFFF_0000, 0xFF44_AAC4]

  /// How many pixels of the map have a colour.
  func count(_ color: UInt32, in picture: Screenshot, columns: Range<Int>) -> Int {
    picture.mapRows.reduce(0) { sum, row in sum + columns.count { picture[$0, row] == color } }
  }

  /// A folder of three folders with some pictures each, one of which has a folder in it.
  func folders() throws -> (TemporaryDirectory, total: Int) {
    let directory = try TemporaryDirectory("folders")
    let manager = FileManager.default
    var total = 0
    for (name, source, count) in [("a", "birds", 6), ("b", "fruit", 9), ("c", "fruit", 4), ("c/d", "frogs", 5)] {
      try manager.createDirectory(atPath: directory.file(name), withIntermediateDirectories: true)
      let files = try manager.contentsOfDirectory(atPath: sampleImages + "/" + source).sorted()
      for file in (name == "c" ? files.suffix(count) : files.prefix(count)) {
        try manager.copyItem(atPath: "\(sampleImages)/\(source)/\(file)", toPath: directory.file("\(name)/\(file)"))
        total += 1
      }
    }
    return (directory, total)
  }

  @Test(
    "k frames the pictures in the colours of their folders; the legend selects, hides, and comes back as it was left")
  func colors() async throws {
    let (directory, total) = try folders()
    let home = try TemporaryDirectory("labels")
    let display = try await VirtualDisplay.start(width: 1000, height: 700, windowManager: true)
    let window = try await WindowUnderTest.start([directory.path], home: home, on: display)
    try await window.waitForState("finished")
    #expect(try await window.number("images") == total)
    try await window.pointAtNothing()
    try await window.key("k")
    // a, b, c, c/d
    try await window.waitForWord("colours:folder:4")
    try await window.waitForWord("legend")
    let framed = try await window.picture()
    // Right of the legend.
    for color in Self.colors { #expect(count(color, in: framed, columns: 290..<960) > 20) }
    // K goes to the legend: the arrows go down to the second class, Return selects it.
    try await window.key("K")
    try await window.key("Down", "Return")
    try await window.waitForWord("selected:9")
    try await window.key("Down", "ctrl+Return")
    try await window.waitForWord("selected:13")
    try await window.key("ctrl+Return")
    try await window.waitForWord("selected:9")
    try await window.key("K")
    try await window.waitForWord("legend", present: false)
    try await window.key("K", "Escape", "Escape")
    try await window.waitForWord("legend")
    try await window.waitForWord("selected:0")
    // A click selects the first class, and again nothing.
    try await window.point(40, 48 + 12 + 26 + 12)
    try await window.display.xdotool("click", "1")
    try await window.waitForWord("selected:6")
    try await window.display.xdotool("click", "1")
    try await window.waitForWord("selected:0")
    // What is written has the frames, too.
    try await window.key("ctrl+s")
    try await window.waitForWord("prompt")
    try await window.key("ctrl+a")
    try await window.type(home.file("map.svg"))
    try await window.key("Return")
    try await window.waitUntil("the picture is written") {
      FileManager.default.fileExists(atPath: home.file("map.svg"))
    }
    // Red, the third colour: of four bars around each of the four pictures of c.
    let text = try String(contentsOfFile: home.file("map.svg"), encoding: .utf8)
    #expect(text.replacing(" ", with: "").components(separatedBy: "rgb(100%,0%,0%)").count > 16)
    #expect(try await window.quit() == 0)

    let again = try await WindowUnderTest.start([directory.path], home: home, on: display)
    try await again.waitForState("finished")
    try await again.waitForWord("colours:folder:4")
    try await again.waitForWord("legend")
    for _ in 0..<3 { try await again.key("k") }
    try await again.waitForWord("legend")
    try await again.key("k")
    try await again.waitForWord("legend", present: false)
    try await again.pointAtNothing()
    let plain = try await again.picture()
    for color in Self.colors { #expect(count(color, in: plain, columns: 290..<960) == 0) }
    #expect(try await again.quit() == 0)
  }

  @Test("u selects the folder of the picture, and pressed again the folders above it")
  func folder() async throws {
    let (directory, total) = try folders()
    let window = try await WindowUnderTest.start([directory.path])
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    // The last by name lies in c/d.
    try await window.key("Prior")
    try await window.key("u")
    try await window.waitForWord("selected:5")
    try await window.key("u")
    try await window.waitForWord("selected:9")
    try await window.key("u")
    try await window.waitForWord("selected:\(total)")
    // Another picture's folder begins anew.
    try await window.key("Escape")
    try await window.waitForWord("selected:0")
    try await window.key("Next")
    try await window.key("u")
    try await window.waitForWord("selected:6")
  }
}
