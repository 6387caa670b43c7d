import Glibc
import Synchronization

/// The levels of a thumbnail: its longest side in pixels, from small to large.
public let thumbnailLevels = [4, 8, 16, 32, 64, 128]

/// What is known of a stored thumbnail without looking at its pixels.
public struct ThumbnailInfo: Sendable, Equatable {
  /// Dimensions of the largest level, in pixels: its longest side is 128, or less where the original is smaller.
  public var width, height: Int
  /// Average of all pixels, premultiplied ARGB32.
  public var averageColor: UInt32
  /// True when no pixel is transparent.
  public var isOpaque: Bool

  /// Creates the description of a thumbnail.
  public init(width: Int, height: Int, averageColor: UInt32, isOpaque: Bool) {
    self.width = width
    self.height = height
    self.averageColor = averageColor
    self.isOpaque = isOpaque
  }
}

/// One level of a thumbnail inside the atlas: premultiplied ARGB32 in native byte order, row after row without gaps.
/// The pointer is valid as long as the atlas.
public struct LevelPixels {
  /// The first pixel of the first row; the stride is `width`.
  public let pixels: UnsafePointer<UInt32>
  /// Dimensions in pixels.
  public let width, height: Int

  /// Creates a description of pixels that someone else owns.
  public init(pixels: UnsafePointer<UInt32>, width: Int, height: Int) {
    self.pixels = pixels
    self.width = width
    self.height = height
  }
}

/// Thumbnails by level, in mapped files: filled by the job, read by the renderer without a lock.
///
/// One file a level (`level-004.bgra` … `level-128.bgra`) of fixed cells, and `index.bin` with a checked record for each
/// slot. Any number of threads may store different slots while others read; storing the same slot from two threads at
/// once is the caller's mistake, and leaves a slot that `verify` refuses. A slot that is stored again while it is drawn
/// may show a mixture for one frame.
///
/// Processes: any number may read one atlas (`init(readingFrom:)`, `temporary(over:)`); only one may write, which the
/// collection arranges by its lock. What another process stores after this one opened the atlas is not seen here. Files
/// never shrink, so that no mapped page ever lies behind the end of a file; deleting them leaves open atlases intact.
public final class Atlas: Sendable {
  /// True when the files could only be opened for reading: then `store` throws, unless `spill` gave it another place.
  public let isReadOnly: Bool
  private let levels: [LevelFile]
  private let cells: [LevelCells]
  private let index: AtlasIndex
  /// Made when the first thumbnail needs it.
  private let overflow = AtomicLazyReference<Overflow>()
  private let spills = Atomic(false)
  private let slots = SlotTable()
  private let damaged = Mutex<Set<Int>>([])
  /// For each level the bytes of the cells marked resident.
  private let residentBytes = Mutex([Int](repeating: 0, count: thumbnailLevels.count))
  /// The levels by their last use, the latest last.
  private let usedLevels = Mutex(Array(thumbnailLevels.indices))

  /// Opens the atlas in a directory, which is created with its parents when missing (mode 0700, files 0600). Slots whose
  /// record is damaged, or whose pixels lie behind the end of a file, are missing.
  public convenience init(directory: String) throws(AtlasError) {
    try Self.createDirectory(directory)
    var files: [FileDescriptor] = []
    for side in thumbnailLevels {
      files.append(try FileDescriptor(path: directory + "/" + Self.fileName(side)))
    }
    try self.init(files: files, index: try FileDescriptor(path: "\(directory)/index.bin"))
  }

  /// Opens the atlas that another process writes in a directory, for reading alone: nothing there is changed.
  public convenience init(readingFrom directory: String) throws(AtlasError) {
    try self.init(
      files: try Self.readOnlyFiles(in: directory), index: try FileDescriptor(readingFrom: "\(directory)/index.bin"))
  }

  private static func readOnlyFiles(in directory: String) throws(AtlasError) -> [FileDescriptor] {
    var files: [FileDescriptor] = []
    for side in thumbnailLevels { files.append(try FileDescriptor(readingFrom: directory + "/" + Self.fileName(side))) }
    return files
  }

