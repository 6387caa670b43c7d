import Foundation
import Neighbors
import Numerics
import Testing

import struct TestSupport.Computing

@testable import TSNE

// Each test is a failure that users of other engines reported (../shared/reference/tsne.md).

private func layout(
  _ rows: FloatRows, iterations: Int = 400, _ change: (inout TSNEParameters) -> Void = { _ in }
) throws -> TSNEOptimizer {
  var parameters = TSNEParameters(threads: 2)
  parameters.iterations = iterations
  change(&parameters)
  let found = try searched(rows, perplexity: parameters.perplexity)
  let token = CancellationToken()
  let affinities = try Affinities(graph: found.graph, perplexity: parameters.perplexity, threads: 2, token: token)
  let optimizer = try TSNEOptimizer(affinities: affinities, start: found.start, parameters: parameters, token: token)
  while !optimizer.isFinished { try optimizer.step() }
  return optimizer
}

private func isSane(_ positions: [Float], within limit: Float = 1e4) -> Bool {
  positions.allSatisfy { $0.isFinite && abs($0) < limit }
}

private func extent(_ positions: [Float]) -> Float { positions.reduce(0) { max($0, abs($1)) } }

@Test(
  "few points and noise, which exaggeration draws onto one place, unfold into two dimensions", .computing,
  arguments: [3, 5, 10, 40, 200])
func collapsedUnfold(count: Int) throws {
  var random = SplitMix64(seed: UInt64(count))
  let rows = try FloatRows((0..<count * 10).map { _ in Float(random.normal()) }, dimension: 10)
  let collapsed = try layout(rows, iterations: 249)
  try #require(extent(collapsed.positions) < 1e-6)
  let positions = try layout(rows, iterations: 1000).positions
  for c in 0..<2 {
    let values = stride(from: c, to: 2 * count, by: 2).map { positions[$0] }
    // Three may be a chain, which is best laid out along a line.
    #expect(count == 3 || values.max()! - values.min()! > 1)
  }
  for i in 0..<count {
    for j in 0..<i {
      #expect(hypot(positions[2 * i] - positions[2 * j], positions[2 * i + 1] - positions[2 * j + 1]) > 0.01)
    }
  }
}

@Test(
  "duplicates neither exhaust memory nor collapse the layout to a dot (openTSNE #180, #233)", .computing,
  arguments: [50, TSNEOptimizer.exactLimit + 100])
func duplicatesDoNotCollapse(count: Int) throws {
  var values = try clusteredRows(count, 6).values
  for row in 0..<count where row % 4 != 0 { for c in 0..<6 { values[row * 6 + c] = values[(row % 3) * 6 + c] } }
  let found = try layout(FloatRows(values, dimension: 6))
  #expect(isSane(found.positions))
  #expect(extent(found.positions) > 1)
  #expect(found.klDivergence() > 0)
}

