import Foundation
import Numerics

/// What others want of a run, and what it came to: the one place where the run's thread and everybody else meet.
// @unchecked: the token is atomic; everything else is read and written under the condition's lock.
final class RunControl: @unchecked Sendable {
  let token = CancellationToken()
  private let condition = NSCondition()
  private var paused = false
  private var stopped = false
  private var wanted: TSNEParameters?
  private var result: Result<TSNELayout, any Error>?
  private var waiting: [CheckedContinuation<TSNELayout, any Error>] = []

  /// What the run's thread does next.
  enum Command {
    case step, stop
    case change(TSNEParameters)
    /// Show where the points stand, then `waitWhilePaused`.
    case pause
  }

  var isPaused: Bool { condition.withLock { paused } }

  func setPaused(_ value: Bool) {
    condition.withLock {
      paused = value
      condition.broadcast()
    }
  }

  func change(to parameters: TSNEParameters) {
    condition.withLock {
      wanted = parameters
      condition.broadcast()
    }
  }

  func stop() {
    condition.withLock {
      stopped = true
      condition.broadcast()
    }
  }

  func cancel() {
    token.cancel()
    condition.withLock { condition.broadcast() }
  }

  func next() -> Command {
    condition.withLock {
      if stopped { return .stop }
      if let parameters = wanted {
        wanted = nil
        return .change(parameters)
      }
      return paused ? .pause : .step
    }
  }

  /// Returns when there is something else to do.
  func waitWhilePaused() {
    condition.withLock {
      while paused, !stopped, wanted == nil, !token.isCancelled { condition.wait() }
    }
  }

  func finish(_ result: Result<TSNELayout, any Error>) {
    let continuations = condition.withLock {
      self.result = result
      defer { waiting = [] }
      return waiting
    }
    for continuation in continuations { continuation.resume(with: result) }
  }

  func outcome() async throws -> TSNELayout {
    try await withCheckedThrowingContinuation { continuation in
      let known = condition.withLock {
        if result == nil { waiting.append(continuation) }
        return result
      }
      if let known { continuation.resume(with: known) }
    }
  }
}
