import Foundation
import Neighbors
import Numerics
import Testing

import struct TestSupport.Computing

@testable import TSNE

private func parameters(iterations: Int, threads: Int = 2) -> TSNEParameters {
  var parameters = TSNEParameters(threads: threads)
  parameters.iterations = iterations
  return parameters
}

@Test(
  "a run shows ascending iterations, ends with a final snapshot, and comes to what the optimiser comes to", .computing)
func runShowsSnapshots() async throws {
  let rows = try clusteredRows(400)
  let run = try TSNERun(rows, parameters: parameters(iterations: 300), snapshotInterval: .zero)
  var last: TSNESnapshot?
  for try await snapshot in run {
    #expect(snapshot.iteration >= last?.iteration ?? 0)
    #expect(snapshot.positions.count == 800)
    #expect(last?.isFinal != true)
    last = snapshot
  }
  let layout = try await run.layout()
  #expect(last?.isFinal == true && last?.iteration == 300 && last?.positions == layout.positions)
  #expect(last?.klDivergence == layout.klDivergence)
  let found = try searched(rows)
  let affinities = try Affinities(graph: found.graph, perplexity: 30, threads: 2, token: CancellationToken())
  let optimizer = try TSNEOptimizer(
    affinities: affinities, start: found.start, parameters: parameters(iterations: 300), token: CancellationToken())
  while !optimizer.isFinished { try optimizer.step() }
  #expect(layout.positions == optimizer.positions)
  #expect(layout.neighborRecall == 1 && layout.perplexity == 30 && layout.notes.isEmpty)
}

@Test("a paused run stands still until it goes on, and arrives where one that never paused does", .computing)
func pausedRunStandsStill() async throws {
  let rows = try clusteredRows(400)
  let run = try TSNERun(rows, parameters: parameters(iterations: 400), snapshotInterval: .zero)
  run.pause()
  var iterator = run.makeAsyncIterator()
  let first = try #require(try await iterator.next())
  #expect(first.iteration == 0 && run.isPaused)
  try await Task.sleep(for: .milliseconds(50))
  run.resume()
  var shown = first
  while let snapshot = try await iterator.next() {
    if shown.iteration == 0, snapshot.iteration > 0 { run.pause(); run.resume() }
    shown = snapshot
  }
  #expect(shown.iteration == 400)
  #expect(try await run.layout().positions == TSNERun(rows, parameters: parameters(iterations: 400)).layout().positions)
}

@Test("a run goes on with other parameters from where it stands", .computing)
func runGoesOnWithOtherParameters() async throws {
  let run = try TSNERun(try clusteredRows(400), parameters: parameters(iterations: 1_000_000), snapshotInterval: .zero)
  var changed = parameters(iterations: 1_000_000)
  var iterator = run.makeAsyncIterator()
  var reached = 0
  while reached < 300, let snapshot = try await iterator.next() { reached = snapshot.iteration }
  // Another exaggeration, another perplexity, and an end.
  changed.lateExaggeration = 4
  try run.change(to: changed)
  changed.perplexity = 10
  changed.iterations = reached + 5000
  try run.change(to: changed)
  let layout = try await run.layout()
  #expect(layout.iteration == reached + 5000)
  #expect(layout.perplexity == 10 && layout.parameters.lateExaggeration == 4)
  changed.momentum = 1
  #expect(throws: TSNEError.self) { try run.change(to: changed) }
}

