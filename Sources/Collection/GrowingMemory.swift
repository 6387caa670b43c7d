import Foundation
import Synchronization

/// A file mapped into memory, growing at its end and never moving: a range of addresses is reserved once, and the file is
/// laid into it piece by piece. Without a file, or when the disk is full, the pieces are plain memory.
// @unchecked: the address never changes; `state` is behind a lock; the bytes are guarded by who calls (one writer a row,
// and readers only after the writer said so).
final class GrowingMemory: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  private let reserved: Int
  private struct State {
    var descriptor: Int32
    var size: Int
    /// Bytes from the start that are in the file.
    var sizeInFile: Int
  }
  private let state: Mutex<State>
  private static let piece = 1 << 20

  /// Maps `path`, making it when it is missing; plain memory for nil.
  /// - Parameters:
  ///   - limit: Bytes it can grow to; only addresses are taken for them.
  ///   - isBorrowed: The file is only read, and may be missing: what is written stays in memory.
  init(path: String?, limit: Int, isBorrowed: Bool = false) throws(StoreFailure) {
    reserved = (limit + Self.piece) & ~(Self.piece - 1)
    let address = mmap(nil, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let address, address != MAP_FAILED else {
      throw StoreFailure("Cannot reserve memory for", path ?? "features")
    }
    var descriptor: Int32 = -1
    var size = 0
    if let path, isBorrowed {
      size = Self.mapPrivately(path, at: address, limit: reserved)
    } else if let path {
      descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
      var status = stat()
      guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
        let failure = StoreFailure("Cannot open", path)
        munmap(address, reserved)
        if descriptor >= 0 { close(descriptor) }
        throw failure
      }
      size = min(reserved, Int(status.st_size)) & ~(Self.piece - 1)
      if size > 0,
        mmap(address, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, descriptor, 0) == MAP_FAILED
      {
        let failure = StoreFailure("Cannot map", path)
        munmap(address, reserved)
        close(descriptor)
        throw failure
      }
    }
    base = address
    state = Mutex(State(descriptor: descriptor, size: size, sizeInFile: size))
  }

  /// Lays a file's whole pieces into the reserved addresses, copied as soon as they are written to.
  /// - Returns: Their bytes; 0 when the file cannot be read.
  private static func mapPrivately(_ path: String, at address: UnsafeMutableRawPointer, limit: Int) -> Int {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return 0 }
    let size = min(limit, Int(status.st_size)) & ~(piece - 1)
    guard size > 0,
      mmap(address, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, descriptor, 0) != MAP_FAILED
    else { return 0 }
    return size
  }

  deinit {
    munmap(base, reserved)
    state.withLock { if $0.descriptor >= 0 { _ = close($0.descriptor) } }
  }

  /// Bytes that may be touched.
  var size: Int { state.withLock { $0.size } }

  /// Makes at least `count` bytes touchable; new ones are zero.
  /// - Returns: Whether they are all in the file (true as well when there never was one).
  func grow(to count: Int) throws(StoreFailure) -> Bool {
    try state.withLock { state throws(StoreFailure) in
      if count <= state.size { return state.descriptor < 0 || count <= state.sizeInFile }
      guard count <= reserved else { throw StoreFailure("A collection holds at most \(reserved) bytes of features.") }
      let wanted = min(reserved, (max(count, state.size + state.size / 4) + Self.piece - 1) & ~(Self.piece - 1))
      let at = base + state.size
      let length = wanted - state.size
      // Blocks are taken before the bytes are mapped: touching mapped bytes of a full disk would end the process.
      if state.descriptor >= 0, state.sizeInFile == state.size,
        posix_fallocate(state.descriptor, off_t(state.size), off_t(length)) == 0,
        mmap(at, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, state.descriptor, off_t(state.size)) == at
      {
        state.size = wanted
        state.sizeInFile = wanted
        return true
      }
      guard mmap(at, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at else {
        throw StoreFailure("Out of memory for", "features")
      }
      state.size = wanted
      return state.descriptor < 0
    }
  }

  /// Puts everything written on the disk.
  func flush() throws(StoreFailure) {
    let size = state.withLock { $0.sizeInFile }
    guard size > 0, state.withLock({ $0.descriptor }) >= 0 else { return }
    guard msync(base, size, MS_SYNC) == 0 else { throw StoreFailure("Cannot write", "features") }
  }
}