  private static func fileName(_ side: Int) -> String {
    let digits = String(side)
    return "level-" + String(repeating: "0", count: 3 - digits.count) + digits + ".bgra"
  }

  /// An atlas that begins with the thumbnails of another process's in `directory`, read where they are. Nothing there is
  /// changed; what is stored leaves nothing behind.
  public static func temporary(over directory: String) throws(AtlasError) -> Atlas {
    let atlas = try Atlas(readingFrom: directory)
    atlas.spill()
    return atlas
  }

  /// An atlas that leaves nothing behind: unnamed files in `$TMPDIR` or `/var/tmp`, or in memory (`/dev/shm`) where
  /// neither has a gigabyte free.
  public static func temporary() throws(AtlasError) -> Atlas {
    var failure: AtlasError?
    for place in temporaryPlaces {
      do throws(AtlasError) { return try Atlas(temporaryIn: place) } catch { failure = failure ?? error }
    }
    throw failure ?? AtlasError("There is no directory for temporary files.")
  }

  private static var temporaryPlaces: [String] {
    let places = [getenv("TMPDIR").map { String(cString: $0) }, "/var/tmp", "/tmp"].compactMap { $0 }
    return places.filter(hasRoom) + ["/dev/shm"] + places
  }

  private convenience init(temporaryIn directory: String) throws(AtlasError) {
    var files: [FileDescriptor] = []
    for _ in thumbnailLevels { files.append(try FileDescriptor(unnamedIn: directory)) }
    try self.init(files: files, index: try FileDescriptor(unnamedIn: directory))
  }

  private init(files: [FileDescriptor], index file: FileDescriptor) throws(AtlasError) {
    var levels: [LevelFile] = []
    for (file, side) in zip(files, thumbnailLevels) { levels.append(try LevelFile(file, side: side)) }
    self.levels = levels
    cells = levels.map(\.cells)
    index = AtlasIndex(file: file)
    isReadOnly = file.isReadOnly || files.contains { $0.isReadOnly }

    guard try index.prepare() else { return }
    let present = levels.map(\.slotsOnOpening).min() ?? 0
    var found: [(slot: Int, record: IndexRecord)] = []
    try index.records { slot, record in
      if slot < present { found.append((slot, record)) }
    }
    var grown = -1
    for (slot, record) in found {
      let segment = slot / slotsPerSegment
      if segment != grown {
        if !isReadOnly { for level in levels { try level.grow(to: segment) } }
        slots.grow(to: segment)
        grown = segment
      }
      if levels.allSatisfy({ $0.pixels(slot) != nil }) {
        slots.publish(slot, shape: record.shape, color: record.color)
      }
    }
  }

  // MARK: Overflow

  /// From now on, what is stored goes to files without names instead: in `$TMPDIR` or `/var/tmp`, or in memory where
  /// neither has a gigabyte free. What was stored stays where it is.
  public func spill() { spills.store(true, ordering: .relaxed) }

  /// The files that hold a slot of this shape.
  @inline(__always)
  private func levels(of shape: Shape) -> [LevelFile] {
    shape.isInOverflow ? overflow.load()?.levels ?? levels : levels
  }

  private func index(of shape: Shape) -> AtlasIndex {
    shape.isInOverflow ? overflow.load()?.index ?? index : index
  }

  private func madeOverflow() throws(AtlasError) -> Overflow {
    if let overflow = overflow.load() { return overflow }
    return overflow.storeIfNil(try Overflow.make(in: Self.temporaryPlaces))
  }

  // MARK: Writing

