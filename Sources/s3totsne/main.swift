import ArgumentParser
import Foundation

// A reader that goes away (a pipe, a display, a server) is an error to report, not the end of the program.
signal(SIGPIPE, SIG_IGN)

do {
  var command = try RootCommand.parseAsRoot()
  try command.run()
} catch let failure as CommandFailure {
  failure.report(asJSON: CommandLine.arguments.contains("--json"))
  exit(failure.exitStatus.rawValue)
} catch {
  let message = RootCommand.fullMessage(for: error)
  if RootCommand.exitCode(for: error).isSuccess {
    // --help, --version and shell completions come as errors too.
    print(message)
    exit(ExitStatus.done.rawValue)
  }
  let usage = CommandFailure(.wrongUsage, kind: "usage", message)
  usage.report(asJSON: CommandLine.arguments.contains("--json"))
  exit(usage.exitStatus.rawValue)
}
