import Foundation
import ObjectStorage
import TestSupport
import Testing

@testable import Collection

@Suite("The catalogue's snapshot")
struct SnapshotTests {
  private func entries(_ count: Int) -> [CollectionEntry] {
    (0..<count).map { number in
      var stored = object("folder/image-\(number).png", etag: "\(number)", size: Int64(number))
      if number % 3 == 0 { stored.modified = nil }
      if number % 5 == 0 { stored.storageClass = "STANDARD_IA" }
      let state: CollectionEntry.State =
        switch number % 4 {
        case 0: .ready
        case 1: .listed
        case 2: .leftOut(reason: "It is no picture, “\(number)”.")
        default: .notAnImage
        }
      return CollectionEntry(slot: count - 1 - number, object: stored, width: number, height: 7, state: state)
    }
  }

  private func fileBytes(
    _ generation: Int64, _ entries: [CollectionEntry], _ values: CatalogueSnapshot.Values
  ) throws -> [UInt8] {
    let folder = try TemporaryDirectory("snapshot")
    let path = folder.file("snapshot")
    try CatalogueSnapshot.write(to: path, generation: generation, values: values, entries: entries)
    return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  @Test("it reads back as it was written")
  func roundTrip() throws {
    var values = CatalogueSnapshot.Values()
    values.location = "bucket/ä"
    values.view = Data([1, 2])
    values.decoder = "one"
    values.used = 12.25
    values.kept = ["replica bucket": "ö"]
    for count in [0, 1, 1024, 3000] {
      let entries = entries(count)
      let read = try #require(CatalogueSnapshot(fileBytes: try fileBytes(77, entries, values)))
      #expect(read.isComplete && read.generation == 77)
      #expect(read.entries == entries && read.values == values)
    }
  }

  @Test("a flipped bit costs a block at most, and nothing is read that was not there")
  func flippedBits() throws {
    let entries = entries(3000)
    let good = try fileBytes(5, entries, .init())
    let known = Set(entries)
    var random = SplitMix64(seed: 3)
    for _ in 0..<60 {
      var bytes = good
      bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
      guard let read = CatalogueSnapshot(fileBytes: bytes) else { continue }
      #expect(!read.isComplete)
      #expect(read.entries.allSatisfy(known.contains))
    }
  }

  @Test("an old snapshot is not believed while the database is sound, and no slot goes to two images because of it")
  func stale() async throws {
    let (folder, cache) = (try TemporaryDirectory(), try TemporaryDirectory("cache"))
    let store = try folderStore(folder)
    var directory = ""
    do {
      let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
      directory = try #require(collection.directory)
      try await collection.withWriter { writer in
        _ = writer.take([object("a.png"), object("b.png")])
        for slot in 0..<2 { try writer.keep(slot, UInt32(slot)) }
      }
    }
    let path = URL(fileURLWithPath: directory + "/catalogue.snapshot")
    let old = try Data(contentsOf: path)
    do {
      let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
      await collection.withWriter { writer in
        _ = writer.take([object("b.png")])
        _ = writer.finishListing()
      }
    }
    // As if the program had been ended before it wrote the new one.
    try await eventually("it is closed") { try DirectoryLock.take(in: directory) != nil }
    try old.write(to: path)
    let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
    #expect(collection.entries.map(\.object.key) == [ObjectKey("b.png")])
    #expect(try Data(contentsOf: path) != old, "it is renewed before a free slot is given away")
    await collection.withWriter { #expect($0.take([object("c.png")]).new == [0]) }
  }
}
