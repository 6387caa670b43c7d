import ArgumentParser
import Foundation
import Imaging

// Before there is a second thread.
prepareImaging()

// A reader that goes away (a pipe, a display, a server) is an error to report, not the end of the program.
signal(SIGPIPE, SIG_IGN)

do {
  var command = try RootCommand.parseAsRoot()
  try command.run()
} catch let failure as CommandFailure {
  writeToStandardError("Error: " + failure.message)
  if CommandLine.arguments.contains("--json") { failure.reportAsJSON() }
  exit(failure.exitStatus.rawValue)
} catch let code as ExitCode {
  exit(code.rawValue)
} catch {
  // What to read on a terminal: with the usage, and what the option means.
  let message = RootCommand.fullMessage(for: error)
  if RootCommand.exitCode(for: error).isSuccess {
    // --help, --version and shell completions come as errors too.
    print(message)
    exit(ExitStatus.done.rawValue)
  }
  writeToStandardError(message)
  let isUsage = RootCommand.exitCode(for: error) == .validationFailure
  let failure = CommandFailure(
    isUsage ? .wrongUsage : .failed, kind: isUsage ? "usage" : "other", RootCommand.message(for: error))
  if CommandLine.arguments.contains("--json") { failure.reportAsJSON() }
  exit(failure.exitStatus.rawValue)
}
