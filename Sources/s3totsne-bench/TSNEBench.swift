import ArgumentParser
import Foundation
import Neighbors
import Numerics
import TSNE

/// t-SNE of one matrix: seconds by stage and the KL divergence, as JSON.
struct TSNEBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tsne", abstract: "Times t-SNE on a float32 NPY matrix and prints JSON.")

  @Argument(help: "Features: a float32 NPY file, n × d.") var features: String
  @Argument(help: "Where to write the layout as NPY, n × 2.") var layout: String?
  @Option(help: "The distance.") var metric = "euclidean"
  @Option(help: "The perplexity.") var perplexity = 30.0
  @Option(help: "Iterations in all.") var iterations = 1000
  @Option(help: "Threads.") var threads = 2
  @Option(help: "The seed.") var seed: UInt64 = 0

  func run() throws {
    let file = try NumPyFile.read(features)
    guard let metric = Metric(rawValue: metric) else { throw ValidationError("“\(metric)” is no distance.") }
    let rows = try FloatRows(file.values, dimension: file.columns)
    var parameters = TSNEParameters(threads: threads)
    parameters.perplexity = perplexity
    parameters.iterations = iterations
    parameters.seed = seed
    let token = CancellationToken()
    let clock = ContinuousClock()
    var seconds: [String: Double] = [:]
    var lap = clock.now
    func stage(_ name: String) {
      seconds[name] = (clock.now - lap) / .seconds(1)
      lap = clock.now
    }
    let k = TSNEParameters.neighborCount(perplexity: perplexity, count: rows.rowCount)
    let found = try NeighborSearch(metric: metric, k: k, threads: threads, seed: seed).run(
      rows, token: token, progress: nil)
    stage("neighbours")
    let affinities = try Affinities(graph: found.graph, perplexity: perplexity, threads: threads, token: token)
    stage("affinities")
    let optimizer = try TSNEOptimizer(
      affinities: affinities, start: found.start, parameters: parameters, token: token)
    while !optimizer.isFinished { try optimizer.step() }
    stage("layout")
    seconds["total"] = seconds.values.reduce(0, +)
    let divergence = optimizer.klDivergence()
    if let layout { try NumPyFile.write(optimizer.positions, columns: 2, to: layout) }
    let report = TSNEReport(
      n: rows.rowCount, d: rows.dimension, seconds: seconds, klDivergence: divergence,
      iterations: optimizer.iteration, simd: SIMDLevel.chosen.rawValue, notes: found.notes)
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys]
    print(String(decoding: try encoder.encode(report), as: UTF8.self))
  }
}

private struct TSNEReport: Encodable {
  let n, d: Int
  let seconds: [String: Double]
  let klDivergence: Double
  let iterations: Int
  let simd: String
  let notes: [String]
}
