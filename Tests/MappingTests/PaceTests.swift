import Foundation
import TestSupport
import Testing

@testable import Collection
@testable import Mapping

@Suite("The pace of a layout, and how far a job is")
struct PaceTests {
  /// Plays a layout whose iterations take `cost` seconds each, and tells when each began and how long it all took.
  private func play(count: Int, iterations: Int, cost: (Int) -> Double) -> (begins: [Double], total: Double) {
    var pace = LayoutPace(count: count, iterations: iterations)
    var now = 0.0
    var begins: [Double] = []
    for done in 0..<iterations {
      let wait = pace.wait(done: done, elapsed: now)
      pace.waited += wait
      now += wait
      begins.append(now)
      now += cost(done)
    }
    return (begins, now)
  }

  @Test("some hundred images take about three seconds, in which the first iterations get more time")
  func small() {
    let (begins, total) = play(count: 300, iterations: 1000) { _ in 0.000_16 }
    #expect(total > 2.9 && total < 3.1)
    #expect(begins[10] > 0.1 && begins[250] > 1.1)
    #expect(zip(begins, begins.dropFirst()).allSatisfy { $0 <= $1 })
    // No two are farther apart than frames are, but for the first one.
    #expect(zip(begins.dropFirst(), begins.dropFirst(2)).allSatisfy { $1 - $0 < 0.04 })
    #expect(LayoutPace.duration(count: 3, iterations: 1000) < 1.1)
    #expect(LayoutPace.duration(count: 300, iterations: 10) < 0.5)
    #expect(LayoutPace.duration(count: 0, iterations: 1000) == 0 && LayoutPace.duration(count: 9, iterations: 0) == 0)
  }

  @Test("a layout that takes long by itself is not slowed down", arguments: 0..<30)
  func large(seed: Int) {
    var numbers = SplitMix64(seed: UInt64(seed))
    let natural = Double.random(in: 3.2...60, using: &numbers)
    // Iterations become dearer, or cheaper, by up to a factor of three.
    let slope = Double.random(in: -0.5...0.5, using: &numbers)
    let iterations = [250, 1000, 5000][seed % 3]
    let costs = (0..<iterations).map { 1 + slope * (2 * Double($0) / Double(iterations) - 1) }
    let unit = natural / costs.reduce(0, +)
    let (_, total) = play(count: 5000, iterations: iterations) { costs[$0] * unit }
    #expect(total < natural * 1.15)
    if natural > 6 { #expect(total < natural * 1.04) }
  }

  @Test("a paced layout has the bits of one that is not, and Stop here and Cancel do not wait for it")
  func bits() async throws {
    let folder = try pictureFolder(60)
    // A store of its own for each: nothing is taken over from the run before.
    let caches = try (0..<4).map { try TemporaryDirectory("paced\($0)") }
    defer { withExtendedLifetime(caches) {} }
    let plain = await run(try request(folder.path, cache: caches[0]))
    func paced(_ number: Int) throws -> MappingRequest {
      var paced = try request(folder.path, cache: caches[number])
      paced.isPaced = true
      return paced
    }
    let begin = ContinuousClock.now
    let outcome = await run(try paced(1))
    #expect(ContinuousClock.now - begin > .seconds(LayoutPace.duration(count: 60, iterations: 60)))
    #expect(outcome.positions == plain.positions)
    #expect(outcome.report?.klDivergence == plain.report?.klDivergence)
    #expect(outcome.layouts.count > 10)
    let stopped = await run(try paced(2)) { event, job in
      if case .layout = event { job.stopHere() }
    }
    #expect((stopped.report?.iterations ?? 60) < 40)
    let cancelled = await run(try paced(3)) { event, job in
      if case .layout = event { job.cancel() }
    }
    #expect(cancelled.isCancelled)
  }

  @Test("what was there before counts as done, and is no measure of the speed")
  func counts() async throws {
    let meter = ProgressMeter()
    let counts = ImageCollection.Counts()
    meter.begin(.listing, total: 0)
    meter.add(total: 1000, known: 900)
    meter.add(total: 699, known: 283)
    _ = meter.sample(bytes: 0, counts: counts)
    meter.continueLoading()
    meter.complete(16)
    #expect(meter.sample(bytes: 0, counts: counts).secondsLeft == nil)
    try await Task.sleep(for: .milliseconds(1600))
    let progress = meter.sample(bytes: 0, counts: counts)
    #expect(progress.completed == 1199 && progress.total == 1699)
    #expect(progress.fraction.map { abs($0 - 1199.0 / 1699) < 1e-9 } == true)
    // 16 in more than a second and a half: the other 500 take 40 seconds at least, or a third of that by the first
    // impression.
    #expect((progress.secondsLeft ?? 0) > 10)
  }

  @Test("a load that is carried on says how many of all images it has")
  func resumed() async throws {
    let folder = try pictureFolder(150)
    let cache = try TemporaryDirectory("cache")
    let cancelled = await run(try request(folder.path, cache: cache, threads: 1)) { event, job in
      if case .ready = event { job.cancel() }
    }
    let kept = cancelled.collection?.counts.ready ?? 0
    #expect(kept > 0)
    let rest = await run(try request(folder.path, cache: cache))
    let loading = rest.events.compactMap { event -> MappingProgress? in
      if case .progress(let progress) = event, progress.stage == .loading { progress } else { nil }
    }
    #expect(loading.allSatisfy { $0.total == 150 && $0.completed >= kept })
    let known = rest.events.compactMap { event -> [Int]? in
      if case .known(_, let ready, _, _) = event { ready } else { nil }
    }
    #expect(known.first?.count == kept)
  }
}