  /// Stores the thumbnail of a slot and publishes it: a reader sees all of it or nothing.
  ///
  /// Any thread. `levels` has one entry for each of `thumbnailLevels`, in that order, each at most that large; `pixels`
  /// is premultiplied ARGB32, width × height. Throws when the disk is full (`isOutOfSpace`) or cannot be written; the
  /// slot is then missing.
  public func store(
    slot: Int, levels: [(width: Int, height: Int, pixels: [UInt32])], averageColor: UInt32, isOpaque: Bool
  ) throws(AtlasError) {
    guard (0..<slotsPerSegment * maximumSegments).contains(slot) else {
      throw AtlasError("The collection has too many images: thumbnail \(slot) has no place.")
    }
    guard let shape = Shape(levels: levels.map { ($0.width, $0.height) }, isOpaque: isOpaque),
      levels.allSatisfy({ $0.pixels.count == $0.width * $0.height })
    else { throw AtlasError("The levels of thumbnail \(slot) do not have the sizes they should have.") }
    let overflow = spills.load(ordering: .relaxed) ? try madeOverflow() : nil
    guard overflow != nil || !isReadOnly else { throw .system("write", index.file.path, code: EROFS) }

    slots.grow(to: slot / slotsPerSegment)
    if slots.shape(slot) != nil {
      forgetResident(slot)
      slots.withdraw(slot)
    }
    let index = overflow?.index ?? index
    // A record that was valid must not vouch for pixels that are only half replaced.
    if try index.record(slot) != nil { try index.write(nil, slot: slot) }
    var sums: [UInt32] = []
    for (file, level) in zip(overflow?.levels ?? self.levels, levels) {
      try file.grow(to: slot / slotsPerSegment)
      let result = level.pixels.withUnsafeBytes { bytes -> AtlasError? in
        sums.append(Self.checksum(bytes))
        do throws(AtlasError) {
          try file.file.write(bytes, at: slot * file.cellBytes)
          return nil
        } catch { return error }
      }
      if let result { throw result }
    }
    let record = IndexRecord(shape: shape, color: averageColor, sums: sums)
    try index.write(record, slot: slot)
    slots.publish(slot, shape: overflow == nil ? shape : shape.inOverflow, color: averageColor)
    damaged.withLock { _ = $0.remove(slot) }
    // What was just written is in the page cache; counted so that it stays within what the cache can keep.
    residentBytes.withLock { bytes in
      for level in thumbnailLevels.indices where bytes[level] + self.levels[level].cellBytes <= residentLimit(level) {
        if slots.setResident(slot, level: level, true) { bytes[level] += self.levels[level].cellBytes }
      }
    }
  }

  /// Makes a slot missing, in memory and on disk.
  public func clear(slot: Int) {
    guard let shape = slots.shape(slot) else { return }
    forgetResident(slot)
    slots.withdraw(slot)
    // Should the erasing fail, the record stays valid for pixels that are still there: the catalogue decides.
    let index = index(of: shape)
    if !index.file.isReadOnly { try? index.write(nil, slot: slot) }
  }

