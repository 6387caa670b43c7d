import Foundation
import Synchronization

/// Runs blocking work a few pieces at a time on a dispatch queue: neither Swift's cooperative threads wait, nor does the
/// queue make a thread for every piece.
final class BlockingLane: Sendable {
  private struct State {
    var running = 0
    var urgent: [@Sendable () -> Void] = []
    var waiting: [@Sendable () -> Void] = []
    /// Taken from `waiting` already.
    var head = 0
  }

  private let width: Int
  private let queue: DispatchQueue
  private let state = Mutex(State())

  init(label: String, width: Int) {
    self.width = width
    queue = DispatchQueue(label: label, qos: .utility, attributes: .concurrent)
  }

  /// Runs the work, and returns at once when the task is cancelled; the work may ask whether anybody still waits.
  func run<Value: Sendable>(
    isUrgent: Bool = false, _ work: @escaping @Sendable (_ isCancelled: () -> Bool) throws -> Value
  ) async throws -> Value {
    let answer = OneShot<Value>()
    return try await withTaskCancellationHandler {
      enqueue(isUrgent: isUrgent) {
        guard !answer.isAnswered else { return }
        answer.answer(Result { try work { answer.isAnswered } })
      }
      return try await answer.value()
    } onCancel: {
      answer.answer(.failure(CancellationError()))
    }
  }

  private func enqueue(isUrgent: Bool, _ job: @escaping @Sendable () -> Void) {
    let startsRunner = state.withLock { state in
      if isUrgent { state.urgent.append(job) } else { state.waiting.append(job) }
      guard state.running < width else { return false }
      state.running += 1
      return true
    }
    guard startsRunner else { return }
    queue.async {
      while let job = self.nextJob() { job() }
    }
  }

  private func nextJob() -> (@Sendable () -> Void)? {
    state.withLock { state in
      if !state.urgent.isEmpty { return state.urgent.removeFirst() }
      guard state.head < state.waiting.count else {
        state.waiting = []
        state.head = 0
        state.running -= 1
        return nil
      }
      state.head += 1
      if state.head > 1024 {
        state.waiting.removeFirst(state.head - 1)
        state.head = 1
      }
      return state.waiting[state.head - 1]
    }
  }
}
