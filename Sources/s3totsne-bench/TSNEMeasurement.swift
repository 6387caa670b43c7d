import Neighbors
import Numerics
import TSNE

/// What one run of t-SNE took, and how good the layout is.
struct TSNEMeasurement: Encodable {
  /// By stage: neighbours, affinities, layout, total.
  var seconds: [String: Double]
  var usage: Usage
  var klDivergence: Double
  var neighbourRecall: Double
  var iterations: Int
  var positions: [Float]

  enum CodingKeys: String, CodingKey {
    case seconds, usage, iterations
    case klDivergence = "kl_divergence"
    case neighbourRecall = "neighbour_recall"
  }
}

/// A place on the way: how good the layout was after how long.
struct TSNEMilestone: Encodable {
  var iteration: Int
  /// Neighbours and affinities included.
  var seconds: Double
  var klDivergence: Double

  enum CodingKeys: String, CodingKey {
    case iteration, seconds
    case klDivergence = "kl_divergence"
  }
}

/// t-SNE as the program runs it, measured.
struct TSNEBenchmark {
  var metric: Metric
  var parameters: TSNEParameters

  /// Runs from rows in memory to positions in memory, as the peers are timed.
  func measure(_ rows: some FeatureRows) throws -> TSNEMeasurement {
    let (result, usage) = try Usage.measure { try run(rows) { _, _, _ in } }
    return TSNEMeasurement(
      seconds: result.seconds, usage: usage, klDivergence: result.klDivergence, neighbourRecall: result.recall,
      iterations: result.iterations, positions: result.positions)
  }

  /// Runs once more, and looks at the divergence every `period` iterations and at the end; the time that this takes does
  /// not count.
  func milestones(_ rows: some FeatureRows, every period: Int) throws -> [TSNEMilestone] {
    var milestones: [TSNEMilestone] = []
    var watching = Duration.zero
    _ = try run(rows) { optimizer, passed, clock in
      guard optimizer.iteration % period == 0 || optimizer.isFinished else { return }
      let begin = clock.now
      milestones.append(
        TSNEMilestone(
          iteration: optimizer.iteration, seconds: (passed - watching) / .seconds(1),
          klDivergence: optimizer.klDivergence()))
      watching += clock.now - begin
    }
    return milestones
  }

  private struct Result {
    var positions: [Float]
    var seconds: [String: Double]
    var klDivergence: Double
    var recall: Double
    var iterations: Int
  }

  private func run(
    _ rows: some FeatureRows, after: (TSNEOptimizer, _ passed: Duration, ContinuousClock) -> Void
  ) throws -> Result {
    let token = CancellationToken()
    let clock = ContinuousClock()
    let begin = clock.now
    var lap = begin
    var seconds: [String: Double] = [:]
    func end(_ stage: String) {
      let now = clock.now
      seconds[stage] = (now - lap) / .seconds(1)
      lap = now
    }
    let search = NeighborSearch(
      metric: metric, k: TSNEParameters.neighborCount(perplexity: parameters.perplexity, count: rows.rowCount),
      threads: parameters.threads, seed: parameters.seed)
    let found = try search.run(rows, token: token, progress: nil)
    end("neighbours")
    let affinities = try Affinities(
      graph: found.graph, perplexity: parameters.perplexity, threads: parameters.threads, token: token)
    end("affinities")
    let optimizer = try TSNEOptimizer(
      affinities: affinities, start: found.start, parameters: parameters, token: token)
    while !optimizer.isFinished {
      try optimizer.step()
      after(optimizer, clock.now - begin, clock)
    }
    let positions = optimizer.positions
    end("layout")
    seconds["total"] = (lap - begin) / .seconds(1)
    return Result(
      positions: positions, seconds: seconds, klDivergence: optimizer.klDivergence(), recall: found.graph.recall,
      iterations: optimizer.iteration)
  }
}