  private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var checksum = Checksum()
    checksum.combine(bytes)
    return UInt32(truncatingIfNeeded: checksum.value)
  }

  /// Waits until everything stored so far is on disk. Called before the catalogue records the slots. Blocking.
  public func flush() throws(AtlasError) {
    guard !isReadOnly else { return }
    for level in levels { try level.file.synchronize() }
    try index.file.synchronize()
  }

  /// After reopening: tells the atlas which slots the catalogue holds for stored. All others become missing (a thumbnail
  /// that was written but not yet recorded belongs to nobody).
  ///
  /// Returns those of `slots` that the atlas does not have, because their records are damaged or gone, in the given
  /// order: they must be made again.
  @discardableResult
  public func markStored(_ slots: [Int]) -> [Int] {
    let known = Set(slots)
    for slot in storedSlots() where !known.contains(slot) { clear(slot: slot) }
    return slots.filter { self.slots.shape($0) == nil }
  }

  // MARK: Reading

  /// What is known of a slot; nil until it is stored. Lock-free, for any thread.
  public func info(_ slot: Int) -> ThumbnailInfo? {
    guard let shape = slots.shape(slot) else { return nil }
    let (width, height) = shape.size(thumbnailLevels.count - 1)
    return ThumbnailInfo(
      width: width, height: height, averageColor: slots.color(slot), isOpaque: shape.isOpaque)
  }

  /// Whether a slot lets nothing through; nil until it is stored. Lock-free, for any thread.
  @inline(__always)
  public func isOpaque(_ slot: Int) -> Bool? { slots.shape(slot)?.isOpaque }

  /// The average of a stored slot's pixels, premultiplied ARGB32. Lock-free, for any thread.
  public func averageColor(_ slot: Int) -> UInt32 { slots.color(slot) }

  /// The pixels of a level (an index into `thumbnailLevels`) of a slot; nil until it is stored. Lock-free, for any
  /// thread. Reading pixels that are not resident may wait for the disk: see `isResident` and `prefetch`.
  @inline(__always)
  public func level(_ index: Int, of slot: Int) -> LevelPixels? {
    guard let shape = slots.shape(slot) else { return nil }
    // No array is handed about here: every picture of every frame comes this way.
    let pixels =
      shape.isInOverflow ? overflow.load()?.levels[index].pixels(slot) : cells[index].pixels(slot)
    guard let pixels else { return nil }
    let (width, height) = shape.size(index)
    return LevelPixels(pixels: pixels, width: width, height: height)
  }

  /// All stored slots, ascending.
  public func storedSlots() -> [Int] {
    let end =
      [index, overflow.load()?.index].compactMap { try? $0?.file.size() }.max().map {
        $0 / IndexRecord.byteCount
      } ?? 0
    return (0..<min(end, slotsPerSegment * maximumSegments)).filter { slots.shape($0) != nil }
  }

  /// Reads the pixels of a slot back from the files and compares them with their checksum. Blocking; false also when the
  /// slot is missing or cannot be read.
  public func verify(_ slot: Int) -> Bool {
    guard let shape = slots.shape(slot), let record = try? index(of: shape).record(slot),
      record.shape == shape.recorded
    else { return false }
    for (number, level) in levels(of: shape).enumerated() {
      let size = shape.size(number)
      var bytes = [UInt8](repeating: 0, count: size.width * size.height * 4)
      // Not through the mapping: an unreadable sector is then an error, not a signal.
      let count = try? withBytes(of: &bytes) { buffer throws(AtlasError) in
        try level.file.read(into: buffer, at: slot * level.cellBytes)
      }
      guard count == bytes.count, bytes.withUnsafeBytes(Self.checksum) == record.sums[number] else { return false }
    }
    return true
  }

  /// Slots whose pixels `prefetch` found damaged since this was asked last: they are missing now, and must be made again.
  public func takeDamaged() -> [Int] {
    damaged.withLock { damaged in
      defer { damaged = [] }
      return damaged.sorted()
    }
  }

  /// Withdraws those of a run of slots whose pixels of a level are not what was stored.
  private func checkPixels(_ run: Range<Int>, level: Int) {
    guard let first = slots.shape(run.lowerBound) else { return }
    for (slot, record) in zip(run, (try? index(of: first).records(run)) ?? []) {
      guard let shape = slots.shape(slot), let pixels = levels(of: shape)[level].pixels(slot) else { continue }
      let size = shape.size(level)
      let bytes = UnsafeRawBufferPointer(start: pixels, count: size.width * size.height * 4)
      if let record, record.shape == shape.recorded, Self.checksum(bytes) == record.sums[level] { continue }
      // A slot that is stored while it is looked at has no record for a moment, and another one then.
      guard !verify(slot) else { continue }
      clear(slot: slot)
      damaged.withLock { _ = $0.insert(slot) }
    }
  }

  /// What the files occupy on disk, in bytes; holes count nothing.
  public var allocatedBytes: Int {
    let spilled = overflow.load().map { $0.levels.map(\.file) + [$0.index.file] } ?? []
    return (levels.map(\.file) + [index.file] + spilled).reduce(0) { $0 + ((try? $1.allocatedBytes()) ?? 0) }
  }

  // MARK: Residency

  /// Whether the pixels of a level were in memory when last heard of: stored or prefetched, and not released since.
  /// Lock-free. The main thread reads only levels for which this is true, so that it never waits for the disk.
  @inline(__always)
  public func isResident(_ slot: Int, level: Int) -> Bool { slots.isResident(slot, level: level) }

  /// Brings the pixels of a level of some slots into memory, and compares them with their checksums: a slot that is
  /// damaged is missing from then on (`takeDamaged`). Blocking: never on the main thread.
  ///
  /// When the level would then hold more than its share of memory (256 MB for 4 and 8 px, 128 MB for the others), all of
  /// it is released first, and only `slots` are resident afterwards, as many of them as fit. When all levels together
  /// would hold more than 384 MB, those that were not asked for the longest are released.
  public func prefetch(slots wanted: [Int], level: Int) {
    let file = levels[level]
    noteUse(of: level)
    func isInOverflow(_ slot: Int) -> Bool { slots.shape(slot)?.isInOverflow ?? false }
    let missing = wanted.filter { slots.shape($0) != nil && !slots.isResident($0, level: level) }
    guard !missing.isEmpty else { return }
    let limit = residentLimit(level)
    let isFull = residentBytes.withLock { $0[level] + missing.count * file.cellBytes > limit }
    var pending = missing
    if isFull {
      release(level: level)
      pending = Array(wanted.filter { slots.shape($0) != nil }.prefix(max(1, limit / file.cellBytes)))
    }
    releaseUnused(besides: level, for: pending.count * file.cellBytes)
    pending.sort()
    var start = 0
    while start < pending.count {
      // Neighbouring cells of one segment are one request to the kernel.
      var end = start + 1
      while end < pending.count, pending[end] <= pending[end - 1] + 1,
        pending[end] / slotsPerSegment == pending[start] / slotsPerSegment,
        isInOverflow(pending[end]) == isInOverflow(pending[start])
      { end += 1 }
      let shape = slots.shape(pending[end - 1])
      let size = shape?.size(level) ?? (width: 1, height: 1)
      let run = pending[start]..<pending[end - 1] + 1
      if (shape.map { levels(of: $0)[level] } ?? file).populate(run, lastCellBytes: size.width * size.height * 4) {
        checkPixels(run, level: level)
        residentBytes.withLock { bytes in
          for slot in run where slots.setResident(slot, level: level, true) { bytes[level] += file.cellBytes }
        }
      }
      start = end
    }
  }

  /// Gives the memory of a level's mapped pages back; its slots are no longer resident. Any thread; a reader in the
  /// middle of such a page is not disturbed.
  public func release(level: Int) {
    residentBytes.withLock { bytes in
      slots.clearResident(level: level)
      bytes[level] = 0
    }
    levels[level].release()
    overflow.load()?.levels[level].release()
  }

  /// What all levels together may hold.
  private static let mostResidentBytes = 384 << 20

  private func noteUse(of level: Int) {
    usedLevels.withLock { levels in
      levels.removeAll { $0 == level }
      levels.append(level)
    }
  }

  /// Makes room for some bytes of a level by releasing others.
  private func releaseUnused(besides level: Int, for bytes: Int) {
    for other in usedLevels.withLock({ $0 }) where other != level {
      let (sum, others) = residentBytes.withLock { ($0.reduce(0, +), $0[other]) }
      if sum + bytes <= Self.mostResidentBytes { return }
      if others > 0 { release(level: other) }
    }
  }

  private func forgetResident(_ slot: Int) {
    residentBytes.withLock { bytes in
      for level in thumbnailLevels.indices where slots.setResident(slot, level: level, false) {
        bytes[level] -= levels[level].cellBytes
      }
    }
  }

  private func residentLimit(_ level: Int) -> Int { thumbnailLevels[level] <= 8 ? 256 << 20 : 128 << 20 }

  // MARK: Places

  private static func hasRoom(_ directory: String) -> Bool {
    var status = statvfs()
    return statvfs(directory, &status) == 0 && UInt64(status.f_bavail) * UInt64(status.f_frsize) > 1 << 30
  }

  private static func createDirectory(_ path: String) throws(AtlasError) {
    if mkdir(path, 0o700) == 0 { return }
    let code = errno
    if code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
      try createDirectory(String(path[..<slash]))
      if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
      throw .system("create", path)
    }
    // An existing directory may be reported before its read-only file system is.
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw .system("create", path, code: code)
    }
  }
}
