import Glibc

/// Pixels in a file without a name, mapped for reading: gone with the last reference.
final class MappedPixels: Sendable {
  /// The first pixel.
  // Written in `init` alone, unmapped in `deinit`; nobody writes to the memory.
  nonisolated(unsafe) let pixels: UnsafePointer<UInt32>
  private let byteCount: Int

  /// Maps `count` pixels of a file; nil when that is refused. The file may be closed afterwards.
  init?(file: Int32, count: Int) {
    byteCount = count * 4
    let base = mmap(nil, byteCount, PROT_READ, MAP_SHARED, file, 0)
    guard let base, base != MAP_FAILED else { return nil }
    // Rows of a part lie far apart: nothing is gained by reading what is between them.
    madvise(base, byteCount, MADV_RANDOM)
    pixels = UnsafePointer(base.assumingMemoryBound(to: UInt32.self))
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: pixels), byteCount) }

  /// Brings pixels into memory. Blocking.
  func populate(_ first: Int, count: Int) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let start = first * 4 / page * page
    let end = min(byteCount, (first + count) * 4)
    let base = UnsafeMutableRawPointer(mutating: pixels)
    if madvise(base + start, end - start, Self.populateRead) == 0 { return }
    // A kernel before 5.14: reading brings them in as well.
    var sum: UInt8 = 0
    for offset in stride(from: start, to: end, by: page) { sum ^= base.load(fromByteOffset: offset, as: UInt8.self) }
    _ = sum
  }

  /// Gives all memory back; the pixels stay in the file.
  func release() { madvise(UnsafeMutableRawPointer(mutating: pixels), byteCount, MADV_DONTNEED) }

  /// MADV_POPULATE_READ of Linux 5.14, which the C library's overlay does not declare.
  private static let populateRead: Int32 = 22
}
