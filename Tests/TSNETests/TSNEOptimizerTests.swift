import Foundation
import Neighbors
import Numerics
import Testing

import struct TestSupport.Computing

@testable import TSNE

private func optimizer(
  _ rows: FloatRows, metric: Metric = .euclidean, iterations: Int = 1000, threads: Int = 2,
  token: CancellationToken = CancellationToken()
) throws -> TSNEOptimizer {
  let found = try searched(rows, metric: metric)
  var parameters = TSNEParameters(threads: threads)
  parameters.iterations = iterations
  let affinities = try Affinities(graph: found.graph, perplexity: 30, threads: threads, token: token)
  return try TSNEOptimizer(affinities: affinities, start: found.start, parameters: parameters, token: token)
}

private func run(_ optimizer: TSNEOptimizer) throws {
  while !optimizer.isFinished { try optimizer.step() }
}

/// The share of points whose nearest other point has their label.
private func nearestLabelAccuracy(_ positions: [Float], _ labels: [Int]) -> Double {
  let right = labels.indices.filter { i in
    var best = (Float.infinity, -1)
    for j in labels.indices where j != i {
      let (dx, dy) = (positions[2 * i] - positions[2 * j], positions[2 * i + 1] - positions[2 * j + 1])
      if dx * dx + dy * dy < best.0 { best = (dx * dx + dy * dy, j) }
    }
    return labels[best.1] == labels[i]
  }
  return Double(right.count) / Double(labels.count)
}

@Test(
  "clusters stay together and the KL divergence falls", .computing, arguments: [Metric.euclidean, .cosine, .manhattan])
func clustersStayTogether(metric: Metric) throws {
  let layout = try optimizer(clusteredRows(600), metric: metric)
  while layout.iteration < 300 { try layout.step() }
  let early = layout.klDivergence()
  try run(layout)
  #expect(layout.iteration == 1000)
  #expect(layout.klDivergence() < early)
  #expect(layout.positions.allSatisfy { $0.isFinite })
  #expect(nearestLabelAccuracy(layout.positions, (0..<600).map { $0 % 5 }) > 0.99)
}

@Test("the KL divergence is that of its definition", .computing)
func divergenceEqualsDefinition() throws {
  let found = try searched(clusteredRows(200))
  let affinities = try Affinities(graph: found.graph, perplexity: 30, threads: 1, token: CancellationToken())
  var parameters = TSNEParameters(threads: 1)
  parameters.iterations = 400
  let layout = try TSNEOptimizer(
    affinities: affinities, start: found.start, parameters: parameters, token: CancellationToken())
  try run(layout)
  let y = layout.positions.map(Double.init)
  func similarity(_ i: Int, _ j: Int) -> Double {
    let (dx, dy) = (y[2 * i] - y[2 * j], y[2 * i + 1] - y[2 * j + 1])
    return 1 / (1 + dx * dx + dy * dy)
  }
  var z = 0.0
  for i in 0..<200 { for j in 0..<200 where j != i { z += similarity(i, j) } }
  var divergence = 0.0
  for i in 0..<200 {
    for e in Int(affinities.rowStart[i])..<Int(affinities.rowStart[i + 1]) where affinities.values[e] > 0 {
      let p = Double(affinities.values[e])
      divergence += p * log(p / (similarity(i, Int(affinities.columns[e])) / z))
    }
  }
  #expect(abs(layout.klDivergence() - divergence) < 1e-4)
}

@Test(
  "layouts have the same bits at 1, 2, 3 and 8 threads, on both sides of the switch to the grid", .computing,
  arguments: [TSNEOptimizer.exactLimit, TSNEOptimizer.exactLimit + 1])
func layoutIgnoresThreads(count: Int) throws {
  let rows = try clusteredRows(count)
  // Beyond 250, where the phase changes and the points are numbered anew.
  let one = try optimizer(rows, iterations: 260, threads: 1)
  try run(one)
  for threads in [2, 3, 8] {
    let other = try optimizer(rows, iterations: 260, threads: threads)
    // Looking does not disturb.
    while !other.isFinished {
      try other.step()
      if other.iteration % 100 == 0 { _ = other.klDivergence() }
    }
    #expect(other.positions == one.positions)
  }
}

@Test("exact and grid repulsion lead to equally good layouts", .computing)
func methodsAgree() throws {
  let below = try optimizer(clusteredRows(TSNEOptimizer.exactLimit))
  let above = try optimizer(clusteredRows(TSNEOptimizer.exactLimit + 1))
  try run(below)
  try run(above)
  #expect(abs(below.klDivergence() - above.klDivergence()) < 0.02 * below.klDivergence())
}

@Test(
  "any small number of points gives finite places, all different", .computing, arguments: [0, 1, 2, 3, 4, 5, 7, 12, 30])
