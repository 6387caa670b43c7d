import Foundation

/// How many files and connections this process may still open.
enum DescriptorLimit {
  /// Left for all else that the program opens: the local store, the display, fonts, libraries.
  static let reserve = 64

  /// Connections that may be open at one time: what is left of RLIMIT_NOFILE, in so far as it is wanted; at least 2.
  static func connections(wanted: Int) -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return wanted }
    let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 16
    let left = Int(clamping: limit.rlim_cur) - open - reserve
    return max(min(2, wanted), min(wanted, left))
  }
}
