import Foundation
import Numerics
import Synchronization
import Testing

import struct TestSupport.Computing

@testable import Neighbors

private func rows(_ count: Int, _ dimension: Int, seed: UInt64) throws -> FloatRows {
  var random = SplitMix64(seed: seed)
  return try FloatRows((0..<count * dimension).map { _ in Float(random.normal()) }, dimension: dimension)
}

@Test(
  "impossible parameters are refused and named", .computing,
  arguments: [
    (MetricParameters(minkowskiP: 0), Metric.minkowski, "p is 0"),
    (MetricParameters(minkowskiP: .nan), .wminkowski, "p is nan"),
    (MetricParameters(weights: [1, -1, 2]), .minkowski, "column 1"),
    (MetricParameters(weights: [1, .infinity, 2]), .minkowski, "column 1"),
    (MetricParameters(weights: [0, 0, 0]), .wminkowski, "All weights are 0"),
    (MetricParameters(weights: [1, 2]), .minkowski, "2 weights for 3 columns"),
    (MetricParameters(weights: []), .minkowski, "empty"),
    (MetricParameters(weights: [1, 2, 3]), .cosine, "cosine"),
  ])
func badParametersAreNamed(parameters: MetricParameters, metric: Metric, words: String) throws {
  let error = #expect(throws: NeighborSearchError.self) {
    try NeighborSearch(metric: metric, k: 2, threads: 1, seed: 0, parameters: parameters).run(
      rows(6, 3, seed: 60), token: CancellationToken(), progress: nil)
  }
  #expect(error?.description.contains(words) == true)
}

@Test("parameters survive JSON, infinity too", .computing)
func parametersSurviveJSON() throws {
  for parameters in [
    MetricParameters(), MetricParameters(minkowskiP: .infinity), MetricParameters(minkowskiP: 1.5, weights: [1, 0.25]),
  ] {
    let data = try JSONEncoder().encode(parameters)
    #expect(try JSONDecoder().decode(MetricParameters.self, from: data) == parameters)
  }
}

@Test("Mahalanobis is measured in at most a tenth as many directions as rows, and that is said", .computing)
func mahalanobisIsReduced() throws {
  let result = try NeighborSearch(metric: .mahalanobis, k: 5, threads: 2, seed: 0, subject: .images).run(
    rows(100, 30, seed: 61), token: CancellationToken(), progress: nil)
  #expect(result.notes.count == 1)
  #expect(result.notes.first?.contains("10 main directions of the images' 30 values") == true)
  #expect(result.graph.hasSpread)
}

@Test("rows that are not copied into memory have the same neighbours", .computing, arguments: Metric.allCases)
func blocksEqualMemory(metric: Metric) throws {
  let rows = try rows(150, 70, seed: 62)
  var search = NeighborSearch(metric: metric, k: 12, threads: 2, seed: 0, reducedDimension: nil)
  let whole = try search.run(rows, token: CancellationToken(), progress: nil).graph
  search.memoryLimit = 0
  let blocks = try search.run(rows, token: CancellationToken(), progress: nil).graph
  #expect(blocks.indices == whole.indices)
  #expect(zip(blocks.distances, whole.distances).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, $1) })
}

@Test("numbers near the largest and the smallest leave everything finite", .computing, arguments: [Float(1e20), 1e-25])
func extremeScales(scale: Float) throws {
  let plain = try rows(80, 6, seed: 63)
  let scaled = try FloatRows(plain.values.map { $0 * scale }, dimension: 6)
  for metric in [Metric.euclidean, .cosine, .manhattan, .canberra, .braycurtis, .seuclidean, .mahalanobis] {
    let search = NeighborSearch(metric: metric, k: 7, threads: 2, seed: 0)
    let expected = try search.run(plain, token: CancellationToken(), progress: nil)
    let found = try search.run(scaled, token: CancellationToken(), progress: nil)
    #expect(found.graph.indices == expected.graph.indices, "\(metric)")
    #expect(found.graph.distances.allSatisfy { $0.isFinite })
    #expect(found.start.allSatisfy { $0.isFinite })
  }
}

/// More rows than could be compared in a minute, made of nothing.
private struct ManyRows: FeatureRows {
  let rowCount = 60_000
  let dimension = 200

  func copyRows(_ range: Range<Int>, into target: UnsafeMutablePointer<Float>) {
    for i in 0..<range.count * dimension { target[i] = Float((range.lowerBound * dimension + i) % 251) }
  }
}

@Test("a long search says beforehand how long it takes", .computing)
func longSearchIsAnnounced() {
  let token = CancellationToken()
  let sentence = Mutex("")
  #expect(throws: CancellationError.self) {
    try NeighborSearch(metric: .minkowski, k: 5, threads: 1, seed: 0, parameters: MetricParameters(minkowskiP: 3)).run(
      ManyRows(), token: token, progress: nil,
      announce: {
        let text = $0
        sentence.withLock { $0 = text }
        token.cancel()
      })
  }
  let text = sentence.withLock { $0 }
  #expect(text.hasPrefix("The distance “minkowski” compares every two of 60,000 rows"))
  #expect(text.hasSuffix("minutes.") || text.hasSuffix("hours.") || text.hasSuffix("hour."))
}

@Test("a grid says why in the words of images", .computing)
func sentencesNameImages() throws {
  let black = try FloatRows((0..<40).map { $0 < 4 ? 0 : Float($0 % 7) + 1 }, dimension: 4)
  let notes = try NeighborSearch(metric: .cosine, k: 3, threads: 1, seed: 0, subject: .images).run(
    black, token: CancellationToken(), progress: nil
  ).notes
  #expect(
    notes == [
      "1 of 10 images is all black, which gives the distance “cosine” nothing to compare: it stands apart from the others."
    ])
  let full = try FloatRows((0..<40).map { Float($0 + 1) }, dimension: 4)
  let jaccard = try NeighborSearch(metric: .jaccard, k: 3, threads: 1, seed: 0, subject: .images).run(
    full, token: CancellationToken(), progress: nil
  ).notes
  #expect(jaccard.count == 1 && jaccard[0].contains("what is 0 and what is not"))
  #expect(jaccard[0].contains("all 10 images are equally far"))
}
