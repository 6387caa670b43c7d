import Foundation
import TestSupport
import Testing

/// `s3totsne replica`, for the owner of a bucket.
@Suite(.timeLimit(.minutes(10))) struct ReplicaCommandTests {
  @Test("check reads all that is shared and finds what is damaged; drop removes it, and the pictures stay")
  func checkAndDrop() async throws {
    let server = try await RcloneServer.start()
    var program = try Program()
    for (name, value) in server.environment { program.environment[name] = value }
    let pictures = try someSamples()
    try await server.makeBucket("photos")
    try await server.makeBucket("shared")
    try await server.upload(folder: pictures.path, to: "photos", prefix: "set")

    let none = try await program("replica", "check", "photos/set", "--replica", "shared", "--json")
    #expect(try none.status == 0 && none.json["objects"] as? Int == 0)
    let mapped = try await program(
      "map", "photos/set", "--replica", "shared", "--json", "--iterations", "50", "--perplexity", "5")
    #expect(mapped.status == 0, "\(mapped.errorText)")
    #expect((try mapped.json["replica"] as? [String: Int])?["images"] == 26)

    let sound = try await program("replica", "check", "photos/set", "--replica", "shared")
    #expect(sound.status == 0 && sound.errorText.isEmpty)
    #expect(sound.outputText.contains("26 images, 1 layouts, 6 objects"), "\(sound.outputText)")
    #expect(try await program("replica", "check", "photos/set", "--replica", "missing").status == 1)
    #expect(try await program("replica", "check", "photos/set", "--replica", "none").status == 2)

    let root = server.directory + "/shared"
    let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
    let archive = try #require(files.first { $0.hasSuffix(".tar") })
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: root + "/" + archive))
    let damaged = try await program("replica", "check", "photos/set", "--replica", "shared", "--json")
    #expect(damaged.status == 1)
    #expect((try damaged.json["problems"] as? [String])?.count == 1)
    #expect(damaged.errorText.contains((archive as NSString).lastPathComponent))

    let dropped = try await program("replica", "drop", "photos/set", "--replica", "shared")
    #expect(dropped.status == 0 && dropped.outputText.hasPrefix("Removed 6 objects"), "\(dropped.outputText)")
    let left = FileManager.default.enumerator(atPath: server.directory)?.compactMap { $0 as? String } ?? []
    #expect(
      !left.contains { $0.contains("s3totsne-1") && $0.contains(".") && !$0.hasSuffix("/") && $0.contains("-1/") })
    #expect(left.count { $0.hasPrefix("photos/set/") && $0.contains(".") } == 26)
  }
}
