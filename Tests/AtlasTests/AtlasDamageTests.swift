import Foundation
import TestSupport
import Testing

@testable import Atlas

/// Changes one byte of a file.
private func damage(_ path: String, at offset: Int) throws {
  let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
  defer { try? file.close() }
  try file.seek(toOffset: UInt64(offset))
  let byte = try #require(try file.read(upToCount: 1)?.first)
  try file.seek(toOffset: UInt64(offset))
  try file.write(contentsOf: Data([byte ^ 0x40]))
}

private func resize(_ path: String, to size: UInt64) throws {
  let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
  try file.truncate(atOffset: size)
  try file.close()
}

@Suite(.computing) struct AtlasDamageTests {
  private func filled(_ directory: TemporaryDirectory) throws {
    let atlas = try Atlas(directory: directory.path)
    for slot in 0..<10 { try store(slot, in: atlas) }
    try atlas.flush()
  }

  @Test("a damaged record is a missing slot, and only that", arguments: [0, 9, 17, 31, 39, 47])
  func damagedRecord(place: Int) throws {
    let directory = try TemporaryDirectory("atlas")
    try filled(directory)
    try damage(directory.file("index.bin"), at: 32 + 4 * 48 + place)
    let atlas = try Atlas(directory: directory.path)
    #expect(atlas.storedSlots() == (0..<10).filter { $0 != 4 })
    #expect(atlas.markStored(Array(0..<10)) == [4])
    try store(4, in: atlas)
    #expect(isIntact(4, in: atlas) && atlas.verify(4))
  }

  @Test("a record that lies in another slot's place is not believed")
  func shiftedRecords() throws {
    let directory = try TemporaryDirectory("atlas")
    try filled(directory)
    var index = try Data(contentsOf: URL(fileURLWithPath: directory.file("index.bin")))
    index.removeSubrange(32..<80)
    try index.write(to: URL(fileURLWithPath: directory.file("index.bin")))
    #expect(try Atlas(directory: directory.path).storedSlots() == [])
  }

  @Test("damaged pixels are found by verify, in every level", arguments: thumbnailLevels)
  func damagedPixels(side: Int) throws {
    let directory = try TemporaryDirectory("atlas")
    try filled(directory)
    let name = "level-" + String(repeating: "0", count: 3 - "\(side)".count) + "\(side).bgra"
    try damage(directory.file(name), at: 6 * side * side * 4 + 5)
    let atlas = try Atlas(directory: directory.path)
    #expect((0..<10).filter { !atlas.verify($0) } == [6])
  }

  @Test("prefetching a damaged level withdraws the slot, and storing it anew brings it back", arguments: [0, 3, 5])
  func damageFoundByPrefetch(level: Int) throws {
    let directory = try TemporaryDirectory("atlas")
    try filled(directory)
    let side = thumbnailLevels[level]
    let name = "level-" + String(repeating: "0", count: 3 - "\(side)".count) + "\(side).bgra"
    try damage(directory.file(name), at: 6 * side * side * 4 + 5)
    let atlas = try Atlas(directory: directory.path)
    for other in thumbnailLevels.indices where other != level { atlas.prefetch(slots: Array(0..<10), level: other) }
    #expect(atlas.takeDamaged() == [], "the other levels are undamaged")
    atlas.prefetch(slots: Array(0..<10), level: level)
    #expect(atlas.takeDamaged() == [6] && atlas.takeDamaged() == [])
    #expect(atlas.info(6) == nil && atlas.storedSlots().count == 9)
    #expect(try Atlas(directory: directory.path).info(6) == nil, "it is not believed after reopening either")
    try store(6, in: atlas)
    #expect(isIntact(6, in: atlas) && atlas.verify(6))
  }

  @Test("an atlas over another process's reads what is there, and changes nothing of it")
  func borrowing() throws {
    let directory = try TemporaryDirectory("atlas")
    try filled(directory)
    let before = try Data(contentsOf: URL(fileURLWithPath: directory.file("index.bin")))
    let atlas = try Atlas.temporary(over: directory.path)
    #expect(atlas.storedSlots() == Array(0..<10))
    #expect((0..<10).allSatisfy { isIntact($0, in: atlas) && atlas.verify($0) })
    for slot in [5, 10, 11, 2100] { try store(slot, in: atlas) }
    for level in thumbnailLevels.indices { atlas.release(level: level) }
    atlas.prefetch(slots: [3, 4, 5, 10, 2100], level: 2)
    #expect([3, 4, 5, 10, 2100].allSatisfy { atlas.isResident($0, level: 2) } && atlas.takeDamaged() == [])
    #expect([4, 5, 10, 11, 2100].allSatisfy { isIntact($0, in: atlas) && atlas.verify($0) })
    #expect(atlas.storedSlots() == Array(0..<12) + [2100])
    atlas.clear(slot: 3)
    #expect(atlas.info(3) == nil)
    #expect(try Data(contentsOf: URL(fileURLWithPath: directory.file("index.bin"))) == before)
    let reader = try Atlas(readingFrom: directory.path)
    #expect(throws: AtlasError.self) { try store(10, in: reader) }
    #expect(reader.isReadOnly && reader.storedSlots() == Array(0..<10) && reader.verify(3))
    #expect(throws: AtlasError.self) { _ = try Atlas(readingFrom: directory.file("missing")) }
  }

