import Synchronization

/// Slots are grouped into segments of this many, the unit in which files grow and are mapped.
let slotsPerSegment = 1024
/// The number of segments an atlas can have: 16,777,216 slots.
let maximumSegments = 16384

/// A table of pointers that are set once and never move, read without a lock.
///
/// Sendable by hand: every access to the memory goes through atomics, and the memory is freed only by the owner's
/// deinitializer, when nobody can read it any more.
struct SegmentPointers: @unchecked Sendable {
  private let table: UnsafeMutablePointer<Atomic<UnsafeMutableRawPointer?>>

  init() {
    table = .allocate(capacity: maximumSegments)
    for index in 0..<maximumSegments { (table + index).initialize(to: Atomic(nil)) }
  }

  subscript(segment: Int) -> UnsafeMutableRawPointer? {
    table[segment].load(ordering: .acquiring)
  }

  func set(_ segment: Int, _ pointer: UnsafeMutableRawPointer) {
    table[segment].store(pointer, ordering: .releasing)
  }

  func deallocate() {
    table.deinitialize(count: maximumSegments)
    table.deallocate()
  }
}

/// What is known of each slot, in memory: read by the main thread without a lock, written by any thread.
///
/// A segment is one allocation of 64-bit atomic words: a shape for each slot, a colour for each slot, and a bit set of
/// resident slots for each level.
final class SlotTable: Sendable {
  private static let residentWords = slotsPerSegment / 64
  private static let wordsPerSegment = 2 * slotsPerSegment + thumbnailLevels.count * residentWords

  private let segments = SegmentPointers()
  private let growth = Mutex(())

  deinit {
    for segment in 0..<maximumSegments {
      guard let words = words(of: segment) else { continue }
      words.deinitialize(count: Self.wordsPerSegment)
      words.deallocate()
    }
    segments.deallocate()
  }

  private func words(of segment: Int) -> UnsafeMutablePointer<Atomic<UInt64>>? {
    segments[segment]?.assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// Makes room for the slots of a segment.
  func grow(to segment: Int) {
    growth.withLock { _ in
      guard segments[segment] == nil else { return }
      let words = UnsafeMutablePointer<Atomic<UInt64>>.allocate(capacity: Self.wordsPerSegment)
      for index in 0..<Self.wordsPerSegment { (words + index).initialize(to: Atomic(0)) }
      segments.set(segment, UnsafeMutableRawPointer(words))
    }
  }

  /// The shape of a slot, or nil when nothing is published there.
  @inline(__always)
  func shape(_ slot: Int) -> Shape? {
    guard slot >= 0, slot < slotsPerSegment * maximumSegments, let words = words(of: slot / slotsPerSegment) else {
      return nil
    }
    let shape = Shape(word: words[slot % slotsPerSegment].load(ordering: .acquiring))
    return shape.isPublished ? shape : nil
  }

  func color(_ slot: Int) -> UInt32 {
    guard let words = words(of: slot / slotsPerSegment) else { return 0 }
    return UInt32(truncatingIfNeeded: words[slotsPerSegment + slot % slotsPerSegment].load(ordering: .relaxed))
  }

  /// Publishes a slot whose pixels are written: a reader that sees the shape sees the pixels and the colour.
  func publish(_ slot: Int, shape: Shape, color: UInt32) {
    guard let words = words(of: slot / slotsPerSegment) else { return }
    words[slotsPerSegment + slot % slotsPerSegment].store(UInt64(color), ordering: .relaxed)
    words[slot % slotsPerSegment].store(shape.word, ordering: .releasing)
  }

  func withdraw(_ slot: Int) {
    guard let words = words(of: slot / slotsPerSegment) else { return }
    words[slot % slotsPerSegment].store(0, ordering: .releasing)
  }

  func isResident(_ slot: Int, level: Int) -> Bool {
    guard slot >= 0, slot < slotsPerSegment * maximumSegments, let words = words(of: slot / slotsPerSegment) else {
      return false
    }
    let place = slot % slotsPerSegment
    let word = words[2 * slotsPerSegment + level * Self.residentWords + place / 64].load(ordering: .acquiring)
    return word & (1 << UInt64(place % 64)) != 0
  }

  /// Returns whether the bit changed.
  @discardableResult
  func setResident(_ slot: Int, level: Int, _ isResident: Bool) -> Bool {
    guard let words = words(of: slot / slotsPerSegment) else { return false }
    let place = slot % slotsPerSegment
    let index = 2 * slotsPerSegment + level * Self.residentWords + place / 64
    let bit = UInt64(1) << UInt64(place % 64)
    if isResident {
      return words[index].bitwiseOr(bit, ordering: .acquiringAndReleasing).oldValue & bit == 0
    }
    return words[index].bitwiseAnd(~bit, ordering: .acquiringAndReleasing).oldValue & bit != 0
  }

  /// Forgets which slots of a level are resident.
  func clearResident(level: Int) {
    for segment in 0..<maximumSegments {
      guard let words = words(of: segment) else { continue }
      let first = 2 * slotsPerSegment + level * Self.residentWords
      for index in first..<first + Self.residentWords { words[index].store(0, ordering: .releasing) }
    }
  }
}
