import Foundation

/// What the rows stand for, in sentences for a person.
public enum RowSubject: Sendable {
  /// Rows of a matrix.
  case rows
  /// Images, a row being an image's pixels.
  case images

  fileprivate var plural: String { self == .rows ? "rows" : "images" }
}

/// What a search tells a person.
enum SearchSentences {
  /// Rows without a direction: zero, or constant for the correlation.
  static func withoutDirection(_ metric: Metric, _ zeros: Int, of count: Int, subject: RowSubject) -> String {
    let isCosine = metric.canonical == .cosine
    let verb = zeros == 1 ? "is" : "are"
    let who = "\(number(zeros)) of \(number(count)) \(subject.plural)"
    let what =
      switch (subject, isCosine) {
      case (.images, true): "\(verb) all black"
      case (.images, false): "\(verb) one even grey"
      case (.rows, true): zeros == 1 ? "is all zeros" : "are all zeros"
      case (.rows, false): zeros == 1 ? "has the same number throughout" : "have the same number throughout"
      }
    let place = zeros == 1 ? "it stands apart from the others" : "they stand together, apart from the others"
    return "\(who) \(what), which gives the distance “\(metric)” nothing to compare: \(place)."
  }

  /// No two distances differ.
  static func withoutSpread(_ metric: Metric, count: Int, subject: RowSubject) -> String {
    let reason =
      metric.group == .boolean ? ", which only asks what is 0 and what is not," : ""
    return
      "By the distance “\(metric)”\(reason) all \(number(count)) \(subject.plural) are equally far from each other: "
      + "there is nothing to arrange them by, so they stand in a grid."
  }

  /// In how many directions Mahalanobis' distance is measured.
  static func mahalanobisDirections(_ directions: Int, of columns: Int, subject: RowSubject) -> String {
    "Mahalanobis' distance is measured along the \(directions) main directions of the \(subject.plural)' "
      + "\(number(columns)) values: along too many, all \(subject.plural) would be equally far from each other."
  }

  /// A search that takes long, before it begins.
  static func longSearch(_ metric: Metric, count: Int, seconds: Double, subject: RowSubject) -> String {
    "The distance “\(metric)” compares every two of \(number(count)) \(subject.plural) with all their values: "
      + "that takes about \(duration(seconds))."
  }

  private static func number(_ value: Int) -> String {
    value.formatted(.number.locale(Locale(identifier: "en_US")).grouping(.automatic))
  }

  private static func duration(_ seconds: Double) -> String {
    if seconds < 90 { return "\(Int((seconds / 10).rounded()) * 10) seconds" }
    if seconds < 90 * 60 { return "\(Int((seconds / 60).rounded())) minutes" }
    let hours = Int((seconds / 3600).rounded())
    return hours == 1 ? "1 hour" : "\(hours) hours"
  }
}
