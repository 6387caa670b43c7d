import Atlas
import Collection
import Foundation
import Neighbors
import ObjectStorage
import Synchronization
import TSNE
import TestSupport
import Testing

@testable import Mapping

@Suite("Jobs on a folder")
struct JobTests {
  @Test("a folder becomes a map, and the events tell it in order")
  func wholeWay() async throws {
    let folder = try pictureFolder(40)
    let outcome = await run(try request(folder.path))
    let report = try #require(outcome.report)
    let collection = try #require(outcome.collection)
    #expect(report.images == 40)
    #expect(report.leftOut == [])
    #expect(report.otherFiles == 0)
    #expect(report.iterations == 60)
    #expect(try #require(report.klDivergence) > 0)
    #expect(report.requests.get == 40)
    #expect(report.bytesFetched == 40 * Int64(bitmap(color: (0, 0, 0), seed: 0).count))
    #expect(report.reused == .init())
    #expect(report.seconds.total >= report.seconds.layout)
    #expect(report.seconds.decode > 0 && report.seconds.fetch > 0 && report.seconds.features > 0)

    guard case .opened = outcome.events.first, case .finished = outcome.events.last else {
      Issue.record("The first event is `opened`, the last `finished`.")
      return
    }
    #expect(outcome.known == nil)
    #expect(outcome.stages == [.listing, .loading, .neighbours, .affinities, .layout])
    #expect(outcome.listed == collection.slotsInKeyOrder)
    #expect(Set(outcome.ready) == Set(outcome.listed) && outcome.ready.count == 40)
    var listed: Set<Int> = []
    for event in outcome.events {
      if case .listed(let slots, _) = event { listed.formUnion(slots) }
      if case .ready(let slots) = event { #expect(listed.isSuperset(of: slots)) }
    }
    let final = try #require(outcome.final)
    #expect(final.slots.map(Int.init) == collection.slotsInKeyOrder)
    #expect(areFinite(final.positions))
    #expect(collection.entry(0)?.width == 24)
    #expect(collection.atlas.info(0)?.width == 24)

    // Red, green and blue pictures lie apart: each is nearest to one of its own colour.
    func colour(_ row: Int) -> UInt8? { collection.entry(Int(final.slots[row]))?.object.key.bytes.first }
    for row in 0..<40 {
      let distances = (0..<40).filter { $0 != row }.map { other in
        (
          hypot(
            final.positions[2 * row] - final.positions[2 * other],
            final.positions[2 * row + 1] - final.positions[2 * other + 1]), colour(other)
        )
      }
      #expect(distances.min { $0.0 < $1.0 }?.1 == colour(row))
    }
  }

  @Test("the report has the keys of the command line's JSON")
  func reportKeys() async throws {
    let folder = try pictureFolder(1)
    let report = try #require(await run(try request(folder.path)).report)
    let data = try JSONEncoder().encode(report)
    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(
      Set(object.keys) == [
        "images", "other_files", "left_out", "seconds", "requests", "bytes_fetched", "reused", "kl_divergence",
        "neighbour_recall",
        "iterations", "seed", "version", "notes", "sample", "replica",
      ])
    #expect(
      Set(try #require(object["seconds"] as? [String: Any]).keys) == [
        "list", "fetch", "decode", "features", "neighbours", "affinities", "layout", "total",
      ])
    #expect(Set(try #require(object["requests"] as? [String: Any]).keys) == ["list", "get", "put", "head"])
    #expect(
      Set(try #require(object["reused"] as? [String: Any]).keys) == ["thumbnails", "features", "neighbours", "layout"])
    #expect(object["kl_divergence"] is NSNull)
  }

  @Test("a layout is a function of images, parameters and seed: at any number of threads, with a store or without")
  func determinism() async throws {
    let folder = try pictureFolder(60)
    let cache = try TemporaryDirectory("cache")
    let first = await run(try request(folder.path, threads: 1)).positions
    #expect(first.count == 60)
    #expect(await run(try request(folder.path, threads: 2)).positions == first)
    #expect(await run(try request(folder.path, cache: cache)).positions == first)
    #expect(await run(try request(folder.path, cache: cache)).positions == first)
    #expect(await run(try request(folder.path) { $0.tsne.seed = 1 }).report != nil)
  }

  @Test("bytes decide what is an image, names what is a problem")
  func kinds() async throws {
    let folder = try pictureFolder(4)
    try folder.write(Array("words".utf8), to: "notes.txt")
    try folder.write(Array("words, but longer than any head of a file has to be".utf8), to: "broken.jpg")
    try folder.write([], to: "empty.png")
    try folder.write([], to: "empty.txt")
    try folder.write(bitmap(color: (9, 9, 9), seed: 9), to: "in-disguise.txt")
    try folder.write(bitmap(color: (90, 9, 9), seed: 8), to: "no-extension")
    try folder.write(Array("no image, and no name of one".utf8), to: "README")
    let torn = bitmap(color: (1, 2, 3), seed: 3)
    try folder.write(Array(torn.prefix(60)), to: "torn.bmp")
    let outcome = await run(try request(folder.path))
    let report = try #require(outcome.report)
    let collection = try #require(outcome.collection)
    #expect(report.images == 6)
    #expect(report.otherFiles == 3)
    #expect(report.leftOut.map(\.key) == ["broken.jpg", "empty.png", "torn.bmp"])
    #expect(!report.leftOut.contains { $0.reason.isEmpty })
    let disguised = try #require(collection.slot(of: ObjectKey("in-disguise.txt")))
    #expect(outcome.listed.filter { $0 == disguised }.count == 1)
    let readme = try #require(collection.slot(of: ObjectKey("README")))
    #expect(outcome.listed.contains(readme) && outcome.removed == [readme])
    let notes = try #require(collection.slot(of: ObjectKey("notes.txt")))
    #expect(!outcome.listed.contains(notes))
  }

  @Test("file names that are no UTF-8 are images like others")
  func oddNames() async throws {
    let folder = try TemporaryDirectory("names")
    let names: [[UInt8]] = [[0xFF, 0xFE, 0x2E, 0x62, 0x6D, 0x70], Array("a\nb.bmp".utf8), Array("ü 'x'\".bmp".utf8)]
    for (number, name) in names.enumerated() {
      let path = Array((folder.path + "/").utf8) + name + [0]
      let file = path.withUnsafeBufferPointer { buffer in
        buffer.withMemoryRebound(to: CChar.self) { fopen($0.baseAddress!, "w") }
      }
      let bytes = bitmap(color: (number * 50, 0, 0), seed: UInt64(number))
      #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
      fclose(file)
    }
    #expect(await run(try request(folder.path)).report?.images == 3)
  }

  @Test("few images, and equal ones, make a map", arguments: [1, 2, 3, 4])
  func fewImages(count: Int) async throws {
    let folder = try pictureFolder(count)
    let outcome = await run(try request(folder.path))
    #expect(outcome.report?.images == count)
    let final = try #require(outcome.final)
    #expect(final.positions.count == 2 * count && areFinite(final.positions))
    #expect(outcome.notes.contains { $0.contains("Perplexity") } == (count > 1))

    let equal = try TemporaryDirectory("equal")
    for number in 0..<count { try equal.write(bitmap(color: (5, 5, 5), seed: 1), to: "\(number).bmp") }
    let same = await run(try request(equal.path))
    #expect(same.report?.images == count)
    #expect(areFinite(try #require(same.final).positions))
  }

  @Test("what cannot become a map says what was found and what to do")
  func failures() async throws {
    let folder = try TemporaryDirectory("none")
    let empty = try #require(await run(try request(folder.path)).failure)
    #expect(empty.kind == .empty)
    #expect(empty.what.contains(folder.path))
    for number in 0..<12 { try folder.write([1, 2, 3], to: "\(number).txt") }
    let none = try #require(await run(try request(folder.path)).failure)
    #expect(none.kind == .noImages)
    #expect(none.what.contains("12 files, none an image"))
    try folder.write([1], to: "broken.png")
    let broken = try #require(await run(try request(folder.path)).failure)
    #expect(broken.what.contains("1 image that cannot be shown"))
    #expect(broken.why.contains("broken.png"))
    let missing = try #require(await run(try request(folder.file("nowhere"))).failure)
    #expect(missing.kind == .notFound)
    let metric = try #require(
      await run(
        try request(folder.path) {
          $0.metric = .minkowski
          $0.metricParameters.minkowskiP = -1
        }
      ).failure)
    #expect(metric.kind == .invalidRequest && metric.why.contains("p is -1"))
    let number = try #require(await run(try request(folder.path) { $0.tsne.perplexity = -1 }).failure)
    #expect(number.kind == .invalidRequest)
    for failure in [empty, none, broken, missing, metric, number] { #expect(!failure.remedy.isEmpty, "\(failure)") }
  }

  @Test("after cancel nothing is reported but that it is cancelled")
  func cancelling() async throws {
    let folder = try pictureFolder(60)
    let isCancelled = Mutex(false)
    let late = Mutex<[String]>([])
    let outcome = await run(
      try request(folder.path) {
        $0.tsne.iterations = 1_000_000
      }
    ) { event, job in
      if case .layout = event, !isCancelled.withLock({ $0 }) {
        isCancelled.withLock { $0 = true }
        job.cancel()
        return
      }
      if isCancelled.withLock({ $0 }) { late.withLock { $0.append("\(event)") } }
    }
    #expect(outcome.isCancelled)
    #expect(outcome.report == nil)
    guard case .cancelled = outcome.batches.last?.first, outcome.batches.last?.count == 1 else {
      Issue.record("The last batch is `cancelled` alone.")
      return
    }
  }

  @Test("stopping here makes the present positions the layout")
  func stopping() async throws {
    let folder = try pictureFolder(30)
    let cache = try TemporaryDirectory("cache")
    let endless = try request(folder.path, cache: cache) { $0.tsne.iterations = 1_000_000 }
    let stopped = await run(endless) { event, job in
      if case .layout = event { job.stopHere() }
    }
    let report = try #require(stopped.report)
    let final = try #require(stopped.final)
    #expect(report.iterations > 0 && report.iterations < 1_000_000)
    #expect(final.iteration == report.iterations && final.iterations == 1_000_000)

    // Opening shows it again; a map anew is the complete one.
    var opening = endless
    opening.mode = .open
    let opened = await run(opening)
    #expect(opened.report?.reused.layout == true)
    #expect(opened.positions == stopped.positions)
    #expect(opened.known?.layout?.positions == final.positions)
    let anew = await run(endless) { event, job in
      if case .layout = event { job.stopHere() }
    }
    #expect(anew.report?.reused.layout == false)
    #expect(anew.report?.reused.neighbours == true)
  }

  @Test("a layout goes on from where it is")
  func continuing() async throws {
    let folder = try pictureFolder(30)
    let cache = try TemporaryDirectory("cache")
    let first = await run(try request(folder.path, cache: cache))
    let final = try #require(first.final)
    let more = await run(try request(folder.path, cache: cache, mode: .continueFrom(final, moreIterations: 25)))
    let continued = try #require(more.final)
    #expect(more.report?.iterations == 85)
    #expect(more.report?.requests.list == 0 && more.report?.requests.get == 0)
    #expect(continued.slots == final.slots)
    #expect(continued.positions != final.positions)
    // The complete layout is not replaced by it.
    #expect(await run(try request(folder.path, cache: cache)).positions == first.positions)
    #expect(await run(try request(folder.path, cache: cache, mode: .open)).report != nil)
  }

  @Test("batches are at most 30 a second")
  func pace() async throws {
    let folder = try pictureFolder(50)
    let times = Mutex<[ContinuousClock.Instant]>([])
    let isDone = Mutex(false)
    let job = MappingJob(try request(folder.path) { $0.tsne.iterations = 2_000 }) { events in
      times.withLock { $0.append(.now) }
      if case .finished = events.last { isDone.withLock { $0 = true } }
    }
    job.start()
    try await eventually("the job is finished", within: 240) { isDone.withLock { $0 } }
    let all = times.withLock { $0 }
    // A queue may be late with one batch and in time with the next, so only the whole is bounded.
    let span = (all.last! - all.first!).seconds
    #expect(Double(all.count) <= span * 30 + 2)
  }
}
