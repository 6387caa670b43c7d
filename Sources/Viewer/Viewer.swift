import Dispatch
import Foundation
public import X11

/// Opens the window and runs it until the user closes it; the process ends with its exit code.
///
/// - Throws: when there is no display, or no window can be made on it; nothing has happened then.
@MainActor public func runViewer(_ options: ViewerOptions) throws(X11Error) -> Never {
  let application = try Application(options)
  application.start()
  // A terminal's Ctrl+C and a session's end are quiet ways to quit.
  let signals = [SIGINT, SIGTERM, SIGHUP].map { number in
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .main)
    source.setEventHandler { MainActor.assumeIsolated { application.quit(code: number == SIGINT ? 130 : 0) } }
    source.resume()
    return source
  }
  withExtendedLifetime(signals) { RunLoop.main.run() }
  exit(0)
}
