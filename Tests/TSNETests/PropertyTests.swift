import Foundation
import Neighbors
import Numerics
import Testing

import struct TestSupport.Computing

@testable import TSNE

/// A layout of one kind, by a seed.
private func points(_ kind: String, count: Int, seed: UInt64) -> [Float] {
  var random = SplitMix64(seed: seed)
  switch kind {
  case "disc": return (0..<2 * count).map { _ in Float(40 * random.normal()) }
  case "start": return (0..<2 * count).map { _ in Float(1e-4 * random.normal()) }
  case "line": return (0..<count).flatMap { i in [Float(i) * 0.02, Float(1e-3 * random.normal())] }
  case "column": return (0..<count).flatMap { i in [Float(0.5), Float(i) * 0.05] }
  case "two far clusters":
    return (0..<count).flatMap { i in
      [Float(random.normal() + (i % 2 == 0 ? 0 : 900)), Float(random.normal())]
    }
  case "outliers":
    var all = clumpedPoints(count: count, extent: 80, seed: seed)
    for i in 0..<5 { all[2 * i] = Float(2000 * random.normal()) }
    return all
  case "ring":
    return (0..<count).flatMap { _ in
      let angle = 2 * Double.pi * random.uniform()
      return [Float(70 * cos(angle) + random.normal()), Float(70 * sin(angle) + random.normal())]
    }
  case "far from the origin":
    return clumpedPoints(count: count, extent: 50, seed: seed).enumerated().map { $1 + ($0 % 2 == 0 ? 1000 : -500) }
  default: return clumpedPoints(count: count, extent: 110, seed: seed)
  }
}

@Test(
  "the fast repulsion equals the exact one: forces within 2 % (root mean square), Z within 0.1 %, for strange layouts too",
  .computing,
  arguments: [
    "disc", "start", "line", "column", "two far clusters", "outliers", "ring", "far from the origin", "clumps",
  ])
func fastGradientEqualsExact(kind: String) throws {
  for (count, seed) in [(3200, 21), (7001, 22)] as [(Int, UInt64)] {
    let layout = points(kind, count: count, seed: seed)
    let exact = try Forces(ExactRepulsion(count: count), layout)
    let grid = try Forces(GridRepulsion(count: count), layout)
    #expect(grid.error(against: exact) < 0.02)
    #expect(abs(grid.z - exact.z) < 1e-3 * exact.z)
  }
}

private struct Prepared {
  var affinities: Affinities
  var start: [Float]

  init(affinities: Affinities, start: [Float]) { (self.affinities, self.start) = (affinities, start) }

  init(_ rows: FloatRows, start: [Float]? = nil) throws {
    let found = try searched(rows)
    affinities = try Affinities(graph: found.graph, perplexity: 30, threads: 2, token: CancellationToken())
    self.start = start ?? found.start
  }

  func optimizer(iterations: Int) throws -> TSNEOptimizer {
    var parameters = TSNEParameters(threads: 2)
    parameters.iterations = iterations
    return try TSNEOptimizer(
      affinities: affinities, start: start, parameters: parameters, token: CancellationToken())
  }
}

/// The same graph after the rows changed places: new row i was `order[i]`.
private func permuted(_ graph: NeighborGraph, _ order: [Int]) -> NeighborGraph {
  var rank = [Int32](repeating: 0, count: order.count)
  for (i, old) in order.enumerated() { rank[old] = Int32(i) }
  let entries = order.flatMap { $0 * graph.k..<($0 + 1) * graph.k }
  return NeighborGraph(
    count: graph.count, k: graph.k, indices: entries.map { rank[Int(graph.indices[$0])] },
    distances: entries.map { graph.distances[$0] }, recall: graph.recall)
}

@Test(
  "a permutation of the rows changes the first 20 gradients by no more than 1e-4", .computing,
  arguments: [TSNEOptimizer.exactLimit - 100, TSNEOptimizer.exactLimit + 300])
