import Foundation
import Synchronization

/// What is left to kill and to remove when the tests end; servers that a whole suite shares are never deinitialised.
final class Cleanup: Sendable {
  static let shared = Cleanup()

  private struct State {
    var processes: Set<pid_t> = []
    var directories: Set<String> = []
  }
  private let state = Mutex(State())

  private init() {
    atexit { Cleanup.shared.everything() }
  }

  func add(process: pid_t) { state.withLock { _ = $0.processes.insert(process) } }

  func forget(process: pid_t) { state.withLock { _ = $0.processes.remove(process) } }

  func add(directory: String) { state.withLock { _ = $0.directories.insert(directory) } }

  func remove(directory: String) {
    state.withLock { _ = $0.directories.remove(directory) }
    try? FileManager.default.removeItem(atPath: directory)
  }

  private func everything() {
    let left = state.withLock { state in
      defer { state = State() }
      return state
    }
    for process in left.processes { kill(process, SIGKILL) }
    for directory in left.directories { try? FileManager.default.removeItem(atPath: directory) }
  }
}
