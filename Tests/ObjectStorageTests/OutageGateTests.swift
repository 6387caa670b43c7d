import Synchronization
import TestSupport
import Testing

@testable import ObjectStorage

/// Where requests wait together.
@Suite(.timeLimit(.minutes(10))) struct OutageGateTests {
  private let error = StorageError(.serverFailure, "It fails.")

  private func fail(_ gate: OutageGate, _ pass: OutageGate.Pass = .free, atLeast seconds: Double = 0) throws {
    try gate.fail(error, title: "Bad weather", pass: pass, since: .now, atLeast: seconds, chance: 0.5)
  }

  /// Requests that wait, and how they came through.
  private final class Requests: Sendable {
    let passes = Mutex<[OutageGate.Pass]>([])
    let errors = Mutex<[StorageError.Kind]>([])

    func start(_ count: Int, at gate: OutageGate) -> [Task<Void, Never>] {
      (0..<count).map { _ in
        Task {
          do {
            let pass = try await gate.enter()
            passes.withLock { $0.append(pass) }
          } catch let error as StorageError {
            errors.withLock { $0.append(error.kind) }
          } catch {}
        }
      }
    }

    var probes: Int { passes.withLock { $0.count { if case .probe = $0 { true } else { false } } } }
    var count: Int { passes.withLock { $0.count } }
  }

  @Test("in good weather nobody waits")
  func free() async throws {
    let gate = OutageGate(patience: nil)
    guard case .free = try await gate.enter() else {
      Issue.record("a probe")
      return
    }
    #expect(gate.interruption == nil)
  }

  @Test("while nothing gets through one tries at a time, and its success lets all go on")
  func oneTries() async throws {
    let gate = OutageGate(patience: nil)
    try fail(gate, atLeast: 100)
    let requests = Requests()
    let tasks = requests.start(20, at: gate)
    let interruption = try #require(gate.interruption)
    #expect(interruption.title == "Bad weather" && interruption.reason == "It fails.")
    #expect(interruption.nextTry.map { $0 > .now } == true)
    #expect(requests.count == 0)
    gate.tryNow()
    try await eventually("one tries", within: 50) { requests.count == 1 }
    #expect(requests.probes == 1 && gate.interruption?.nextTry == nil)
    // It fails, and another one tries by itself after a while.
    try fail(gate, .probe)
    try await eventually("another one tries", within: 50) { requests.count == 2 }
    #expect(requests.probes == 2)
    gate.succeed()
    for task in tasks { await task.value }
    #expect(requests.count == 20 && requests.probes == 2 && gate.interruption == nil)
  }

  @Test("a wait that the server asks for is kept")
  func retryAfter() throws {
    let gate = OutageGate(patience: nil)
    try fail(gate, atLeast: 120)
    let next = try #require(gate.interruption?.nextTry)
    #expect(ContinuousClock.now.duration(to: next) > .seconds(115))
  }

  @Test("whoever is cancelled leaves at once, and does not keep the others from trying")
  func cancelled() async throws {
    let gate = OutageGate(patience: nil)
    try fail(gate, atLeast: 100)
    let requests = Requests()
    let cancelled = requests.start(3, at: gate)
    try await Task.sleep(for: .milliseconds(50))
    let other = requests.start(1, at: gate)
    try await Task.sleep(for: .milliseconds(50))
    for task in cancelled {
      task.cancel()
      await task.value
    }
    #expect(requests.count == 0)
    gate.tryNow()
    for task in other { await task.value }
    #expect(requests.probes == 1)
    // The one that tries goes away without an answer: the next to come tries.
    gate.leave()
    guard case .probe = try await gate.enter() else {
      Issue.record("nobody tries")
      return
    }
  }

  @Test("when patience ends everybody is told, with an error that concerns the whole location")
  func patience() async throws {
    let gate = OutageGate(patience: 2)
    try fail(gate)
    let requests = Requests()
    let tasks = requests.start(5, at: gate)
    // There may be a try before the end of patience; the last one is at its end.
    var final: StorageError?
    var tries = 0
    while final == nil {
      tries += 1
      try await eventually("one tries", within: 50) { requests.count == tries }
      do { try fail(gate, .probe) } catch let error as StorageError { final = error }
    }
    #expect(final?.concernsWholeLocation == true && final?.message.contains("It fails.") == true)
    for task in tasks { await task.value }
    #expect(requests.errors.withLock { $0 } == Array(repeating: .unreachable, count: 5 - tries))
    await #expect(throws: StorageError.self) { _ = try await gate.enter() }
  }

  @Test("without patience the failure itself is the end")
  func impatient() {
    let gate = OutageGate(patience: 0)
    let final = #expect(throws: StorageError.self) { try fail(gate) }
    #expect(final == error && gate.interruption == nil)
  }
}
