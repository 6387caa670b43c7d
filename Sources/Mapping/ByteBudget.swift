import Synchronization

/// Bounds the bytes on their way between fetching and decoding. Who asks when there is no room suspends, in the order of
/// asking. One object larger than all of the room takes all of it, and gets in alone.
final class ByteBudget: Sendable {
  private struct State {
    var used: Int64 = 0
    var waiting: [(bytes: Int64, continuation: CheckedContinuation<Void, Never>)] = []
  }
  private let state = Mutex(State())
  private let limit: Int64

  init(limit: Int64) { self.limit = limit }

  func take(_ bytes: Int64) async {
    let bytes = min(bytes, limit)
    await withCheckedContinuation { continuation in
      let isIn = state.withLock { state in
        guard state.waiting.isEmpty, state.used + bytes <= limit else {
          state.waiting.append((bytes, continuation))
          return false
        }
        state.used += bytes
        return true
      }
      if isIn { continuation.resume() }
    }
  }

  func give(_ bytes: Int64) {
    let bytes = min(bytes, limit)
    let next = state.withLock { state in
      state.used -= bytes
      var next: [CheckedContinuation<Void, Never>] = []
      while let first = state.waiting.first, state.used + first.bytes <= limit {
        state.used += first.bytes
        next.append(first.continuation)
        state.waiting.removeFirst()
      }
      return next
    }
    for continuation in next { continuation.resume() }
  }
}
