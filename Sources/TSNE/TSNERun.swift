public import Dispatch
public import Neighbors
public import Numerics

/// A layout in the making, step by step: an asynchronous sequence of snapshots that can be watched, paused, changed, stopped
/// and cancelled from any task or thread.
///
///     let rows = try FloatRows(values, dimension: 50)
///     let run = try TSNERun(rows, metric: .cosine)
///     for try await snapshot in run { draw(snapshot.positions) }
///     let layout = try await run.layout()
///
/// It begins at once, on a queue of its own, and ends when all iterations are done, after `stop()`, or after `cancel()`; also
/// when the task that waits for a snapshot or for `layout()` is cancelled, and when nobody holds it any more. One loop may
/// watch it; a slow one is shown the newest snapshot, and leaving the loop does not stop the run.
public final class TSNERun: AsyncSequence, Sendable {
  public typealias Element = TSNESnapshot
  public typealias Failure = any Error
  /// Hands out snapshots as they come.
  public typealias AsyncIterator = AsyncThrowingStream<TSNESnapshot, any Error>.Iterator

  private let control: RunControl
  private let snapshots: AsyncThrowingStream<TSNESnapshot, any Error>

  /// Lays out rows: neighbours, affinities, layout.
  /// - Parameters:
  ///   - rows: One row a point. Kept while the run lasts.
  ///   - metric: The distance of two rows.
  ///   - metricParameters: What some distances need beside the rows.
  ///   - parameters: What a person can choose.
  ///   - snapshotInterval: The least time between two snapshots.
  ///   - qos: The priority of the work. On Linux `.background` yields to everything else.
  ///   - progress: Is told each stage and its share that is done, from any thread.
  /// - Throws: `TSNEError` for impossible parameters. What is wrong with the rows is thrown by the sequence and `layout()`:
  ///   `FeatureRowsError`, `NeighborSearchError`.
  public convenience init(
    _ rows: some FeatureRows, metric: Metric = .euclidean, metricParameters: MetricParameters = MetricParameters(),
    parameters: TSNEParameters = TSNEParameters(), snapshotInterval: Duration = .milliseconds(33),
    qos: DispatchQoS = .userInitiated, progress: (@Sendable (TSNEStage, Double) -> Void)? = nil
  ) throws(TSNEError) {
    let source = RowSource(rows: rows, metric: metric, metricParameters: metricParameters)
    try self.init(
      source: source, parameters: parameters, snapshotInterval: snapshotInterval, qos: qos, progress: progress)
  }

  /// Lays out points whose affinities are known, from the start in the parameters, or from `principalStart` where they ask for
  /// principal components, which affinities do not know. A later change of the perplexity has no effect.
  /// - Throws: `TSNEError` for impossible parameters.
  public convenience init(
    affinities: Affinities, principalStart: [Float], parameters: TSNEParameters = TSNEParameters(),
    snapshotInterval: Duration = .milliseconds(33), qos: DispatchQoS = .userInitiated,
    progress: (@Sendable (TSNEStage, Double) -> Void)? = nil
  ) throws(TSNEError) {
    let source = AffinitySource(affinities: affinities, principalStart: principalStart)
    try self.init(
      source: source, parameters: parameters, snapshotInterval: snapshotInterval, qos: qos, progress: progress)
  }

  private init(
    source: some RunSource, parameters: TSNEParameters, snapshotInterval: Duration, qos: DispatchQoS,
    progress: (@Sendable (TSNEStage, Double) -> Void)?
  ) throws(TSNEError) {
    if let problem = parameters.problem { throw problem }
    let (stream, continuation) = AsyncThrowingStream.makeStream(
      of: TSNESnapshot.self, bufferingPolicy: .bufferingNewest(1))
    let control = RunControl()
    // A loop that is merely left keeps the stream alive through this object, so this is the watching task's cancellation, the
    // end of this object, or the end of the run.
    continuation.onTermination = { _ in control.cancel() }
    let worker = RunWorker(
      source: source, parameters: parameters, snapshotInterval: snapshotInterval, control: control,
      snapshots: continuation, progress: progress)
    self.control = control
    snapshots = stream
    DispatchQueue(label: "tsne.run", qos: qos).async { worker.run() }
  }

  deinit { control.cancel() }

  /// The snapshots, the newest first seen; the last one `isFinal`. Throws `CancellationError` after `cancel()`.
  public func makeAsyncIterator() -> AsyncIterator { snapshots.makeAsyncIterator() }

  /// Waits for the end.
  /// - Throws: `CancellationError` after `cancel()` or if the waiting task is cancelled; whatever was wrong with the rows.
  public func layout() async throws -> TSNELayout {
    try await withTaskCancellationHandler {
      try await control.outcome()
    } onCancel: {
      control.cancel()
    }
  }

  /// Holds the points still after the present iteration, which is shown. No processor time is used until `resume()`.
  public func pause() { control.setPaused(true) }

  /// Goes on.
  public func resume() { control.setPaused(false) }

  /// Whether the run is held.
  public var isPaused: Bool { control.isPaused }

  /// Goes on with other parameters from where the points stand, from the next iteration; a paused run stays paused. The phase
  /// follows from the count of iterations, which goes on. Another perplexity, where the run knows the rows, looks for
  /// neighbours again; `.positions` moves the points there; the other starts and the seed have no effect any more.
  /// - Throws: `TSNEError` for impossible parameters.
  public func change(to parameters: TSNEParameters) throws(TSNEError) {
    if let problem = parameters.problem { throw problem }
    control.change(to: parameters)
  }

  /// Ends the run after the present iteration; the layout as it stands counts as finished.
  public func stop() { control.stop() }

  /// Ends the run within 100 ms, at any stage; snapshots and `layout()` throw `CancellationError`.
  public func cancel() { control.cancel() }
}
