import Neighbors
import Numerics
import Testing

import struct TestSupport.Computing

@testable import TSNE

@Test(
  "new points land in their own cluster, alone or together, at any number of threads; the layout does not move",
  .computing)
func newPointsLandInTheirCluster() async throws {
  let all = try clusteredRows(2300)
  let rows = try FloatRows(Array(all.values[0..<2200 * 10]), dimension: 10)
  let new = try FloatRows(Array(all.values[(2200 * 10)...]), dimension: 10)
  var parameters = TSNEParameters(threads: 2)
  parameters.iterations = 500
  let layout = try await TSNERun(rows, parameters: parameters).layout()
  let placed = try await layout.transform(new)
  #expect(placed.count == 200)
  for point in 0..<100 {
    let place = SIMD2(placed[2 * point], placed[2 * point + 1])
    let nearest = try #require(
      (0..<2200).min { a, b in
        let (da, db) = (layout[a] - place, layout[b] - place)
        return (da * da).sum() < (db * db).sum()
      })
    #expect(nearest % 5 == (2200 + point) % 5)
  }
  for threads in [1, 3, 8] { #expect(try await layout.transform(new, threads: threads) == placed) }
  let alone = try FloatRows(Array(new.values[70..<80]), dimension: 10)
  #expect(try await layout.transform(alone) == Array(placed[14..<16]))
  #expect(try await layout.transform(FloatRows([], dimension: 10)) == [])
}

@Test(
  "a point of the layout given again comes to lie at its own place", .computing,
  arguments: [Metric.euclidean, .cosine, .manhattan])
func oldPointsComeHome(metric: Metric) async throws {
  let rows = try clusteredRows(600)
  var parameters = TSNEParameters(threads: 2)
  parameters.iterations = 500
  let layout = try await TSNERun(rows, metric: metric, parameters: parameters).layout()
  let placed = try await layout.transform(FloatRows(Array(rows.values[0..<500]), dimension: 10))
  let far = (0..<50).filter { i in
    let d = layout[i] - SIMD2(placed[2 * i], placed[2 * i + 1])
    return (d * d).sum().squareRoot() > 3
  }
  #expect(far.count <= 2)
}

@Test("the field of a layout is the exact sum, within 1 %, read from a grid as well", .computing)
func fieldEqualsExactSum() throws {
  for count in [1500, 2500] {
    let points = clumpedPoints(count: count, extent: 60, seed: 12)
    let box = BoundingBox(points, count: count)
    let field = ReferenceField(points, box: box, pool: ThreadPool(threads: 2))
    var (difference, size) = (0.0, 0.0)
    for s in stride(from: 0, to: count, by: 10) {
      let place = SIMD2(points[2 * s] * 0.9, points[2 * s + 1] * 0.9)
      let found = field.at(place)
      var force = SIMD2<Double>.zero
      var z = 0.0
      for j in 0..<count {
        let d = SIMD2(Double(place.x - points[2 * j]), Double(place.y - points[2 * j + 1]))
        let w = 1 / (1 + (d * d).sum())
        z += w
        force += w * w * d
      }
      #expect(abs(Double(found.z) - z) < 1e-2 * z)
      let d = SIMD2<Double>(found.force) - force
      difference += (d * d).sum()
      size += (force * force).sum()
    }
    #expect((difference / size).squareRoot() < 0.01)
  }
}

@Test("neighbours among other rows are those of the definition", .computing)
func referenceNeighborsAreExact() throws {
  let (reference, new) = (try clusteredRows(700, 9, seed: 2), try clusteredRows(40, 9, seed: 3))
  for metric in [Metric.euclidean, .sqeuclidean, .cosine, .correlation, .manhattan] {
    let graph = try ReferenceSearch(metric: metric, k: 12, threads: 2).run(
      new, among: reference, token: CancellationToken())
    for row in 0..<40 {
      let expected = (0..<700).map { j in
        distance(metric, new.values[row * 9..<row * 9 + 9], reference.values[j * 9..<j * 9 + 9])
      }
      let sorted = expected.sorted()
      for place in 0..<12 {
        let found = row * 12 + place
        #expect(abs(expected[Int(graph.indices[found])] - sorted[place]) < 1e-4 * (1 + sorted[place]))
        #expect(abs(Double(graph.distances[found]) - sorted[place]) < 1e-4 * (1 + sorted[place]))
      }
    }
  }
}

private func distance(_ metric: Metric, _ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
  var (u, v) = (a.map(Double.init), b.map(Double.init))
  if metric == .correlation {
    let (mu, mv) = (u.reduce(0, +) / Double(u.count), v.reduce(0, +) / Double(v.count))
    u = u.map { $0 - mu }
    v = v.map { $0 - mv }
  }
  let pairs = zip(u, v)
  switch metric {
  case .manhattan: return pairs.reduce(0) { $0 + abs($1.0 - $1.1) }
  case .euclidean: return pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  case .sqeuclidean: return pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  default:
    let dot = pairs.reduce(0) { $0 + $1.0 * $1.1 }
    return 1 - dot / (u.reduce(0) { $0 + $1 * $1 } * v.reduce(0) { $0 + $1 * $1 }).squareRoot()
  }
}

@Test("what cannot be placed is said: other columns, unknown neighbours, impossible parameters", .computing)
func badPlacements() async throws {
  var parameters = TSNEParameters(threads: 1)
  parameters.iterations = 10
  let layout = try await TSNERun(try clusteredRows(50), parameters: parameters).layout()
  let error = await #expect(throws: TSNEError.self) { try await layout.transform(clusteredRows(5, 7)) }
  #expect(error?.description.contains("7 columns") == true)
  let token = CancellationToken()
  let placement = try TSNEPlacement(reference: layout.positions, threads: 1, token: token)
  let unknown = NeighborGraph(count: 1, k: 1, indices: [50], distances: [1], recall: 1)
  #expect(throws: TSNEError.self) { try placement.place(neighbors: unknown, token: token) }
  var impossible = TSNEPlacement.Parameters()
  impossible.learningRate = -1
  #expect(impossible.problem?.description.contains("learning rate") == true)
  #expect(throws: TSNEError.self) { try TSNEPlacement(reference: [.nan, 0], threads: 1, token: token) }
}
