import Neighbors
import Numerics

/// Where a run's affinities and start come from.
protocol RunSource: Sendable {
  /// Everything needed before points move. Blocking.
  func prepare(
    _ parameters: TSNEParameters, token: CancellationToken, progress: (@Sendable (TSNEStage, Double) -> Void)?
  ) throws -> PreparedRun
  /// Whether another perplexity gives other affinities.
  var knowsRows: Bool { get }
  /// The nearest of the source's rows to each of `rows`, for placing them. Blocking.
  func neighbors(of rows: some FeatureRows, k: Int, threads: Int, token: CancellationToken) throws -> NeighborGraph
}

/// What a layout begins with.
struct PreparedRun {
  var affinities: Affinities
  /// Along the principal components, or a plain grid if there is nothing to arrange by.
  var principalStart: [Float]
  var recall: Double
  var notes: [String]
}

/// Rows, whose neighbours are looked for.
struct RowSource<Rows: FeatureRows>: RunSource {
  let rows: Rows
  let metric: Metric
  let metricParameters: MetricParameters

  var knowsRows: Bool { true }

  func prepare(
    _ parameters: TSNEParameters, token: CancellationToken, progress: (@Sendable (TSNEStage, Double) -> Void)?
  ) throws -> PreparedRun {
    let n = rows.rowCount
    let search = NeighborSearch(
      metric: metric, k: TSNEParameters.neighborCount(perplexity: parameters.perplexity, count: n),
      threads: parameters.threads, seed: parameters.seed, parameters: metricParameters)
    let found = try search.run(rows, token: token) { share in progress?(.neighbours, share) }
    var notes = found.notes
    if let note = parameters.perplexityNote(count: n) { notes.append(note) }
    progress?(.affinities, 0)
    let affinities = try Affinities(
      graph: found.graph, perplexity: parameters.perplexity, threads: parameters.threads, token: token)
    return PreparedRun(
      affinities: affinities, principalStart: found.start, recall: found.graph.recall, notes: notes)
  }

  func neighbors(of new: some FeatureRows, k: Int, threads: Int, token: CancellationToken) throws -> NeighborGraph {
    try ReferenceSearch(metric: metric, k: k, threads: threads).run(new, among: rows, token: token)
  }
}

/// Affinities that somebody else has computed.
struct AffinitySource: RunSource {
  let affinities: Affinities
  let principalStart: [Float]

  var knowsRows: Bool { false }

  func prepare(
    _ parameters: TSNEParameters, token: CancellationToken, progress: (@Sendable (TSNEStage, Double) -> Void)?
  ) -> PreparedRun {
    PreparedRun(affinities: affinities, principalStart: principalStart, recall: 1, notes: [])
  }

  func neighbors(of rows: some FeatureRows, k: Int, threads: Int, token: CancellationToken) throws -> NeighborGraph {
    throw TSNEError.badRows(
      "The layout was made from affinities and does not know its rows; TSNEPlacement places points by neighbours of yours."
    )
  }
}

/// The thread of a run.
final class RunWorker<Source: RunSource>: Sendable {
  private let source: Source
  private let parameters: TSNEParameters
  private let snapshotInterval: Duration
  private let control: RunControl
  private let snapshots: AsyncThrowingStream<TSNESnapshot, any Error>.Continuation
  private let progress: (@Sendable (TSNEStage, Double) -> Void)?

  init(
    source: Source, parameters: TSNEParameters, snapshotInterval: Duration, control: RunControl,
    snapshots: AsyncThrowingStream<TSNESnapshot, any Error>.Continuation,
    progress: (@Sendable (TSNEStage, Double) -> Void)?
  ) {
    self.source = source
    self.parameters = parameters
    self.snapshotInterval = snapshotInterval
    self.control = control
    self.snapshots = snapshots
    self.progress = progress
  }

  /// Iterations from one KL divergence to the next: each costs about as much as an iteration.
  private static var divergencePeriod: Int { 50 }

  func run() {
    do {
      let layout = try layOut()
      control.finish(.success(layout))
      snapshots.finish()
    } catch {
      control.finish(.failure(error))
      snapshots.finish(throwing: error)
    }
  }

  private func layOut() throws -> TSNELayout {
    var prepared = try source.prepare(parameters, token: control.token, progress: progress)
    var optimizer = try TSNEOptimizer(
      affinities: prepared.affinities, start: parameters.startPositions(prepared), parameters: parameters,
      token: control.token)
    var divergence: Double?
    func show(isFinal: Bool) {
      snapshots.yield(
        TSNESnapshot(
          positions: optimizer.positions, iteration: optimizer.iteration, iterations: optimizer.parameters.iterations,
          klDivergence: divergence, isFinal: isFinal))
    }
    var shown = ContinuousClock.now
    show(isFinal: false)
    loop: while true {
      try control.token.check()
      switch control.next() {
      case .stop: break loop
      case .change(let changed):
        let before = optimizer.parameters
        if source.knowsRows, changed.perplexity != before.perplexity {
          let (positions, iteration) = (optimizer.positions, optimizer.iteration)
          prepared = try source.prepare(changed, token: control.token, progress: progress)
          optimizer = try TSNEOptimizer(
            affinities: prepared.affinities, start: positions, parameters: changed, token: control.token,
            iteration: iteration)
        } else {
          try optimizer.change(to: changed)
        }
        if case .positions(let start) = changed.start, changed.start != before.start {
          try optimizer.move(to: start)
        }
        show(isFinal: false)
      case .pause:
        show(isFinal: false)
        control.waitWhilePaused()
      case .step:
        if optimizer.isFinished { break loop }
        try optimizer.step()
        progress?(.layout, Double(optimizer.iteration) / Double(max(1, optimizer.parameters.iterations)))
        if optimizer.iteration % Self.divergencePeriod == 0 { divergence = optimizer.klDivergence() }
        if ContinuousClock.now - shown >= snapshotInterval {
          shown = ContinuousClock.now
          show(isFinal: false)
        }
      }
    }
    let last = optimizer.klDivergence()
    try control.token.check()
    divergence = last
    show(isFinal: true)
    return TSNELayout(
      positions: optimizer.positions, iteration: optimizer.iteration, klDivergence: last,
      perplexity: prepared.affinities.perplexity, neighborRecall: prepared.recall, notes: prepared.notes,
      parameters: optimizer.parameters, source: source)
  }
}

extension TSNEParameters {
  /// The start they ask for.
  func startPositions(_ prepared: PreparedRun) -> [Float] {
    let n = prepared.affinities.count
    switch start {
    case .principalComponents: return prepared.principalStart
    case .positions(let positions): return positions
    case .random:
      if !prepared.affinities.hasSpread { return prepared.principalStart }
      var random = SplitMix64(seed: seed ^ 0x524e_444d)
      return (0..<2 * n).map { _ in Float(1e-4 * random.normal()) }
    }
  }
}
