import Foundation
import TestSupport
import Testing

@Suite("Damage seen in the window", .serialized, .timeLimit(.minutes(10)))
struct MendingTests {
  /// The largest level: a cell of 128 × 128 pixels an image.
  private static let cellBytes = 128 * 128 * 4

  /// Zooms into the middle of the map, and gives what is seen.
  private func zoomIn(_ window: WindowUnderTest) async throws {
    try await window.pointAtNothing()
    try await window.key("0")
    _ = try await window.picture()
    try await window.point(450, 330)
    for _ in 0..<8 { try await window.display.xdotool("click", "4") }
    try await window.pointAtNothing()
  }

  @Test("thumbnails that are damaged on the disk are made anew when they are looked at, and the map is as before")
  func thumbnails() async throws {
    let home = try TemporaryDirectory("damaged")
    let display = try await VirtualDisplay.start(width: 1000, height: 700, windowManager: true)
    let first = try await WindowUnderTest.start([sampleImages], home: home, on: display)
    try await first.waitForState("finished")
    let count = try await first.number("images")
    try await zoomIn(first)
    // Originals come late; what is compared later has them all.
    try await first.waitForRest()
    let complete = try await first.picture()
    #expect(complete.mapCoverage > 0.1)
    try await first.pointAtNothing()
    try await first.key("0")
    _ = try await first.picture()
    #expect(try await first.quit() == 0)

    let files = FileManager.default.enumerator(atPath: home.path)?.compactMap { $0 as? String } ?? []
    let path = home.file(try #require(files.first { $0.hasSuffix("level-128.bgra") }))
    func bytes() throws -> [UInt8?] {
      let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      return try (0..<count).map { slot in
        try file.seek(toOffset: UInt64(slot * Self.cellBytes + 101))
        return try file.read(upToCount: 1)?.first
      }
    }
    let sound = try bytes()
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    for (slot, byte) in sound.enumerated() {
      try file.seek(toOffset: UInt64(slot * Self.cellBytes + 101))
      try file.write(contentsOf: Data([try #require(byte) ^ 0x55]))
    }
    try file.close()

    let second = try await WindowUnderTest.start([sampleImages], home: home, on: display)
    try await second.waitForState("finished")
    try await zoomIn(second)
    try await second.waitUntil("the picture is the one of before") {
      try await second.picture().mapAgreement(with: complete) > 0.99
    }
    let mended = zip(try bytes(), sound).count { $0 == $1 }
    #expect(mended > 0, "something was looked at")
    #expect(try await second.quit() == 0)
    #expect(second.program.errorText.isEmpty)
  }
}
