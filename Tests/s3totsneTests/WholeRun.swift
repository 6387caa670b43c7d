import Foundation
import TestSupport
import Testing

/// The whole program over some pictures, and everything that a run of it gives, as bytes.
struct WholeRun {
  /// What a run gives.
  struct Result {
    /// Positions.
    var layout: Data
    /// A picture of all thumbnails.
    var picture: Data
    var report: [String: Any]

    /// Objects fetched.
    var fetched: Int { (report["requests"] as? [String: Int])?["get"] ?? -1 }
    /// What was said.
    var notes: [String] { report["notes"] as? [String] ?? [] }
    /// Whether nothing can be told apart.
    func isSame(as other: Result) -> Bool { layout == other.layout && picture == other.picture }
  }

  var program: Program
  /// Where the pictures are.
  var location: String
  /// More options.
  var options: [String] = []

  private var parameters: [String] { ["--iterations", "300", "--perplexity", "10"] + options }

  /// Runs the program to its end, with a store in this directory.
  func result(_ store: String, environment: [String: String] = [:]) async throws -> Result {
    let outputs = try TemporaryDirectory("outputs")
    let ended = try await run(
      try builtExecutable("s3totsne"),
      [
        "map", location, "--cache-dir", store, "--json", "--layout", outputs.file("layout.csv"), "--picture",
        outputs.file("map.png"), "--size", "640x480",
      ] + parameters, environment: program.environment.merging(environment) { $1 })
    try #require(ended.status == 0, "\(ended.errorText)")
    return Result(
      layout: try Data(contentsOf: URL(fileURLWithPath: outputs.file("layout.csv"))),
      picture: try Data(contentsOf: URL(fileURLWithPath: outputs.file("map.png"))), report: try ended.json)
  }

  /// Starts the program with a store in this directory.
  func start(_ store: String, environment: [String: String] = [:]) throws -> ChildProcess {
    try ChildProcess(
      try builtExecutable("s3totsne"), ["map", location, "--cache-dir", store, "--quiet"] + parameters,
      environment: program.environment.merging(environment) { $1 })
  }

  /// Runs the program in a new store, and tells how many seconds that took.
  func timed(_ store: String) async throws -> (result: Result, seconds: Double) {
    let begin = ContinuousClock.now
    let result = try await result(store)
    return (result, (ContinuousClock.now - begin) / .seconds(1))
  }

  /// Kills the program at a random moment of the time that it takes.
  func killed(_ store: String, within seconds: Double, random: inout SplitMix64) async throws {
    let child = try start(store)
    try await Task.sleep(for: .seconds(Double.random(in: 0...seconds, using: &random)))
    child.send(signal: SIGKILL)
    _ = try await child.waitUntilExit(within: 240)
  }
}
