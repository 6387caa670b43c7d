import Glibc

/// An open file, closed with the last reference; its system calls as typed errors.
final class FileDescriptor: Sendable {
  let number: Int32
  let path: String
  let isReadOnly: Bool

  /// Opens or creates a file for reading and writing, mode 0600; read-only where the file system or its owner allows
  /// no more.
  init(path: String) throws(AtlasError) {
    self.path = path
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    if descriptor >= 0 {
      number = descriptor
      isReadOnly = false
      return
    }
    let code = errno
    guard code == EROFS || code == EACCES || code == EPERM else { throw .system("open", path, code: code) }
    number = open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { throw .system("open", path, code: code) }
    isReadOnly = true
  }

  /// Opens a file that belongs to another process, for reading alone.
  init(readingFrom path: String) throws(AtlasError) {
    self.path = path
    number = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard number >= 0 else { throw .system("open", path) }
    isReadOnly = true
  }

  /// A file without a name in a directory: gone with the process.
  init(unnamedIn directory: String) throws(AtlasError) {
    var template = Array("\(directory)/s3totsne-XXXXXX".utf8CString)
    number = mkstemp(&template)
    guard number >= 0 else { throw .system("create a temporary file in", directory) }
    unlink(template)
    path = "a temporary file in \(directory)"
    isReadOnly = false
    _ = fcntl(number, F_SETFD, FD_CLOEXEC)
  }

  deinit { close(number) }

  private func status() throws(AtlasError) -> stat {
    var status = stat()
    guard fstat(number, &status) == 0 else { throw .system("examine", path) }
    return status
  }

  func size() throws(AtlasError) -> Int { Int(try status().st_size) }

  /// What the file occupies on disk: holes count nothing.
  func allocatedBytes() throws(AtlasError) -> Int { Int(try status().st_blocks) * 512 }

  func truncate(to size: Int) throws(AtlasError) {
    guard ftruncate(number, off_t(size)) == 0 else { throw .system("extend", path) }
  }

  func synchronize() throws(AtlasError) {
    guard fdatasync(number) == 0 else { throw .system("write", path) }
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(AtlasError) {
    var done = 0
    while done < bytes.count {
      let count = pwrite(number, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw .system("write", path) }
      done += count
    }
  }

  /// Reads until the buffer is full or the file ends; returns the number of bytes read.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(AtlasError) -> Int {
    var done = 0
    while done < buffer.count {
      let count = pread(number, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .system("read", path) }
      if count == 0 { break }
      done += count
    }
    return done
  }
}