func fewPoints(count: Int) throws {
  let layout = try optimizer(clusteredRows(count))
  try run(layout)
  let positions = layout.positions
  #expect(positions.count == 2 * count)
  #expect(positions.allSatisfy { $0.isFinite && abs($0) < 1e4 })
  #expect(Set((0..<count).map { "\(positions[2 * $0]) \(positions[2 * $0 + 1])" }).count == count)
}

@Test("identical rows stay in their grid", .computing)
func identicalRowsStay() throws {
  let rows = try FloatRows([Float](repeating: 3, count: 100 * 4), dimension: 4)
  let layout = try optimizer(rows)
  #expect(layout.isFinished)
  try layout.step()
  let found = try searched(rows)
  #expect(layout.positions == found.start)
  #expect(layout.klDivergence().isFinite)
}

@Test("many duplicates and constant columns give a finite layout", .computing, arguments: [400, 3600])
func duplicates(count: Int) throws {
  var values = try clusteredRows(count, 8).values
  for row in 0..<count {
    values[row * 8] = 1
    if row % 2 == 0 { for c in 0..<8 { values[row * 8 + c] = 2 } }
  }
  let layout = try optimizer(FloatRows(values, dimension: 8), iterations: 400)
  try run(layout)
  #expect(layout.positions.allSatisfy { $0.isFinite && abs($0) < 1e4 })
  #expect(layout.klDivergence() > 0)
}

@Test("an outlier a million away gives a finite layout", .computing)
func outlier() throws {
  var values = try clusteredRows(500, 8).values
  values[0] = 1e6
  let layout = try optimizer(FloatRows(values, dimension: 8), iterations: 500)
  try run(layout)
  #expect(layout.positions.allSatisfy { $0.isFinite && abs($0) < 1e4 })
}

@Test("a cancelled step throws and leaves the last complete layout", .computing)
func cancelledStepKeepsLayout() throws {
  let token = CancellationToken()
  let layout = try optimizer(clusteredRows(3500), iterations: 50, token: token)
  for _ in 0..<20 { try layout.step() }
  let before = layout.positions
  token.cancel()
  #expect(throws: CancellationError.self) { try layout.step() }
  #expect(layout.iteration == 20)
  #expect(layout.positions == before)
}

@Test("impossible parameters and starts are named", .computing)
func badParameters() throws {
  let found = try searched(clusteredRows(50))
  let token = CancellationToken()
  #expect(throws: TSNEError.self) {
    try Affinities(graph: found.graph, perplexity: .nan, threads: 1, token: token)
  }
  let affinities = try Affinities(graph: found.graph, perplexity: 30, threads: 1, token: token)
  #expect(throws: TSNEError.self) {
    try TSNEOptimizer(affinities: affinities, start: [0, 1], parameters: TSNEParameters(threads: 1), token: token)
  }
  var start = found.start
  start[9] = .nan
  let badStart = start
  let error = #expect(throws: TSNEError.self) {
    try TSNEOptimizer(affinities: affinities, start: badStart, parameters: TSNEParameters(threads: 1), token: token)
  }
  #expect(error?.description.contains("point 4") == true)
  var parameters = TSNEParameters(threads: 1)
  parameters.learningRate = .value(0)
  #expect(parameters.problem?.description.contains("learning rate") == true)
  parameters = TSNEParameters(threads: 1)
  parameters.earlyExaggeration = -1
  #expect(parameters.problem?.description.contains("early exaggeration") == true)
}

// The yardstick's files lie beside the repository on the machines where it is measured; elsewhere this test is skipped.
private let yardstick = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/bench/tsne/data").path
private let shared =
  [yardstick, "/work/shared/bench/tsne/data"].first { FileManager.default.fileExists(atPath: $0) } ?? yardstick

@Test(
  "2,000 digits of MNIST reach openTSNE's KL divergence and keep their labels together", .computing,
  .enabled(if: FileManager.default.fileExists(atPath: shared), "the yardstick's data is not at ../shared"))
func digitsKeepLabels() throws {
  func payload(_ name: String) throws -> Data {
    let data = try Data(contentsOf: URL(fileURLWithPath: shared + "/" + name))
    return data[(10 + Int(data[8]) + 256 * Int(data[9]))...]
  }
  let features = try payload("mnist_2000_pca50.npy").withUnsafeBytes { raw in
    (0..<2000 * 50).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
  }
  let labelData = try payload("mnist_2000_labels.npy")
  let width = labelData.count / 2000
  let labels = labelData.withUnsafeBytes { raw in
    (0..<2000).map { Int(raw.loadUnaligned(fromByteOffset: $0 * width, as: UInt8.self)) }
  }
  let layout = try optimizer(FloatRows(features, dimension: 50))
  try run(layout)
  #expect(layout.klDivergence() < 1.219)
  #expect(nearestLabelAccuracy(layout.positions, labels) > 0.9)
}
