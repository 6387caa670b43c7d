import Numerics
import Testing

import struct TestSupport.Computing

@testable import TSNE

/// Points in a few clumps of different density, as layouts have them, about `extent` wide.
func clumpedPoints(count: Int, extent: Double, seed: UInt64) -> [Float] {
  var random = SplitMix64(seed: seed)
  let centers = (0..<12).map { _ in (random.uniform() - 0.5, random.uniform() - 0.5, 0.02 + 0.1 * random.uniform()) }
  return (0..<count).flatMap { _ in
    let (x, y, width) = centers[Int(random.next() % 12)]
    return [Float((x + width * random.normal()) * extent), Float((y + width * random.normal()) * extent)]
  }
}

struct Forces {
  var z: Double
  var values: [Float]

  init(_ repulsion: any Repulsion, _ positions: [Float], threads: Int = 2) throws {
    let count = positions.count / 2
    var forces = [Float](repeating: .nan, count: 2 * count)
    let bounds = BoundingBox(positions, count: count)
    z = try forces.withUnsafeMutableBufferPointer { forces in
      try #require(forces.baseAddress != nil)
      return try repulsion.compute(
        positions, bounds: bounds, forces: forces.baseAddress!, pool: ThreadPool(threads: threads),
        token: CancellationToken())
    }
    values = forces
  }

  /// Root mean square of the difference, relative to that of the other.
  func error(against other: Forces) -> Double {
    var difference = 0.0
    var size = 0.0
    for (a, b) in zip(values, other.values) {
      difference += Double(a - b) * Double(a - b)
      size += Double(b) * Double(b)
    }
    return (difference / size).squareRoot()
  }
}

@Test(
  "the grid's repulsion equals the exact sum within 1 % at every size of the layout", .computing,
  arguments: [2e-4, 1e-2, 1, 7, 9, 20, 60, 150, 400, 3000])
func gridEqualsExact(extent: Double) throws {
  let points = clumpedPoints(count: 5000, extent: extent, seed: 3)
  let exact = try Forces(ExactRepulsion(count: 5000), points)
  let grid = try Forces(GridRepulsion(count: 5000), points)
  #expect(grid.error(against: exact) < 0.01)
  #expect(abs(grid.z - exact.z) < 1e-3 * exact.z)
}

@Test("exact repulsion equals the sums of the definition", .computing)
func exactEqualsDefinition() throws {
  let points = clumpedPoints(count: 301, extent: 30, seed: 4)
  let exact = try Forces(ExactRepulsion(count: 301), points)
  var z = 0.0
  for i in 0..<301 {
    var force = (0.0, 0.0)
    for j in 0..<301 where j != i {
      let (dx, dy) = (Double(points[2 * i] - points[2 * j]), Double(points[2 * i + 1] - points[2 * j + 1]))
      let w = 1 / (1 + dx * dx + dy * dy)
      z += w
      force = (force.0 + dx * w * w, force.1 + dy * w * w)
    }
    #expect(abs(Double(exact.values[2 * i]) - force.0) < 1e-4)
    #expect(abs(Double(exact.values[2 * i + 1]) - force.1) < 1e-4)
  }
  #expect(abs(exact.z - z) < 1e-5 * z)
}

@Test("repulsion has the same bits at 1, 2, 3 and 8 threads", .computing, arguments: [0.01, 20, 150])
func repulsionIgnoresThreads(extent: Double) throws {
  let points = clumpedPoints(count: 9000, extent: extent, seed: 5)
  let one = try Forces(GridRepulsion(count: 9000), points, threads: 1)
  for threads in [2, 3, 8] {
    let other = try Forces(GridRepulsion(count: 9000), points, threads: threads)
    #expect(other.z == one.z)
    #expect(other.values == one.values)
  }
}

@Test("a grid that was used for other layouts before gives the same bits as a new one", .computing)
func gridHasNoMemory() throws {
  let used = GridRepulsion(count: 4000)
  for extent in [0.01, 5, 300, 40] {
    _ = try Forces(used, clumpedPoints(count: 4000, extent: extent, seed: 6))
    used.completeStep()
    used.restart()
  }
  let points = clumpedPoints(count: 4000, extent: 90, seed: 7)
  let again = try Forces(used, points)
  let new = try Forces(GridRepulsion(count: 4000), points)
  #expect(again.values == new.values && again.z == new.z)
}

@Test(
  "one far outlier and a thousand equal points leave the grid's repulsion finite and near the exact one", .computing)
func gridBearsOutliers() throws {
  var points = clumpedPoints(count: 4000, extent: 60, seed: 8)
  for i in 0..<1000 { (points[2 * i], points[2 * i + 1]) = (3, 4) }
  points[7998] = 1e5
  let exact = try Forces(ExactRepulsion(count: 4000), points)
  let grid = try Forces(GridRepulsion(count: 4000), points)
  #expect(grid.error(against: exact) < 0.02)
  #expect(abs(grid.z - exact.z) < 1e-3 * exact.z)
}

@Test(
  "a field that serves for three steps is read where the points are, near the exact forces in all of them", .computing)
func fieldServesThreeSteps() throws {
  var points = clumpedPoints(count: 5000, extent: 60, seed: 9)
  var random = SplitMix64(seed: 10)
  let grid = GridRepulsion(count: 5000)
  for step in 0..<7 {
    let found = try Forces(grid, points)
    #expect(try Forces(grid, points).values == found.values)
    let exact = try Forces(ExactRepulsion(count: 5000), points)
    #expect(found.error(against: exact) < 0.01)
    #expect(abs(found.z - exact.z) < 1e-3 * exact.z)
    grid.completeStep()
    // Steps as of a settled layout, and one that leaves the grid.
    for i in points.indices { points[i] += Float(0.03 * random.normal()) }
    if step == 4 { points[0] += 400 }
  }
}
