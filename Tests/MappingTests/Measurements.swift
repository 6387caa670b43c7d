import Collection
import Foundation
import ObjectStorage
import Replica
import TSNE
import TestSupport
import Testing

@testable import Mapping

/// Numbers for the replica, printed: `S3TOTSNE_MEASURE_REPLICA=10000 swift test --filter ReplicaMeasurements`.
private let measured = ProcessInfo.processInfo.environment["S3TOTSNE_MEASURE_REPLICA"].flatMap { Int($0) }

@Suite("ReplicaMeasurements", .serialized, .enabled(if: measured != nil && sharedImages != nil))
struct ReplicaMeasurements {
  @Test("requests and seconds of the first and the second machine", arguments: ["SeaweedFS", "rclone"])
  func machines(name: String) async throws {
    let count = try #require(measured)
    let server: any S3Server = name == "rclone" ? try await RcloneServer.start() : try await SeaweedServer.shared
    let pictures = try TemporaryDirectory("pictures")
    let originals =
      (FileManager.default.enumerator(atPath: try #require(sharedImages))?.compactMap { $0 as? String } ?? [])
      .filter { $0.lowercased().hasSuffix(".jpg") }.sorted()
    for number in 0..<count {
      let source = try #require(sharedImages) + "/" + originals[number % originals.count]
      // Bytes behind the end of a JPEG make it another object.
      try pictures.write(
        Array(try Data(contentsOf: URL(fileURLWithPath: source))) + Array("\(number)".utf8), to: "\(number).jpg")
    }
    try await server.makeBucket("originals")
    try await server.makeBucket("tsnetooldata")
    try await server.upload(folder: pictures.path, to: "originals")
    let clock = ContinuousClock()
    for machine in ["first, alone", "first", "second"] {
      let cache = try TemporaryDirectory("cache")
      var request = try request("originals", cache: cache, environment: server.environment) { parameters in
        parameters.tsne.iterations = 500
        parameters.tsne.perplexity = 30
      }
      request.replica = machine == "first, alone" ? .none : .automatic
      var outcome: Outcome?
      let time = await clock.measure { outcome = await run(request) }
      let report = try #require(outcome?.report, "\(String(describing: outcome?.failure))")
      print(
        "\(name), \(count) images, \(machine) machine: \(time), \(report.requests), \(report.bytesFetched) bytes of originals, "
          + "shared \(String(describing: report.replica)), \(report.seconds), \(report.notes)")
    }
  }
}
