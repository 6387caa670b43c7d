import Collection
import Foundation
import ObjectStorage
import Synchronization
import TSNE
import TestSupport
import Testing

@testable import Mapping

/// The server does not answer before something has come: that has not waited for the listing.
@Suite("Layouts that do not wait for the listing", .timeLimit(.minutes(10)))
struct EarlyLayoutTests {
  private let server: RcloneServer
  private let proxy: FaultProxy
  private let isHeld = Held()
  private let pictures: TemporaryDirectory
  private let cache: TemporaryDirectory

  init() async throws {
    server = try await RcloneServer.start()
    proxy = try FaultProxy(upstream: server.endpoint) { [isHeld] request, _ in
      while request.isListing, isHeld.value.withLock({ $0 }) { usleep(5_000) }
      return nil
    }
    pictures = try pictureFolder(60)
    cache = try TemporaryDirectory("cache")
    try await server.makeBucket("photos")
    try await server.upload(folder: pictures.path, to: "photos")
  }

  /// Whether listings wait.
  private final class Held: Sendable { let value = Mutex(false) }

  /// Runs a job whose listing waits until something has come.
  private func run(_ request: MappingRequest, listingAfter isAwaited: @escaping @Sendable (LayoutSnapshot) -> Bool)
    async -> Outcome
  {
    isHeld.value.withLock { $0 = true }
    let outcome = await MappingTests.run(request) { [isHeld] event, _ in
      if case .layout(let layout) = event, isAwaited(layout) { isHeld.value.withLock { $0 = false } }
    }
    isHeld.value.withLock { $0 = false }
    return outcome
  }

  private func run(_ request: MappingRequest) async -> Outcome { await MappingTests.run(request) }

  private func job(
    _ cache: TemporaryDirectory? = nil, early: Bool = true, keepsLayout: Bool = false, mode: MappingRequest.Mode = .map,
    change: (inout MapParameters) -> Void = { _ in }
  ) throws -> MappingRequest {
    let environment = server.environment.merging(["AWS_ENDPOINT_URL": proxy.endpoint]) { $1 }
    var request = try request(
      "photos", cache: cache ?? self.cache, mode: mode, environment: environment, change: change)
    request.laysOutEarly = early
    request.keepsLayout = keepsLayout
    return request
  }

  /// The final layouts that came before the listing was complete, and those after it.
  private func finals(_ outcome: Outcome) throws -> (before: [LayoutSnapshot], after: [LayoutSnapshot]) {
    let end = try #require(
      outcome.events.firstIndex { if case .listed(_, complete: true) = $0 { true } else { false } })
    func finals(_ events: ArraySlice<MappingEvent>) -> [LayoutSnapshot] {
      events.compactMap { if case .layout(let layout) = $0, layout.isFinal { layout } else { nil } }
    }
    return (finals(outcome.events[..<end]), finals(outcome.events[end...]))
  }

  /// The map as a job without any of this makes it.
  private func undisturbed(change: (inout MapParameters) -> Void = { _ in }) async throws -> [ObjectKey: [UInt32]] {
    await run(try job(try TemporaryDirectory("cache"), early: false, change: change)).positions
  }

  @Test("a layout that is stored is shown at once, one that is not is made at once, and neither is shown twice")
  func unchanged() async throws {
    let first = await run(try job())
    #expect(try finals(first).before == [], "nothing was known")

    let other = await run(try job { $0.tsne.perplexity = 7 }, listingAfter: \.isFinal)
    #expect(try finals(other).before.count == 1 && finals(other).after == [])
    #expect(other.report?.reused.layout == false && other.report?.requests.get == 0)
    #expect(try await other.positions == undisturbed { $0.tsne.perplexity = 7 })

    let again = await run(try job(), listingAfter: \.isFinal)
    #expect(try finals(again).before.count == 1 && finals(again).after == [])
    #expect(again.positions == first.positions && again.report?.reused.layout == true)

    // A location that is opened shows it already.
    let opened = await run(try job(mode: .open))
    #expect(opened.known?.layout == again.final && opened.layouts == [] && opened.report?.reused.layout == true)
    let late = await run(try job(early: false) { $0.tsne.perplexity = 7 })
    #expect(try finals(late).before == [] && finals(late).after.count == 1)
  }

  @Test("few new images are placed into the layout that was made meanwhile")
  func fewNew() async throws {
    _ = await run(try job())
    try await server.put(bitmap(color: (220, 40, 40), seed: 1_000), to: "red/new.bmp", in: "photos")
    let outcome = await run(try job(keepsLayout: true) { $0.tsne.perplexity = 7 }, listingAfter: \.isFinal)
    let (before, after) = try finals(outcome)
    try #require(before.map(\.slots.count) == [60] && after.map(\.slots.count) == [61])
    #expect(outcome.report?.placed == 1 && outcome.report?.requests.get == 1)
    let known = Dictionary(
      uniqueKeysWithValues: zip(before[0].slots, before[0].positions.indices.filter { $0 % 2 == 0 }))
    for (row, slot) in after[0].slots.enumerated() {
      guard let place = known[slot] else { continue }
      #expect(after[0].positions[2 * row] == before[0].positions[place])
    }
  }

  @Test("what has changed too much is laid out anew, as if nothing had been begun", arguments: [true, false])
  func manyNew(keepsLayout: Bool) async throws {
    _ = await run(try job())
    for number in 60..<70 {
      try await server.put(bitmap(color: (9, 9, 9), seed: UInt64(number)), to: "new/\(number).bmp", in: "photos")
    }
    // Begun, and far from its end.
    let outcome = await run(
      try job(keepsLayout: keepsLayout) { $0.tsne.iterations = 20_000 }, listingAfter: { _ in true })
    #expect(try finals(outcome).after.map(\.slots.count) == [70])
    #expect(outcome.report?.placed == nil && outcome.report?.images == 70)
    #expect(try await outcome.positions == undisturbed { $0.tsne.iterations = 20_000 })
  }

  @Test("what has to be fetched first is not laid out without it")
  func otherFeatures() async throws {
    _ = await run(try job())
    let outcome = await run(try job { $0.featureSide = 20 })
    #expect(try finals(outcome).before == [] && outcome.report?.requests.get == 60)
    #expect(try await outcome.positions == undisturbed { $0.featureSide = 20 })
  }

  @Test("a job that is cancelled meanwhile ends, and so does one whose listing fails")
  func ending() async throws {
    _ = await run(try job())
    let cancelled = await MappingTests.run(try job { $0.tsne.iterations = 1_000_000 }) { event, job in
      if case .layout = event { job.cancel() }
    }
    #expect(cancelled.isCancelled)
    proxy.disconnect()
    var request = try job { $0.tsne.perplexity = 8 }
    request.storage.patience = 1
    let offline = await run(request)
    #expect(offline.report?.images == 60 && offline.final?.isFinal == true, "\(String(describing: offline.failure))")
    #expect(offline.notes.contains { $0.contains("could not be renewed") })
  }
}
