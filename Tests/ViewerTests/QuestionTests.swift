import Foundation
import TestSupport
import Testing

@testable import Mapping
@testable import Viewer

@Suite("What a large fetch takes, in rows")
struct EstimateRowsTests {
  private func rows(rate: Double?, isAmazon: Bool) -> [String: String] {
    let estimate = FetchEstimate(
      objects: 100_000, bytes: 200_000_000_000, known: 0, listings: 100, rate: rate, isAmazon: isAmazon)
    return Dictionary(uniqueKeysWithValues: estimate.rows.map { ($0.name, $0.value) })
  }

  @Test("every fact has a row: the price where it is known, the time as soon as it is")
  func facts() {
    let known = rows(rate: 50, isAmazon: true)
    #expect(known["Objects"] == "100,000" && known["Bytes"] == "200 GB" && known["Requests"] == "100,100")
    #expect(known["Memory"] == "about 750 MB" && known["Disk"] == "about 8.0 GB")
    #expect(known["Time"] == "about 33 min at the present speed")
    #expect(known["Price"] == "$18.04 at AWS list price, from outside its region")
    let unknown = rows(rate: nil, isAmazon: false)
    #expect(unknown["Price"] == nil && unknown["Time"] == "known once some of it has been fetched")
  }
}

// What is asked and said before and about a part of the images.
extension ViewerTests {
  @Test(
    "before much is fetched a panel asks: Escape puts it off, Cancel ends the job, Fetch all goes on with all of it")
  func question() async throws {
    let server = try await RcloneServer.start()
    try await server.makeBucket("asked")
    try await server.upload(folder: sampleImages + "/fruit", to: "asked", prefix: "fruit")
    let count = try FileManager.default.contentsOfDirectory(atPath: sampleImages + "/fruit").count
    var environment: [String: String?] = [:]
    for (name, value) in server.environment { environment[name] = value }
    let window = try await WindowUnderTest.start(
      ["asked/fruit", "--ask-above", "10", "--replica", "none", "--perplexity", "5"], environment: environment)
    try await window.waitForWord("question")
    try await window.waitForWord("images:\(count)")
    // The keyboard is on Cancel.
    try await window.key("Return")
    try await window.waitForState("cancelled")
    try await window.waitForWord("question", present: false)

    try await window.key("F5")
    try await window.waitForWord("question")
    try await window.key("Escape")
    try await window.key("Escape")
    try await window.waitForWord("question", present: false)
    let state = try await window.state()
    #expect(!state.hasPrefix("finished") && !state.hasPrefix("cancelled"))
    // The button at the right end of the status line still offers it.
    let picture = try await window.picture()
    try await window.point(picture.width - 40, picture.height - 14)
    try await window.display.xdotool("click", "1")
    try await window.waitForState("finished")
    #expect(try await window.number("placed") == count)
  }

  @Test("a sample says on the map that it is one, as long as it is shown")
  func sample() async throws {
    let home = try TemporaryDirectory("sample")
    let display = try await VirtualDisplay.start(width: 1000, height: 700, windowManager: true)
    let count = try FileManager.default.contentsOfDirectory(atPath: sampleImages + "/fruit").count
    let folder = sampleImages + "/fruit"
    let window = try await WindowUnderTest.start(
      [folder, "--sample", "12", "--perplexity", "3"], home: home, on: display)
    try await window.waitForState("finished")
    try await window.waitForWord("sample:12/\(count)")
    #expect(try await window.number("placed") == 12)
    try await window.pointAtNothing()
    let sampled = try await window.picture()
    let part = { (picture: Screenshot) in
      (56..<84).flatMap { row in (picture.width - 190..<picture.width - 4).map { picture[$0, row] } }
    }
    // The panel that it stands on.
    let panel: UInt32 = 0xff24_2629
    #expect(part(sampled).count { $0 == panel } > 500)
    #expect(try await window.quit() == 0)
    let whole = try await WindowUnderTest.start([folder, "--perplexity", "3"], home: home, on: display)
    try await whole.waitForState("finished")
    #expect(try await !whole.state().contains("sample:"))
    try await whole.pointAtNothing()
    #expect(part(try await whole.picture()).count { $0 == panel } < 100)
  }
}
