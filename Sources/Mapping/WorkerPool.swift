import Dispatch
import Synchronization

/// Blocking work off Swift's cooperative threads: at most `width` pieces at a time, in the order of asking, at
/// background quality of service as a rule, so that a frame of the window is never late because of it.
final class WorkerPool: Sendable {
  private struct State {
    var running = 0
    var waiting: [@Sendable () -> Void] = []
    var next = 0
  }
  private let state = Mutex(State())
  private let width: Int
  private let queue: DispatchQueue

  init(label: String, width: Int, qos: DispatchQoS = .background) {
    self.width = width
    queue = DispatchQueue(label: label, qos: qos, attributes: .concurrent)
  }

  /// Runs `body` and hands back its result; throws `CancellationError` as soon as the task is cancelled. A body that is
  /// running then runs on, its result dropped: it must check for itself whether its effects are still wanted.
  func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    let once = Once<Result>()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        once.set(continuation)
        enqueue {
          guard !once.isDone else { return }
          once.resume(Swift.Result { try body() })
        }
      }
    } onCancel: {
      once.resume(.failure(CancellationError()))
    }
  }

  private func enqueue(_ work: @escaping @Sendable () -> Void) {
    let startsWorker = state.withLock { state in
      state.waiting.append(work)
      guard state.running < width else { return false }
      state.running += 1
      return true
    }
    if startsWorker { queue.async { [self] in drain() } }
  }

  private func drain() {
    while let work = takeWork() { work() }
  }

  private func takeWork() -> (@Sendable () -> Void)? {
    state.withLock { state in
      guard state.next < state.waiting.count else {
        state.waiting.removeAll(keepingCapacity: true)
        state.next = 0
        state.running -= 1
        return nil
      }
      defer { state.next += 1 }
      return state.waiting[state.next]
    }
  }
}

/// A continuation that is resumed once, by whoever comes first.
private final class Once<Value: Sendable>: Sendable {
  private struct State {
    var continuation: CheckedContinuation<Value, any Error>?
    var early: Result<Value, any Error>?
    var isDone = false
  }
  private let state = Mutex(State())

  var isDone: Bool { state.withLock { $0.isDone } }

  func set(_ continuation: CheckedContinuation<Value, any Error>) {
    let early = state.withLock { state in
      if state.early == nil { state.continuation = continuation }
      return state.early
    }
    if let early { continuation.resume(with: early) }
  }

  func resume(_ result: sending Result<Value, any Error>) {
    let continuation = state.withLock { state -> CheckedContinuation<Value, any Error>? in
      guard !state.isDone else { return nil }
      state.isDone = true
      if state.continuation == nil { state.early = result }
      defer { state.continuation = nil }
      return state.continuation
    }
    continuation?.resume(with: result)
  }
}
