import Foundation

/// Bytes that stay where they are: a mapped file, or memory that was filled from a pipe.
// @unchecked: the bytes are never changed after `init`.
final class StableBytes: @unchecked Sendable {
  /// The first byte.
  let start: UnsafeRawPointer
  /// How many there are.
  let count: Int
  private let isMapped: Bool

  /// Maps the first `count` bytes of an open file.
  init(mapping descriptor: Int32, count: Int) throws(NPYError) {
    guard let memory = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), memory != MAP_FAILED else {
      throw .system(String(cString: strerror(errno)))
    }
    start = UnsafeRawPointer(memory)
    self.count = count
    isMapped = true
  }

  /// Reads `count` bytes from where the descriptor stands. Memory grows with what arrives, not with what was announced.
  init(reading descriptor: Int32, count: Int) throws(NPYError) {
    var capacity = min(max(1, count), 1 << 20)
    var memory = malloc(capacity)
    var filled = 0
    var failure: NPYError?
    while filled < count, failure == nil {
      if filled == capacity {
        capacity = min(count, 2 * capacity)
        guard let larger = realloc(memory, capacity) else {
          failure = .system(String(cString: strerror(ENOMEM)))
          break
        }
        memory = larger
      }
      guard let memory else {
        failure = .system(String(cString: strerror(ENOMEM)))
        break
      }
      do throws(NPYError) {
        let got = try Self.read(descriptor, into: memory + filled, count: capacity - filled)
        if got == 0 { failure = .cutOff(expected: count, found: filled) }
        filled += got
      } catch {
        failure = error
      }
    }
    guard failure == nil, let memory else {
      free(memory)
      throw failure ?? .system(String(cString: strerror(ENOMEM)))
    }
    start = UnsafeRawPointer(memory)
    self.count = count
    isMapped = false
  }

  deinit {
    let memory = UnsafeMutableRawPointer(mutating: start)
    if isMapped { munmap(memory, count) } else { free(memory) }
  }

  /// Reads some bytes; 0 at the end.
  static func read(_ descriptor: Int32, into memory: UnsafeMutableRawPointer, count: Int) throws(NPYError) -> Int {
    while true {
      // The system takes at most 2 GiB at a time.
      let got = Foundation.read(descriptor, memory, min(count, 1 << 30))
      if got >= 0 { return got }
      guard errno == EINTR else { throw .system(String(cString: strerror(errno))) }
    }
  }

  /// Reads up to `count` bytes, fewer only at the end.
  static func readPrefix(_ descriptor: Int32, count: Int) throws(NPYError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let got = bytes.withUnsafeMutableBytes { buffer -> Result<Int, NPYError> in
        guard let base = buffer.baseAddress else { return .success(0) }
        do throws(NPYError) {
          return .success(try read(descriptor, into: base + filled, count: count - filled))
        } catch {
          return .failure(error)
        }
      }
      let more = try got.get()
      if more == 0 { break }
      filled += more
    }
    bytes.removeLast(count - filled)
    return bytes
  }
}
