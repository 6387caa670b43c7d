import Foundation
import TestSupport
import Testing

// What stays when a job is ended.
extension ViewerTests {
  @Test("Cancel in the middle of a layout gives the last complete one back, and it can be arranged")
  func cancelledLayout() async throws {
    let window = try await WindowUnderTest.start([sampleImages, "--iterations", "1000000"])
    try await window.waitForState("layout")
    try await window.key("s")
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    try await window.key("0")
    let complete = try await window.picture()
    try await window.key("ctrl+l", "Tab", "Tab", "Tab", "ctrl+a")
    try await window.type("5")
    try await window.key("Return")
    try await window.waitForState("layout")
    try await window.waitUntil("the pictures have moved") {
      try await window.display.screenshot(window: window.window).mapAgreement(with: complete) < 0.9
    }
    // The last control of the bar says Cancel now.
    try await window.point(920, 32)
    try await window.display.xdotool("click", "1")
    try await window.waitForState("cancelled")
    try await window.pointAtNothing()
    #expect(try await window.picture().mapAgreement(with: complete) > 0.999)
    try await window.key("g")
    try await window.waitForWord("spread:shown")
    #expect(try await window.picture().mapAgreement(with: complete) < 0.999)
  }

  @Test("the list of what was left out follows the job that runs below it")
  func growingProblems() async throws {
    let folder = try TemporaryDirectory("growing")
    let names = try FileManager.default.contentsOfDirectory(atPath: sampleImages + "/fruit").sorted()
    for name in names { _ = try folder.copy(sampleImages + "/fruit/" + name, to: name) }
    for number in 1...3 { _ = try folder.write(Array("nothing".utf8), to: "broken\(number).png") }
    let window = try await WindowUnderTest.start([folder.path])
    try await window.waitForState("finished")
    try await window.key("p")
    try await window.waitForWord("rows:3")
    _ = try folder.write(Array("nothing".utf8), to: "absent.png")
    try await window.key("F5")
    try await window.waitForWord("rows:4")
    let mended = try #require(FileManager.default.contents(atPath: sampleImages + "/fruit/" + names[0]))
    for name in ["absent", "broken1", "broken2"] { _ = try folder.write(Array(mended), to: name + ".png") }
    try await window.key("F5")
    try await window.waitForWord("rows:1")
    try FileManager.default.removeItem(atPath: folder.file("broken3.png"))
    try await window.key("F5")
    // Nothing is left out any more: it closes.
    try await window.waitForWord("problems", present: false)
    try await window.waitForWord("placed:\(names.count + 3)")
  }
}
