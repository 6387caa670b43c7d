import Glibc

/// Why the atlas could not be opened or written. The description is one sentence for a person.
public struct AtlasError: Error, CustomStringConvertible, Sendable, Equatable {
  /// The operating system's error number, or 0 when the cause is not a system call.
  public let code: Int32
  /// What happened, to what, and why.
  public let description: String

  /// True when the file system is full, or a quota or file-size limit is reached: nothing more can be stored.
  public var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }

  init(_ description: String, code: Int32 = 0) {
    self.code = code
    self.description = description
  }

  /// An error of a system call: "Cannot write the thumbnails in /a/b: No space left on device."
  static func system(_ action: String, _ path: String, code: Int32 = errno) -> AtlasError {
    AtlasError("Cannot \(action) \(path): \(String(cString: strerror(code))).", code: code)
  }
}
