import Foundation

/// A file that is going to be written: either completely, or not at all.
public struct OutputFile: Sendable {
  /// The path as it was given.
  public let path: String
  /// Where the bytes go, after symbolic links.
  private let target: String
  /// Something that is no regular file (a pipe, a terminal) is written to as it is.
  private let isSpecial: Bool

  /// Finds out whether the file can be written, without changing anything that is there.
  ///
  /// Throws when the folder is missing, cannot be written in, or a folder has the file's name.
  public init(path: String) throws(ExportError) {
    self.path = path
    guard !path.isEmpty else { throw ExportError("A file without a name cannot be written.") }
    target =
      realpath(path, nil).map { resolved in
        defer { free(resolved) }
        return String(cString: resolved)
      } ?? path
    var status = stat()
    if stat(target, &status) == 0 {
      let kind = status.st_mode & S_IFMT
      guard kind != S_IFDIR else { throw ExportError("\(path) cannot be written: it is a folder.") }
      isSpecial = kind != S_IFREG
      if isSpecial {
        guard access(target, W_OK) == 0 else { throw Self.failure(path, errno) }
        return
      }
    } else {
      isSpecial = false
    }
    // Whether the folder takes a new file is known only by making one: rights are not all that can be in the way.
    let (descriptor, name) = try temporaryFile()
    close(descriptor)
    unlink(name)
  }

  /// Writes the file: first under another name in the same folder, so that nobody ever sees a part of it.
  public func write(_ bytes: [UInt8]) throws(ExportError) {
    try write { sink in bytes.withUnsafeBytes { sink($0) } }
  }

  /// Writes what `body` hands to its argument, piece by piece; the argument answers whether it could be written.
  public func write(_ body: (@escaping (UnsafeRawBufferPointer) -> Bool) throws -> Bool) throws(ExportError) {
    if isSpecial {
      let descriptor = open(target, O_WRONLY)
      guard descriptor >= 0 else { throw Self.failure(path, errno) }
      defer { close(descriptor) }
      try fill(descriptor, body)
      return
    }
    let (descriptor, name) = try temporaryFile()
    do throws(ExportError) {
      defer { close(descriptor) }
      try fill(descriptor, body)
      // Files made by mkstemp are for their owner alone; this one gets the rights of any new file.
      let mask = umask(0)
      umask(mask)
      guard fchmod(descriptor, 0o666 & ~mask) == 0, fsync(descriptor) == 0, rename(name, target) == 0 else {
        throw Self.failure(path, errno)
      }
    } catch {
      unlink(name)
      throw error
    }
  }

  private func fill(
    _ descriptor: Int32, _ body: (@escaping (UnsafeRawBufferPointer) -> Bool) throws -> Bool
  ) throws(ExportError) {
    let code = ErrorCode()
    let sink: (UnsafeRawBufferPointer) -> Bool = { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let part = UnsafeRawBufferPointer(rebasing: rest)
        let count = Glibc.write(descriptor, part.baseAddress, part.count)
        if count < 0 {
          if errno == EINTR { continue }
          code.value = errno
          return false
        }
        rest = rest.dropFirst(count)
      }
      return true
    }
    do {
      if try body(sink) { return }
    } catch {
      if code.value == 0 { throw ExportError("\(path) could not be written: \(error)") }
    }
    throw Self.failure(path, code.value)
  }

  /// What the system said when writing failed.
  private final class ErrorCode {
    var value: Int32 = 0
  }

  private func temporaryFile() throws(ExportError) -> (descriptor: Int32, name: String) {
    let folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? ""
    var template = Array((folder + ".s3totsne-XXXXXX").utf8CString)
    let descriptor = template.withUnsafeMutableBufferPointer { mkstemp($0.baseAddress!) }
    guard descriptor >= 0 else {
      let code = errno
      if code == ENOENT { throw ExportError("\(path) cannot be written: there is no folder \(folder).") }
      throw Self.failure(path, code)
    }
    return (descriptor, template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) })
  }

  private static func failure(_ path: String, _ code: Int32) -> ExportError {
    ExportError("\(path) cannot be written: \(String(cString: strerror(code))).")
  }
}
