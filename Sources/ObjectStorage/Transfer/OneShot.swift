import Synchronization

/// An answer that is given once and awaited once; the first answer counts, later ones are ignored.
///
/// Lets a cancelled task go on at once, whatever the thread that works for it is still busy with.
final class OneShot<Value: Sendable>: Sendable {
  private enum State {
    case open
    case awaited(CheckedContinuation<Value, any Error>)
    case answered(Result<Value, any Error>)
    case taken
  }

  private let state = Mutex(State.open)

  /// Whether somebody has answered already.
  var isAnswered: Bool {
    state.withLock { state in
      switch state {
      case .open, .awaited: false
      case .answered, .taken: true
      }
    }
  }

  /// - Returns: Whether this is the answer that counts.
  @discardableResult
  func answer(_ result: Result<Value, any Error>) -> Bool {
    let (isFirst, waiting): (Bool, CheckedContinuation<Value, any Error>?) = state.withLock { state in
      switch state {
      case .open:
        state = .answered(result)
        return (true, nil)
      case .awaited(let continuation):
        state = .taken
        return (true, continuation)
      case .answered, .taken: return (false, nil)
      }
    }
    waiting?.resume(with: result)
    return isFirst
  }

  func value() async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let ready: Result<Value, any Error>? = state.withLock { state in
        if case .answered(let result) = state {
          state = .taken
          return result
        }
        state = .awaited(continuation)
        return nil
      }
      if let ready { continuation.resume(with: ready) }
    }
  }
}
