import Foundation
import TestSupport
import Testing

// What a location comes back with.
extension ViewerTests {
  @Test("an image that came later is new until it was seen, also in the next run; it can be laid out with all others")
  func newImages() async throws {
    let folder = try TemporaryDirectory("new")
    let manager = FileManager.default
    for part in ["fruit", "birds", "frogs"] {
      try manager.copyItem(atPath: sampleImages + "/" + part, toPath: folder.file(part))
    }
    // One is kept back.
    let late = try #require(manager.contentsOfDirectory(atPath: folder.file("birds")).sorted().first)
    let bytes = try #require(manager.contents(atPath: folder.file("birds/" + late)))
    try manager.removeItem(atPath: folder.file("birds/" + late))
    let home = try TemporaryDirectory("home")
    let display = try await VirtualDisplay.start(width: 1000, height: 700, windowManager: true)
    let window = try await WindowUnderTest.start([folder.path, "--perplexity", "8"], home: home, on: display)
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    try await window.key("0")
    let count = try await window.number("placed")
    _ = try folder.write(Array(bytes), to: "birds/" + late)
    try await window.key("F5")
    try await window.waitForWord("placed:\(count + 1)")
    try await window.waitForWord("new:1")
    try await window.waitForState("finished")
    let marked = try await window.picture()
    #expect(try await window.quit() == 0)

    let again = try await WindowUnderTest.start([folder.path], home: home, on: display)
    try await again.waitForState("finished")
    try await again.waitForWord("new:1")
    try await again.pointAtNothing()
    #expect(try await again.picture().mapAgreement(with: marked) > 0.999)
    try await again.key("shift+n")
    try await again.waitUntil("it was gone to") { try await again.state().contains("strip:1/1") }
    try await again.waitForWord("new:1", present: false)
    try await again.key("Escape", "Escape")
    try await again.waitForWord("selected:0")
    let seen = try await again.picture()
    #expect(seen.mapAgreement(with: marked) < 1)

    // The button at the right end of the status line.
    try await again.point(seen.width - 50, seen.height - 14)
    try await again.display.xdotool("click", "1")
    try await again.waitUntil("another layout") { try await again.state().contains("layouts:3/3") }
    #expect(try await again.number("placed") == count + 1)
    #expect(try await again.quit() == 0)
  }

  @Test("what was selected is selected again in the next run, by what it is and not by its number")
  func selection() async throws {
    let folder = try TemporaryDirectory("selected")
    let manager = FileManager.default
    for part in ["fruit", "frogs"] {
      try manager.copyItem(atPath: sampleImages + "/" + part, toPath: folder.file(part))
    }
    let fruit = try manager.contentsOfDirectory(atPath: folder.file("fruit")).count
    let home = try TemporaryDirectory("home")
    let display = try await VirtualDisplay.start(width: 1000, height: 700, windowManager: true)
    let window = try await WindowUnderTest.start([folder.path, "--perplexity", "5"], home: home, on: display)
    try await window.waitForState("finished")
    try await window.key("slash")
    try await window.type("fruit")
    try await window.waitForWord("selected:\(fruit)")
    try await window.key("Return")
    try await window.waitForWord("prompt", present: false)
    // Quits by the window manager: Escape would select nothing.
    try await window.key("ctrl+q")
    #expect(try await window.program.waitUntilExit(within: 240) == 0)
    // One of them is gone, and another picture has come: its slot is free for it.
    let first = try #require(manager.contentsOfDirectory(atPath: folder.file("fruit")).sorted().first)
    try manager.removeItem(atPath: folder.file("fruit/" + first))
    let again = try await WindowUnderTest.start([folder.path], home: home, on: display)
    try await again.waitForState("finished")
    try await again.waitForWord("selected:\(fruit - 1)")
    try await again.key("ctrl+q")
    #expect(try await again.program.waitUntilExit(within: 240) == 0)
    _ = try folder.copy(sampleImages + "/fruit/" + first, to: "frogs/other.png")
    let third = try await WindowUnderTest.start([folder.path], home: home, on: display)
    try await third.waitForState("finished")
    try await third.waitForWord("selected:\(fruit - 1)")
    try await third.key("Escape")
    try await third.waitForWord("selected:0")
    #expect(try await third.quit() == 0)
    let fourth = try await WindowUnderTest.start([folder.path], home: home, on: display)
    try await fourth.waitForState("finished")
    #expect(try await fourth.number("selected") == 0)
  }
}
