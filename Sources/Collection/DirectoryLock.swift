import Foundation

/// The advisory lock by which one program writes to a collection's directory. The kernel lets go of it when the process
/// ends, however it ends.
final class DirectoryLock: Sendable {
  private let descriptor: Int32

  /// Takes the lock of `directory`; nil when another holder has it.
  /// - Throws: `StoreFailure` when the lock's file cannot be made.
  static func take(in directory: String) throws(StoreFailure) -> DirectoryLock? {
    let path = directory + "/lock"
    while true {
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
      guard descriptor >= 0 else { throw StoreFailure("Cannot write", path) }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        let code = errno
        close(descriptor)
        if code == EWOULDBLOCK { return nil }
        throw StoreFailure("Cannot lock", path, code: code)
      }
      // `cache clear` may have removed the file between the opening and the locking: then the lock guards nothing.
      var held = stat()
      var present = stat()
      if fstat(descriptor, &held) == 0, stat(path, &present) == 0, held.st_ino == present.st_ino,
        held.st_dev == present.st_dev
      {
        return DirectoryLock(descriptor: descriptor)
      }
      close(descriptor)
      try PrivateFiles.makeDirectory(directory)
    }
  }

  private init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }
}
