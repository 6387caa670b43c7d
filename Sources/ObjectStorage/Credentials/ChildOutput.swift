import Foundation

/// Runs a program without a shell and reads what it prints; its error messages are thrown away.
enum ChildOutput {
  enum Status: Hashable, Sendable {
    case exited(Int32)
    case signalled(Int32)
    case timedOut
    case tooLarge
  }

  /// Blocks until the program has ended, has printed too much, or is no longer waited for; then it and all that it has
  /// started in its process group are ended.
  /// - Parameters:
  ///   - words: The program, looked for in `PATH` where it has no slash, and its arguments.
  /// - Throws: `SystemFailure` where it cannot be started; `CancellationError`.
  static func of(
    _ words: [String], environment: [String: String], timeoutSeconds: Double, maximumBytes: Int,
    isCancelled: () -> Bool
  ) throws -> (output: [UInt8], status: Status) {
    var ends: [CInt] = [0, 0]
    try SystemFailure.retrying { pipe(&ends) }
    // The program gets the writing end as its standard output alone.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let reading = FileDescriptor(owning: ends[0])
    let processID = try start(words, environment, output: FileDescriptor(owning: ends[1]))
    var output: [UInt8] = []
    var verdict: Status?
    let clock = ContinuousClock()
    let end = clock.now + .seconds(timeoutSeconds)
    do {
      while true {
        if isCancelled() { throw CancellationError() }
        guard clock.now < end else {
          verdict = .timedOut
          break
        }
        var waiting = pollfd(fd: reading.number, events: Int16(POLLIN), revents: 0)
        guard try SystemFailure.retrying({ poll(&waiting, 1, 50) }) > 0 else { continue }
        guard try reading.append(to: &output, atMost: 16_384) > 0 else { break }
        guard output.count <= maximumBytes else {
          verdict = .tooLarge
          break
        }
      }
    } catch {
      kill(-processID, SIGKILL)
      _ = wait(for: processID)
      throw error
    }
    // A program that has closed its output may still live; one that is not wanted any more must not.
    if verdict == nil {
      while clock.now < end, !hasEnded(processID) { usleep(5000) }
      if !hasEnded(processID) { verdict = .timedOut }
    }
    if verdict != nil { kill(-processID, SIGKILL) }
    let status = wait(for: processID)
    if let verdict { return (output, verdict) }
    let signal = status & 0x7f
    return (output, signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal))
  }

  private static func start(
    _ words: [String], _ environment: [String: String], output: consuming FileDescriptor
  ) throws(SystemFailure) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output.number, 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Signals that this program ignores or blocks are its own affair.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for number in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, number) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") }
    arguments.append(nil)
    variables.append(nil)
    defer { for text in arguments + variables { free(text) } }
    var processID: pid_t = 0
    var code = posix_spawnp(&processID, words[0], &actions, &attributes, arguments, variables)
    // Somebody has only just written the program: an installation, or a process that was forked meanwhile, has it open still.
    for _ in 0..<20 where code == ETXTBSY {
      usleep(50_000)
      code = posix_spawnp(&processID, words[0], &actions, &attributes, arguments, variables)
    }
    guard code == 0 else { throw SystemFailure(code: code) }
    return processID
  }

  private static func hasEnded(_ processID: pid_t) -> Bool {
    var information = siginfo_t()
    // Without taking the status, which is wanted afterwards.
    let isGone = waitid(P_PID, id_t(processID), &information, WEXITED | WNOHANG | WNOWAIT) != 0
    return isGone || information.si_signo == SIGCHLD
  }

  private static func wait(for processID: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(processID, &status, 0) < 0, errno == EINTR {}
    return status
  }
}
