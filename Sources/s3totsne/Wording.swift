import Foundation

/// A size in bytes, in decimal units as disks and networks count.
func bytesText(_ bytes: Int64) -> String {
  var value = Double(bytes)
  for unit in ["B", "kB", "MB", "GB"] {
    if value < 999.5 {
      return (unit == "B" || value >= 99.95 ? String(Int(value.rounded())) : tenths(value)) + " " + unit
    }
    value /= 1000
  }
  return tenths(value) + " TB"
}

/// A time for people.
func secondsText(_ seconds: Double) -> String {
  if seconds < 9.95 { return tenths(seconds) + " s" }
  let whole = Int(seconds.rounded())
  if whole < 60 { return "\(whole) s" }
  if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
  return "\(whole / 3600) h \(whole % 3600 / 60) min"
}

private func tenths(_ value: Double) -> String { String(format: "%.1f", value) }
