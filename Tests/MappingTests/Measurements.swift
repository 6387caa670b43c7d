import Collection
import Foundation
import ObjectStorage
import Replica
import TSNE
import TestSupport
import Testing

@testable import Mapping

/// Numbers for the replica, printed and compared with what is promised:
/// `S3TOTSNE_MEASURE_REPLICA=10000 swift test --filter ReplicaMeasurements`. `S3TOTSNE_MEASURE_IMAGES` names a folder of
/// pictures to take.
private let variables = ProcessInfo.processInfo.environment
private let measured = variables["S3TOTSNE_MEASURE_REPLICA"].flatMap { Int($0) }
private let originals = variables["S3TOTSNE_MEASURE_IMAGES"] ?? sharedImages

@Suite("ReplicaMeasurements", .serialized, .enabled(if: measured != nil && originals != nil))
struct ReplicaMeasurements {
  @Test(
    "the second machine needs a twentieth of the requests of the first and a fifth of its time",
    arguments: ["SeaweedFS", "rclone"])
  func machines(name: String) async throws {
    let count = try #require(measured)
    let server: any S3Server = name == "rclone" ? try await RcloneServer.start() : try await SeaweedServer.shared
    let pictures = try TemporaryDirectory("pictures")
    let folder = try #require(originals)
    let files = (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? [])
      .filter { $0.lowercased().hasSuffix(".jpg") || $0.lowercased().hasSuffix(".png") }.sorted()
    try #require(!files.isEmpty)
    for number in 0..<count {
      let source = files[number % files.count]
      // Bytes behind the end of a picture make it another object.
      try pictures.write(
        Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + source))) + Array("\(number)".utf8),
        to: "\(number)." + source.suffix(3))
    }
    try await server.makeBucket("originals")
    try await server.makeBucket("tsnetooldata")
    try await server.upload(folder: pictures.path, to: "originals")
    var requests: [String: Int] = [:]
    var seconds: [String: Double] = [:]
    for machine in ["first, alone", "first", "second"] {
      let cache = try TemporaryDirectory("cache")
      var request = try request("originals", cache: cache, environment: server.environment) { parameters in
        parameters.tsne.iterations = 500
        parameters.tsne.perplexity = 30
      }
      request.replica = machine == "first, alone" ? .none : .automatic
      request.publishesSnapshots = false
      let outcome = await run(request)
      let report = try #require(outcome.report, "\(String(describing: outcome.failure))")
      let all = [report.requests, report.replicaRequests].compactMap { $0 }.reduce(0) {
        $0 + $1.list + $1.get + $1.put + $1.head
      }
      (requests[machine], seconds[machine]) = (all, report.seconds.total)
      print(
        "\(name), \(count) images, \(machine) machine: \(report.seconds.total) s, \(all) requests "
          + "(replica: \(String(describing: report.replicaRequests))), \(report.bytesFetched) bytes of originals, "
          + "shared \(String(describing: report.replica)), \(report.seconds), \(report.notes)")
    }
    let (first, second) = (try #require(requests["first"]), try #require(requests["second"]))
    #expect(20 * second <= first, "\(second) requests after \(first)")
    let (before, after) = (try #require(seconds["first"]), try #require(seconds["second"]))
    #expect(5 * after <= before, "\(after) s after \(before) s")
  }
}

/// `S3TOTSNE_MEASURE_PLACING=30000 swift test --filter PlacingMeasurements` prints how long 100 new images take.
private let placed = variables["S3TOTSNE_MEASURE_PLACING"].flatMap { Int($0) }

@Suite("PlacingMeasurements", .serialized, .enabled(if: placed != nil))
struct PlacingMeasurements {
  @Test("a hundred new images in a large collection are there within seconds")
  func placing() async throws {
    let count = try #require(placed)
    let (folder, cache) = (try pictureFolder(count), try TemporaryDirectory("cache"))
    func job() throws -> MappingRequest {
      var request = try request(folder.path, cache: cache, mode: .open) { $0.tsne.perplexity = 30 }
      request.keepsLayout = true
      request.laysOutEarly = true
      request.publishesSnapshots = false
      return request
    }
    let first = await run(try job())
    print("\(count) images: \(String(describing: first.report?.seconds))")
    for number in count..<count + 100 { try addPicture(number, to: folder) }
    let second = await run(try job())
    let report = try #require(second.report)
    print("100 new: \(report.seconds)")
    #expect(report.placed == 100 && report.requests.get == 100)
    #expect(report.seconds.total < 10)
  }
}