@Test("a stopped run counts as finished, a cancelled one throws within 100 ms, paused or not", .computing)
func runStops() async throws {
  let rows = try clusteredRows(4000)
  let stopped = try TSNERun(rows, parameters: parameters(iterations: 1_000_000), snapshotInterval: .zero)
  for try await snapshot in stopped where snapshot.iteration >= 20 { stopped.stop() }
  let layout = try await stopped.layout()
  #expect(layout.iteration >= 20 && layout.iteration < 1_000_000)
  #expect(layout.klDivergence.isFinite)
  for isPaused in [false, true] {
    let run = try TSNERun(rows, parameters: parameters(iterations: 1_000_000), snapshotInterval: .zero)
    for try await snapshot in run where snapshot.iteration >= (isPaused ? 0 : 5) { break }
    if isPaused { run.pause() }
    run.cancel()
    await #expect(throws: CancellationError.self) { try await run.layout() }
  }
  // The task that waits is cancelled.
  let waiting = Task { try await TSNERun(rows, parameters: parameters(iterations: 1_000_000)).layout() }
  try await Task.sleep(for: .milliseconds(20))
  waiting.cancel()
  await #expect(throws: CancellationError.self) { try await waiting.value }
}

@Test("starts: random by seed, given positions, and the wrong ones are named", .computing)
func runStarts() async throws {
  let rows = try clusteredRows(200)
  func end(_ start: TSNEParameters.Start, seed: UInt64 = 0) async throws -> [Float] {
    var wanted = parameters(iterations: 60)
    wanted.start = start
    wanted.seed = seed
    return try await TSNERun(rows, parameters: wanted).layout().positions
  }
  #expect(try await end(.random) == end(.random))
  #expect(try await end(.random) != end(.random, seed: 1))
  #expect(try await end(.principalComponents) != end(.random))
  let given = (0..<400).map { Float($0 % 17) - Float($0 % 5) }
  #expect(try await end(.positions(given)) == end(.positions(given)))
  await #expect(throws: TSNEError.self) { try await end(.positions([1, 2])) }
  let error = await #expect(throws: TSNEError.self) { try await end(.positions(given + [.nan])) }
  #expect(error?.description.contains("point 200") == true)
}

@Test("a warm start goes on from a layout and stays near it", .computing)
func warmStart() async throws {
  let rows = try clusteredRows(500)
  let first = try await TSNERun(rows, parameters: parameters(iterations: 600)).layout()
  var warm = parameters(iterations: 50)
  warm.start = .positions(first.positions)
  warm.earlyIterations = 0
  let second = try await TSNERun(rows, parameters: warm).layout()
  #expect(second.klDivergence < first.klDivergence + 0.05)
  let moved = (0..<500).map { i in
    let d = first[i] - second[i]
    return (d * d).sum().squareRoot()
  }.sorted()
  #expect(moved[250] < 2)
}

@Test("too large a perplexity is lowered and said; rows without spread stand in a grid and it is said", .computing)
func runSaysWhatWasSpecial() async throws {
  let lowered = try await TSNERun(try clusteredRows(40), parameters: parameters(iterations: 20)).layout()
  #expect(lowered.perplexity == 13)
  #expect(lowered.notes.contains { $0.contains("from 30 to 13") })
  let equal = try FloatRows([Float](repeating: 1, count: 300), dimension: 3)
  let grid = try await TSNERun(equal, parameters: parameters(iterations: 20)).layout()
  #expect(grid.notes.contains { $0.contains("grid") })
  #expect(Set((0..<100).map { "\(grid[$0])" }).count == 100)
}

@Test("parameters survive being stored; what an older version did not store has its default", .computing)
func parametersAreStored() throws {
  var parameters = TSNEParameters(threads: 3)
  parameters.start = .positions([1, 2])
  parameters.learningRate = .value(200)
  parameters.perplexity = 12
  parameters.seed = 9
  parameters.momentum = 0.5
  parameters.iterations = 70
  parameters.earlyIterations = 20
  parameters.earlyExaggeration = 4
  parameters.lateExaggeration = 2
  let stored = try JSONEncoder().encode(parameters)
  #expect(try JSONDecoder().decode(TSNEParameters.self, from: stored) == parameters)
  let old = try JSONDecoder().decode(TSNEParameters.self, from: Data(#"{"perplexity": 7, "threads": 2}"#.utf8))
  var expected = TSNEParameters(threads: 2)
  expected.perplexity = 7
  #expect(old == expected)
}
