import Foundation
import Mapping
import Neighbors
import TSNE

/// What tells layouts of the same images apart, in a few words each.
struct LayoutWords: Equatable {
  /// What a layout was made with, and how far.
  struct Subject {
    var parameters: MapParameters
    /// Iterations that lie behind it.
    var iteration: Int
    /// Whether it is the complete layout of its parameters.
    var isComplete: Bool
    /// How many images were placed into it after it was made.
    var placed: Int?
    var date: Date
  }

  /// What it alone has among them, or its perplexity where nothing tells it apart.
  var title: String
  /// When it was made, and whether it is another than the complete one.
  var detail: String

  /// The words for each of `subjects`, said beside one another at the time `now`.
  static func describing(_ subjects: [Subject], now: Date = Date()) -> [LayoutWords] {
    let parts = subjects.map { words($0.parameters) }
    return subjects.indices.map { index in
      let telling = parts[index].indices.filter { part in
        parts.contains { $0[part] != parts[index][part] }
      }
      let title = telling.map { parts[index][$0] }.joined(separator: " · ")
      return LayoutWords(title: title.isEmpty ? parts[index][0] : title, detail: detail(subjects[index], now: now))
    }
  }

  /// Every parameter as it is said, in the order in which they are most often changed.
  private static func words(_ parameters: MapParameters) -> [String] {
    let tsne = parameters.tsne
    let rate =
      switch tsne.learningRate {
      case .automatic: "rate auto"
      case .value(let value): "rate \(Wording.plain(value))"
      }
    let exponent =
      parameters.metric.hasParameters ? " p \(Wording.plain(parameters.metricParameters.minkowskiP))" : ""
    return [
      "perplexity \(Wording.plain(tsne.perplexity))",
      parameters.metric.rawValue + exponent,
      "exaggeration \(Wording.plain(tsne.earlyExaggeration))",
      rate,
      "\(Wording.count(tsne.iterations)) iterations",
      "seed \(tsne.seed)",
      "late exaggeration \(Wording.plain(tsne.lateExaggeration))",
      "early \(Wording.count(tsne.earlyIterations))",
      "momentum \(Wording.plain(tsne.momentum))",
      "\(parameters.featureSide) pixels a side",
      parameters.reducedDimension.map { "\($0) components" } ?? "all components",
    ]
  }

  private static func detail(_ subject: Subject, now: Date) -> String {
    var parts = [when(subject.date, now: now)]
    if let placed = subject.placed, placed > 0 {
      parts.append("\(Wording.count(placed)) placed since")
    } else if !subject.isComplete {
      parts.append("at \(Wording.count(subject.iteration))")
    }
    return parts.joined(separator: " · ")
  }

  /// The time of today, the date of other days.
  private static func when(_ date: Date, now: Date) -> String {
    let text = Wording.date(date)
    let today = Wording.date(now)
    return String(text.prefix(10) == today.prefix(10) ? text.suffix(5) : text.prefix(10))
  }
}