func permutationKeepsGradients(count: Int) throws {
  let found = try searched(clusteredRows(count, 8))
  var random = SplitMix64(seed: 5)
  let order = (0..<count).shuffled(using: &random)
  let plain = Prepared(
    affinities: try Affinities(graph: found.graph, perplexity: 30, threads: 2, token: CancellationToken()),
    start: found.start)
  let shuffled = Prepared(
    affinities: try Affinities(
      graph: permuted(found.graph, order), perplexity: 30, threads: 2, token: CancellationToken()),
    start: order.flatMap { [found.start[2 * $0], found.start[2 * $0 + 1]] })
  let first = try plain.optimizer(iterations: 20)
  let second = try shuffled.optimizer(iterations: 20)
  while !first.isFinished {
    let (a, b) = (try first.gradient(), try second.gradient())
    var (difference, size) = (0.0, 0.0)
    for (place, row) in order.enumerated() {
      for c in 0..<2 {
        let d = Double(a[2 * row + c]) - Double(b[2 * place + c])
        difference += d * d
        size += Double(a[2 * row + c]) * Double(a[2 * row + c])
      }
    }
    #expect(size > 0)
    #expect((difference / size).squareRoot() < 1e-4)
    try first.step()
    try second.step()
  }
}

@Test(
  "a permutation of the rows changes the end's KL divergence and kept neighbours by no more than 1 %", .computing,
  arguments: [TSNEOptimizer.exactLimit - 100, TSNEOptimizer.exactLimit + 300])
func permutationKeepsQuality(count: Int) throws {
  let rows = try clusteredRows(count, 8)
  let plain = try Prepared(rows)
  var random = SplitMix64(seed: 5)
  let order = (0..<count).shuffled(using: &random)
  let shuffled = try Prepared(
    FloatRows(order.flatMap { rows.values[$0 * 8..<$0 * 8 + 8] }, dimension: 8))
  let first = try plain.optimizer(iterations: 1000)
  let second = try shuffled.optimizer(iterations: 1000)
  while !first.isFinished { try first.step() }
  while !second.isFinished { try second.step() }
  #expect(abs(first.klDivergence() - second.klDivergence()) < 0.01 * first.klDivergence())
  let kept = (neighborsKept(first.positions, plain.affinities), neighborsKept(second.positions, shuffled.affinities))
  #expect(abs(kept.0 - kept.1) < 0.01)
}

/// The share of each point's 10 nearest on the map that it has affinity to.
private func neighborsKept(_ positions: [Float], _ affinities: Affinities) -> Double {
  let n = affinities.count
  var kept = 0
  for i in 0..<n {
    let attended = Set(affinities.columns[Int(affinities.rowStart[i])..<Int(affinities.rowStart[i + 1])])
    let nearest = (0..<n).filter { $0 != i }.map { j -> (Float, Int) in
      let (dx, dy) = (positions[2 * i] - positions[2 * j], positions[2 * i + 1] - positions[2 * j + 1])
      return (dx * dx + dy * dy, j)
    }.sorted { $0 < $1 }.prefix(10)
    kept += nearest.count { attended.contains(UInt32($0.1)) }
  }
  return Double(kept) / Double(10 * n)
}

@Test(
  "the KL divergence at 1,000 iterations is below that at 300", .computing,
  arguments: [700, TSNEOptimizer.exactLimit + 1])
func divergenceFalls(count: Int) throws {
  let layout = try Prepared(clusteredRows(count)).optimizer(iterations: 1000)
  while layout.iteration < 300 { try layout.step() }
  let early = layout.klDivergence()
  while !layout.isFinished { try layout.step() }
  #expect(layout.klDivergence() < early)
}

@Test(
  "a layout that is looked at and asked for its divergence at every step is that of one never looked at", .computing)
func lookingDoesNotDisturb() throws {
  let prepared = try Prepared(clusteredRows(TSNEOptimizer.exactLimit + 1))
  let (watched, alone) = (try prepared.optimizer(iterations: 300), try prepared.optimizer(iterations: 300))
  while !watched.isFinished {
    try watched.step()
    _ = watched.klDivergence()
    _ = watched.positions
  }
  while !alone.isFinished { try alone.step() }
  #expect(watched.positions == alone.positions)
}

@Test("another number of threads on the way changes no bit", .computing)
func threadsMayChange() throws {
  let prepared = try Prepared(clusteredRows(TSNEOptimizer.exactLimit + 1))
  let (steady, changed) = (try prepared.optimizer(iterations: 200), try prepared.optimizer(iterations: 200))
  while !steady.isFinished { try steady.step() }
  while !changed.isFinished {
    if changed.iteration % 30 == 29 {
      var parameters = changed.parameters
      parameters.threads = changed.iteration / 30 % 5 + 1
      try changed.change(to: parameters)
    }
    try changed.step()
  }
  #expect(changed.positions == steady.positions)
}
