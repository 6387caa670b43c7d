import Atlas
import Features
import Foundation
import ObjectStorage
import TestSupport
import Testing

@testable import Collection

@Suite("Collections", .computing)
struct ImageCollectionTests {
  @Test("everything kept is there when the collection is opened again")
  func reopening() async throws {
    let folder = try TemporaryDirectory()
    let cache = try TemporaryDirectory("cache")
    let store = try folderStore(folder)
    let odd = StoredObject(
      key: ObjectKey(bytes: [0xFF, 0x0A, 0x27]), size: .max, etag: "ü'\"", storageClass: "GLACIER")
    do {
      let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
      #expect(collection.isKept)
      try await collection.withWriter { writer in
        let change = writer.take([object("a.png"), object("b.png"), object("c.txt"), odd])
        #expect(change.new == [0, 1, 2, 3])
        try writer.keep(0, 0x102030)
        writer.leaveOut(1, reason: "It is broken.", isLasting: true)
        writer.setNotAnImage(2)
        #expect(writer.finishListing() == [])
      }
      collection.saveViewState(Data([1, 2, 3]))
      collection.synchronize()
    }
    try await closed(cache)
    let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
    #expect(collection.entry(0)?.state == .ready)
    #expect(collection.entry(0)?.width == 80)
    #expect(collection.entry(0)?.object == object("a.png"))
    #expect(collection.entry(1)?.state == .leftOut(reason: "It is broken."))
    #expect(collection.entry(2)?.state == .notAnImage)
    #expect(collection.entry(3)?.object == odd)
    #expect(collection.atlas.info(0)?.width == 8)
    #expect(collection.loadViewState() == Data([1, 2, 3]))
    #expect(collection.slotsInKeyOrder == [0, 3])
    #expect(collection.leftOutSlots == [1])
    #expect(collection.counts == .init(listed: 1, ready: 1, leftOut: 1, otherFiles: 1))
    try await collection.withWriter { writer in
      let entries = collection.entries.filter { $0.state == .ready }
      let missing = writer.withoutFeatures(entries, in: try writer.features(of: extractor))
      #expect(missing.isEmpty)
    }
  }

  @Test("of thousands, all are told in the order of keys, also while more come")
  func thousands() async throws {
    let folder = try TemporaryDirectory()
    let collection = try ImageCollection.open(store: try folderStore(folder), cacheDirectory: nil)
    var numbers = SplitMix64(seed: 5)
    let names = (10_000..<13_000).map { "\($0).png" }.shuffled(using: &numbers)
    await collection.withWriter { writer in
      let more = Task.detached {
        for first in stride(from: 0, to: 3000, by: 100) {
          _ = writer.take((first..<first + 100).map { object("more/\($0).png") })
        }
      }
      _ = writer.take(names.map { object($0) })
      for slot in stride(from: 0, to: 3000, by: 7) { writer.leaveOut(slot, reason: "It is broken.", isLasting: true) }
      for _ in 0..<20 {
        let keys = collection.entries.map(\.object.key)
        #expect(keys.count >= 3000 && zip(keys, keys.dropFirst()).allSatisfy { $0 < $1 })
      }
      await more.value
    }
    #expect(collection.entries.count == 6000)
    #expect(collection.slotsInKeyOrder.count + collection.leftOutSlots.count == 6000)
    let leftOut = collection.leftOutSlots.compactMap { collection.entry($0)?.object.key }
    #expect(leftOut.count == 429 && leftOut == leftOut.sorted())
  }

  @Test("one directory is one object in a process")
  func sharing() throws {
    let folder = try TemporaryDirectory()
    let cache = try TemporaryDirectory("cache")
    let first = try ImageCollection.open(store: try folderStore(folder), cacheDirectory: cache.path)
    let second = try ImageCollection.open(store: try folderStore(folder), cacheDirectory: cache.path)
    #expect(first === second)
    #expect(try ImageCollection.open(store: try folderStore(folder), cacheDirectory: nil) !== first)
  }

  @Test("a changed object gets a new slot, a vanished one is dropped, and no slot is given away while it may be seen")
  func changes() async throws {
    let folder = try TemporaryDirectory()
    let cache = try TemporaryDirectory("cache")
    let store = try folderStore(folder)
    do {
      let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
      await collection.withWriter { writer in
        #expect(writer.take([object("a"), object("b"), object("c")]).new == [0, 1, 2])
        #expect(writer.finishListing() == [])
      }
      try await collection.withWriter { writer in
        try writer.keep(1, 0)
        let change = writer.take([object("a"), object("b", etag: "2"), object("d")])
        #expect(change == .init(new: [3, 4], removed: [1], unfetched: [0, 3, 4]))
        #expect(writer.finishListing() == [2])
      }
      #expect(collection.slotsInKeyOrder == [0, 3, 4])
      #expect(collection.entry(1) == nil)
    }
    try await closed(cache)
    let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
    #expect(collection.slotsInKeyOrder == [0, 3, 4])
    await collection.withWriter { writer in
      #expect(writer.take([object("e"), object("f"), object("g")]).new == [1, 2, 5])
    }
  }

  @Test("what was left out for a reason that may pass is tried again by the next program")
  func passingProblems() async throws {
    let folder = try TemporaryDirectory()
    let cache = try TemporaryDirectory("cache")
    let store = try folderStore(folder)
    do {
      let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
      await collection.withWriter { writer in
        _ = writer.take([object("a.png"), object("b.png")])
        writer.leaveOut(0, reason: "No network.", isLasting: false)
        writer.leaveOut(1, reason: "No picture.", isLasting: true)
      }
      #expect(collection.leftOutSlots == [0, 1])
    }
    try await closed(cache)
    let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
    #expect(collection.entry(0)?.state == .listed)
    #expect(collection.leftOutSlots == [1])
    await collection.withWriter { $0.setDecoder("one that can show more") }
    #expect(collection.leftOutSlots == [])
  }

  @Test("a writer that is closed changes nothing any more")
  func lateCalls() async throws {
    let folder = try TemporaryDirectory()
    let collection = try ImageCollection.open(store: try folderStore(folder), cacheDirectory: nil)
    let late = await collection.withWriter { writer in
      _ = writer.take([object("a.png")])
      return writer
    }
    #expect(try late.keep(0, 0) == false)
    late.leaveOut(0, reason: "", isLasting: true)
    #expect(late.take([object("b.png")]).new == [])
    #expect(collection.entry(0)?.state == .listed)
    #expect(collection.atlas.info(0) == nil)
  }

  @Test("writers take turns")
  func turns() async throws {
    let folder = try TemporaryDirectory()
    let collection = try ImageCollection.open(store: try folderStore(folder), cacheDirectory: nil)
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<20 {
        group.addTask {
          await collection.withWriter { writer in
            let before = collection.entries.count
            await Task.yield()
            _ = writer.take([object("\(number)")])
            #expect(collection.entries.count == before + 1)
          }
        }
      }
    }
    #expect(collection.entries.count == 20)
  }
}
