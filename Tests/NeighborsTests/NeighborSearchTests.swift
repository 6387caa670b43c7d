import Neighbors
import Numerics
import Testing

import struct TestSupport.Computing

private let supported: [Metric] = [.cosine, .euclidean, .manhattan, .correlation, .sqeuclidean]

/// The distance by its definition, in doubles.
private func distance(_ metric: Metric, _ a: [Double], _ b: [Double]) -> Double {
  switch metric.canonical {
  case .euclidean: return zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  case .sqeuclidean: return zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  case .manhattan: return zip(a, b).reduce(0) { $0 + abs($1.0 - $1.1) }
  case .cosine:
    func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
    return 1 - dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
  default:  // correlation
    let (meanA, meanB) = (a.reduce(0, +) / Double(a.count), b.reduce(0, +) / Double(b.count))
    return distance(.cosine, a.map { $0 - meanA }, b.map { $0 - meanB })
  }
}

private func clusters(_ count: Int, _ dimension: Int, seed: UInt64) throws -> FloatRows {
  var random = SplitMix64(seed: seed)
  let centers = (0..<5 * dimension).map { _ in random.normal() * 2 + 1 }
  return try FloatRows(
    (0..<count).flatMap { row in
      (0..<dimension).map { Float(centers[row % 5 * dimension + $0] + random.normal()) }
    }, dimension: dimension)
}

@Test("neighbours are those of brute force", .computing, arguments: supported)
func neighborsAreExact(metric: Metric) throws {
  let (n, d, k) = (700, 11, 15)
  let rows = try clusters(n, d, seed: 31)
  let graph = try NeighborSearch(metric: metric, k: k, threads: 2, seed: 0).run(
    rows, token: CancellationToken(), progress: nil
  ).graph
  #expect(graph.count == n && graph.k == k && graph.recall == 1)
  let vectors = (0..<n).map { row in rows.values[row * d..<row * d + d].map(Double.init) }
  for row in stride(from: 0, to: n, by: 7) {
    let expected = (0..<n).filter { $0 != row }.map { distance(metric, vectors[row], vectors[$0]) }.sorted()
    for j in 0..<k {
      let found = Double(graph.distances[row * k + j])
      #expect(abs(found - expected[j]) < 1e-5 * max(1, expected[j]), "row \(row), place \(j)")
      let claimed = distance(metric, vectors[row], vectors[Int(graph.indices[row * k + j])])
      #expect(abs(found - claimed) < 1e-5 * max(1, claimed))
    }
    #expect(Set(graph.indices[row * k..<row * k + k]).count == k)
    #expect(!graph.indices[row * k..<row * k + k].contains(Int32(row)))
  }
}

@Test(
  "graph and start have the same bits at 1, 2, 3 and 8 threads", .computing, arguments: Metric.allCases)
func searchIgnoresThreads(metric: Metric) throws {
  let rows = try clusters(900, 70, seed: 32)
  let one = try NeighborSearch(metric: metric, k: 10, threads: 1, seed: 5).run(
    rows, token: CancellationToken(), progress: nil)
  for threads in [2, 3, 8] {
    let other = try NeighborSearch(metric: metric, k: 10, threads: threads, seed: 5).run(
      rows, token: CancellationToken(), progress: nil)
    #expect(other.graph == one.graph)
    #expect(other.start == one.start)
  }
}

@Test(
  "long rows that vary in few directions keep their neighbours through the reduction", .computing,
  arguments: [Metric.cosine, .euclidean, .correlation])
func reductionKeepsNeighbors(metric: Metric) throws {
  var random = SplitMix64(seed: 33)
  let (n, d, rank, k) = (300, 400, 8, 10)
  let basis = (0..<rank * d).map { _ in random.normal() }
  let rows = try FloatRows(
    (0..<n).flatMap { _ in
      let weights = (0..<rank).map { _ in random.normal() }
      return (0..<d).map { c in Float((0..<rank).reduce(3.0) { $0 + weights[$1] * basis[$1 * d + c] }) }
    }, dimension: d)
  let reduced = try NeighborSearch(metric: metric, k: k, threads: 2, seed: 0).run(
    rows, token: CancellationToken(), progress: nil
  ).graph
  let whole = try NeighborSearch(metric: metric, k: k, threads: 2, seed: 0, reducedDimension: nil).run(
    rows, token: CancellationToken(), progress: nil
  ).graph
  let kept = (0..<n).reduce(0) { total, row in
    total + Set(reduced.indices[row * k..<row * k + k]).intersection(whole.indices[row * k..<row * k + k]).count
  }
  #expect(Double(kept) > 0.995 * Double(n * k))
}

