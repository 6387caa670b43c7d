import Foundation
import TestSupport
import Testing

/// What cannot be had is said, and the window goes on.
@Suite("Failures in the window", .serialized, .timeLimit(.minutes(10)))
struct FailureTests {
  private func environment(_ changes: [String: String]) async throws -> [String: String?] {
    var result: [String: String?] = [:]
    for (name, value) in try await SeaweedServer.shared.environment { result[name] = value }
    for (name, value) in changes { result[name] = value }
    return result
  }

  @Test(
    "a bucket that is not there, a wrong secret and an unknown key are told apart, and a folder opens after them",
    arguments: [
      ("no-such-bucket-here", [String: String](), "failed:notFound"),
      ("failing-bucket", ["AWS_SECRET_ACCESS_KEY": "not-the-secret"], "failed:accessDenied"),
      ("failing-bucket", ["AWS_ACCESS_KEY_ID": "NOBODYNOBODYNOBODY"], "failed:accessDenied"),
    ])
  func bucket(location: String, changes: [String: String], state: String) async throws {
    let server = try await SeaweedServer.shared
    try await server.makeBucket("failing-bucket")
    let window = try await WindowUnderTest.start([location], environment: try await environment(changes))
    try await window.waitForState(state)
    try await window.key("ctrl+l", "ctrl+a")
    try await window.type(sampleImages + "/fruit")
    try await window.key("Return")
    try await window.waitForState("finished")
    #expect(!window.program.errorText.contains("not-the-secret"))
  }

  @Test("a cache that cannot be written is said in a note, and the map is made all the same")
  func unwritableCache() async throws {
    let folder = try TemporaryDirectory("unwritable")
    // A file in the directory's place stops root as well.
    try folder.write([], to: "cache")
    let window = try await WindowUnderTest.start(
      [sampleImages + "/fruit"], environment: ["XDG_CACHE_HOME": folder.file("cache")])
    try await window.waitForState("finished")
    #expect(try await window.number("placed") > 5)
    try await window.key("n")
    try await window.waitForWord("notes")
  }
}