  @Test("a shortened level file makes its slots missing, and reading them never kills")
  func shortened() throws {
    let directory = try TemporaryDirectory("atlas")
    try filled(directory)
    try resize(directory.file("level-064.bgra"), to: 3 * 64 * 64 * 4 + 100)
    let atlas = try Atlas(directory: directory.path)
    #expect(atlas.storedSlots() == [0, 1, 2])
    #expect((0..<3).allSatisfy { isIntact($0, in: atlas) && atlas.verify($0) })
    try store(5, in: atlas)
    #expect(isIntact(5, in: atlas))
  }

  @Test(
    "an index that is cut off, foreign or empty loses what it does not hold, no more", arguments: [0, 10, 32, 100, 200])
  func cutIndex(size: Int) throws {
    let directory = try TemporaryDirectory("atlas")
    try filled(directory)
    try resize(directory.file("index.bin"), to: UInt64(size))
    let atlas = try Atlas(directory: directory.path)
    #expect(atlas.storedSlots() == Array(0..<max(0, (size - 32) / 48)))
    try store(8, in: atlas)
    #expect(isIntact(8, in: atlas))
  }

  @Test("random damage of all files leaves slots that are intact, missing, or refused by verify")
  func randomDamage() throws {
    var random = SplitMix64(seed: 7)
    for _ in 0..<20 {
      let directory = try TemporaryDirectory("atlas")
      try filled(directory)
      for name in ["index.bin", "level-004.bgra", "level-032.bgra", "level-128.bgra"] {
        let size = name == "index.bin" ? 512 : 10 * 64
        for _ in 0..<3 { try damage(directory.file(name), at: Int.random(in: 0..<size, using: &random)) }
      }
      let atlas = try Atlas(directory: directory.path)
      for slot in atlas.storedSlots() where atlas.verify(slot) { #expect(isIntact(slot, in: atlas)) }
    }
  }

  // Needs the right to mount a file system: skipped for other users.
  @Test("a full disk is an error, and what was stored before stays", .enabled(if: SmallDisk.isPossible))
  func fullDisk() throws {
    let disk = try SmallDisk(megabytes: 1)
    let atlas = try Atlas(directory: disk.directory.path)
    var stored = 0
    let error = #expect(throws: AtlasError.self) {
      while stored < 1000 {
        try store(stored, in: atlas)
        stored += 1
      }
    }
    #expect(error?.isOutOfSpace == true)
    #expect(error?.description.contains(disk.directory.path) == true)
    #expect(stored > 3 && stored < 20)
    #expect(atlas.info(stored) == nil)
    #expect((0..<stored).allSatisfy { isIntact($0, in: atlas) && atlas.verify($0) })
    // Room again: storing goes on.
    for slot in 0..<stored { atlas.clear(slot: slot) }
    try store(0, in: atlas)
    #expect(isIntact(0, in: atlas))
  }

  @Test("what a full disk cannot take goes elsewhere, and the rest stays", .enabled(if: SmallDisk.isPossible))
  func spilling() throws {
    let disk = try SmallDisk(megabytes: 1)
    let atlas = try Atlas(directory: disk.directory.path)
    var spilledFrom: Int?
    for slot in 0..<60 {
      do { try store(slot, in: atlas) } catch {
        #expect(spilledFrom == nil)
        spilledFrom = slot
        atlas.spill()
        try store(slot, in: atlas)
      }
    }
    #expect((1..<30).contains(spilledFrom ?? 0))
    #expect((0..<60).allSatisfy { isIntact($0, in: atlas) && atlas.verify($0) })
    #expect(try Atlas(directory: disk.directory.path).storedSlots() == Array(0..<(spilledFrom ?? 0)))
  }

  @Test("a directory that cannot be made is an error that names it")
  func noDirectory() throws {
    let directory = try TemporaryDirectory("atlas")
    try directory.write([1], to: "file")
    let error = #expect(throws: AtlasError.self) { _ = try Atlas(directory: directory.file("file/atlas")) }
    #expect(error?.description.contains(directory.file("file/atlas")) == true)
  }

  @Test("two readers and a writer may have the same directory open")
  func severalAtlases() throws {
    let directory = try TemporaryDirectory("atlas")
    try filled(directory)
    let reader = try Atlas(directory: directory.path)
    let writer = try Atlas(directory: directory.path)
    for slot in 10..<3000 where slot % 97 == 0 { try store(slot, in: writer) }
    #expect((0..<10).allSatisfy { isIntact($0, in: reader) && isIntact($0, in: writer) })
    #expect(reader.info(97) == nil, "what another stores later is not seen")
    #expect(try Atlas(directory: directory.path).info(97) != nil)
  }
}
