import Foundation

/// The directory that holds `Package.swift`, as an absolute path.
public let packageRoot: String = {
  var url = URL(fileURLWithPath: #filePath)
  for _ in 0..<3 { url.deleteLastPathComponent() }
  return url.path
}()

/// The folder of real pictures beside the checkout (`../shared/images`, where a worktree also finds it two levels up),
/// or nil where it is missing. A test that needs it says so: `@Test(.enabled(if: sharedImages != nil))`.
public let sharedImages: String? =
  ["../shared/images", "../../shared/images"]
  .map { URL(fileURLWithPath: packageRoot).appendingPathComponent($0).standardizedFileURL.path }
  .first { FileManager.default.fileExists(atPath: $0 + "/MANIFEST.csv") }

/// The sample pictures that come with the program.
public let sampleImages = packageRoot + "/Resources/samples"

/// The path of a program of this package that was built together with the running tests.
public func builtExecutable(_ name: String) throws -> String {
  let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  let path = URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent(name).path
  guard FileManager.default.isExecutableFile(atPath: path) else {
    throw TestSupportError("\(path) was not built together with the tests")
  }
  return path
}

/// The path of a program that the tests need: looked for in the virtual environment that the set-up command makes, in
/// the directory that `S3TOTSNE_TEST_TOOLS` names, and in `PATH`.
///
/// Throws an error that names the set-up command, so that a missing tool fails the suite.
public func findTool(_ name: String) throws -> String {
  let environment = ProcessInfo.processInfo.environment
  let directories =
    [packageRoot + "/.build/tools/bin"] + [environment["S3TOTSNE_TEST_TOOLS"]].compactMap { $0 }
    + (environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map(String.init)
  for directory in directories {
    let path = directory + "/" + name
    if FileManager.default.isExecutableFile(atPath: path) { return path }
  }
  throw TestSupportError("The tests need the program \(name). Resources/setup/test installs it.")
}

/// Why something that the tests need could not be had.
public struct TestSupportError: Error, CustomStringConvertible {
  /// What is wrong, in a sentence.
  public let description: String

  /// Makes an error from a sentence.
  public init(_ description: String) { self.description = description }
}

/// Waits until a condition holds, asking every few milliseconds; throws when it does not within the time.
///
/// For states that nobody announces: a server that answers, a window that shows something. The time is there to end what
/// hangs: hundreds of tests share a machine's cores, and none of them may fail for having waited its turn.
public func eventually(
  _ what: String, within seconds: Double = 240, _ condition: () async throws -> Bool
) async throws {
  let clock = ContinuousClock()
  let end = clock.now + .seconds(seconds)
  var pause = 2
  while true {
    if try await condition() { return }
    if clock.now >= end { throw TestSupportError("Waited \(seconds) s in vain: \(what)") }
    try await Task.sleep(for: .milliseconds(pause))
    pause = min(pause * 2, 50)
  }
}
