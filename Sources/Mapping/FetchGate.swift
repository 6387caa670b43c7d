import Synchronization

/// Lets objects be fetched up to a number and a size; what goes beyond waits until the listing is complete and somebody
/// has said Yes.
final class FetchGate: Sendable {
  /// What is fetched without asking.
  struct Allowance: Sendable {
    var objects = 50_000
    var bytes: Int64 = 5_000_000_000
  }

  private struct State {
    var left: Allowance
    /// Found by the listing, to be fetched.
    var objects = 0
    var bytes: Int64 = 0
    var isListed = false
    var isOpen = false
    var isAsked = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }
  private let state: Mutex<State>
  private let allowance: Allowance
  private let ask: @Sendable (_ objects: Int, _ bytes: Int64) -> Void

  /// - Parameter ask: Called once, when more than the allowance is to be fetched and all of it is known.
  init(_ allowance: Allowance, ask: @escaping @Sendable (_ objects: Int, _ bytes: Int64) -> Void) {
    self.allowance = allowance
    self.ask = ask
    state = Mutex(State(left: allowance))
  }

  /// More was found.
  func add(objects: Int, bytes: Int64) {
    state.withLock { state in
      state.objects += objects
      state.bytes += bytes
    }
  }

  /// Nothing more will be found.
  func finishListing() {
    let question = state.withLock { state -> (Int, Int64)? in
      state.isListed = true
      guard !state.isAsked, !state.isOpen, state.objects > allowance.objects || state.bytes > allowance.bytes else {
        return nil
      }
      state.isAsked = true
      return (state.objects, state.bytes)
    }
    if let question { ask(question.0, question.1) }
  }

  /// Waits until an object may be fetched.
  func pass(bytes: Int64) async {
    await withCheckedContinuation { continuation in
      let mayPass = state.withLock { state in
        if state.isOpen || (state.left.objects > 0 && state.left.bytes >= bytes) {
          state.left.objects -= 1
          state.left.bytes -= bytes
          return true
        }
        // Listed in full, and still within what needs no question: one object is larger than it was listed.
        if state.isListed, !state.isAsked { return true }
        state.waiting.append(continuation)
        return false
      }
      if mayPass { continuation.resume() }
    }
  }

  /// Everything may pass: the answer was Yes, or the job is at its end.
  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }
}
