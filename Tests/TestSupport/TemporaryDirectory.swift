import Foundation

/// A fresh directory of its own, removed with everything in it when the last reference goes, at the latest at exit.
public final class TemporaryDirectory: Sendable {
  /// The absolute path, without a slash at the end.
  public let path: String

  /// Makes the directory under the system's directory for temporary files.
  public init(_ purpose: String = "test") throws {
    var template = Array((NSTemporaryDirectory() + "s3totsne-\(purpose)-XXXXXX").utf8CString)
    guard let made = template.withUnsafeMutableBufferPointer({ mkdtemp($0.baseAddress!) }) else {
      throw TestSupportError("No temporary directory: \(String(cString: strerror(errno)))")
    }
    path = String(cString: made)
    Cleanup.shared.add(directory: path)
  }

  deinit {
    Cleanup.shared.remove(directory: path)
  }

  /// The path of something inside, as `path` + "/" + name.
  public func file(_ name: String) -> String { path + "/" + name }

  /// Writes a file inside, with the folders above it.
  @discardableResult
  public func write(_ bytes: [UInt8], to name: String) throws -> String {
    let target = file(name)
    try FileManager.default.createDirectory(
      atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    guard FileManager.default.createFile(atPath: target, contents: Data(bytes)) else {
      throw TestSupportError("\(target) cannot be written")
    }
    return target
  }

  /// Copies a file or folder to a name inside.
  @discardableResult
  public func copy(_ source: String, to name: String) throws -> String {
    let target = file(name)
    try FileManager.default.createDirectory(
      atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: source, toPath: target)
    return target
  }
}
