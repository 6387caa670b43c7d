public import Foundation
import Synchronization

/// A program that the tests started. It is killed when the last reference goes, and dies with the test process however
/// that ends. Its output goes to files, so that it can never wait for a reader.
public final class ChildProcess: Sendable {
  /// The process id.
  public let processID: pid_t

  private let outputs: TemporaryDirectory
  private let exit: ExitCode

  /// How a process ended: its exit code, or minus the number of the signal that killed it.
  private final class ExitCode: Sendable {
    private struct State {
      var code: Int32?
      var waiting: [CheckedContinuation<Int32, Never>] = []
    }
    private let state = Mutex(State())

    var code: Int32? { state.withLock { $0.code } }

    func set(_ code: Int32) {
      let waiting = state.withLock { state in
        state.code = code
        defer { state.waiting = [] }
        return state.waiting
      }
      for continuation in waiting { continuation.resume(returning: code) }
    }

    func wait() async -> Int32 {
      await withCheckedContinuation { continuation in
        let code = state.withLock { state in
          if state.code == nil { state.waiting.append(continuation) }
          return state.code
        }
        if let code { continuation.resume(returning: code) }
      }
    }
  }

  /// Starts a program. `environment` is laid over the environment of the tests; nil takes a variable away.
  ///
  /// The program is a path, or a name that `findTool` looks for. Standard input is the file named, or empty.
  public init(
    _ program: String, _ arguments: [String] = [], environment: [String: String?] = [:], directory: String? = nil,
    standardInput: String = "/dev/null"
  ) throws {
    let path = program.contains("/") ? program : try findTool(program)
    let outputs = try TemporaryDirectory("output")
    var variables = ProcessInfo.processInfo.environment
    for (name, value) in environment { variables[name] = value }
    let launch = Launch(
      // The signal at the parent's death is set in the child itself, by a program of util-linux.
      words: [try findTool("setpriv"), "--pdeathsig", "KILL", "--"]
        + (directory.map { ["env", "-C", $0] } ?? []) + [path] + arguments,
      variables: variables.map { "\($0.key)=\($0.value)" }, standardInput: standardInput,
      standardOutput: outputs.file("out"), standardError: outputs.file("err"))
    let processID = try Launcher.shared.run(launch)
    Cleanup.shared.add(process: processID)
    let exit = ExitCode()
    Thread.detachNewThread {
      var status: Int32 = 0
      while waitpid(processID, &status, 0) < 0 && errno == EINTR {}
      Cleanup.shared.forget(process: processID)
      let signal = status & 0x7f
      exit.set(signal == 0 ? (status >> 8) & 0xff : -signal)
    }
    self.processID = processID
    self.outputs = outputs
    self.exit = exit
  }

  deinit {
    if isRunning { kill(processID, SIGKILL) }
  }

  /// Whether the process has not ended yet.
  public var isRunning: Bool { exit.code == nil }

  /// What came on standard output so far.
  public var output: [UInt8] { Array(FileManager.default.contents(atPath: outputs.file("out")) ?? Data()) }

  /// What came on standard output so far, as text.
  public var outputText: String { String(decoding: output, as: UTF8.self) }

  /// What came on standard error so far, as text.
  public var errorText: String {
    String(decoding: FileManager.default.contents(atPath: outputs.file("err")) ?? Data(), as: UTF8.self)
  }

  /// Sends a signal.
  public func send(signal: Int32) {
    if isRunning { kill(processID, signal) }
  }

  /// Waits for the end and returns the exit code, or minus the number of the signal that killed the process.
  ///
  /// After the time given the process is killed and an error thrown.
  public func waitUntilExit(within seconds: Double = 240) async throws -> Int32 {
    let processID = processID
    let killer = Task {
      try await Task.sleep(for: .seconds(seconds))
      kill(processID, SIGKILL)
      return true
    }
    let code = await exit.wait()
    killer.cancel()
    if code == -SIGKILL, (try? await killer.value) == true {
      throw TestSupportError("Killed after \(seconds) s. Standard error:\n\(errorText)")
    }
    return code
  }
}

/// How a program ended, and what it printed.
public struct ProcessResult: Sendable {
  /// The exit code, or minus the number of the signal.
  public let status: Int32
  /// Standard output.
  public let output: [UInt8]
  /// Standard error.
  public let errorText: String

  /// Standard output as text.
  public var outputText: String { String(decoding: output, as: UTF8.self) }
}

/// Runs a program to its end. `checked` makes an exit code other than 0 an error.
public func run(
  _ program: String, _ arguments: [String] = [], environment: [String: String?] = [:], directory: String? = nil,
  standardInput: String = "/dev/null", within seconds: Double = 240, checked: Bool = false
) async throws -> ProcessResult {
  let child = try ChildProcess(
    program, arguments, environment: environment, directory: directory, standardInput: standardInput)
  let status = try await child.waitUntilExit(within: seconds)
  if checked && status != 0 {
    throw TestSupportError("\(program) \(arguments.joined(separator: " ")) ended with \(status): \(child.errorText)")
  }
  return ProcessResult(status: status, output: child.output, errorText: child.errorText)
}
