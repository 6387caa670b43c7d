import Atlas
import Foundation
import Neighbors
import ObjectStorage
import Synchronization
import TSNE
import TestSupport
import Testing

@testable import Collection
@testable import Mapping

@Suite("Jobs and the local store")
struct StoreTests {
  @Test("a second run makes nothing anew")
  func secondRun() async throws {
    let folder = try pictureFolder(40)
    let cache = try TemporaryDirectory("cache")
    try folder.write([1, 2], to: "broken.png")
    try folder.write([1, 2], to: "words.txt")
    let first = await run(try request(folder.path, cache: cache))
    first.collection?.saveViewState(Data([7]))
    let second = await run(try request(folder.path, cache: cache))
    let report = try #require(second.report)
    #expect(report.requests.get == 0 && report.bytesFetched == 0)
    #expect(report.reused == .init(thumbnails: true, features: true, neighbours: true, layout: true))
    #expect(report.leftOut == first.report?.leftOut && report.otherFiles == 1 && report.images == 40)
    #expect(report.klDivergence == first.report?.klDivergence)
    #expect(second.positions == first.positions)
    let known = try #require(second.known)
    #expect(known.slots == second.collection?.slotsInKeyOrder)
    #expect(known.layout == second.final)
    #expect(known.viewState == Data([7]))
    #expect(second.listed == [] && second.ready == [] && second.removed == [])
  }

