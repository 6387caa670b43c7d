import Foundation

/// Why something in the local store could not be read or written.
struct StoreFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  /// What the system said about `path`, for the current `errno` or the one given.
  init(_ action: String, _ path: String, code: Int32 = errno) {
    description = "\(action) \(path): \(String(cString: strerror(code)))."
  }
}
