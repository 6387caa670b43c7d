import Numerics
import Testing

import struct TestSupport.Computing

@testable import Neighbors

/// Rows in overlapping clouds of different size, on each side of the switch to the index.
private func clouds(_ count: Int, _ dimension: Int, seed: UInt64) throws -> FloatRows {
  var random = SplitMix64(seed: seed)
  let centers = (0..<30 * dimension).map { _ in random.normal() * 2 }
  return try FloatRows(
    (0..<count).flatMap { row in
      let center = Int(random.uniform() * random.uniform() * 30)
      return (0..<dimension).map { Float(centers[center * dimension + $0] + random.normal() / Double($0 + 1)) }
    }, dimension: dimension)
}

private func search(
  _ rows: some FeatureRows, _ metric: Metric = .euclidean, k: Int = 30, threads: Int = 2
) throws -> (graph: NeighborGraph, start: [Float], notes: [String]) {
  try NeighborSearch(metric: metric, k: k, threads: threads, seed: 3).run(
    rows, token: CancellationToken(), progress: nil)
}

@Test(
  "the index finds 98 of 100 neighbours, and says how many it finds", .computing,
  arguments: [Metric.euclidean, .cosine])
func indexFindsNeighbors(metric: Metric) throws {
  let (n, k) = (14_000, 30)
  let rows = try clouds(n, 12, seed: 50)
  let graph = try search(rows, metric, k: k).graph
  #expect(graph.recall < 1, "the index was used")
  #expect(graph.recall >= 0.98)
  // Against all pairs, for rows that the search's own sample does not know.
  var matrix = try RowMatrix(copying: rows, pool: ThreadPool(threads: 2), token: CancellationToken())
  if metric == .cosine { _ = matrix.normalizeRows() }
  var kept = 0
  let probes = Array(stride(from: 5, to: n, by: 97))
  for row in probes {
    let squares = (0..<n).map { other in
      (0..<12).reduce(Float(0)) { sum, c in
        let difference = matrix.values[row * 12 + c] - matrix.values[other * 12 + c]
        return sum + difference * difference
      }
    }
    let nearest = (0..<n).filter { $0 != row }.sorted { squares[$0] < squares[$1] }.prefix(k)
    kept += Set(graph.indices[row * k..<row * k + k]).intersection(nearest.map { Int32($0) }).count
    for j in row * k..<row * k + k {
      let square = squares[Int(graph.indices[j])]
      let expected = metric == .cosine ? square / 2 : square.squareRoot()
      #expect(abs(graph.distances[j] - expected) <= 1e-5 * max(1, expected))
    }
  }
  #expect(Double(kept) >= 0.98 * Double(probes.count * k))
}

@Test("the index gives the same bits at 1, 2, 3 and 8 threads", .computing)
func indexIgnoresThreads() throws {
  let rows = try clouds(13_000, 8, seed: 51)
  let one = try search(rows, k: 20, threads: 1)
  #expect(one.graph.recall < 1)
  for threads in [2, 3, 8] {
    let other = try search(rows, k: 20, threads: threads)
    #expect(other.graph == one.graph)
    #expect(other.start == one.start)
  }
}

@Test("just below the index all pairs are compared", .computing)
func fewRowsAreExact() throws {
  #expect(try search(clouds(CellSearch.smallest - 1, 4, seed: 52), k: 5).graph.recall == 1)
}

@Test("rows that are spread without any order are compared exactly or found all the same", .computing)
func noiseIsFound() throws {
  var random = SplitMix64(seed: 53)
  let rows = try FloatRows((0..<12_500 * 40).map { _ in Float(random.normal()) }, dimension: 40)
  #expect(try search(rows, k: 15).graph.recall >= 0.98)
}

@Test(
  "many equal rows are each other's neighbours in a ring, none of them a hub", .computing, arguments: [600, 13_000])
func equalRowsMakeRing(count: Int) throws {
  let k = 20
  var values = try clouds(count, 5, seed: 54).values
  for row in 0..<count where row % 2 == 0 { for c in 0..<5 { values[row * 5 + c] = 1 } }
  let graph = try search(FloatRows(values, dimension: 5), k: k).graph
  var pointers = [Int](repeating: 0, count: count)
  for row in stride(from: 0, to: count, by: 2) {
    for j in row * k..<row * k + k {
      #expect(graph.distances[j] == 0)
      #expect(graph.indices[j] % 2 == 0 && Int(graph.indices[j]) != row)
      pointers[Int(graph.indices[j])] += 1
    }
  }
  #expect(stride(from: 0, to: count, by: 2).allSatisfy { pointers[$0] == k })
}

@Test("groups of equal rows have spread: other groups are farther than one's own", .computing)
func groupsHaveSpread() throws {
  let rows = try FloatRows((0..<200).flatMap { row in [Float(row / 40), Float(row / 40 % 2)] }, dimension: 2)
  let result = try search(rows, k: 10)
  #expect(result.graph.distances.allSatisfy { $0 == 0 })
  #expect(result.graph.hasSpread)
  #expect(result.notes.isEmpty)
}

@Test("long rows that are all equally far from each other are not told apart by a reduction", .computing)
func equalDistancesGiveGrid() throws {
  let n = 120
  let rows = try FloatRows((0..<n * n).map { $0 / n == $0 % n ? 1 : 0 }, dimension: n)
  for metric in [Metric.euclidean, .cosine, .jaccard, .manhattan] {
    let result = try search(rows, metric, k: 10)
    #expect(!result.graph.hasSpread)
    #expect(result.notes.count == 1)
    #expect(result.start[0] == -5 && result.start[2] == -4)
  }
}
