import Foundation
import TestSupport
import Testing

// What is seen while a job runs, and what it has to say.
extension ViewerTests {
  @Test("the sample images unfold before the eyes, at a steady extent, and end as they would have anyway")
  func unfolding() async throws {
    let window = try await WindowUnderTest.start([sampleImages])
    try await window.waitForState("layout")
    var pictures: [Screenshot] = []
    while try await window.state().hasPrefix("layout") {
      for _ in 0..<3 {
        let picture = try await window.display.screenshot(window: window.window)
        if picture != pictures.last { pictures.append(picture) }
      }
    }
    // On a busy machine a look takes half a second.
    #expect(pictures.count >= 2)
    // It is neither a dot nor out of sight.
    #expect(pictures.allSatisfy { $0.mapCoverage > 0.02 })
    try await window.pointAtNothing()
    let watched = try await window.picture()
    let still = try await WindowUnderTest.start([sampleImages, "--no-animation"])
    try await still.waitForState("finished")
    try await still.pointAtNothing()
    #expect(try await still.picture().mapAgreement(with: watched) > 0.99)
  }

  @Test("notes are read in full with a key, and nothing empty opens")
  func notes() async throws {
    let window = try await WindowUnderTest.start([sampleImages + "/fruit"])
    try await window.waitForState("finished")
    try await window.key("p")
    _ = try await window.picture()
    #expect(try await !window.state().contains("problems"))
    // So few images allow no perplexity of 30.
    try await window.key("n")
    try await window.waitForWord("notes")
    try await window.key("Escape")
    try await window.waitForWord("notes", present: false)
    try await window.key("n")
    try await window.waitForWord("notes")
    // The focus is on Close.
    try await window.key("Return")
    try await window.waitForWord("notes", present: false)
  }

  @Test("a changed parameter marks the map as outdated until it is refreshed or changed back")
  func outdated() async throws {
    let window = try await WindowUnderTest.start([sampleImages + "/fruit", "--perplexity", "3"])
    try await window.waitForState("finished")
    #expect(try await !window.state().contains("outdated"))
    try await window.key("ctrl+l", "Tab", "Tab", "Tab")
    try await window.type("2")
    try await window.waitForWord("outdated")
    try await window.type("x")
    try await window.waitForWord("outdated", present: false)
    try await window.key("ctrl+a")
    try await window.type("3")
    try await window.waitForWord("outdated", present: false)
    try await window.key("ctrl+a")
    try await window.type("2")
    try await window.waitForWord("outdated")
    try await window.key("Return")
    try await window.waitForState("finished")
    try await window.waitForWord("outdated", present: false)
  }

  @Test("a part of the images that were left out is tried again by the keyboard alone")
  func retryOfSome() async throws {
    let folder = try TemporaryDirectory("some")
    let names = try FileManager.default.contentsOfDirectory(atPath: sampleImages + "/fruit").sorted()
    for name in names.prefix(4) { _ = try folder.copy(sampleImages + "/fruit/" + name, to: name) }
    for number in 1...3 { _ = try folder.write(Array("not yet".utf8), to: "late\(number).png") }
    let window = try await WindowUnderTest.start([folder.path])
    try await window.waitForState("finished")
    #expect(try await window.number("placed") == 4)
    for number in 1...3 {
      let mended = try #require(FileManager.default.contents(atPath: sampleImages + "/fruit/" + names[3 + number]))
      _ = try folder.write(Array(mended), to: "late\(number).png")
    }
    try await window.key("p")
    try await window.waitForWord("problems")
    // The first row, and the second with it.
    try await window.key("Down", "shift+Down", "Return")
    try await window.waitForWord("placed:6")
    try await window.waitForState("finished")
    try await window.key("p")
    try await window.waitForWord("problems")
    try await window.key("Down", "Return")
    try await window.waitForWord("placed:7")
  }
}
