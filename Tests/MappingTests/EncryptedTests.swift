import Collection
import Foundation
import ObjectStorage
import Synchronization
import TestSupport
import Testing

@testable import Mapping

/// Jobs on an encrypted server.
@Suite("Encrypted jobs in any weather", .serialized, .timeLimit(.minutes(10)))
struct EncryptedTests {
  private static let count = 40

  private static let bucket = Task {
    let server = try await SeaweedServer.start(certificate: TestCertificate())
    let folder = try TemporaryDirectory("encrypted")
    for number in 0..<count {
      let color = [(220, 40, 40), (40, 200, 60), (50, 60, 210)][number % 3]
      try folder.write(bitmap(width: 120, height: 90, color: color, seed: UInt64(number)), to: "\(number).bmp")
    }
    try await server.makeBucket("encrypted")
    try await server.upload(folder: folder.path, to: "encrypted")
    return (server: server, calm: await run(try job(server)))
  }

  private static func job(_ server: SeaweedServer, through line: LineProxy? = nil) throws -> MappingRequest {
    var environment = server.environment
    if let line { environment["AWS_ENDPOINT_URL"] = "https://127.0.0.1:\(line.port)" }
    return try WeatherTests.job(environment, bucket: "encrypted")
  }

  @Test("the map of an encrypted line that is reset, cut and silent is the map of a good one")
  func faults() async throws {
    let (server, calm) = try await Self.bucket.value
    let report = try #require(calm.report, "\(String(describing: calm.failure))")
    #expect(report.images == Self.count && report.requests.retries == 0)
    let line = try LineProxy(upstream: server.endpoint) { number in
      // In the greeting, and in the first pictures.
      let place = number * 7919 % 60_000 + 200
      return [.reset(after: place), .end(after: place), nil, .stall(after: place)][number % 4]
    }
    let outcome = await run(try Self.job(server, through: line))
    #expect(
      outcome.report?.images == Self.count && outcome.report?.leftOut == [], "\(String(describing: outcome.failure))")
    #expect(outcome.positions == calm.positions)
    #expect(line.faultCount > 2)
    // A connection more for every one that broke, or was given up.
    #expect(line.connectionCount <= 16 + line.faultCount + (outcome.report?.requests.retries ?? 0))
  }

  @Test("another server that answers in the middle, under a certificate that nobody trusts, is waited out")
  func intercepted() async throws {
    let (server, calm) = try await Self.bucket.value
    let portal = try await RcloneServer.start(certificate: TestCertificate())
    let line = try LineProxy(upstream: server.endpoint)
    var asked = try Self.job(server, through: line)
    asked.storage.maximumConnections = 2
    let seen = Mutex((hasCome: false, reasons: [String]()))
    let outcome = await run(asked) { event, job in
      switch event {
      case .ready:
        let comes = seen.withLock { seen in
          defer { seen.hasCome = true }
          return !seen.hasCome
        }
        if comes { try? line.lead(to: portal.endpoint) }
      case .progress(let progress):
        guard let interruption = progress.interruption else { return }
        seen.withLock { $0.reasons.append(interruption.reason) }
        try? line.lead(to: server.endpoint)
        job.tryNow()
      default: break
      }
    }
    #expect(
      outcome.report?.images == Self.count && outcome.report?.leftOut == [], "\(String(describing: outcome.failure))")
    #expect(outcome.positions == calm.positions)
    #expect(seen.withLock { $0.reasons.first }?.contains("certificate") == true)
  }
}
