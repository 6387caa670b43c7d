import Foundation

/// An open file or directory, closed with its owner.
struct FileDescriptor: ~Copyable {
  let number: CInt

  init(owning number: CInt) { self.number = number }

  deinit { close(number) }

  /// Opens relative to a directory; any bytes are a name.
  init(_ name: [UInt8], in directory: CInt = AT_FDCWD, flags: CInt, mode: mode_t = 0) throws(SystemFailure) {
    let number = try SystemFailure.retrying {
      name.withCString { openat(directory, $0, flags | O_CLOEXEC, mode) }
    }
    self.init(owning: number)
  }

  /// Appends what one system call reads; nothing at the end of the file.
  func append(to bytes: inout [UInt8], atMost wanted: Int) throws(SystemFailure) -> Int {
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: wanted))
    var count = 0
    defer { bytes.removeLast(wanted - count) }
    let number = number
    count = try SystemFailure.retrying {
      bytes.withUnsafeMutableBytes { Foundation.read(number, $0.baseAddress! + start, wanted) }
    }
    return count
  }
}

/// A failed system call.
struct SystemFailure: Error, Hashable {
  var code: CInt

  /// As the system says it, such as “Permission denied”.
  var reason: String { String(cString: strerror(code)) }

  /// Calls again while a signal interrupts.
  @discardableResult
  static func retrying<Result: SignedInteger>(_ call: () -> Result) throws(SystemFailure) -> Result {
    while true {
      let result = call()
      if result >= 0 { return result }
      if errno != EINTR { throw SystemFailure(code: errno) }
    }
  }
}

extension [UInt8] {
  /// The bytes as a C string, for the time of the call.
  func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    (self + [0]).withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { body($0.baseAddress!) }
    }
  }
}

/// What the system knows of a file.
struct FileStatus: Sendable {
  private let status: stat

  init(_ name: [UInt8], in directory: CInt) throws(SystemFailure) {
    var status = stat()
    try SystemFailure.retrying { name.withCString { fstatat(directory, $0, &status, 0) } }
    self.status = status
  }

  init(of descriptor: CInt) throws(SystemFailure) {
    var status = stat()
    try SystemFailure.retrying { fstat(descriptor, &status) }
    self.status = status
  }

  var isDirectory: Bool { status.st_mode & S_IFMT == S_IFDIR }
  var isRegularFile: Bool { status.st_mode & S_IFMT == S_IFREG }
  var size: Int64 { Int64(status.st_size) }
  var modified: Date {
    Date(timeIntervalSince1970: Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) * 1e-9)
  }

  /// What tells the file from every other of this computer.
  var identity: FileIdentity { FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)) }

  /// Changes when the content does: modification time in nanoseconds, size, inode.
  var tag: String {
    let nanoseconds = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    return "\(nanoseconds)-\(status.st_size)-\(status.st_ino)"
  }
}

/// A file whatever its name.
struct FileIdentity: Hashable, Sendable {
  var device: UInt64
  var inode: UInt64
}
