import Synchronization

/// How long a stage was at work: the time in which at least one worker was, and the sum of the workers' times.
final class BusyClock: Sendable {
  private struct State {
    var workers = 0
    var since = ContinuousClock.now
    var total = Duration.zero
    var sum = Duration.zero
  }
  private let state = Mutex(State())

  /// Runs `body` as one worker.
  func measure<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let start = begin()
    defer { end(start) }
    return try body()
  }

  /// Runs `body` as one worker.
  func measure<Result>(_ body: () async throws -> Result) async rethrows -> Result {
    let start = begin()
    defer { end(start) }
    return try await body()
  }

  /// A worker begins; returns when.
  func begin() -> ContinuousClock.Instant {
    state.withLock { state in
      let now = ContinuousClock.now
      if state.workers == 0 { state.since = now }
      state.workers += 1
      return now
    }
  }

  /// A worker that began at `start` ends.
  func end(_ start: ContinuousClock.Instant) {
    state.withLock { state in
      let now = ContinuousClock.now
      state.sum += now - start
      state.workers -= 1
      if state.workers == 0 { state.total += now - state.since }
    }
  }

  /// Seconds until now.
  var seconds: Double { state.withLock { $0.total.seconds } }

  /// Seconds of all workers together, until now.
  var workSeconds: Double { state.withLock { $0.sum.seconds } }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
