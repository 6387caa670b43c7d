import Collection
import Dispatch
import Foundation
import ObjectStorage
import Replica
import Synchronization
import TSNE
import TestSupport
import Testing

@testable import Mapping

@Suite("What is said beforehand", .timeLimit(.minutes(10)))
struct BudgetTests {
  private let kept = KeptDirectories()

  @Test("what is above the allowance waits for a Yes, and no more than that is fetched before")
  func asking() async throws {
    let server = try await RcloneServer.start()
    let pictures = try pictureFolder(40)
    try await server.makeBucket("many")
    try await server.upload(folder: pictures.path, to: "many")
    func job(_ objects: Int?, asksNothing: Bool = false) throws -> MappingRequest {
      var request = try request("many", cache: try kept.directory(), environment: server.environment)
      request.allowance = objects.map { ($0, .max) }
      request.asksNothing = asksNothing
      return request
    }
    let asked = Mutex<[FetchEstimate]>([])
    let outcome = await run(try job(10)) { event, job in
      guard case .question(.fetch(let estimate)) = event else { return }
      asked.withLock { $0.append(estimate) }
      DispatchQueue.global().asyncAfter(deadline: .now() + 0.5) { job.goOn() }
    }
    let estimate = try #require(asked.withLock { $0 }.first)
    #expect(asked.withLock { $0.count } == 1)
    #expect(estimate.objects == 40 && estimate.requests == 41 && estimate.bytes > 40_000 && estimate.dollars == nil)
    #expect(estimate.text.contains("40 objects"))
    #expect(outcome.report?.images == 40)

    let fetched = Mutex(0)
    let cancelled = await run(try job(10)) { event, job in
      if case .progress(let progress) = event { fetched.withLock { $0 = progress.images } }
      if case .question = event { DispatchQueue.global().asyncAfter(deadline: .now() + 0.5) { job.cancel() } }
    }
    #expect(cancelled.isCancelled && fetched.withLock { $0 } <= 10)

    let told = await run(try job(10, asksNothing: true))
    #expect(told.report?.images == 40)
    #expect(told.notes.contains { $0.contains("objects") && $0.contains("requests") }, "\(told.notes)")
    #expect(await run(try job(nil)).notes == [])
    #expect(await run(try job(40)).notes == [])
  }

  private let questions = Questions()

  /// Counts what is asked, and answers Yes.
  private final class Questions: Sendable {
    private let asked = Mutex<[FetchEstimate]>([])
    var estimates: [FetchEstimate] { asked.withLock { $0 } }

    func run(_ request: MappingRequest) async -> Outcome {
      await MappingTests.run(request) { [self] event, job in
        guard case .question(.fetch(let estimate)) = event else { return }
        asked.withLock { $0.append(estimate) }
        job.goOn()
      }
    }
  }

  @Test("what is archived, empty or too large is left out without being asked for, and is not counted")
  func unreadable() async throws {
    // 20 objects, of which 5 are archived, 4 too large and one is empty.
    let proxy = try FaultProxy(upstream: "http://127.0.0.1:1") { request, _ in
      guard request.isListing else { return .answer(404) }
      let entries = (0..<20).map { number in
        let size = number < 4 ? 2_000_000 : number == 4 ? 0 : 1000
        let storageClass = (5..<10).contains(number) ? "GLACIER" : "STANDARD"
        return "<Contents><Key>\(number).jpg</Key><Size>\(size)</Size>"
          + "<StorageClass>\(storageClass)</StorageClass></Contents>"
      }
      return .answer(200, body: "<ListBucketResult>" + entries.joined() + "</ListBucketResult>")
    }
    var request = try request(
      "many", cache: try kept.directory(),
      environment: [
        "AWS_ENDPOINT_URL": proxy.endpoint, "AWS_ACCESS_KEY_ID": "TESTKEYTESTKEY", "AWS_SECRET_ACCESS_KEY": "secret",
      ])
    request.storage.maximumBytes = 1_000_000
    let asked = Mutex<[FetchEstimate]>([])
    for allowance in [10, 9] {
      request.allowance = (allowance, .max)
      let outcome = await run(request) { event, job in
        guard case .question(.fetch(let estimate)) = event else { return }
        asked.withLock { $0.append(estimate) }
        job.cancel()
      }
      #expect(outcome.isCancelled == (allowance == 9))
    }
    let estimate = try #require(asked.withLock { $0 }.first)
    #expect(asked.withLock { $0.count } == 1 && estimate.objects == 10 && estimate.bytes == 10_000)
  }

  @Test("what is to be fetched once more for other features is asked for as well")
  func otherFeatures() async throws {
    let server = try await RcloneServer.start()
    let pictures = try pictureFolder(40)
    try await server.makeBucket("many")
    try await server.upload(folder: pictures.path, to: "many")
    let cache = try kept.directory()
    _ = await run(try request("many", cache: cache, environment: server.environment))
    var other = try request("many", cache: cache, environment: server.environment) { $0.featureSide = 20 }
    other.allowance = (10, .max)
    let outcome = await questions.run(other)
    #expect(questions.estimates.map(\.objects) == [40] && outcome.report?.requests.get == 40)
    // Known by now: nothing is asked.
    let again = await questions.run(other)
    #expect(questions.estimates.count == 1 && again.report?.requests.get == 0)
    // Neither for some that are tried once more.
    other.mode = .retry(slots: Array((outcome.collection?.slotsInKeyOrder ?? []).prefix(10)))
    #expect(await questions.run(other).report?.requests.get == 10 && questions.estimates.count == 1)
    other.mode = .retry(slots: outcome.collection?.slotsInKeyOrder ?? [])
    #expect(await questions.run(other).report?.requests.get == 40 && questions.estimates.count == 2)
  }