@Test("bytes and the same numbers as floats give the same graph", .computing)
func bytesEqualFloats() throws {
  var random = SplitMix64(seed: 34)
  let bytes = (0..<200 * 120).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  let floats = try FloatRows(bytes.map(Float.init), dimension: 120)
  let search = NeighborSearch(metric: .cosine, k: 9, threads: 2, seed: 0)
  let expected = try search.run(floats, token: CancellationToken(), progress: nil)
  let found = try bytes.withUnsafeBufferPointer { buffer in
    try search.run(
      ByteRows(pointer: buffer.baseAddress!, owner: nil, rowIndices: Array(0..<200), dimension: 120),
      token: CancellationToken(), progress: nil)
  }
  #expect(found.graph == expected.graph)
  #expect(found.start == expected.start)
}

@Test("zero vectors are at cosine distance 1 from all others and 0 from each other, and a note counts them", .computing)
func zeroVectorsHaveOneAnswer() throws {
  var values = try clusters(50, 6, seed: 35).values
  for i in 0..<12 { values[i] = 0 }
  let result = try NeighborSearch(metric: .cosine, k: 49, threads: 1, seed: 0).run(
    FloatRows(values, dimension: 6), token: CancellationToken(), progress: nil)
  #expect(result.graph.indices[0] == 1)
  #expect(result.graph.distances[0] == 0)
  #expect(result.graph.distances[1..<49].allSatisfy { abs($0 - 1) < 1e-6 })
  #expect(
    result.notes == [
      "2 of 50 rows are all zeros, which gives the distance “cosine” nothing to compare: they stand together, apart from the others."
    ])
}

@Test("constant rows have one answer under correlation", .computing)
func constantRowsHaveOneAnswer() throws {
  var values = try clusters(50, 6, seed: 36).values
  for i in 0..<6 { values[i] = 0.1 }
  let graph = try NeighborSearch(metric: .correlation, k: 49, threads: 1, seed: 0).run(
    FloatRows(values, dimension: 6), token: CancellationToken(), progress: nil
  ).graph
  #expect(graph.distances[0..<49].allSatisfy { abs($0 - 1) < 1e-6 })
}

@Test("identical rows give a plain grid and a sentence", .computing, arguments: Metric.allCases, [2, 3, 10, 400])
func identicalRowsGiveGrid(metric: Metric, count: Int) throws {
  let rows = try FloatRows((0..<count).flatMap { _ in [Float(1), 2, 3.5] }, dimension: 3)
  let result = try NeighborSearch(metric: metric, k: 90, threads: 2, seed: 0).run(
    rows, token: CancellationToken(), progress: nil)
  #expect(result.graph.k == min(90, count - 1))
  #expect(!result.graph.hasSpread)
  #expect(result.notes.isEmpty == (count == 2))
  let places = Set((0..<count).map { "\(result.start[2 * $0]) \(result.start[2 * $0 + 1])" })
  #expect(places.count == count)
}

@Test("0 and 1 rows give an empty graph", .computing, arguments: [0, 1])
func fewRows(count: Int) throws {
  let rows = try FloatRows([Float](repeating: 1, count: 4 * count), dimension: 4)
  let result = try NeighborSearch(metric: .cosine, k: 90, threads: 2, seed: 0).run(
    rows, token: CancellationToken(), progress: nil)
  #expect(result.graph.count == count && result.graph.k == 0)
  #expect(result.start == [Float](repeating: 0, count: 2 * count))
}

@Test(
  "many duplicates, constant columns and an outlier leave everything finite", .computing, arguments: Metric.allCases)
func oddRows(metric: Metric) throws {
  var values = try clusters(600, 60, seed: 37).values
  for row in 0..<600 {
    values[row * 60 + 5] = 7
    if row % 3 == 0 { for c in 0..<60 { values[row * 60 + c] = values[c] } }
  }
  values[599 * 60] = 1e6
  let result = try NeighborSearch(metric: metric, k: 30, threads: 2, seed: 0).run(
    FloatRows(values, dimension: 60), token: CancellationToken(), progress: nil)
  #expect(result.graph.distances.allSatisfy { $0.isFinite && $0 >= 0 })
  #expect(result.start.allSatisfy { $0.isFinite })
  // The 200 equal rows see each other first, themselves never.
  #expect(result.graph.distances[0..<30].allSatisfy { $0 < 1e-3 })
  #expect(!result.graph.indices[0..<30].contains(0))
}

@Test("a cancelled search throws", .computing)
func searchCancels() throws {
  let rows = try clusters(500, 3, seed: 1)
  let token = CancellationToken()
  token.cancel()
  #expect(throws: CancellationError.self) {
    try NeighborSearch(metric: .euclidean, k: 5, threads: 2, seed: 0).run(
      rows, token: token, progress: nil)
  }
}

@Test("all 25 names are there, and aliases lead to the name they stand for", .computing)
func metricNames() {
  #expect(Metric.allCases.count == 25)
  #expect(Metric.manhattan.aliases == [.l1, .cityblock])
  #expect(Metric.allCases.allSatisfy { $0.canonical.canonical == $0.canonical && !$0.summary.isEmpty })
  #expect(Metric.allCases.filter { $0.group == .boolean }.count == 9)
}
