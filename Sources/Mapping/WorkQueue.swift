import Synchronization

/// Slots on their way from the listing to the fetchers, first come first served. Who finds it empty suspends.
final class WorkQueue: Sendable {
  private struct State {
    var slots: [Int] = []
    var next = 0
    var isFinished = false
    var waiting: [CheckedContinuation<Int?, Never>] = []
  }
  private let state = Mutex(State())
  private static let letGo = 16_384

  func add(_ slots: [Int]) {
    let handed = state.withLock { state in
      var handed: [(CheckedContinuation<Int?, Never>, Int)] = []
      var rest = slots[...]
      while let first = rest.first, let waiter = state.waiting.popLast() {
        handed.append((waiter, first))
        rest = rest.dropFirst()
      }
      state.slots.append(contentsOf: rest)
      return handed
    }
    for (waiter, slot) in handed { waiter.resume(returning: slot) }
  }

  /// Nothing more will be added: who waits, and who comes when it is empty, gets nil.
  func finish() {
    let waiting = state.withLock { state in
      state.isFinished = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for waiter in waiting { waiter.resume(returning: nil) }
  }

  /// Forgets what nobody has taken yet, and finishes.
  func abandon() {
    state.withLock { $0.next = $0.slots.count }
    finish()
  }

  func next() async -> Int? {
    await withCheckedContinuation { continuation in
      let answer = state.withLock { state -> Int?? in
        if state.next < state.slots.count {
          defer {
            state.next += 1
            // What is taken is let go in large steps.
            if state.next == Self.letGo {
              state.slots.removeFirst(state.next)
              state.next = 0
            }
          }
          return .some(state.slots[state.next])
        }
        if state.isFinished { return .some(nil) }
        state.waiting.append(continuation)
        return nil
      }
      if let answer { continuation.resume(returning: answer) }
    }
  }
}
