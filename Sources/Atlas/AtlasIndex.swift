/// One slot's record in `index.bin`: what the atlas must know of it after reopening.
struct IndexRecord: Equatable {
  static let byteCount = 48

  var shape: Shape
  var color: UInt32
  /// Checksums of the pixels, a level each: whoever reads one level need not read the others to believe it.
  var sums: [UInt32]

  /// Nil when the record is empty, damaged, or belongs to another slot.
  init?(_ bytes: UnsafeRawBufferPointer, slot: Int) {
    func word(_ index: Int) -> UInt64 {
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
    }
    let shape = Shape(word: word(0))
    guard shape.isPublished, !shape.isInOverflow else { return nil }
    var checksum = Checksum()
    for index in 0..<5 { checksum.combine(word(index)) }
    checksum.combine(UInt64(slot))
    guard checksum.value == word(5) else { return nil }
    self.shape = shape
    color = UInt32(truncatingIfNeeded: word(1))
    sums = thumbnailLevels.indices.map { level in
      UInt32(truncatingIfNeeded: word((3 + level) / 2) >> ((3 + level) % 2 == 1 ? 32 : 0))
    }
  }

  init(shape: Shape, color: UInt32, sums: [UInt32]) {
    self.shape = shape
    self.color = color
    self.sums = sums
  }

  /// Six words, little end first: the shape; the colour and the six checksums, two a word; a checksum over all of this
  /// and the slot.
  func encoded(slot: Int) -> [UInt8] {
    var words = [shape.word, UInt64(color), 0, 0, 0]
    for (level, sum) in sums.enumerated() {
      words[(3 + level) / 2] |= UInt64(sum) << ((3 + level) % 2 == 1 ? 32 : 0)
    }
    var checksum = Checksum()
    for word in words { checksum.combine(word) }
    checksum.combine(UInt64(slot))
    return (words + [checksum.value]).flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
  }
}

/// `index.bin`: a header of 32 bytes (name and version), then one record a slot.
struct AtlasIndex: Sendable {
  private static let header = Array("S3toTSNE atlas, version 2       ".utf8)

  let file: FileDescriptor

  /// Whether the file is an index of this version. An empty one is given its header.
  func prepare() throws(AtlasError) -> Bool {
    var found = [UInt8](repeating: 0, count: Self.header.count)
    let count = try withBytes(of: &found) { buffer throws(AtlasError) in try file.read(into: buffer, at: 0) }
    if count == found.count && found == Self.header { return true }
    // A record has a checksum, and its size tells its version: where there are valid ones, only the header is damaged.
    let isDamaged = try records(0..<Self.blockSlots).contains { $0 != nil }
    if file.isReadOnly { return isDamaged }
    // Nothing of an unknown index is believed: all its slots are missing.
    if !isDamaged { try file.truncate(to: 0) }
    try write(Self.header, at: 0)
    return true
  }

  /// Records read at once.
  private static let blockSlots = 8192

  /// All valid records, in the order of their slots.
  func records(_ body: (Int, IndexRecord) -> Void) throws(AtlasError) {
    let count = min(
      max(0, try file.size() - Self.header.count) / IndexRecord.byteCount, slotsPerSegment * maximumSegments)
    let block = Self.blockSlots
    var bytes = [UInt8](repeating: 0, count: block * IndexRecord.byteCount)
    var slot = 0
    while slot < count {
      let wanted = min(block, count - slot) * IndexRecord.byteCount
      let got = try withBytes(of: &bytes) { buffer throws(AtlasError) in
        try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: offset(slot))
      }
      bytes.withUnsafeBytes { buffer in
        for index in 0..<got / IndexRecord.byteCount {
          let start = index * IndexRecord.byteCount
          let record = UnsafeRawBufferPointer(rebasing: buffer[start..<start + IndexRecord.byteCount])
          if let record = IndexRecord(record, slot: slot + index) { body(slot + index, record) }
        }
      }
      guard got == wanted else { return }
      slot += block
    }
  }

  /// The valid records of a run of slots; nil in the place of the others.
  func records(_ slots: Range<Int>) throws(AtlasError) -> [IndexRecord?] {
    var bytes = [UInt8](repeating: 0, count: slots.count * IndexRecord.byteCount)
    let got = try withBytes(of: &bytes) { buffer throws(AtlasError) in
      try file.read(into: buffer, at: offset(slots.lowerBound))
    }
    return bytes.withUnsafeBytes { buffer in
      slots.map { slot in
        let start = (slot - slots.lowerBound) * IndexRecord.byteCount
        guard start + IndexRecord.byteCount <= got else { return nil }
        return IndexRecord(UnsafeRawBufferPointer(rebasing: buffer[start..<start + IndexRecord.byteCount]), slot: slot)
      }
    }
  }

  func record(_ slot: Int) throws(AtlasError) -> IndexRecord? {
    var bytes = [UInt8](repeating: 0, count: IndexRecord.byteCount)
    let count = try withBytes(of: &bytes) { buffer throws(AtlasError) in try file.read(into: buffer, at: offset(slot)) }
    guard count == bytes.count else { return nil }
    return bytes.withUnsafeBytes { IndexRecord($0, slot: slot) }
  }

  /// Writes a record, or erases it with nil.
  func write(_ record: IndexRecord?, slot: Int) throws(AtlasError) {
    try write(record?.encoded(slot: slot) ?? [UInt8](repeating: 0, count: IndexRecord.byteCount), at: offset(slot))
  }

  private func offset(_ slot: Int) -> Int { Self.header.count + slot * IndexRecord.byteCount }

  private func write(_ bytes: [UInt8], at offset: Int) throws(AtlasError) {
    do {
      try bytes.withUnsafeBytes { try file.write($0, at: offset) }
    } catch let error as AtlasError {
      throw error
    } catch {
      throw AtlasError("\(error)")
    }
  }
}

/// `withUnsafeMutableBytes` with a typed error.
func withBytes<Result>(
  of array: inout [UInt8], _ body: (UnsafeMutableRawBufferPointer) throws(AtlasError) -> Result
) throws(AtlasError) -> Result {
  let outcome = array.withUnsafeMutableBytes { buffer -> Swift.Result<Result, AtlasError> in
    do throws(AtlasError) { return .success(try body(buffer)) } catch { return .failure(error) }
  }
  return try outcome.get()
}
