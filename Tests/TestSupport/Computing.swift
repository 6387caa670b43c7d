import Synchronization
public import Testing

/// A suite whose tests compute and never wait: they run one after the other.
///
/// Swift's thread pool has a thread a core. Hundreds of tests that compute would fill it for a minute, in which no test
/// that waits for a server or a window, with a limit of time, gets a turn.
public struct Computing: SuiteTrait, TestTrait, TestScoping {
  /// Each test of a suite waits for its turn, not the suite.
  public var isRecursive: Bool { true }

  /// Waits for the turn of a test, and runs it.
  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    await Turns.shared.begin()
    defer { Turns.shared.end() }
    try await function()
  }
}

extension Trait where Self == Computing {
  /// As `Computing` says.
  public static var computing: Self { Self() }
}

/// A lock that is waited for without a thread.
private final class Turns: Sendable {
  static let shared = Turns()

  private struct State {
    var isTaken = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  func begin() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        guard state.isTaken else {
          state.isTaken = true
          return true
        }
        state.waiting.append(continuation)
        return false
      }
      if isFree { continuation.resume() }
    }
  }

  func end() {
    let next: CheckedContinuation<Void, Never>? = state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.isTaken = false
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}
