import Synchronization

/// How long a stage was at work: the time in which at least one worker was.
final class BusyClock: Sendable {
  private struct State {
    var workers = 0
    var since = ContinuousClock.now
    var total = Duration.zero
  }
  private let state = Mutex(State())

  /// Runs `body` as one worker.
  func measure<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    begin()
    defer { end() }
    return try body()
  }

  /// Runs `body` as one worker.
  func measure<Result>(_ body: () async throws -> Result) async rethrows -> Result {
    begin()
    defer { end() }
    return try await body()
  }

  func begin() {
    state.withLock { state in
      if state.workers == 0 { state.since = .now }
      state.workers += 1
    }
  }

  func end() {
    state.withLock { state in
      state.workers -= 1
      if state.workers == 0 { state.total += .now - state.since }
    }
  }

  /// Seconds until now.
  var seconds: Double { state.withLock { $0.total.seconds } }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
