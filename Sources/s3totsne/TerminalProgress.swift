import Foundation
import Synchronization

/// Says on standard error how far something is: a bar that is redrawn on a terminal, otherwise a line now and then.
final class TerminalProgress: Sendable {
  private struct State {
    var isBarShown = false
    var stage: String?
    var lastShown: ContinuousClock.Instant?
  }

  /// Between two lines where there is no terminal.
  private static let linePause = Duration.seconds(5)
  /// Between two drawings of the bar.
  private static let barPause = Duration.milliseconds(50)

  private let state = Mutex(State())
  private let isQuiet: Bool
  private let isTerminal: Bool

  /// A progress that says nothing but notes when it is quiet.
  init(isQuiet: Bool) {
    self.isQuiet = isQuiet
    isTerminal = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  /// Shows where things stand. The first word of a stage always appears, the others not too often.
  /// - Parameters:
  ///   - stage: What is being done, as a name to tell stages apart.
  ///   - fraction: How much of it is done, when that is known.
  ///   - text: Makes the sentence.
  func show(stage: String, fraction: Double?, _ text: () -> String) {
    if isQuiet { return }
    state.withLock { state in
      let now = ContinuousClock.now
      let pause = isTerminal ? Self.barPause : Self.linePause
      guard state.stage != stage || (state.lastShown.map { now - $0 >= pause } ?? true) else { return }
      state.stage = stage
      state.lastShown = now
      if isTerminal {
        let bar = fraction.map { Self.bar($0) + " " } ?? ""
        let room = max(20, Self.columns - 1)
        writeToStandardError("\r\u{1b}[2K" + String((bar + text()).prefix(room)), terminator: "")
        state.isBarShown = true
      } else {
        writeToStandardError(text())
      }
    }
  }

  /// Says a sentence, also when quiet.
  func note(_ text: String) {
    state.withLock { state in
      Self.clearBar(&state)
      writeToStandardError(printable(text))
    }
  }

  /// Leaves the line of the bar empty.
  func finish() {
    state.withLock { Self.clearBar(&$0) }
  }

  private static func clearBar(_ state: inout State) {
    guard state.isBarShown else { return }
    writeToStandardError("\r\u{1b}[2K", terminator: "")
    state.isBarShown = false
  }

  private static func bar(_ fraction: Double) -> String {
    let cells = 24
    let full = Int((min(max(fraction, 0), 1) * Double(cells)).rounded(.down))
    return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: cells - full) + "]"
  }

  private static var columns: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}
