import Numerics
import Testing

import struct TestSupport.Computing

/// Rows that vary by 10, 5 and 1 along three fixed directions and by 0.1 along the rest.
private func stretchedRows(_ count: Int, _ dimension: Int, offset: Float = 0) throws -> FloatRows {
  var random = SplitMix64(seed: 21)
  var values: [Float] = []
  for _ in 0..<count {
    for column in 0..<dimension {
      let scale = column == dimension - 1 ? 10 : column == 0 ? 5 : column == 3 ? 1 : 0.1
      values.append(Float(random.normal() * scale) + offset)
    }
  }
  return try FloatRows(values, dimension: dimension)
}

@Test("the components point where the rows vary, short and long rows alike", .computing, arguments: [20, 1500])
func componentsFollowVariance(dimension: Int) throws {
  let rows = try stretchedRows(600, dimension, offset: 40)
  let found = try PrincipalComponents(
    of: rows, wanted: 3, centered: true, pool: ThreadPool(threads: 2), seed: 0, token: CancellationToken())
  #expect(found.count == 3)
  // The largest value of each is positive: the sign is fixed.
  #expect(found.components[dimension - 1] > 0.99)
  #expect(found.components[dimension] > 0.99)
  #expect(found.components[2 * dimension + 3] > 0.9)
}

@Test("the projection keeps distances when all components are kept", .computing)
func projectionKeepsDistances() throws {
  let rows = try stretchedRows(40, 12)
  let pool = ThreadPool(threads: 2)
  let found = try PrincipalComponents(
    of: rows, wanted: 12, centered: false, pool: pool, seed: 0, token: CancellationToken())
  let projected = try found.project(rows, pool: pool, token: CancellationToken())
  for (a, b) in [(0, 1), (5, 30), (12, 39)] {
    func square(_ values: [Float], _ d: Int) -> Float {
      (0..<d).reduce(0) { $0 + (values[a * d + $1] - values[b * d + $1]) * (values[a * d + $1] - values[b * d + $1]) }
    }
    #expect(abs(square(projected, 12) - square(rows.values, 12)) < 1e-3 * square(rows.values, 12))
  }
}

@Test("components have the same bits at any number of threads", .computing, arguments: [30, 1100])
func componentsIgnoreThreads(dimension: Int) throws {
  let rows = try stretchedRows(2000, dimension)
  let token = CancellationToken()
  let one = try PrincipalComponents(
    of: rows, wanted: 10, centered: true, pool: ThreadPool(threads: 1), seed: 4, token: token)
  let expected = try one.project(rows, pool: ThreadPool(threads: 1), token: token)
  for threads in [2, 3, 8] {
    let pool = ThreadPool(threads: threads)
    let other = try PrincipalComponents(of: rows, wanted: 10, centered: true, pool: pool, seed: 4, token: token)
    #expect(other.components == one.components)
    let projected = try other.project(rows, pool: pool, token: token)
    #expect(projected == expected)
  }
}

@Test("fewer rows than components give as many as there are rows", .computing)
func fewRowsFewComponents() throws {
  let rows = try stretchedRows(4, 2000)
  let found = try PrincipalComponents(
    of: rows, wanted: 50, centered: true, pool: ThreadPool(threads: 1), seed: 0, token: CancellationToken())
  #expect(found.count == 4)
  #expect(found.components.allSatisfy { $0.isFinite })
}

@Test("eigenvalues and vectors of a small symmetric matrix", .computing)
func eigenvalues() {
  let (values, vectors) = symmetricEigenvalues([2, 1, 0, 1, 2, 0, 0, 0, 5], size: 3)
  #expect(zip(values, [5, 3, 1]).allSatisfy { abs($0 - $1) < 1e-12 })
  #expect(abs(abs(vectors[2]) - 1) < 1e-12)
  #expect(abs(vectors[3] - vectors[4]) < 1e-12)
}

@Test("cancelling ends the search for components", .computing)
func componentsCancel() throws {
  let token = CancellationToken()
  token.cancel()
  let rows = try stretchedRows(100, 5)
  #expect(throws: CancellationError.self) {
    try PrincipalComponents(
      of: rows, wanted: 2, centered: true, pool: ThreadPool(threads: 2), seed: 0, token: token)
  }
}
