import Neighbors
import Numerics
import TSNE

/// t-SNE of one matrix, from its rows to positions.
struct Embedding {
  /// What came out.
  struct Result {
    /// x and y of each row.
    var positions: [Float]
    /// Iterations that were done.
    var iterations: Int
    var klDivergence: Double
    var recall: Double
    /// What the number of rows allowed.
    var perplexity: Double
    /// What a person should know.
    var notes: [String]
  }

  var parameters: TSNEParameters
  var metric: Metric
  var reducedDimension: Int?
  var metricParameters = MetricParameters()

  init(parameters: TSNEParameters, metric: Metric, reducedDimension: Int?) {
    self.parameters = parameters
    self.metric = metric
    self.reducedDimension = reducedDimension
  }

  /// Runs all stages. Blocks, and computes on the calling thread and others.
  /// - Parameters:
  ///   - token: Ends the search for neighbours at once with a `CancellationError`, and the layout after the iteration in hand
  ///     with what is there.
  ///   - clock: Is told the end of each stage.
  ///   - progress: Is told how far the stages are.
  func run(
    _ rows: some FeatureRows, token: CancellationToken, clock: StageClock, progress: TerminalProgress
  ) throws -> Result {
    let n = rows.rowCount
    let threads = parameters.threads
    let search = NeighborSearch(
      metric: metric, k: TSNEParameters.neighborCount(perplexity: parameters.perplexity, count: n), threads: threads,
      seed: parameters.seed, reducedDimension: reducedDimension, parameters: metricParameters)
    let searching = clock.remainingTime()
    let found = try search.run(
      rows, token: token,
      progress: { share in
        progress.show(stage: "neighbours", fraction: share) {
          "Searching neighbours of \(n) rows" + searching.text(share)
        }
      }, announce: { progress.note($0) })
    clock.end("neighbours")

    progress.show(stage: "affinities", fraction: nil) { "Weighing neighbours" }
    let affinities = try Affinities(
      graph: found.graph, perplexity: parameters.perplexity, threads: threads, token: token)
    clock.end("affinities")

    // The optimizer's own token stays unused, so that an interrupted layout ends with a whole iteration and its divergence.
    let optimizer = try TSNEOptimizer(
      affinities: affinities, start: positions(found.start, graph: found.graph), parameters: parameters,
      token: CancellationToken())
    let layingOut = clock.remainingTime()
    while !optimizer.isFinished, !token.isCancelled {
      let share = Double(optimizer.iteration) / Double(parameters.iterations)
      progress.show(stage: "layout", fraction: share) {
        "Laying out: iteration \(optimizer.iteration) of \(parameters.iterations)" + layingOut.text(share)
      }
      try optimizer.step()
    }
    let divergence = optimizer.klDivergence()
    clock.end("layout")
    return Result(
      positions: optimizer.positions, iterations: optimizer.iteration, klDivergence: divergence,
      recall: found.graph.recall,
      perplexity: TSNEParameters.effectivePerplexity(requested: parameters.perplexity, count: n),
      notes: found.notes + [parameters.perplexityNote(count: n)].compactMap { $0 })
  }

  private func positions(_ principal: [Float], graph: NeighborGraph) -> [Float] {
    switch parameters.start {
    case .positions(let given): return given
    // Without any spread the start is the layout, a plain grid.
    case _ where !graph.hasSpread: return principal
    case .principalComponents: return principal
    case .random:
      // As `TSNERun` begins.
      var random = SplitMix64(seed: parameters.seed ^ 0x524e_444d)
      return principal.map { _ in Float(1e-4 * random.normal()) }
    }
  }
}
