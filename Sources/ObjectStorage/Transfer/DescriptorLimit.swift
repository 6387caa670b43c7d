import Foundation
import Synchronization

/// How many files and connections this process may still open.
enum DescriptorLimit {
  /// Left for all else that the program opens: the local store, the display, fonts, libraries.
  static let reserve = 64
  /// As many as are ever useful; many systems allow 1024 and let a program raise that by itself.
  private static let useful: rlim_t = 16_384

  /// Connections promised to all engines of this process.
  private static let promised = Mutex(0)

  /// Connections that one engine may keep open at one time; they can be promised to others when it is gone.
  final class Grant: Sendable {
    /// At least 1.
    let connections: Int

    fileprivate init(_ connections: Int) { self.connections = connections }

    deinit { DescriptorLimit.promised.withLock { $0 -= connections } }
  }

  /// Connections for one engine: what is left of RLIMIT_NOFILE and promised to nobody, in so far as it is wanted; at
  /// least 2. Not all keep what they were promised, so nobody has to do with less than a part of what is really free.
  static func connections(wanted: Int) -> Grant {
    promised.withLock { promised in
      let left = left
      let count = max(min(2, wanted), min(wanted, max(left - promised, left / 16)))
      promised += count
      return Grant(count)
    }
  }

  /// What may be opened beside what is open now, and beside the reserve.
  private static var left: Int {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(resource, &limit) == 0 else { return .max }
    if limit.rlim_cur < useful, limit.rlim_cur < limit.rlim_max {
      var raised = limit
      raised.rlim_cur = min(useful, limit.rlim_max)
      if setrlimit(resource, &raised) == 0 { limit = raised }
    }
    let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 16
    return Int(clamping: limit.rlim_cur) - open - reserve
  }
}
