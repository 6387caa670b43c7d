import Foundation
import TestSupport
import Testing

/// The desktop's viewer is a program of the test's own in front of PATH, which writes down what it was given.
@Suite("The desktop's viewer", .serialized, .timeLimit(.minutes(10)))
struct ExternalViewerTests {
  /// A folder with an `xdg-open` that ends with `status`, and the file in which it notes each path and that file's digest.
  private struct Desktop {
    let directory: TemporaryDirectory
    let log: String

    init(status: Int = 0) throws {
      directory = try TemporaryDirectory("desktop")
      log = directory.file("log")
      let script = """
        #!/bin/sh
        printf '%s %s\\n' "$(md5sum < "$1" | cut -c1-32)" "$1" >> '\(log)'
        exit \(status)

        """
      let path = try directory.write(Array(script.utf8), to: "bin/xdg-open")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
      try FileManager.default.createDirectory(
        atPath: directory.file("run"), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    var environment: [String: String?] {
      let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
      return ["PATH": directory.file("bin") + ":" + path, "XDG_RUNTIME_DIR": directory.file("run")]
    }

    /// Digest and path of what was opened last.
    func opened() -> (digest: String, path: String)? {
      guard let text = try? String(contentsOfFile: log, encoding: .utf8), let line = text.split(separator: "\n").last
      else { return nil }
      let parts = line.split(separator: " ", maxSplits: 1)
      return (String(parts[0]), String(parts[1]))
    }
  }

  private func digests(in folder: String) async throws -> Set<String> {
    let answer = try await TestSupport.run("sh", ["-c", "md5sum \"$0\"/* | cut -c1-32", folder], checked: true)
    return Set(answer.outputText.split(separator: "\n").map(String.init))
  }

  @Test("o opens the file itself, of a folder")
  func folder() async throws {
    let desktop = try Desktop()
    let window = try await WindowUnderTest.start([sampleImages + "/fruit"], environment: desktop.environment)
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    try await window.key("Right", "o")
    try await window.waitUntil("the viewer") { desktop.opened() != nil }
    let opened = try #require(desktop.opened())
    #expect(opened.path.hasPrefix(sampleImages + "/fruit/"))
    #expect(FileManager.default.fileExists(atPath: opened.path))
    #expect(try await window.quit() == 0)
    #expect(FileManager.default.fileExists(atPath: opened.path))
  }

  @Test("o opens a private copy of an object, with the original's bytes; it is gone when the program has ended")
  func bucket() async throws {
    let desktop = try Desktop()
    let server = try await SeaweedServer.shared
    try await server.makeBucket("external-viewer")
    try await server.upload(folder: sampleImages + "/fruit", to: "external-viewer")
    var environment = desktop.environment
    for (name, value) in server.environment { environment[name] = value }
    let window = try await WindowUnderTest.start(["external-viewer"], environment: environment)
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    try await window.key("Right", "o")
    try await window.waitUntil("the viewer") { desktop.opened() != nil }
    let opened = try #require(desktop.opened())
    #expect(opened.path.hasPrefix(desktop.directory.file("run") + "/"))
    #expect(try await digests(in: sampleImages + "/fruit").contains(opened.digest))
    let folder = (opened.path as NSString).deletingLastPathComponent
    let mode = try FileManager.default.attributesOfItem(atPath: folder)[.posixPermissions] as? Int
    #expect(mode == 0o700)
    #expect(try await window.quit() == 0)
    #expect(!FileManager.default.fileExists(atPath: opened.path))
  }

  @Test("a desktop without a program for it is no reason to stop")
  func refused() async throws {
    let desktop = try Desktop(status: 3)
    let window = try await WindowUnderTest.start([sampleImages + "/fruit"], environment: desktop.environment)
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    try await window.key("Right", "o")
    try await window.waitUntil("the viewer") { desktop.opened() != nil }
    try await window.key("Return")
    try await window.waitForWord("opened:original")
    #expect(try await window.quit() == 0)
  }
}