  @Test("what a damaged replica does not give is asked for, once; a sound one costs no question")
  func damagedReplica() async throws {
    let server = try await RcloneServer.start()
    let pictures = try pictureFolder(40)
    try await server.makeBucket("many")
    try await server.makeBucket("shared")
    try await server.upload(folder: pictures.path, to: "many")
    func machine() throws -> MappingRequest {
      var request = try request("many", cache: try kept.directory(), environment: server.environment)
      request.replica = .bucket("shared")
      request.allowance = (10, .max)
      return request
    }
    _ = await questions.run(try machine())
    #expect(questions.estimates.map(\.objects) == [40])
    #expect(await questions.run(try machine()).report?.requests.get == 0 && questions.estimates.count == 1)
    let root = server.directory + "/shared"
    let name = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String }.first { $0.hasSuffix(".tar") }
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: root + "/" + (try #require(name))))
    #expect(await questions.run(try machine()).report?.requests.get == 40)
    #expect(questions.estimates.map(\.objects) == [40, 40])
  }

  @Test("objects that have only been renamed or copied cost no question, and no request")
  func renamed() async throws {
    let server = try await RcloneServer.start()
    let pictures = try pictureFolder(40)
    try await server.makeBucket("many")
    try await server.upload(folder: pictures.path, to: "many", prefix: "before")
    let cache = try kept.directory()
    func job() throws -> MappingRequest {
      var request = try request("many", cache: cache, environment: server.environment)
      request.allowance = (10, .max)
      return request
    }
    _ = await questions.run(try job())
    try await server.upload(folder: pictures.path, to: "many", prefix: "after")
    try await server.empty("many", prefix: "before")
    try await server.upload(folder: pictures.path, to: "many", prefix: "copy")
    let outcome = await questions.run(try job())
    #expect(questions.estimates.count == 1)
    #expect(outcome.report?.images == 80 && outcome.report?.requests.get == 0)
    #expect(outcome.collection?.entries.allSatisfy { !$0.object.key.displayName.hasPrefix("before") } == true)
  }

  @Test("the gate lets through what needs no question, waits for the listing, and asks once")
  func gate() async throws {
    let asked = Mutex<[Int]>([])
    let gate = FetchGate(.init(objects: 3, bytes: 100)) { objects, _ in asked.withLock { $0.append(objects) } }
    gate.beginListing()
    gate.add(objects: 2, bytes: 20)
    for _ in 0..<2 { await gate.pass(bytes: 10) }
    gate.add(objects: 2, bytes: 20)
    #expect(asked.withLock { $0 } == [], "the listing may find more")
    await gate.pass(bytes: 10)
    gate.finishListing()
    #expect(asked.withLock { $0 } == [4])
    gate.add(objects: 5, bytes: 1)
    let passed = Mutex(false)
    let waiting = Task {
      await gate.pass(bytes: 10)
      passed.withLock { $0 = true }
    }
    try await Task.sleep(for: .milliseconds(100))
    #expect(!passed.withLock { $0 } && asked.withLock { $0 } == [4])
    gate.open()
    await waiting.value
    #expect(passed.withLock { $0 })

    // What could not be had otherwise was not found beforehand.
    let other = FetchGate(.init(objects: 2, bytes: 100)) { objects, _ in asked.withLock { $0.append(-objects) } }
    for _ in 0..<2 { await other.pass(bytes: 50) }
    #expect(asked.withLock { $0 } == [4])
    let third = Task { await other.pass(bytes: 1) }
    try await eventually("it asks") { asked.withLock { $0 } == [4, -3] }
    other.open()
    await third.value
  }

  @Test("the cost is that of AWS's price list")
  func prices() throws {
    let estimate = FetchEstimate(
      objects: 100_000, bytes: 200_000_000_000, known: 0, listings: 100, rate: 50, isAmazon: true)
    #expect(abs(try #require(estimate.dollars) - (0.04 + 0.0005 + 18)) < 1e-9)
    #expect(estimate.seconds == 2_000 && estimate.requests == 100_100)
    #expect(estimate.text.contains("100,000 objects (200.0 GB)") && estimate.text.contains("$18.04"))
    #expect(FetchEstimate(objects: 1, bytes: 1, known: 0, listings: 1, rate: nil, isAmazon: false).dollars == nil)
  }

  @Test("a sample is seeded, says so, and shows and fetches nothing else")
  func sampling() async throws {
    let folder = try pictureFolder(60)
    let cache = try TemporaryDirectory("cache")
    func sample(_ count: Int?, seed: UInt64 = 0, mode: MappingRequest.Mode = .map) async throws -> Outcome {
      var request = try request(folder.path, cache: cache, mode: mode) { $0.tsne.seed = seed }
      request.sample = count
      return await run(request)
    }
    let first = try await sample(20)
    #expect(first.report?.images == 20 && first.report?.requests.get == 20)
    #expect(first.report?.sample == .init(size: 20, of: 60))
    #expect(first.notes.contains { $0.contains("20 of 60") })
    #expect(Set(first.listed) == Set(first.ready) && first.ready.count == 20)
    let again = try await sample(20, mode: .open)
    #expect(again.positions == first.positions && again.report?.requests.get == 0)
    #expect(again.known?.slots.count == 20 && again.listed == [] && again.removed == [])
    #expect(try await sample(20, seed: 1).positions.keys != first.positions.keys)
    let larger = try await sample(30)
    #expect(Set(first.positions.keys).isSubset(of: larger.positions.keys))
    let all = try await sample(60)
    #expect(all.report?.images == 60 && all.report?.sample == nil && all.notes == [])
    #expect(try await sample(nil).report?.images == 60)
  }
}