  @Test("a parameter reruns only what depends on it")
  func dependencies() async throws {
    let folder = try pictureFolder(40)
    let cache = try TemporaryDirectory("cache")
    _ = await run(try request(folder.path, cache: cache))
    func reused(_ change: (inout MapParameters) -> Void) async throws -> MappingReport.Reused {
      try #require(await run(try request(folder.path, cache: cache, change: change)).report).reused
    }
    typealias Reused = MappingReport.Reused
    let layoutOnly = Reused(thumbnails: true, features: true, neighbours: true, layout: false)
    let neighboursToo = Reused(thumbnails: true, features: true, neighbours: false, layout: false)
    #expect(try await reused { $0.tsne.earlyExaggeration = 8 } == layoutOnly)
    #expect(try await reused { $0.tsne.learningRate = .value(100) } == layoutOnly)
    #expect(try await reused { $0.tsne.iterations = 70 } == layoutOnly)
    #expect(try await reused { $0.tsne.perplexity = 4 } == layoutOnly)
    #expect(try await reused { $0.tsne.perplexity = 6 } == layoutOnly)
    #expect(try await reused { $0.metric = .euclidean } == neighboursToo)
    #expect(
      try await reused { $0.metric = .l2 } == Reused(thumbnails: true, features: true, neighbours: true, layout: true))
    #expect(try await reused { $0.tsne.seed = 9 } == neighboursToo)
    #expect(try await reused { $0.featureSide = 20 } == Reused())
    #expect(
      try await reused { $0.tsne.threads = 1 }
        == Reused(thumbnails: true, features: true, neighbours: true, layout: true))
  }

  @Test("one search serves every perplexity of its step, and the layout is the one that a search of its own gives")
  func sharedNeighbours() async throws {
    let folder = try pictureFolder(130)
    // Equal pictures are equally far from all others: there it shows whether a search depends on its size.
    for number in 0..<30 { try folder.write(bitmap(color: (9, 9, 9), seed: 1), to: "equal/\(number).bmp") }
    let cache = try TemporaryDirectory("cache")
    func reusesNeighbours(_ perplexity: Double) async throws -> Bool? {
      let outcome = await run(try request(folder.path, cache: cache) { $0.tsne.perplexity = perplexity })
      let fresh = await run(
        try request(folder.path, cache: try TemporaryDirectory("cache")) { $0.tsne.perplexity = perplexity })
      #expect(outcome.positions == fresh.positions && outcome.positions.count == 160)
      return outcome.report?.reused.neighbours
    }
    #expect(try await reusesNeighbours(30) == false)
    #expect(try await reusesNeighbours(4) == true)
    #expect(try await reusesNeighbours(29.5) == true)
    #expect(try await reusesNeighbours(31) == false)
    #expect(try await reusesNeighbours(50) == true)
  }

  @Test("new, changed and vanished files are taken in, and nothing else is fetched")
  func changes() async throws {
    let folder = try pictureFolder(30)
    let cache = try TemporaryDirectory("cache")
    let first = await run(try request(folder.path, cache: cache))
    let collection = try #require(first.collection)
    let gone = try #require(collection.slot(of: ObjectKey("red/00.bmp")))
    let changed = try #require(collection.slot(of: ObjectKey("green/01.bmp")))
    try FileManager.default.removeItem(atPath: folder.file("red/00.bmp"))
    try addPicture(1, to: folder, seed: 1_000)
    try addPicture(30, to: folder)
    let second = await run(try request(folder.path, cache: cache))
    let report = try #require(second.report)
    #expect(second.collection === collection)
    #expect(report.requests.get == 2 && report.images == 30)
    #expect(Set(second.removed) == [gone, changed])
    #expect(second.listed.count == 2 && Set(second.listed) == Set(second.ready))
    #expect(report.reused == .init())
    #expect(second.positions == (await run(try request(folder.path)).positions))
    // As it was before: the layout of then is still there.
    try FileManager.default.removeItem(atPath: folder.file("blue/05.bmp"))
    let third = await run(try request(folder.path, cache: cache))
    #expect(third.report?.requests.get == 0 && third.report?.images == 29)
  }

  @Test("a job that was cancelled in the middle is carried on, and ends with the undisturbed run's bits")
  func resuming() async throws {
    let folder = try pictureFolder(150)
    let cache = try TemporaryDirectory("cache")
    let whole = await run(try request(folder.path))
    let cancelled = await run(try request(folder.path, cache: cache, threads: 1)) { event, job in
      if case .ready = event { job.cancel() }
    }
    #expect(cancelled.isCancelled)
    let kept = cancelled.collection?.counts.ready ?? 0
    #expect(kept > 0)
    let rest = await run(try request(folder.path, cache: cache))
    #expect(rest.report?.requests.get == 150 - kept)
    #expect(rest.ready.count == 150 - kept)
    #expect(rest.positions == whole.positions)
  }

  @Test("a stage that was finished is kept when the next one is cancelled")
  func keptStages() async throws {
    let folder = try pictureFolder(40)
    let cache = try TemporaryDirectory("cache")
    let cancelled = await run(try request(folder.path, cache: cache) { $0.tsne.iterations = 1_000_000 }) { event, job in
      if case .layout = event { job.cancel() }
    }
    #expect(cancelled.isCancelled)
    let report = try #require(await run(try request(folder.path, cache: cache)).report)
    #expect(report.reused == .init(thumbnails: true, features: true, neighbours: true, layout: false))
  }

  @Test(
    "what is damaged is recomputed, and the map is the same",
    arguments: ["positions.npy", "indices.npy", "start.npy", ".u8", ".sums", "index.bin", "catalogue.sqlite"])
  func damage(name: String) async throws {
    let folder = try pictureFolder(30)
    let cache = try TemporaryDirectory("cache")
    let first = try await runAndClose(try request(folder.path, cache: cache))
    // Where the layout is undamaged nothing under it is looked at, so it goes as well.
    let files = try #require(FileManager.default.enumerator(atPath: cache.path)).compactMap { $0 as? String }
    for file in files
    where file.hasSuffix("positions.npy") || (name == ".u8" || name == ".sums") && file.hasSuffix(".npy") {
      try flip(cache.file(file))
    }
    let target = try #require(files.first { $0.hasSuffix(name) })
    if name != "positions.npy" { try flip(cache.file(target)) }
    let second = try await runAndClose(try request(folder.path, cache: cache))
    #expect(second.positions == first.positions)
    #expect(second.report?.images == 30)
    #expect(second.report?.reused.layout == false)
    let fetched = second.report?.requests.get ?? -1
    switch name {
    case ".u8", ".sums", "index.bin": #expect((1...30).contains(fetched))
    case "catalogue.sqlite": break
    default: #expect(fetched == 0)
    }
    #expect(await run(try request(folder.path, cache: cache)).report?.reused.layout == true)
  }

  /// Changes bits all over a file, so that some are in what is used.
  private func flip(_ path: String) throws {
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    for index in stride(from: 40, to: bytes.count, by: 97) { bytes[index] ^= 0x10 }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  /// Runs a job and waits until its collection is closed, so that the next one reads the files; positions by key remain.
  private func runAndClose(
    _ request: MappingRequest
  ) async throws -> (positions: [ObjectKey: [UInt32]], report: MappingReport?) {
    var outcome: Outcome? = await run(request)
    let result = (outcome?.positions ?? [:], outcome?.report)
    let directory = try #require(outcome?.collection?.directory)
    outcome = nil
    try await eventually("the collection is closed") { try DirectoryLock.take(in: directory) != nil }
    return result
  }

  @Test("without a store, what this process still holds is not fetched again")
  func memory() async throws {
    let folder = try pictureFolder(30)
    let first = await run(try request(folder.path))
    let second = await run(try request(folder.path))
    #expect(second.report?.requests.get == 0)
    #expect(second.report?.reused.layout == true)
    #expect(second.positions == first.positions)
  }

  @Test("a store that cannot be made is said once, and the map is the same")
  func unusableStore() async throws {
    let folder = try pictureFolder(20)
    let place = try TemporaryDirectory("cache")
    try place.write([0], to: "file")
    var request = try request(folder.path, cache: place)
    request.cacheDirectory = place.file("file")
    let outcome = await run(request)
    #expect(outcome.report?.images == 20)
    #expect(outcome.notes.filter { $0.contains("local store") }.count == 1)
    #expect(outcome.report?.notes == outcome.notes)
    #expect(outcome.positions == (await run(try MappingTests.request(folder.path))).positions)
  }

  /// Mounting needs the superuser; where that is not allowed, the test is skipped.
  @Test("a disk that becomes full is said once, and the job goes on in memory", .enabled(if: SmallDisk.isPossible))
  func fullDisk() async throws {
    let folder = try pictureFolder(120)
    let undisturbed = await run(try request(folder.path))
    for megabytes in [1, 3] {
      let disk = try SmallDisk(megabytes: megabytes)
      var request = try request(folder.path, cache: disk.directory)
      request.storeLimits.bytesLeftFree = 0
      let outcome = await run(request)
      #expect(outcome.report?.images == 120)
      #expect(outcome.report?.leftOut == [])
      #expect(outcome.notes.filter { $0.contains("local store") }.count == 1, "\(outcome.notes)")
      #expect(outcome.positions == undisturbed.positions)
      let collection = try #require(outcome.collection)
      #expect(collection.slotsInKeyOrder.allSatisfy { collection.atlas.verify($0) })
    }
  }

  @Test("two jobs on one folder at once both end with the map")
  func together() async throws {
    let folder = try pictureFolder(40)
    let cache = try TemporaryDirectory("cache")
    let first = try request(folder.path, cache: cache)
    async let one = run(first)
    async let other = run(first)
    let outcomes = await [one, other]
    #expect(outcomes[0].positions.count == 40)
    #expect(outcomes[0].positions == outcomes[1].positions)
    #expect(outcomes.compactMap { $0.report?.requests.get }.sorted() == [0, 40])
  }

  @Test("what was left out is tried again when asked for")
  func retrying() async throws {
    let folder = try pictureFolder(20)
    let cache = try TemporaryDirectory("cache")
    try folder.write([1, 2, 3], to: "late.bmp")
    let first = await run(try request(folder.path, cache: cache))
    let slot = try #require(first.collection?.leftOutSlots.first)
    let same = await run(try request(folder.path, cache: cache, mode: .retry(slots: [slot])))
    #expect(same.report?.requests.get == 1 && same.report?.requests.list == 0)
    #expect(same.report?.leftOut.map(\.key) == ["late.bmp"])
    #expect(same.report?.reused.layout == true)
    try folder.write(bitmap(color: (70, 70, 70), seed: 70), to: "late.bmp")
    let second = await run(try request(folder.path, cache: cache, mode: .retry(slots: [slot])))
    #expect(second.report?.images == 21 && second.report?.leftOut == [])
    #expect(second.ready == [slot])
  }
}
