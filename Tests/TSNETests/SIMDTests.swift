import Foundation
import Neighbors
import Numerics
import Testing

import struct TestSupport.Computing

@testable import TSNE

/// Run by a process of its own, in which the level is forced: layouts on both sides of the switch of method have the same bits
/// at 1, 2, 3 and 8 threads, are good, and the fast forces are right.
private func checkLevel(_ level: SIMDLevel) throws {
  setenv("S3TOTSNE_SIMD", level.rawValue, 1)
  #expect(SIMDLevel.chosen == level)
  for count in [TSNEOptimizer.exactLimit - 1, TSNEOptimizer.exactLimit, TSNEOptimizer.exactLimit + 1] {
    let found = try searched(clusteredRows(count, 6))
    var ends: [[Float]] = []
    for threads in [1, 2, 3, 8] {
      let token = CancellationToken()
      var parameters = TSNEParameters(threads: threads)
      parameters.iterations = threads == 1 ? 260 : 120
      let affinities = try Affinities(graph: found.graph, perplexity: 30, threads: threads, token: token)
      let layout = try TSNEOptimizer(
        affinities: affinities, start: found.start, parameters: parameters, token: token)
      while layout.iteration < 120 { try layout.step() }
      ends.append(layout.positions)
      while !layout.isFinished { try layout.step() }
      #expect(layout.klDivergence().isFinite && layout.klDivergence() < 6)
    }
    #expect(ends.allSatisfy { $0 == ends[0] })
  }
  for extent in [1e-4, 3, 90] {
    let points = clumpedPoints(count: 4001, extent: extent, seed: 30)
    let exact = try Forces(ExactRepulsion(count: 4001), points)
    let grid = try Forces(GridRepulsion(count: 4001), points)
    #expect(grid.error(against: exact) < 0.01)
  }
}

@Test("the baseline instruction set: same bits at any number of threads, right forces", .computing)
func baselineLevel() async {
  await #expect(processExitsWith: .success) { try checkLevel(.baseline) }
}

@Test(
  "AVX2: same bits at any number of threads, right forces", .computing,
  .enabled(if: SIMDLevel.avx2.isAvailable, "this processor has no AVX2"))
func avx2Level() async {
  await #expect(processExitsWith: .success) { try checkLevel(.avx2) }
}

@Test(
  "AVX-512: same bits at any number of threads, right forces", .computing,
  .enabled(if: SIMDLevel.avx512.isAvailable, "this processor has no AVX-512"))
func avx512Level() async {
  await #expect(processExitsWith: .success) { try checkLevel(.avx512) }
}
