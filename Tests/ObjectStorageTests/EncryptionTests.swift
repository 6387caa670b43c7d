import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ObjectStorage

/// Encrypted servers, and encrypted lines that break.
@Suite(.serialized, .timeLimit(.minutes(10))) struct EncryptionTests {
  enum Kind: String, CaseIterable, Sendable { case seaweed, rclone }

  private static let certificate = Task { try await TestCertificate() }
  private static let seaweed = Task { try await SeaweedServer.start(certificate: certificate.value) }
  private static let rclone = Task { try await RcloneServer.start(certificate: certificate.value) }

  private func server(_ kind: Kind) async throws -> any S3Server {
    switch kind {
    case .seaweed: try await Self.seaweed.value
    case .rclone: try await Self.rclone.value
    }
  }

  private func open(_ server: any S3Server, _ bucket: String, endpoint: String? = nil) throws -> any ObjectStore {
    var options = StorageOptions(environment: server.environment)
    options.endpointURL = endpoint
    options.maximumConnections = 8
    options.stallSeconds = 1
    options.patience = 60
    return try openStore(Location(.bucket(endpoint: nil, name: bucket, prefix: [])), options: options)
  }

  private static let count = 120

  private static func content(_ number: Int) -> [UInt8] {
    var random = SplitMix64(seed: UInt64(number))
    return (0..<Int.random(in: 10_000...60_000, using: &random)).map { UInt8(truncatingIfNeeded: $0 &* (number + 3)) }
  }

  private func fill(_ bucket: String, of server: any S3Server) async throws {
    try await server.makeBucket(bucket)
    let store = try open(server, bucket)
    try await withThrowingTaskGroup { group in
      for number in 0..<Self.count {
        group.addTask {
          try await store.put(ObjectKey("\(number)"), Self.content(number), contentType: "application/octet-stream")
        }
      }
      try await group.waitForAll()
    }
  }

  private func expectAll(_ store: any ObjectStore) async throws {
    let objects = try await store.allObjects()
    #expect(objects.count == Self.count)
    try await withThrowingTaskGroup { group in
      for object in objects {
        group.addTask {
          guard case .bytes(let bytes, _) = try await store.get(object) else { return }
          #expect(bytes == Self.content(Int(object.key.displayName) ?? -1))
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("connections are opened once and used again", arguments: Kind.allCases)
  func reuse(kind: Kind) async throws {
    let server = try await server(kind)
    try await fill("reuse", of: server)
    let store = try open(server, "reuse")
    try await expectAll(store)
    let counts = store.counts
    #expect(counts.get == Self.count && counts.retries == 0)
    #expect(counts.connections <= counts.peakTransfers + 1, "\(counts)")
  }

  @Test(
    "lines that are reset, end without a farewell, or fall silent in the middle of encrypted bodies lose nothing",
    arguments: Kind.allCases)
  func faults(kind: Kind) async throws {
    let server = try await server(kind)
    try await fill("faults", of: server)
    // Every third connection lasts.
    let random = Mutex(SplitMix64(seed: 5))
    let line = try LineProxy(upstream: server.endpoint) { number in
      let place = random.withLock { Int.random(in: 500...150_000, using: &$0) }
      switch number % 6 {
      case 0: return .reset(after: place)
      case 1: return .end(after: place)
      case 3: return .stall(after: place)
      case 4: return .reset(after: place % 3000)
      default: return nil
      }
    }
    let store = try open(server, "faults", endpoint: "https://127.0.0.1:\(line.port)")
    try await expectAll(store)
    #expect(line.faultCount > 3)
    #expect(store.counts.connections <= 8 + line.faultCount + store.counts.retries)
  }
}
