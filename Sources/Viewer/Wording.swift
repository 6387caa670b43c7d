import Foundation
import Mapping
import ObjectStorage
import Scene

/// Numbers as the window says them, the same in every locale.
enum Wording {
  /// 12402 → `12,402`.
  static func count(_ value: Int) -> String {
    let digits = String(value.magnitude)
    var grouped = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { grouped.append(",") }
      grouped.append(digit)
    }
    return value < 0 ? "−" + grouped : grouped
  }

  /// `1 image`, `12,402 images`.
  static func count(_ value: Int, _ singular: String, _ plural: String? = nil) -> String {
    "\(count(value)) \(value == 1 ? singular : plural ?? singular + "s")"
  }

  /// Decimal units, as stores and file managers count: `812 B`, `20.4 KB`, `1.2 GB`.
  static func bytes(_ value: Int64) -> String {
    var amount = Double(value)
    for unit in ["B", "KB", "MB", "GB"] {
      if amount < 999.5 { return number(amount, digits: unit == "B" || amount >= 99.95 ? 0 : 1) + " " + unit }
      amount /= 1000
    }
    return number(amount, digits: 1) + " TB"
  }

  /// `8 s`, `2 min 10 s`, `1 h 12 min`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite else { return "a while" }
    let whole = Int(max(0, seconds).rounded(.up))
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 {
      // Far from the end nobody wants seconds.
      return whole % 60 == 0 || whole >= 600 ? "\(whole / 60) min" : "\(whole / 60) min \(whole % 60) s"
    }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }

  /// A number with a fixed count of decimals and a point, whatever the locale.
  static func number(_ value: Double, digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }

  /// A number without decimals that say nothing: `12`, `0.5`.
  static func plain(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
  }

  /// Local time, `2024-05-31 14:02`.
  static func date(_ date: Date) -> String {
    var seconds = time_t(date.timeIntervalSince1970)
    var parts = tm()
    localtime_r(&seconds, &parts)
    return String(
      format: "%04d-%02d-%02d %02d:%02d", Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday),
      Int(parts.tm_hour), Int(parts.tm_min))
  }

  /// `4,032 × 3,024`.
  static func dimensions(width: Int, height: Int) -> String { "\(count(width)) × \(count(height))" }

  /// What keeps something waiting, and for how long still.
  static func words(about interruption: StorageInterruption) -> [String] {
    guard let next = interruption.nextTry else { return [interruption.title, "trying again"] }
    let left = max(1, (ContinuousClock.now.duration(to: next) / .seconds(1)).rounded(.up))
    return [interruption.title, "next try in \(duration(left))"]
  }

  /// Why a key did nothing, and what it wants.
  static func words(_ refusal: Refusal) -> String {
    switch refusal {
    case .noPicture: "That is about one picture: point at it, or go to it with the arrow keys"
    case .nothingOpened: "That is for a picture at full size: click one, or press Return"
    case .nothingSelected: "Nothing is selected"
    case .noGroups: "There are no groups to go through: d looks for duplicates"
    case .nothingToCompare: "Select the pictures to be shown side by side: Ctrl+click, or drag with Shift"
    }
  }

  /// The sentence of the status line about a running job.
  static func sentence(for progress: MappingProgress) -> String {
    var parts: [String] = []
    if let interruption = progress.interruption { parts += words(about: interruption) }
    switch progress.stage {
    case .listing:
      parts.append(listing(progress))
    case .loading:
      parts.append(
        "Loading \(count(progress.completed)) of \(count(progress.total, progress.otherFiles == 0 ? "image" : "file"))")
    case .neighbours:
      parts.append("Finding similar images" + percent(progress))
    case .affinities:
      parts.append("Weighing similarities" + percent(progress))
    case .layout:
      parts.append("Laying out: iteration \(count(progress.completed)) of \(count(progress.total))")
    }
    if progress.stage == .listing || progress.stage == .loading, progress.bytes > 0 {
      parts.append(bytes(progress.bytes))
      if progress.bytesPerSecond > 0 { parts.append(bytes(Int64(progress.bytesPerSecond)) + "/s") }
    }
    if progress.interruption == nil, let left = progress.secondsLeft, progress.fraction.map({ $0 < 1 }) ?? false {
      parts.append(duration(left) + " left")
    }
    return parts.joined(separator: " · ")
  }

  /// A listing that is renewed is about what has changed, the first one about how much there is.
  private static func listing(_ progress: MappingProgress) -> String {
    guard progress.total > 0 else { return progress.images > 0 ? "Looking for changes" : "Listing" }
    let objects = count(progress.total, "object")
    if progress.known > 0 {
      let waiting = progress.total - progress.completed
      return "Looking for changes: \(objects)" + (waiting > 0 ? ", \(count(waiting)) of them to be loaded" : "")
    }
    return "Listing: \(objects)" + (progress.images > 0 ? " · \(count(progress.images, "image")) loaded" : "")
  }

  private static func percent(_ progress: MappingProgress) -> String {
    guard let fraction = progress.fraction, fraction >= 0.01 else { return "" }
    return ": \(Int(fraction * 100)) %"
  }
}
