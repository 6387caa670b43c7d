import Foundation
import Neighbors
import Numerics
import Testing

import struct TestSupport.Computing

@testable import TSNE

/// Five clusters in `dimension` dimensions, row after row; row i belongs to cluster i % 5.
func clusteredRows(_ count: Int, _ dimension: Int = 10, seed: UInt64 = 41) throws -> FloatRows {
  var random = SplitMix64(seed: seed)
  let centers = (0..<5 * dimension).map { _ in random.normal() * 4 }
  return try FloatRows(
    (0..<count).flatMap { row in
      (0..<dimension).map { Float(centers[row % 5 * dimension + $0] + random.normal()) }
    }, dimension: dimension)
}

/// The graph and start that a layout of `rows` by default parameters begins with.
func searched(
  _ rows: FloatRows, metric: Metric = .euclidean, perplexity: Double = 30
) throws -> (graph: NeighborGraph, start: [Float], notes: [String]) {
  let k = TSNEParameters.neighborCount(perplexity: perplexity, count: rows.rowCount)
  return try NeighborSearch(metric: metric, k: k, threads: 2, seed: 0).run(
    rows, token: CancellationToken(), progress: nil)
}

@Test("P sums to 1 and is symmetric, each pair once", .computing)
func affinitiesAreSymmetric() throws {
  let graph = try searched(clusteredRows(500)).graph
  let affinities = try Affinities(graph: graph, perplexity: 30, threads: 2, token: CancellationToken())
  #expect(abs(affinities.values.reduce(0.0) { $0 + Double($1) } - 1) < 1e-6)
  var entries: [UInt64: Float] = [:]
  for row in 0..<500 {
    for e in Int(affinities.rowStart[row])..<Int(affinities.rowStart[row + 1]) {
      let key = UInt64(row) << 32 | UInt64(affinities.columns[e])
      #expect(entries[key] == nil)
      #expect(affinities.columns[e] != UInt32(row))
      entries[key] = affinities.values[e]
    }
  }
  #expect(entries.allSatisfy { entries[$0.key << 32 | $0.key >> 32] == $0.value })
  for row in 0..<500 {
    for j in 0..<graph.k { #expect(entries[UInt64(row) << 32 | UInt64(graph.indices[row * graph.k + j])] != nil) }
  }
}

@Test("each row reaches the perplexity asked for", .computing, arguments: [5.0, 30, 60])
func perplexityIsReached(perplexity: Double) throws {
  let graph = try searched(clusteredRows(500), perplexity: perplexity).graph
  let p = try Affinities.calibrate(
    graph, perplexity: perplexity, pool: ThreadPool(threads: 2), token: CancellationToken())
  for row in 0..<500 {
    let entropy = p[row * graph.k..<(row + 1) * graph.k].reduce(0.0) {
      $1 > 0 ? $0 - Double($1) * log(Double($1)) : $0
    }
    #expect(abs(exp(entropy) - perplexity) < 1e-3 * perplexity)
  }
}

@Test("the perplexity is lowered to what the points allow", .computing)
func perplexityIsLowered() throws {
  #expect(TSNEParameters.effectivePerplexity(requested: 30, count: 1000) == 30)
  #expect(TSNEParameters.effectivePerplexity(requested: 30, count: 31) == 10)
  #expect(TSNEParameters.effectivePerplexity(requested: 30, count: 2) == 1)
  #expect(TSNEParameters.neighborCount(perplexity: 30, count: 1000) == 90)
  #expect(TSNEParameters.neighborCount(perplexity: 500, count: 31) == 30)
  #expect([0, 1, 2, 3].map { TSNEParameters.neighborCount(perplexity: 30, count: $0) } == [0, 0, 1, 2])
  let graph = try searched(clusteredRows(31)).graph
  #expect(try Affinities(graph: graph, perplexity: 30, threads: 1, token: CancellationToken()).perplexity == 10)
}

@Test("affinities have the same bits at 1, 2, 3 and 8 threads", .computing)
func affinitiesIgnoreThreads() throws {
  let graph = try searched(clusteredRows(3000)).graph
  let one = try Affinities(graph: graph, perplexity: 30, threads: 1, token: CancellationToken())
  for threads in [2, 3, 8] {
    let other = try Affinities(graph: graph, perplexity: 30, threads: threads, token: CancellationToken())
    #expect(other.values == one.values && other.columns == one.columns && other.rowStart == one.rowStart)
  }
}

@Test("distances of any unit give the same affinities", .computing, arguments: [1e-15, 1e15])
func affinitiesKnowNoUnit(unit: Float) throws {
  let graph = try searched(clusteredRows(300)).graph
  let scaled = NeighborGraph(
    count: graph.count, k: graph.k, indices: graph.indices, distances: graph.distances.map { $0 * unit }, recall: 1)
  let token = CancellationToken()
  let expected = try Affinities(graph: graph, perplexity: 20, threads: 2, token: token)
  let found = try Affinities(graph: scaled, perplexity: 20, threads: 2, token: token)
  #expect(zip(found.values, expected.values).allSatisfy { abs($0 - $1) <= 1e-3 * max($1, 1e-5) })
}
