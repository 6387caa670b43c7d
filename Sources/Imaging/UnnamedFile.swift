internal import Dispatch
import Glibc

/// A file without a name, which nothing is left of once it is closed: room for what a decoder must keep of a large picture.
final class UnnamedFile {
  fileprivate let descriptor: Int32
  fileprivate let size: Int

  /// A file with room for `size` bytes, so that a full disk is told now; nil when there is none in any of the usual
  /// directories.
  init?(size: Int) {
    for directory in Self.directories {
      guard let opened = Self.open(in: directory, size: size) else { continue }
      descriptor = opened
      self.size = size
      return
    }
    return nil
  }

  deinit { close(descriptor) }

  private static var directories: [String] {
    let chosen = getenv("TMPDIR").map { String(cString: $0) } ?? ""
    return (chosen.isEmpty ? [] : [chosen]) + ["/var/tmp", "/tmp"]
  }

  private static func open(in directory: String, size: Int) -> Int32? {
    var template = Array("\(directory)/s3totsne-XXXXXX".utf8CString)
    let file = mkstemp(&template)
    guard file >= 0 else { return nil }
    unlink(template)
    _ = fcntl(file, F_SETFD, FD_CLOEXEC)
    guard size == 0 || posix_fallocate(file, 0, off_t(size)) == 0 else {
      close(file)
      return nil
    }
    return file
  }

  /// Writes all of `bytes` at a place within the file.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(ImagingError) {
    try transfer(bytes.count) { done in
      pwrite(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
    }
  }

  /// Fills `bytes` from a place within the file.
  func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(ImagingError) {
    try transfer(bytes.count) { done in
      pread(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
    }
  }

  private func transfer(_ count: Int, _ part: (_ done: Int) -> Int) throws(ImagingError) {
    var done = 0
    while done < count {
      let moved = part(done)
      if moved < 0, errno == EINTR { continue }
      guard moved > 0 else { throw ImagingError("The temporary file for a picture of this size cannot be used.") }
      done += moved
    }
  }
}

/// Appends pixels to a part of a file, many at a time.
final class PixelWriter {
  private let file: UnnamedFile
  private var offset: Int
  private let buffer: UnsafeMutableBufferPointer<UInt32>
  private var count = 0

  private static let pixelsAtOnce = 1 << 17

  /// A writer of what begins at a place in the file.
  init(_ file: UnnamedFile, at offset: Int) {
    self.file = file
    self.offset = offset
    buffer = .allocate(capacity: Self.pixelsAtOnce)
  }

  deinit { buffer.deallocate() }

  func append(_ pixels: UnsafeBufferPointer<UInt32>) throws(ImagingError) {
    var rest = pixels[...]
    while !rest.isEmpty {
      let part = rest.prefix(buffer.count - count)
      for (place, pixel) in zip(count..., part) { buffer[place] = pixel }
      count += part.count
      rest = rest.dropFirst(part.count)
      if count == buffer.count { try flush() }
    }
  }

  /// Writes what has been collected.
  func flush() throws(ImagingError) {
    try file.write(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<(count * 4)]), at: offset)
    offset += count * MemoryLayout<UInt32>.size
    count = 0
  }
}

/// Reads rows of equal length from a part of a file, one after the other.
final class RowReader {
  private let file: UnnamedFile
  private var offset: Int
  private let rowSize: Int
  private var rowsLeft: Int
  private let buffer: UnsafeMutableRawBufferPointer
  private var rowsInBuffer = 0
  private var rowsTaken = 0

  private static let bytesAtOnce = 1 << 18

  /// A reader of `rows` rows of `rowSize` bytes, which begin at a place in the file.
  init(_ file: UnnamedFile, at offset: Int, rowSize: Int, rows: Int) {
    self.file = file
    self.offset = offset
    self.rowSize = rowSize
    rowsLeft = rows
    let rowsAtOnce = max(1, min(rows, Self.bytesAtOnce / max(1, rowSize)))
    buffer = .allocate(byteCount: max(1, rowsAtOnce * rowSize), alignment: 16)
  }

  deinit { buffer.deallocate() }

  /// The next row, which stays until the one after it is asked for; nil behind the last.
  func next() throws(ImagingError) -> UnsafeRawPointer? {
    if rowsTaken == rowsInBuffer {
      guard rowsLeft > 0, rowSize > 0 else { return nil }
      rowsInBuffer = min(rowsLeft, buffer.count / rowSize)
      rowsTaken = 0
      try file.read(into: .init(rebasing: buffer[..<(rowsInBuffer * rowSize)]), at: offset)
      offset += rowsInBuffer * rowSize
      rowsLeft -= rowsInBuffer
    }
    defer { rowsTaken += 1 }
    return UnsafeRawPointer(buffer.baseAddress.map { $0 + rowsTaken * rowSize })
  }
}

/// A file in the address space of the process: memory that need not be there. Its pages are given back to the system again and
/// again; what they hold stays in the file.
final class MappedFile: Sendable {
  private let address: UInt
  private let size: Int

  /// Nil when there is no room for it.
  init?(size: Int) {
    guard size > 0, let file = UnnamedFile(size: size),
      let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.descriptor, 0), base != MAP_FAILED
    else { return nil }
    address = UInt(bitPattern: base)
    self.size = size
  }

  deinit { munmap(base, size) }

  /// The first byte.
  var base: UnsafeMutableRawPointer {
    guard let base = UnsafeMutableRawPointer(bitPattern: address) else {
      preconditionFailure("a mapping begins at zero")
    }
    return base
  }

  /// Gives all pages back. At any time, also while the bytes are written and read: whoever needs them gets them again.
  func release() { madvise(base, size, MADV_DONTNEED) }

  /// Runs `body`, during which the pages are given back many times a second: a library that fills the whole mapping in one
  /// call has little of it in memory, too.
  func releasedRepeatedly<Result>(during body: () -> Result) -> Result {
    let timer = DispatchSource.makeTimerSource(queue: .global(qos: .userInitiated))
    timer.schedule(deadline: .now() + .milliseconds(20), repeating: .milliseconds(20))
    timer.setEventHandler { self.release() }
    timer.activate()
    defer { timer.cancel() }
    return body()
  }
}
