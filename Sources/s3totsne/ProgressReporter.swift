import Foundation
import Mapping
import ObjectStorage
import Synchronization

/// Says on standard error how far a job is: a bar that is redrawn on a terminal, otherwise a line now and then.
final class ProgressReporter: Sendable {
  private struct State {
    var isBarShown = false
    var stage: MappingStage?
    var isWaiting = false
    var lastLine: ContinuousClock.Instant?
  }

  /// Seconds between two lines where there is no terminal.
  private static let pause = Duration.seconds(5)

  private let state = Mutex(State())
  private let isQuiet: Bool
  private let isTerminal: Bool

  /// A reporter that says nothing but notes when it is quiet.
  init(isQuiet: Bool) {
    self.isQuiet = isQuiet
    isTerminal = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  /// Takes an event of the job.
  func receive(_ event: MappingEvent) {
    switch event {
    case .note(let text): state.withLock { line(text, &$0) }
    case .progress(let progress): if !isQuiet { state.withLock { show(progress, &$0) } }
    default: break
    }
  }

  /// Leaves the line of the bar empty.
  func finish() {
    state.withLock { clearBar(&$0) }
  }

  private func show(_ progress: MappingProgress, _ state: inout State) {
    let isNewStage = state.stage != progress.stage || state.isWaiting != (progress.interruption != nil)
    state.stage = progress.stage
    state.isWaiting = progress.interruption != nil
    let text = describe(progress)
    if isTerminal {
      let bar = progress.fraction.map { Self.bar($0) + " " } ?? ""
      let room = max(20, Self.columns - 1)
      writeToStandardError("\r\u{1b}[2K" + String((bar + text).prefix(room)), terminator: "")
      state.isBarShown = true
    } else {
      let now = ContinuousClock.now
      let isDue = state.lastLine.map { now - $0 >= Self.pause } ?? true
      guard isNewStage || isDue else { return }
      state.lastLine = now
      writeToStandardError(text)
    }
  }

  private func line(_ text: String, _ state: inout State) {
    clearBar(&state)
    writeToStandardError(printable(text))
  }

  private func clearBar(_ state: inout State) {
    guard state.isBarShown else { return }
    writeToStandardError("\r\u{1b}[2K", terminator: "")
    state.isBarShown = false
  }

  private func describe(_ progress: MappingProgress) -> String {
    var parts: [String] = []
    if let interruption = progress.interruption {
      let next = interruption.nextTry.map { max(1, (ContinuousClock.now.duration(to: $0) / .seconds(1)).rounded(.up)) }
      parts.append(interruption.title + (next.map { "; next try in " + secondsText($0) } ?? "; trying again"))
    }
    switch progress.stage {
    case .listing:
      parts.append("Listing: \(progress.total) objects, \(progress.images) images shown")
    case .loading:
      parts.append("Loading: \(progress.completed) of \(progress.total) objects")
    case .neighbours:
      parts.append("Searching neighbours of \(progress.images) images")
    case .affinities:
      parts.append("Weighing neighbours")
    case .layout:
      parts.append("Laying out: iteration \(progress.completed) of \(progress.total)")
    }
    if progress.stage == .listing || progress.stage == .loading {
      if progress.bytes > 0 { parts.append(bytesText(progress.bytes)) }
      if progress.bytesPerSecond > 0 { parts.append(bytesText(Int64(progress.bytesPerSecond)) + "/s") }
      if progress.leftOut > 0 { parts.append("\(progress.leftOut) left out") }
    }
    if progress.interruption == nil, let left = progress.secondsLeft, left.isFinite, left >= 0 {
      parts.append(secondsText(left) + " left")
    }
    return parts.joined(separator: ", ")
  }

  private static func bar(_ fraction: Double) -> String {
    let cells = 24
    let full = Int((fraction * Double(cells)).rounded(.down))
    return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: cells - full) + "]"
  }

  private static var columns: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}