@Test("a row is no neighbour of itself, not even among duplicates (tsne-h2pack 3.1.1)", .computing)
func selfIsNoNeighbour() throws {
  let values = (0..<200).flatMap { row -> [Float] in [Float(row % 5), Float(row % 2), 1] }
  let graph = try searched(FloatRows(values, dimension: 3)).graph
  for row in 0..<200 { for j in 0..<graph.k { #expect(graph.indices[row * graph.k + j] != Int32(row)) } }
}

@Test(
  "constant columns, before and after principal components, give finite layouts (scikit-learn #29127)", .computing,
  arguments: [5, 60])
func constantColumns(dimension: Int) throws {
  var values = try clusteredRows(300, dimension).values
  for row in 0..<300 { for c in 0..<dimension where c % 3 != 0 { values[row * dimension + c] = 7 } }
  #expect(isSane(try layout(FloatRows(values, dimension: dimension)).positions))
}

@Test("one varying column gives a finite layout in two dimensions", .computing)
func oneVaryingColumn() throws {
  let values = (0..<300).flatMap { row -> [Float] in [Float(row), 2, 3] }
  let positions = try layout(FloatRows(values, dimension: 3)).positions
  #expect(isSane(positions) && extent(positions) > 1)
}

@Test(
  "a perplexity that the points do not allow is lowered, whatever their number (FIt-SNE #123, Rtsne #28)", .computing,
  arguments: [4, 31, 81])
func perplexityIsLoweredNotRefused(count: Int) throws {
  let found = try layout(clusteredRows(count), iterations: 300) { $0.perplexity = 1000 }
  #expect(isSane(found.positions))
  var parameters = TSNEParameters(threads: 1)
  parameters.perplexity = 1000
  let note = try #require(parameters.perplexityNote(count: count))
  #expect(note.contains("from 1000") && note.contains("\(count) points"))
  parameters.perplexity = 1
  #expect(parameters.perplexityNote(count: count) == nil)
}

@Test(
  "high exaggeration and wild learning rates do not throw points off the map (openTSNE #132, FIt-SNE #93)", .computing,
  arguments: [200, TSNEOptimizer.exactLimit + 1])
func pointsDoNotShootOff(count: Int) throws {
  let rows = try clusteredRows(count)
  let exaggerated = try layout(rows, iterations: 300) {
    $0.earlyExaggeration = 100
    $0.earlyIterations = 300
  }
  #expect(isSane(exaggerated.positions, within: 1e3))
  let wild = try layout(rows, iterations: 60) { $0.learningRate = .value(1e9) }
  // 60 steps of at most 5.
  #expect(isSane(wild.positions, within: 60 * 5 * 1.5))
}

@Test("no stop before the last iteration, converged or not (scikit-learn #24776)", .computing)
func noEarlyStop() throws {
  #expect(try layout(clusteredRows(60), iterations: 3000).iteration == 3000)
}

@Test(
  "the grid is bounded and its transforms are quick lengths, however wide the layout (FIt-SNE #10, openTSNE #174)",
  .computing)
func gridIsBounded() {
  for extent in [1e-6, 1, 37, 111, 1234, 54321, 1e6, 1e9] as [Float] {
    var box = BoundingBox()
    (box.minX, box.maxX, box.minY, box.maxY) = (0, extent, 0, extent / 3)
    for count in [3001, 70_000, 1_000_000] {
      for density in [1e-9, 1, 1e4] {
        let choice = GridChoice(bounds: box, count: count, density: density)
        let columns = ConvolutionKernel.transformLength(2 * choice.columns)
        let rows = ConvolutionKernel.transformLength(2 * choice.rows)
        #expect(columns * rows <= 1 << 25)
        for length in [columns, rows] {
          var rest = length
          for factor in [2, 3, 5] { while rest % factor == 0 { rest /= factor } }
          #expect(rest == 1)
        }
      }
    }
  }
}

@Test("rows of edges may begin beyond the four-billionth entry (FIt-SNE #120)", .computing)
func rowsBeyondFourBillion() {
  let offset = 5 << 30
  let y: [Float] = [0, 0, 1, 0, 0, 2, 3, 1]
  let words = [EdgeWord.pack(from: 0, to: 1, 0.125), EdgeWord.pack(from: 0, to: 2, 0.25)]
  let start = [UInt64(offset), UInt64(offset + 2)]
  let farStart = [UInt64(offset), UInt64(offset + 1)]
  var forces: [Float] = [0, 0]
  words.withUnsafeBufferPointer { words in
    [UInt32(3)].withUnsafeBufferPointer { columns in
      [Float(0.5)].withUnsafeBufferPointer { values in
        guard let word = words.baseAddress, let column = columns.baseAddress, let value = values.baseAddress else {
          return
        }
        let edges = EdgePointers(
          wordStart: start, words: word - offset, farStart: farStart, farColumns: column - offset,
          farValues: value - offset)
        SIMDKernels.chosen.attraction(edges, rows: 0..<1, positions: y, into: &forces)
      }
    }
  }
  let expected = [-0.125 / 2 - 1.5 / 11, -0.5 / 5 - 0.5 / 11]
  #expect(abs(Double(forces[0]) - expected[0]) < 1e-5 && abs(Double(forces[1]) - expected[1]) < 1e-5)
}

@Test("an edge in a word keeps its point, and its weight within 0.1 %", .computing)
func edgeWordsKeepTheirEdge() {
  for (row, column) in [(0, 1), (40_000, 7_232), (7_232, 39_999), (5_000_000, 4_967_232), (3, 3)] {
    #expect(EdgeWord.reaches(from: row, to: column))
    for weight in [1, 0.5, 1.234e-3, 7.7e-8, 3.1e-20] as [Float] {
      let word = EdgeWord.pack(from: row, to: column, weight)
      #expect(EdgeWord.column(word, from: row) == column)
      #expect(abs(EdgeWord.weight(word) - weight) <= 1e-3 * weight)
    }
  }
  #expect(!EdgeWord.reaches(from: 0, to: 32_768) && !EdgeWord.reaches(from: 32_769, to: 0))
  #expect(EdgeWord.weight(0) == 0)
}

@Test("attraction is the sum of its definition, for near and far numbers, whatever the order of the points", .computing)
func attractionEqualsDefinition() throws {
  // So many points that some edges do not fit into words.
  let count = 40_000
  var random = SplitMix64(seed: 51)
  let points = (0..<2 * count).map { _ in Float(10 * random.normal()) }
  let k = 7
  let indices = (0..<count).flatMap { row in
    (1...k).map { j in Int32((row + (j < 4 ? j : j * 5_000)) % count) }
  }
  let graph = NeighborGraph(
    count: count, k: k, indices: indices, distances: (0..<count * k).map { Float(1 + $0 % k) }, recall: 1)
  let token = CancellationToken()
  let pool = ThreadPool(threads: 2)
  let affinities = try Affinities(graph: graph, perplexity: 3, threads: 2, token: token)
  let attraction = try Attraction(affinities, order: Array(0..<Int32(count)), pool: pool, token: token)
  #expect(abs(attraction.weightSum - 1) < 1e-3)
  func forces(_ places: [Float]) throws -> [Float] {
    var forces = [Float](repeating: .nan, count: 2 * count)
    try forces.withUnsafeMutableBufferPointer {
      try attraction.compute(places, forces: #require($0.baseAddress), pool: pool, token: token)
    }
    return forces
  }
  let found = try forces(points)
  let order = (0..<Int32(count)).shuffled(using: &random)
  try attraction.renumber(order, pool: pool, token: token)
  let again = try forces(order.flatMap { [points[2 * Int($0)], points[2 * Int($0) + 1]] })
  // Renumbering that is cancelled leaves the edges as they are.
  let cancelled = CancellationToken()
  cancelled.cancel()
  #expect(throws: CancellationError.self) { try attraction.renumber(order, pool: pool, token: cancelled) }
  #expect(throws: CancellationError.self) {
    try Attraction(affinities, order: order, pool: pool, token: cancelled)
  }
  #expect(try forces(order.flatMap { [points[2 * Int($0)], points[2 * Int($0) + 1]] }) == again)
  for (place, row) in order.enumerated() where row % 100 == 0 {
    let i = Int(row)
    var sum = SIMD2<Double>.zero
    for e in Int(affinities.rowStart[i])..<Int(affinities.rowStart[i + 1]) {
      let j = Int(affinities.columns[e])
      let d = SIMD2(Double(points[2 * i] - points[2 * j]), Double(points[2 * i + 1] - points[2 * j + 1]))
      sum += Double(affinities.values[e]) / (1 + (d * d).sum()) * d
    }
    let size = (sum * sum).sum().squareRoot() + 1e-7
    for result in [SIMD2(found[2 * i], found[2 * i + 1]), SIMD2(again[2 * place], again[2 * place + 1])] {
      let d = SIMD2<Double>(result) - sum
      #expect((d * d).sum().squareRoot() < 5e-3 * size)
    }
  }
}

@Test(
  "an outlier a million away gives a finite layout with the others unharmed", .computing,
  arguments: [TSNEOptimizer.exactLimit, TSNEOptimizer.exactLimit + 1])
func outlierLeavesOthersUnharmed(count: Int) throws {
  var values = try clusteredRows(count, 8).values
  values[0] = 1e6
  let positions = try layout(FloatRows(values, dimension: 8), iterations: 400).positions
  #expect(isSane(positions))
  // The others' clusters are apart.
  let labels = (0..<count).map { $0 % 5 }
  var right = 0
  let sample = stride(from: 1, to: count, by: count / 200)
  for i in sample {
    var best = (Float.infinity, -1)
    for j in 1..<count where j != i {
      let (dx, dy) = (positions[2 * i] - positions[2 * j], positions[2 * i + 1] - positions[2 * j + 1])
      if dx * dx + dy * dy < best.0 { best = (dx * dx + dy * dy, j) }
    }
    if labels[best.1] == labels[i] { right += 1 }
  }
  #expect(Double(right) > 0.97 * Double(Array(sample).count))
}

@Test("what is wrong with the input is named: row, column, parameter", .computing)
func badInputIsNamed() throws {
  let bad = #expect(throws: FeatureRowsError.self) { try FloatRows([1, 2, 3, .nan, 5, 6], dimension: 2) }
  #expect(bad?.description.contains("row 1, column 1") == true)
  let infinite = #expect(throws: FeatureRowsError.self) { try FloatRows([1, 2, -.infinity, 4], dimension: 2) }
  #expect(infinite?.description.contains("row 1, column 0") == true)
  let ragged = #expect(throws: FeatureRowsError.self) { try FloatRows([1, 2, 3], dimension: 2) }
  #expect(ragged?.description.contains("ragged") == true)
  let changes: [(String, (inout TSNEParameters) -> Void)] = [
    ("perplexity", { $0.perplexity = 0.5 }), ("early exaggeration", { $0.earlyExaggeration = .infinity }),
    ("late exaggeration", { $0.lateExaggeration = 0 }), ("learning rate", { $0.learningRate = .value(-1) }),
    ("momentum", { $0.momentum = 1 }), ("number of iterations", { $0.iterations = -1 }),
    ("exaggerated iterations", { $0.earlyIterations = -1 }), ("threads", { $0.threads = 0 }),
    ("start of point 1", { $0.start = .positions([0, 0, .nan, 0]) }),
  ]
  for (name, change) in changes {
    var parameters = TSNEParameters(threads: 1)
    change(&parameters)
    #expect(parameters.problem?.description.contains(name) == true)
    #expect(throws: TSNEError.self) { try TSNERun(clusteredRows(10), parameters: parameters) }
  }
}
