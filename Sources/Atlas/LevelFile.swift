import Glibc
import Synchronization

/// The file of one level: a cell of side² × 4 bytes for each slot, the rows contiguous from the start of the cell.
///
/// Written by `pwrite`, so that a full disk is an error and never a SIGBUS; read through shared mappings of the same
/// file, which the kernel keeps coherent. Before a segment is mapped the file is extended (with a hole) to its end, so
/// no mapped page lies behind the end of the file. Mappings never move and live as long as the object.
final class LevelFile: Sendable {
  let file: FileDescriptor
  let cellBytes: Int
  /// Slots from here on lay behind the end of the file when it was opened: nothing was ever stored there.
  let slotsOnOpening: Int
  private let segments = SegmentPointers()
  private let growth = Mutex(())

  init(_ file: FileDescriptor, side: Int) throws(AtlasError) {
    self.file = file
    cellBytes = side * side * 4
    let segmentBytes = cellBytes * slotsPerSegment
    // A file in the middle of a cell: the program died while it grew. Whole cells count.
    slotsOnOpening = try file.size() / cellBytes
    if file.isReadOnly {
      // What cannot be extended can only be mapped where it is whole.
      for segment in 0..<min(slotsOnOpening * cellBytes / segmentBytes, maximumSegments) { try map(segment) }
    }
  }

  deinit {
    for segment in 0..<maximumSegments {
      if let base = segments[segment] { munmap(base, cellBytes * slotsPerSegment) }
    }
    segments.deallocate()
  }

  /// The first pixel of a slot's cell; nil when its segment is not mapped.
  @inline(__always)
  func pixels(_ slot: Int) -> UnsafePointer<UInt32>? { cells.pixels(slot) }

  /// The mapped cells; valid as long as this object.
  var cells: LevelCells { LevelCells(segments: segments, cellBytes: cellBytes) }

  /// Extends the file to the end of a segment and maps it.
  func grow(to segment: Int) throws(AtlasError) {
    guard segments[segment] == nil else { return }
    try growth.withLock { _ throws(AtlasError) in
      guard segments[segment] == nil else { return }
      let end = (segment + 1) * cellBytes * slotsPerSegment
      if try file.size() < end { try file.truncate(to: end) }
      try map(segment)
    }
  }

  private func map(_ segment: Int) throws(AtlasError) {
    let bytes = cellBytes * slotsPerSegment
    let base = mmap(nil, bytes, PROT_READ, MAP_SHARED, file.number, off_t(segment * bytes))
    guard let base, base != MAP_FAILED else { throw .system("map", file.path) }
    segments.set(segment, base)
  }

  /// Brings the pages of a run of slots into memory and into this process, without touching them here: a page that
  /// cannot be read is then an answer, not a signal.
  func populate(_ slots: Range<Int>, lastCellBytes: Int) -> Bool {
    guard let base = segments[slots.lowerBound / slotsPerSegment] else { return false }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let first = slots.lowerBound % slotsPerSegment * cellBytes
    let end = (slots.upperBound - 1) % slotsPerSegment * cellBytes + lastCellBytes
    let start = first / page * page
    if madvise(base + start, end - start, populateRead) == 0 { return true }
    guard errno == EINVAL else { return false }
    // A kernel before 5.14: read the file, which fills the page cache; what is left for the reader is a soft fault.
    var scratch = [UInt8](repeating: 0, count: min(end - first, 1 << 16))
    var offset = slots.lowerBound * cellBytes
    var left = end - first
    while left > 0 {
      let wanted = min(left, scratch.count)
      let got = scratch.withUnsafeMutableBytes { pread(file.number, $0.baseAddress, wanted, off_t(offset)) }
      guard got > 0 else { return false }
      offset += got
      left -= got
    }
    return true
  }

  /// Gives the mapped pages back to the system; the data stays in the file and is mapped again when read.
  func release() {
    for segment in 0..<maximumSegments {
      if let base = segments[segment] { _ = madvise(base, cellBytes * slotsPerSegment, MADV_DONTNEED) }
    }
  }
}

/// The mapped cells of a level, without a reference to be counted: a frame looks up a hundred thousand of them.
struct LevelCells: Sendable {
  let segments: SegmentPointers
  let cellBytes: Int

  /// The first pixel of a slot's cell; nil when its segment is not mapped.
  @inline(__always)
  func pixels(_ slot: Int) -> UnsafePointer<UInt32>? {
    guard let base = segments[slot / slotsPerSegment] else { return nil }
    return UnsafePointer((base + slot % slotsPerSegment * cellBytes).assumingMemoryBound(to: UInt32.self))
  }
}

/// MADV_POPULATE_READ of Linux 5.14, which the C library's overlay does not declare.
private let populateRead: Int32 = 22
