import Foundation

// Classes by date.
extension Labelling {
  /// By when the images were written: by the unit of the calendar that tells most; where none tells much, in groups of
  /// about equal size. Images without a date have no class.
  init(datesOf images: [LabelledImage], timeZone: TimeZone) {
    let times = images.map { $0.modified?.timeIntervalSince1970 }
    let sorted = times.compactMap { $0 }.sorted()
    let calendar = CalendarNames(timeZone)
    var best: (classes: DateClasses, information: Double) = (DateClasses(equalPartsOf: sorted, count: 1, calendar), 0)
    for unit in CalendarNames.Unit.allCases {
      guard let classes = DateClasses(sorted, by: unit, calendar) else { continue }
      let information = Self.information(Self.counts(of: sorted, limits: classes.limits), of: sorted.count)
      // Larger units are given up only for something worth it.
      if information > best.information + 0.15 { best = (classes, information) }
    }
    if best.information < Self.littleInformation {
      let classes = DateClasses(equalPartsOf: sorted, count: Self.equalParts, calendar)
      let information = Self.information(Self.counts(of: sorted, limits: classes.limits), of: sorted.count)
      if information > best.information + 0.3 { best = (classes, information) }
    }
    let limits = best.classes.limits
    self.init(
      kind: .date, names: best.classes.names, slots: images.map(\.slot),
      classes: times.map { time in time.map { Self.index(of: $0, among: limits) } })
  }

  /// Less than three classes of one size.
  private static let littleInformation = 1.0
  private static let equalParts = 8
}

/// Spans of time that follow one another.
struct DateClasses {
  /// Where each but the first begins, in seconds since 1970.
  var limits: [Double]
  var names: [String]

  /// Years, days and the like that something lies in; where they are too many, the oldest are one class.
  init?(_ sorted: [Double], by unit: CalendarNames.Unit, _ calendar: CalendarNames) {
    guard let first = sorted.first, let last = sorted.last else { return nil }
    let starts = calendar.starts(of: unit, from: first, to: last)
    guard !starts.isEmpty else { return nil }
    let counts = Labelling.counts(of: sorted, limits: Array(starts.dropFirst()))
    var kept = starts.indices.filter { counts[$0] > 0 }
    let hasOlder = kept.count > Labelling.mostLabels
    if hasOlder { kept = Array(kept.suffix(Labelling.mostLabels - 1)) }
    names = kept.map { calendar.name(of: unit, from: starts[$0]) }
    if hasOlder, let oldest = names.first { names.insert("before \(oldest)", at: 0) }
    limits = kept.dropFirst(hasOlder ? 0 : 1).map { starts[$0] }
  }

  /// Parts with about as many in each; what is of one time stays together.
  init(equalPartsOf sorted: [Double], count: Int, _ calendar: CalendarNames) {
    limits = []
    for part in 1..<count where !sorted.isEmpty {
      let limit = sorted[part * sorted.count / count]
      if limit > limits.last ?? sorted[0] { limits.append(limit) }
    }
    var begin = 0
    names = []
    for end in Labelling.counts(of: sorted, limits: limits) where end > 0 {
      names.append(calendar.name(from: sorted[begin], to: sorted[begin + end - 1]))
      begin += end
    }
  }
}

/// Spans of the calendar in a time zone, and what they are called.
struct CalendarNames {
  /// Spans, the longest first.
  enum Unit: CaseIterable { case decade, year, quarter, month, day, hour, minute }

  private var calendar = Calendar(identifier: .gregorian)
  /// More spans than this tell nothing that shorter ones would not.
  private static let mostSpans = 4000
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  init(_ timeZone: TimeZone) { calendar.timeZone = timeZone }

  private func parts(_ time: Double) -> DateComponents {
    calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: Date(timeIntervalSince1970: time))
  }

  /// When the spans begin that cover a time; empty when they are too many.
  func starts(of unit: Unit, from first: Double, to last: Double) -> [Double] {
    let (component, step, length): (Calendar.Component, Int, Double) =
      switch unit {
      case .decade: (.year, 10, 3650 * 86400)
      case .year: (.year, 1, 365 * 86400)
      case .quarter: (.month, 3, 90 * 86400)
      case .month: (.month, 1, 28 * 86400)
      case .day: (.day, 1, 86400)
      case .hour: (.hour, 1, 3600)
      case .minute: (.minute, 1, 60)
      }
    guard (last - first) / length < Double(Self.mostSpans), var next = begin(of: unit, at: first) else { return [] }
    var starts: [Double] = []
    while next.timeIntervalSince1970 <= last {
      starts.append(next.timeIntervalSince1970)
      guard let after = calendar.date(byAdding: component, value: step, to: next), after > next else { break }
      next = after
    }
    return starts
  }

  private func begin(of unit: Unit, at time: Double) -> Date? {
    var parts = parts(time)
    parts.second = 0
    let (year, month) = (parts.year ?? 1970, parts.month ?? 1)
    switch unit {
    case .minute: break
    case .hour: parts.minute = 0
    case .day: (parts.hour, parts.minute) = (0, 0)
    case .month: (parts.day, parts.hour, parts.minute) = (1, 0, 0)
    case .quarter: (parts.month, parts.day, parts.hour, parts.minute) = ((month - 1) / 3 * 3 + 1, 1, 0, 0)
    case .year: (parts.month, parts.day, parts.hour, parts.minute) = (1, 1, 0, 0)
    case .decade:
      (parts.year, parts.month, parts.day, parts.hour, parts.minute) = (year - year % 10, 1, 1, 0, 0)
    }
    return calendar.date(from: parts)
  }

  /// What the span is called that begins at a time: `2019`, `Apr–Jun 2019`, `12 Apr 2019, 14:00`.
  func name(of unit: Unit, from time: Double) -> String {
    let parts = parts(time)
    let year = parts.year ?? 1970
    switch unit {
    case .decade: return "\(year)–\(year + 9)"
    case .year: return String(year)
    case .quarter: return "\(month(parts))–\(Self.months[min(11, (parts.month ?? 1) + 1)]) \(year)"
    case .month: return "\(month(parts)) \(year)"
    case .day: return day(parts)
    case .hour, .minute: return "\(day(parts)), \(clock(parts))"
    }
  }

  /// What a span between two times is called, as briefly as it can be said.
  func name(from first: Double, to last: Double) -> String {
    let (begin, end) = (parts(first), parts(last))
    if day(begin) != day(end) { return "\(day(begin)) – \(day(end))" }
    if clock(begin) != clock(end) { return "\(day(begin)), \(clock(begin))–\(clock(end))" }
    let (from, to) = (seconds(begin), seconds(end))
    return from == to ? "\(day(begin)), \(from)" : "\(day(begin)), \(from)–\(to)"
  }

  private func month(_ parts: DateComponents) -> String { Self.months[max(0, min(11, (parts.month ?? 1) - 1))] }
  private func day(_ parts: DateComponents) -> String {
    "\(parts.day ?? 1) \(month(parts)) \(parts.year ?? 1970)"
  }
  private func clock(_ parts: DateComponents) -> String {
    String(format: "%02d:%02d", parts.hour ?? 0, parts.minute ?? 0)
  }
  private func seconds(_ parts: DateComponents) -> String {
    clock(parts) + String(format: ":%02d", parts.second ?? 0)
  }
}
