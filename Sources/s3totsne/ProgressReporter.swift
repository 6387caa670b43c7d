import Mapping
import ObjectStorage

/// Says on standard error how far a job is.
final class ProgressReporter: Sendable {
  private let progress: TerminalProgress

  /// A reporter that says nothing but notes when it is quiet.
  init(isQuiet: Bool) { progress = TerminalProgress(isQuiet: isQuiet) }

  /// Takes an event of the job.
  func receive(_ event: MappingEvent) {
    switch event {
    case .note(let text): progress.note(text)
    case .progress(let now):
      progress.show(stage: "\(now.stage) \(now.interruption != nil)", fraction: now.fraction) { describe(now) }
    default: break
    }
  }

  /// Leaves the line of the bar empty.
  func finish() { progress.finish() }

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
}
