import Synchronization

/// A question that many ask at one time, and whose answer has to be younger than the asking: whoever comes while it is
/// being answered shares the next answer with all others who came meanwhile.
final class SharedQuestion<Answer: Sendable>: Sendable {
  private struct State {
    var running: Task<Answer, any Error>?
    var next: Task<Answer, any Error>?
  }

  private let state = Mutex(State())

  /// - Throws: what `body` throws; `CancellationError` only where the asker is cancelled.
  func ask(_ body: @escaping @Sendable () async throws -> Answer) async throws -> Answer {
    let task: Task<Answer, any Error> = state.withLock { state in
      if let next = state.next { return next }
      let before = state.running
      let task = Task { [weak self] in
        _ = await before?.result
        self?.begin()
        let result: Result<Answer, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        self?.end()
        return try result.get()
      }
      state.next = task
      return task
    }
    let answer = OneShot<Answer>()
    Task { answer.answer(await task.result) }
    return try await withTaskCancellationHandler {
      try await answer.value()
    } onCancel: {
      answer.answer(.failure(CancellationError()))
    }
  }

  private func begin() {
    state.withLock { state in
      state.running = state.next
      state.next = nil
    }
  }

  private func end() { state.withLock { $0.running = nil } }
}
