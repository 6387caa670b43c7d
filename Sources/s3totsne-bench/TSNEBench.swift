import ArgumentParser
import Foundation
import NPY
import Neighbors
import Numerics
import TSNE

/// `s3totsne-bench tsne`: seconds by stage, memory, and the KL divergence on the way and at the end.
struct TSNEBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tsne", abstract: "Times t-SNE, from a matrix in memory to positions in memory.",
    discussion: """
      Without files it takes MNIST (50 principal components) at the sizes at which the other engines were measured, from \
      ../shared/bench/tsne/data, or clusters of its own where that is missing. The second table says what KL divergence is \
      reached when. Times count only while others use less than 0.3 processors.

      EXAMPLES
        s3totsne-bench tsne
        s3totsne-bench tsne --sizes 2000,10000 --runs 3 --json
        s3totsne-bench tsne features.npy --metric cosine --layout layout.npy
      """)

  @Argument(help: "Matrices, NPY files, instead of the usual ones.") var features: [String] = []
  @Option(help: ArgumentHelp("How many rows, with commas between.", valueName: "n,n,...")) var sizes =
    "2000,10000,30000,70000"
  @Option(help: "Where mnist_<n>_pca50.npy lie.") var data: String?
  @Flag(help: "Take clusters of its own even where MNIST is at hand.") var clusters = false
  @Option(help: "How often each is run; the tables show medians.") var runs = 1
  @Option(help: "Columns of the second table: every so many iterations; 0 leaves it out.") var every = 100
  @Option(help: "The distance.") var metric = "euclidean"
  @Option(help: "The perplexity.") var perplexity = 30.0
  @Option(help: "Iterations in all.") var iterations = 1000
  @Option(help: "Threads.") var threads = 2
  @Option(help: "The seed.") var seed: UInt64 = 0
  @Option(help: ArgumentHelp("Write the layout of the only matrix.", valueName: "file.npy")) var layout: String?
  @Flag(help: "Print one JSON object instead of tables.") var json = false

  func validate() throws {
    _ = try counts()
    if runs < 1 { throw ValidationError("--runs is \(runs); it must be at least 1.") }
    if every < 0 { throw ValidationError("--every is \(every); it must be at least 0.") }
    if Metric(rawValue: metric) == nil { throw ValidationError("“\(metric)” is no distance.") }
    if let problem = parameters.problem { throw ValidationError(problem.description) }
    if layout != nil, max(features.count, features.isEmpty ? try counts().count : 0) != 1 {
      throw ValidationError("--layout needs exactly one matrix.")
    }
  }

  private func counts() throws -> [Int] {
    let counts = sizes.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard counts.allSatisfy({ $0 > 0 }) else {
      throw ValidationError("--sizes “\(sizes)” must be numbers above 0 with commas between them.")
    }
    return counts
  }

  private var parameters: TSNEParameters {
    var parameters = TSNEParameters(threads: threads)
    parameters.perplexity = perplexity
    parameters.iterations = iterations
    parameters.seed = seed
    return parameters
  }

  func run() throws {
    let benchmark = TSNEBenchmark(metric: Metric(rawValue: metric) ?? .euclidean, parameters: parameters)
    var results: [TSNEBenchResult] = []
    if !json { print(TSNEBenchResult.heading) }
    let makers: [() throws -> BenchMatrix] =
      features.isEmpty
      ? try counts().map { count in
        {
          try clusters
            ? BenchMatrix(clusters: count, dimension: 50)
            : BenchMatrix(count: count, directory: data ?? BenchMatrix.sharedDirectory, threads: threads)
        }
      } : features.map { path in { try BenchMatrix(path: path, threads: threads) } }
    for make in makers {
      let matrix = try make()
      let result = try TSNEBenchResult(matrix, benchmark: benchmark, runs: runs, every: every)
      results.append(result)
      if !json { print(result.row) }
      if let layout, let positions = result.runs.last?.positions {
        let file = NPYArray(positions, shape: [positions.count / 2, 2]).fileBytes
        try Data(file).write(to: URL(fileURLWithPath: layout), options: .atomic)
      }
    }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      let report = TSNEBenchReport(
        metric: metric, perplexity: perplexity, iterations: iterations, threads: threads, seed: seed,
        simd: SIMDLevel.chosen.rawValue, matrices: results)
      print(String(decoding: try encoder.encode(report), as: UTF8.self))
    } else if every > 0 {
      print("\nKL divergence reached, and after how many seconds in all")
      for result in results { print(result.milestoneRow) }
    }
  }
}

/// All that was measured.
private struct TSNEBenchReport: Encodable {
  var metric: String
  var perplexity: Double
  var iterations: Int
  var threads: Int
  var seed: UInt64
  var simd: String
  var matrices: [TSNEBenchResult]
}
