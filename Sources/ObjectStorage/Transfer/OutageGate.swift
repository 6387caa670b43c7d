import Synchronization

/// Where all requests of a store wait together while nothing gets through: one of them tries now and then, and when it
/// succeeds, all go on.
final class OutageGate: Sendable {
  /// How a request comes through.
  enum Pass: Sendable {
    case free
    /// It is the one that tries; it has to report what became of it.
    case probe
  }

  private struct Outage {
    var error: StorageError
    var title: String
    var since: ContinuousClock.Instant
    var tries = 0
    /// nil while one tries.
    var nextTry: ContinuousClock.Instant?
    /// Whether the next one to come is to try at once.
    var isDue = false
    var isOver = false
    var waiting: [OneShot<Pass>] = []
    var timer: Task<Void, Never>?
  }

  private struct State {
    var successes = 0
    var outage: Outage?
  }

  private let state = Mutex(State())
  /// Seconds until waiting is given up; nil for never.
  private let patience: Double?

  static let firstDelay = 2.0
  static let maximumDelay = 30.0

  init(patience: Double?) { self.patience = patience }

  deinit { state.withLock { $0.outage?.timer?.cancel() } }

  /// How often something has got through.
  var successes: Int { state.withLock { $0.successes } }

  /// What is going on; nil in good weather.
  var interruption: StorageInterruption? {
    state.withLock { state in
      state.outage.map {
        StorageInterruption(reason: $0.error.description, title: $0.title, since: $0.since, nextTry: $0.nextTry)
      }
    }
  }

  /// Waits until a request may be sent.
  /// - Throws: `StorageError` when patience has come to its end; `CancellationError`.
  func enter() async throws -> Pass {
    let shot = OneShot<Pass>()
    let answer: Result<Pass, any Error>? = state.withLock { state in
      guard var outage = state.outage else { return .success(.free) }
      if outage.isOver { return .failure(outage.error) }
      if outage.isDue {
        outage.isDue = false
        outage.nextTry = nil
        state.outage = outage
        return .success(.probe)
      }
      state.outage?.waiting.append(shot)
      return nil
    }
    if let answer { return try answer.get() }
    return try await withTaskCancellationHandler {
      try await shot.value()
    } onCancel: {
      shot.answer(.failure(CancellationError()))
    }
  }

  /// Something got through: whoever waits may go on.
  func succeed() {
    let waiting = state.withLock { state in
      state.successes += 1
      guard let outage = state.outage, !outage.isOver else { return [OneShot<Pass>]() }
      outage.timer?.cancel()
      state.outage = nil
      return outage.waiting
    }
    for shot in waiting { shot.answer(.success(.free)) }
  }

  /// Nothing gets through.
  /// - Parameters:
  ///   - since: When the request failed first.
  ///   - seconds: How long the server asks to wait.
  ///   - chance: Uniform in 0..<1.
  /// - Throws: the error, when patience has come to its end; it then concerns the whole location.
  func fail(
    _ error: StorageError, title: String, pass: Pass, since: ContinuousClock.Instant, atLeast seconds: Double,
    chance: Double
  ) throws {
    if patience == 0 { throw error }
    let final = Self.final(error, patience: patience ?? 0)
    let given: [OneShot<Pass>]? = state.withLock { state in
      if state.outage != nil, pass == .free { return state.outage?.isOver == true ? [] : nil }
      var outage = state.outage ?? Outage(error: error, title: title, since: since)
      outage.error = error
      outage.title = title
      let now = ContinuousClock.now
      let left = patience.map { $0 - (now - outage.since).inSeconds }
      if let left, left <= 0 {
        defer { state.outage = outage }
        outage.isOver = true
        outage.error = final
        outage.nextTry = nil
        defer { outage.waiting = [] }
        return outage.waiting
      }
      let backoff = min(Self.maximumDelay, Self.firstDelay * Double(1 << min(outage.tries, 10)))
      outage.tries += 1
      // The last try is at the end of patience.
      let delay = min(max(backoff * (0.75 + 0.25 * chance), seconds), left ?? .infinity)
      schedule(&outage, now + .seconds(delay))
      state.outage = outage
      return nil
    }
    guard let given else { return }
    for shot in given { shot.answer(.failure(final)) }
    throw final
  }

  private static func final(_ error: StorageError, patience: Double) -> StorageError {
    var final = error
    if !error.concernsWholeLocation { final.kind = .unreachable }
    final.message = "Nothing has come through for \(Int(patience.rounded())) seconds. " + error.message
    return final
  }

  /// The one that tried was cancelled: another one shall.
  func leave() { release() }

  /// Does not wait any longer for the next try.
  func tryNow() {
    let isWaiting = state.withLock { state in
      guard state.outage?.nextTry != nil else { return false }
      state.outage?.timer?.cancel()
      return true
    }
    if isWaiting { release() }
  }

  private func schedule(_ outage: inout Outage, _ time: ContinuousClock.Instant) {
    outage.timer?.cancel()
    outage.nextTry = time
    outage.isDue = false
    outage.timer = Task.detached { [weak self] in
      do { try await Task.sleep(until: time) } catch { return }
      self?.release()
    }
  }

  /// Lets one of the waiting try; where none waits, the next one to come.
  private func release() {
    while true {
      let next: OneShot<Pass>? = state.withLock { state in
        guard var outage = state.outage, !outage.isOver else { return nil }
        defer { state.outage = outage }
        guard !outage.waiting.isEmpty else {
          outage.isDue = true
          return nil
        }
        outage.nextTry = nil
        return outage.waiting.removeFirst()
      }
      guard let next else { return }
      // One that was cancelled meanwhile does not try.
      if next.answer(.success(.probe)) { return }
    }
  }
}

extension Duration {
  /// The duration in seconds.
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
