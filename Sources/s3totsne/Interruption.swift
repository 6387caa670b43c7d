import Dispatch
import Foundation
import Synchronization

/// Ctrl+C, and the polite signals that end programs: the first asks for an orderly end, the second ends at once.
final class Interruption: Sendable {
  private struct State {
    var signal: Int32?
    var action: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())
  // Written by `init` alone, and never read: they only have to live.
  nonisolated(unsafe) private var sources: [any DispatchSourceSignal] = []

  /// Catches the signals from now on.
  init() {
    for number in [SIGINT, SIGTERM, SIGHUP] {
      Foundation.signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInitiated))
      source.setEventHandler { [self] in receive(number) }
      source.resume()
      sources.append(source)
    }
  }

  /// What to do at the first signal; at once if it came already.
  func onSignal(_ action: @escaping @Sendable () -> Void) {
    let isLate = state.withLock { state in
      state.action = action
      return state.signal != nil
    }
    if isLate { action() }
  }

  /// The signal that came.
  var signal: Int32? { state.withLock { $0.signal } }

  /// Throws when a signal came.
  func check() throws {
    if let signal {
      throw CommandFailure(.interrupted(by: signal), kind: "interrupted", "Interrupted; what was done is kept.")
    }
  }

  private func receive(_ number: Int32) {
    let (isSecond, action) = state.withLock { state in
      defer { state.signal = number }
      return (state.signal != nil, state.action)
    }
    if isSecond { _exit(128 + number) }
    action?()
  }
}
