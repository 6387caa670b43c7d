import Synchronization

/// Lets objects be fetched up to a number and a size; what goes beyond waits until somebody has said Yes. That is asked
/// once a job, when all that is to be fetched is known, or as much of it as there is to know.
final class FetchGate: Sendable {
  /// What is fetched without asking.
  struct Allowance: Sendable {
    var objects = 50_000
    var bytes: Int64 = 5_000_000_000
  }

  private struct State {
    var left: Allowance
    /// Found, to be fetched.
    var found = (objects: 0, bytes: Int64(0))
    /// Come to the gate. More than were found, where what was to be had without fetching could not be had so.
    var come = (objects: 0, bytes: Int64(0))
    /// Whether more may be found before there is to be a question.
    var isFinding = false
    var isOpen = false
    var isAsked = false
    var waiting: [CheckedContinuation<Void, Never>] = []

    var objects: Int { max(found.objects, come.objects) }
    var bytes: Int64 { max(found.bytes, come.bytes) }
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

  /// A listing begins: nothing is asked until it is complete.
  func beginListing() { state.withLock { $0.isFinding = true } }

  /// Nothing more will be found by the listing.
  func finishListing() {
    state.withLock { $0.isFinding = false }
    askIfNeeded()
  }

  /// More was found that is to be fetched. What is known to be had without that does not count.
  func add(objects: Int, bytes: Int64) {
    state.withLock { state in
      state.found.objects += objects
      state.found.bytes += bytes
    }
    askIfNeeded()
  }

  private func askIfNeeded() {
    let question = state.withLock { state -> (Int, Int64)? in
      guard !state.isFinding, !state.isAsked, !state.isOpen,
        state.objects > allowance.objects || state.bytes > allowance.bytes
      else { return nil }
      state.isAsked = true
      return (state.objects, state.bytes)
    }
    if let question { ask(question.0, question.1) }
  }

  /// Waits until an object may be fetched; to be called once for each that was found.
  func pass(bytes: Int64) async {
    await withCheckedContinuation { continuation in
      let mayPass = state.withLock { state in
        state.come.objects += 1
        state.come.bytes += bytes
        if state.isOpen || (state.left.objects > 0 && state.left.bytes >= bytes) {
          state.left.objects -= 1
          state.left.bytes -= bytes
          return true
        }
        state.waiting.append(continuation)
        return false
      }
      if mayPass { continuation.resume() } else { askIfNeeded() }
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
