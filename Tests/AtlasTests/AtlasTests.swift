import Foundation
import TestSupport
import Testing

@testable import Atlas

typealias Levels = [(width: Int, height: Int, pixels: [UInt32])]

/// Levels whose every pixel tells its slot, level and place.
func madeLevels(_ slot: Int, aspect: Double = 0.75) -> Levels {
  thumbnailLevels.enumerated().map { index, side in
    let height = max(1, Int(Double(side) * aspect))
    return (
      side, height, (0..<side * height).map { UInt32(truncatingIfNeeded: slot &* 7919 &+ index &* 104_729 &+ $0) }
    )
  }
}

func store(_ slot: Int, in atlas: Atlas) throws {
  try atlas.store(slot: slot, levels: madeLevels(slot), averageColor: UInt32(slot), isOpaque: slot % 2 == 0)
}

/// Whether a stored slot reads back what `store` put there.
func isIntact(_ slot: Int, in atlas: Atlas) -> Bool {
  madeLevels(slot).enumerated().allSatisfy { index, made in
    guard let level = atlas.level(index, of: slot), level.width == made.width, level.height == made.height else {
      return false
    }
    return Array(UnsafeBufferPointer(start: level.pixels, count: made.pixels.count)) == made.pixels
  }
}

@Suite(.computing) struct AtlasTests {
  @Test("a stored thumbnail reads back, and what was not stored is missing")
  func roundTrip() throws {
    let atlas = try Atlas.temporary()
    #expect(atlas.info(0) == nil)
    #expect(atlas.level(0, of: 0) == nil)
    // In the first segment, at both sides of a segment's border, and far away.
    for slot in [0, 1, 1023, 1024, 70_000] {
      try store(slot, in: atlas)
      #expect(
        atlas.info(slot)
          == ThumbnailInfo(width: 128, height: 96, averageColor: UInt32(slot), isOpaque: slot % 2 == 0))
      #expect(isIntact(slot, in: atlas))
      #expect(atlas.verify(slot))
    }
    #expect(atlas.info(2) == nil && atlas.info(69_999) == nil && atlas.info(-1) == nil && atlas.info(1 << 40) == nil)
    #expect(atlas.storedSlots() == [0, 1, 1023, 1024, 70_000])
  }

  @Test("all sizes of levels survive, from one pixel to the full cell")
  func shapes() throws {
    var random = SplitMix64(seed: 1)
    for _ in 0..<1000 {
      let sizes = thumbnailLevels.map { side in
        (width: Int.random(in: 1...side, using: &random), height: Int.random(in: 1...side, using: &random))
      }
      let shape = try #require(Shape(levels: sizes, isOpaque: Bool.random(using: &random)))
      for (index, size) in sizes.enumerated() { #expect(shape.size(index) == size) }
    }
    #expect(Shape(levels: thumbnailLevels.map { ($0 + 1, 1) }, isOpaque: true) == nil)
    #expect(Shape(levels: [(0, 1)] + thumbnailLevels.dropFirst().map { ($0, 1) }, isOpaque: true) == nil)
  }

  @Test("levels of wrong sizes are refused")
  func wrongLevels() throws {
    let atlas = try Atlas.temporary()
    #expect(throws: AtlasError.self) { try atlas.store(slot: 0, levels: [], averageColor: 0, isOpaque: true) }
    var levels = madeLevels(0)
    levels[3].pixels.removeLast()
    #expect(throws: AtlasError.self) { try atlas.store(slot: 0, levels: levels, averageColor: 0, isOpaque: true) }
    #expect(throws: AtlasError.self) { try store(slotsPerSegment * maximumSegments, in: atlas) }
    #expect(atlas.info(0) == nil)
  }

  @Test("a reopened atlas has what was stored, and not what was cleared")
  func reopening() throws {
    let directory = try TemporaryDirectory("atlas")
    do {
      let atlas = try Atlas(directory: directory.file("a/b"))
      for slot in 0..<40 { try store(slot, in: atlas) }
      atlas.clear(slot: 7)
      #expect(atlas.info(7) == nil)
      try atlas.flush()
    }
    let atlas = try Atlas(directory: directory.file("a/b"))
    #expect(atlas.storedSlots() == (0..<40).filter { $0 != 7 })
    #expect((0..<40).allSatisfy { $0 == 7 || isIntact($0, in: atlas) && atlas.verify($0) })
    // A thumbnail that the catalogue does not know is nobody's; one that it knows and that is gone is reported.
    #expect(atlas.markStored([0, 1, 7, 39, 2000]) == [7, 2000])
    #expect(atlas.storedSlots() == [0, 1, 39])
    for name in ["level-004.bgra", "level-128.bgra", "index.bin"] {
      let attributes = try FileManager.default.attributesOfItem(atPath: directory.file("a/b/" + name))
      #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
  }

  @Test("holes take no room: a few thumbnails in a large file occupy little more than their pixels")
  func sparseness() throws {
    let directory = try TemporaryDirectory("atlas")
    let atlas = try Atlas(directory: directory.path)
    try store(0, in: atlas)
    try store(5000, in: atlas)
    try atlas.flush()
    #expect(atlas.allocatedBytes < 1 << 20)
  }

  @Test("a slot stored again has the new pixels")
  func overwriting() throws {
    let atlas = try Atlas.temporary()
    try atlas.store(slot: 3, levels: madeLevels(99, aspect: 1), averageColor: 1, isOpaque: true)
    try store(3, in: atlas)
    #expect(isIntact(3, in: atlas) && atlas.verify(3))
    #expect(atlas.info(3)?.height == 96)
  }

  @Test("readers see a slot whole or not at all while others are being stored", .timeLimit(.minutes(10)))
  func concurrency() throws {
    let atlas = try Atlas.temporary()
    let count = 600
    // Iterations 0 and 1 store, 2 and 3 read until everything is there.
    DispatchQueue.concurrentPerform(iterations: 4) { thread in
      if thread < 2 {
        for slot in stride(from: thread, to: count, by: 2) {
          do { try store(slot * 5, in: atlas) } catch { Issue.record(error) }
        }
      } else {
        var seen = 0
        let end = Date() + 30
        while seen < count && Date() < end {
          seen = 0
          for slot in 0..<count where atlas.info(slot * 5) != nil {
            seen += 1
            if !isIntact(slot * 5, in: atlas) { Issue.record("slot \(slot * 5) is not whole") }
          }
        }
        #expect(seen == count)
      }
    }
  }

  @Test("what is asked for makes room for itself, and all levels together stay within their memory")
  func residentMemory() throws {
    let atlas = try Atlas.temporary()
    let count = 30_000
    let dot = (width: 1, height: 1, pixels: [UInt32(0xFF10_2030)])
    for slot in 0..<count {
      try atlas.store(
        slot: slot, levels: thumbnailLevels.map { _ in dot }, averageColor: 0xFF10_2030, isOpaque: true)
    }
    // Counted by cells, however small the pictures in them are.
    func residentBytes() -> Int {
      thumbnailLevels.indices.reduce(0) { sum, level in
        sum + (0..<count).count { atlas.isResident($0, level: level) } * 4 * thumbnailLevels[level]
          * thumbnailLevels[level]
      }
    }
    atlas.release(level: 2)
    atlas.prefetch(slots: Array(0..<count), level: 2)
    #expect((0..<count).allSatisfy { atlas.isResident($0, level: 2) })
    #expect(residentBytes() <= 384 << 20)
    atlas.prefetch(slots: Array(0..<2000), level: 5)
    atlas.prefetch(slots: Array(0..<count), level: 3)
    #expect((0..<count).allSatisfy { atlas.isResident($0, level: 3) })
    #expect((0..<2000).allSatisfy { atlas.isResident($0, level: 5) })
    #expect(residentBytes() <= 384 << 20)
  }

  @Test("residency follows storing, releasing and prefetching")
  func residency() throws {
    let directory = try TemporaryDirectory("atlas")
    do {
      let atlas = try Atlas(directory: directory.path)
      for slot in 0..<100 { try store(slot, in: atlas) }
      #expect((0..<100).allSatisfy { atlas.isResident($0, level: 2) })
      atlas.release(level: 2)
      #expect(!(0..<100).contains { atlas.isResident($0, level: 2) })
      #expect(isIntact(50, in: atlas), "released pixels are still there")
    }
    let atlas = try Atlas(directory: directory.path)
    #expect(!(0..<100).contains { atlas.isResident($0, level: 5) })
    atlas.prefetch(slots: [3, 4, 5, 90, 90, 2000, -1], level: 5)
    #expect((0..<100).filter { atlas.isResident($0, level: 5) } == [3, 4, 5, 90])
    #expect(!atlas.isResident(2000, level: 5))
    atlas.clear(slot: 4)
    #expect(!atlas.isResident(4, level: 5))
  }
}
