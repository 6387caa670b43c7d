import Synchronization

/// Seconds by stage, one after the other.
final class StageClock: Sendable {
  private struct State {
    var lap: ContinuousClock.Instant
    var seconds: [String: Double] = [:]
  }

  private let begin: ContinuousClock.Instant
  private let state: Mutex<State>

  /// A clock that begins now.
  init() {
    let now = ContinuousClock.now
    begin = now
    state = Mutex(State(lap: now))
  }

  /// Ends a stage, and begins the next.
  func end(_ stage: String) {
    state.withLock { state in
      let now = ContinuousClock.now
      state.seconds[stage] = (now - state.lap) / .seconds(1)
      state.lap = now
    }
  }

  /// The stages that have ended, and `total`, from the beginning to the end of the last one.
  var seconds: [String: Double] {
    state.withLock { state in
      state.seconds.merging(["total": (state.lap - begin) / .seconds(1)]) { one, _ in one }
    }
  }

  /// Judges how long what begins now will last.
  func remainingTime() -> RemainingTime { RemainingTime(begin: ContinuousClock.now) }
}

/// Judges by the share that is done how long something will still last.
struct RemainingTime: Sendable {
  let begin: ContinuousClock.Instant

  /// “, 12 s left”, or nothing while nobody can know.
  func text(_ share: Double) -> String {
    let passed = (ContinuousClock.now - begin) / .seconds(1)
    guard share > 0.02, share < 1, passed > 0.5 else { return "" }
    return ", " + secondsText(passed * (1 - share) / share) + " left"
  }
}
