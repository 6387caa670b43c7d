import Foundation
import TestSupport
import Testing

/// The program on a display behind a slow connection.
@Suite("A slow display connection", .serialized, .timeLimit(.minutes(10)))
struct SlowDisplayTests {
  /// 20 Mbit a second.
  static let bits = 20e6

  @Test("a pan shows a picture for each movement, never with more than a tenth of a second's bytes under way")
  func panning() async throws {
    let display = try await VirtualDisplay.start(
      width: 1100, height: 800, windowManager: true, arguments: ["-extension", "MIT-SHM"])
    let slow = try ThrottledDisplay(to: display.name, bitsPerSecond: Self.bits)
    defer { slow.stop() }
    let folder = try TemporaryDirectory("slow")
    let measurements = folder.file("measurements")
    let window = try await WindowUnderTest.start(
      [sampleImages], width: 1040, height: 780,
      environment: ["DISPLAY": slow.name, "S3TOTSNE_MEASURE": measurements], on: display, holding: folder)
    try await window.waitForState("finished")
    // Larger pictures: every pixel of the map is somebody's.
    for _ in 0..<6 { try await window.key("bracketright") }
    try await window.point(520, 400)
    for _ in 0..<3 { try await window.display.xdotool("click", "4") }
    try await window.pointAtNothing()
    let before = try await window.picture()
    #expect(before.mapCoverage > 0.5)
    _ = slow.takeMostWaiting()

    let first = try frames(measurements)
    try await window.point(300, 300)
    try await window.display.xdotool("mousedown", "1")
    var shown = first
    var bytes = 0
    // To and fro, so that there is always something to come into view, and at the pace of the pictures: a busy machine that
    // moves further for each has more to send.
    for step in 0..<30 {
      let way = abs(step % 40 - 20)
      // What makes the picture before sharper meanwhile is not counted.
      let (before, total) = (shown, slow.total)
      try await window.point(300 + 18 * way, 300 + 9 * way)
      try await window.waitUntil("a picture") {
        shown = try frames(measurements)
        return shown > before
      }
      bytes += slow.total - total
    }
    try await window.display.xdotool("mouseup", "1")
    // How much a picture takes depends on how busy the machine is: what is told is for whoever measures.
    print("\(bytes / (shown - first)) bytes a picture")
    #expect(slow.takeMostWaiting() <= Int(Self.bits / 8 / 10))
    // In the end it is sharp: what a fast display would show.
    try await window.pointAtNothing()
    let after = try await window.picture()
    try await window.key("0")
    _ = try await window.picture()
    #expect(after.mapCoverage > 0.3)
    #expect(slow.takeMostWaiting() <= Int(Self.bits / 8 / 10))
    #expect(try await window.quit() == 0)
  }

  /// How many pictures the display has acknowledged.
  private func frames(_ path: String) throws -> Int {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count { $0.contains("\"frame\"") }
  }
}
