import Foundation
import Synchronization

/// Everything that starts a process.
struct Launch: Sendable {
  var words: [String]
  var variables: [String]
  var standardInput: String
  var standardOutput: String
  var standardError: String

  func spawn() throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, standardInput, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, standardOutput, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, standardError, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    closeOthersOnExecution()

    // A child starts with no signal ignored or blocked, whatever the test runner did.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    var environment: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
    defer { for pointer in arguments + environment { free(pointer) } }
    var processID: pid_t = 0
    let code = posix_spawn(&processID, words[0], &actions, &attributes, &arguments, &environment)
    guard code == 0 else {
      throw TestSupportError("\(words.joined(separator: " ")) does not start: \(String(cString: strerror(code)))")
    }
    return processID
  }

  /// No child inherits what the tests or another child's start have open.
  private func closeOthersOnExecution() {
    let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    for descriptor in open.compactMap({ Int32($0) }) where descriptor > 2 {
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }
  }
}

/// One thread that starts every child and never ends: the kernel sends the parent-death signal when the *thread* that
/// started a child ends, and the threads of the tests' own pools come and go.
final class Launcher: Sendable {
  static let shared = Launcher()

  private final class Request: Sendable {
    let launch: Launch
    let done = DispatchSemaphore(value: 0)
    let result = Mutex<Result<pid_t, any Error>?>(nil)

    init(_ launch: Launch) { self.launch = launch }
  }

  private let pending = Mutex<[Request]>([])
  private let work = DispatchSemaphore(value: 0)

  private init() {
    Thread.detachNewThread { [self] in
      while true {
        work.wait()
        let request = pending.withLock { $0.removeFirst() }
        let result = Result { try request.launch.spawn() }
        request.result.withLock { $0 = result }
        request.done.signal()
      }
    }
  }

  func run(_ launch: Launch) throws -> pid_t {
    let request = Request(launch)
    pending.withLock { $0.append(request) }
    work.signal()
    request.done.wait()
    return try request.result.withLock { try $0!.get() }
  }
}
