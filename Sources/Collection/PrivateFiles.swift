import Foundation

/// Files and directories that only the user may read, written whole or not at all.
enum PrivateFiles {
  /// Makes a directory and those above it; the ones it makes are 0700.
  static func makeDirectory(_ path: String) throws(StoreFailure) {
    if mkdir(path, 0o700) == 0 { return }
    let code = errno
    if code == ENOENT {
      let parent = (path as NSString).deletingLastPathComponent
      guard parent != path, !parent.isEmpty else { throw StoreFailure("Cannot make", path, code: code) }
      try makeDirectory(parent)
      if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
      throw StoreFailure("Cannot make", path)
    }
    var status = stat()
    guard code == EEXIST, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw StoreFailure("Cannot make", path, code: code)
    }
  }

  /// Writes a file whole or not at all.
  static func write(_ bytes: [UInt8], to path: String) throws(StoreFailure) {
    try write(to: path) { (write) throws(StoreFailure) in try write(bytes) }
  }

  /// Writes a file by a temporary neighbour, fsync and rename: a reader sees all of it or what was there before.
  /// - Parameter body: Is given what writes the next bytes.
  static func write(
    to path: String, _ body: (_ write: ([UInt8]) throws(StoreFailure) -> Void) throws(StoreFailure) -> Void
  ) throws(StoreFailure) {
    let temporary = path + ".part"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw StoreFailure("Cannot write", path) }
    var isDone = false
    defer {
      close(descriptor)
      if !isDone { unlink(temporary) }
    }
    try body { (bytes) throws(StoreFailure) in
      var offset = 0
      while offset < bytes.count {
        let written = bytes.withUnsafeBytes { buffer in
          let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
          return Foundation.write(descriptor, rest.baseAddress, rest.count)
        }
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { throw StoreFailure("Cannot write", path) }
        offset += written
      }
    }
    guard fsync(descriptor) == 0, rename(temporary, path) == 0 else { throw StoreFailure("Cannot write", path) }
    isDone = true
    syncDirectory(of: path)
  }

  /// Reads a file whole; nil when there is none, or it cannot be read.
  static func read(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    let size = Int(status.st_size)
    var offset = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while offset < size {
        let rest = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[offset..<size]))
        let got = Foundation.read(descriptor, rest.baseAddress, rest.count)
        if got < 0 && errno == EINTR { continue }
        if got <= 0 { break }
        offset += got
      }
      count = offset
    }
    return offset == size ? bytes : nil
  }

  /// Makes a rename last over a power cut. A file system that cannot do it loses nothing but the newest file.
  private static func syncDirectory(of path: String) {
    let descriptor = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  /// Bytes that may still be written to the file system of `path`; nil when that cannot be told.
  static func bytesFree(at path: String) -> Int64? {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return nil }
    return Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
  }

  /// Bytes on disk below a directory.
  static func bytes(below directory: String) -> Int64 {
    guard let names = FileManager.default.enumerator(atPath: directory) else { return 0 }
    var sum: Int64 = 0
    for case let name as String in names {
      var status = stat()
      if lstat(directory + "/" + name, &status) == 0 { sum += Int64(status.st_blocks) * 512 }
    }
    return sum
  }
}
