import ArgumentParser

/// A number of bytes on the command line: `4096`, `500MB`, `1.5GB`, `2GiB`, or `none`.
struct ByteSize: ExpressibleByArgument, Equatable, CustomStringConvertible {
  /// nil for no limit.
  var bytes: Int64?

  init(bytes: Int64?) { self.bytes = bytes }

  init?(argument: String) {
    let text = argument.lowercased()
    if text == "none" {
      bytes = nil
      return
    }
    let digits = text.prefix { $0.isNumber || $0 == "." }
    let units: [String: Double] = [
      "": 1, "b": 1, "k": 1e3, "kb": 1e3, "kib": 1024, "m": 1e6, "mb": 1e6, "mib": 1_048_576, "g": 1e9, "gb": 1e9,
      "gib": 1_073_741_824, "t": 1e12, "tb": 1e12, "tib": 1_099_511_627_776,
    ]
    guard let number = Double(digits), let unit = units[text.dropFirst(digits.count).trimmingPrefix(" ").description],
      number * unit >= 1, number * unit < 9e18
    else { return nil }
    bytes = Int64(number * unit)
  }

  var description: String { bytes.map { bytesText($0) } ?? "none" }
}
