import Atlas
import Foundation
import NPY
import ObjectStorage
import Synchronization
import TestSupport
import Testing

@testable import Collection

@Suite("Damage and obstacles", .computing)
struct DamageTests {
  /// A collection of ten images, closed again; its directory.
  private func make(_ store: any ObjectStore, _ cache: TemporaryDirectory) async throws -> String {
    let directory = try await fill(store, cache)
    try await eventually("it is closed") { try DirectoryLock.take(in: directory) != nil }
    return directory
  }

  private func fill(_ store: any ObjectStore, _ cache: TemporaryDirectory) async throws -> String {
    let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
    try await collection.withWriter { writer in
      _ = writer.take((0..<10).map { object("image-\($0).png", etag: "etag-of-\($0)") })
      for slot in 0..<10 { try writer.keep(slot, UInt32(slot)) }
      writer.saveStage(
        kind: "layout", key: "k", base: "b", parameters: "{}",
        arrays: ["positions": NPYArray([Float(1), 2], shape: [1, 2])])
    }
    return try #require(collection.directory)
  }

  @Test("a flipped bit in the catalogue costs one image")
  func damagedRow() async throws {
    let (folder, cache) = (try TemporaryDirectory(), try TemporaryDirectory("cache"))
    let store = try folderStore(folder)
    let directory = try await make(store, cache)
    try damage(directory + "/catalogue.sqlite", at: "etag-of-7")
    do {
      let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
      #expect(collection.slotsInKeyOrder == Array(0..<10), "the snapshot knows it")
    }
    try await eventually("it is closed") { try DirectoryLock.take(in: directory) != nil }
    try FileManager.default.removeItem(atPath: directory + "/catalogue.snapshot")
    let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
    #expect(collection.slotsInKeyOrder == [0, 1, 2, 3, 4, 5, 6, 8, 9])
    #expect(collection.takeNotes() == [])
  }

  @Test("a damaged single value is not believed: its second copy is, or none")
  func damagedValue() async throws {
    let (folder, cache) = (try TemporaryDirectory(), try TemporaryDirectory("cache"))
    let store = try folderStore(folder)
    let directory = try await make(store, cache)
    do {
      let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
      collection.keep("bucket-of-mine", as: "replica bucket")
      collection.keep("other", as: "something else")
      collection.synchronize()
    }
    try await eventually("it is closed") { try DirectoryLock.take(in: directory) != nil }
    try damage(directory + "/catalogue.sqlite", at: "bucket-of-mine")
    do {
      let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
      #expect(collection.keptValue("replica bucket") == "bucket-of-mine", "the snapshot knows it")
      #expect(collection.keptValue("something else") == "other")
    }
    try await eventually("it is closed") { try DirectoryLock.take(in: directory) != nil }
    try FileManager.default.removeItem(atPath: directory + "/catalogue.snapshot")
    let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
    #expect(collection.keptValue("replica bucket") == nil)
    #expect(collection.keptValue("something else") == "other" && collection.counts.ready == 10)
  }

  @Test("a catalogue that is made anew while it is open keeps every single value")
  func rebuilding() async throws {
    let (folder, cache) = (try TemporaryDirectory(), try TemporaryDirectory("cache"))
    let collection = try ImageCollection.open(store: try folderStore(folder), cacheDirectory: cache.path)
    await collection.withWriter { $0.setDecoder("a decoder") }
    collection.saveViewState(Data([3, 4]))
    collection.keep("bucket-of-mine", as: "replica bucket")
    collection.synchronize()
    func values() throws -> [String: Data] {
      try #require(collection.state.withLock { $0.catalogue }).values()
    }
    let before = try values()
    #expect(Set(before.keys) == ["location", "used", "view", "decoder", "kept replica bucket"])
    try collection.queue.sync { try collection.rebuildCatalogue() }
    #expect(try values() == before)
  }

  @Test("a catalogue that is none is made anew: from its snapshot, or said to be lost", arguments: [true, false])
  func damagedCatalogue(hasSnapshot: Bool) async throws {
    let (folder, cache) = (try TemporaryDirectory(), try TemporaryDirectory("cache"))
    let store = try folderStore(folder)
    let directory = try await make(store, cache)
    if !hasSnapshot { try FileManager.default.removeItem(atPath: directory + "/catalogue.snapshot") }
    try Data("no database at all, but long enough to be one".utf8).write(
      to: URL(fileURLWithPath: directory + "/catalogue.sqlite"))
    let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
    #expect(collection.isKept)
    if hasSnapshot {
      #expect(collection.counts.ready == 10 && collection.takeNotes() == [])
      let record = try #require(collection.stages { $0.key == "k" }.first)
      #expect(collection.arrays(of: record)?["positions"]?.floats == [1, 2])
    } else {
      #expect(collection.entries.isEmpty)
      #expect(collection.takeNotes().count == 1)
      #expect(collection.takeNotes() == [])
    }
  }

  @Test("bits flipped anywhere in the catalogue never crash, and never give an image that was not there")
  func fuzz() async throws {
    let (folder, cache) = (try TemporaryDirectory(), try TemporaryDirectory("cache"))
    let store = try folderStore(folder)
    let directory = try await make(store, cache)
    let path = URL(fileURLWithPath: directory + "/catalogue.sqlite")
    let good = Array(try Data(contentsOf: path))
    let known = Set((0..<10).map { object("image-\($0).png", etag: "etag-of-\($0)") })
    var random = SplitMix64(seed: 5)
    for _ in 0..<60 {
      var bytes = good
      let at = Int.random(in: 0..<bytes.count, using: &random)
      bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      CacheDirectory.empty(directory)
      try Data(bytes).write(to: path)
      let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
      for entry in collection.entries { #expect(known.contains(entry.object), "byte \(at)") }
    }
  }

  @Test("thumbnails that are gone are to be fetched again, alone")
  func damagedThumbnails() async throws {
    let (folder, cache) = (try TemporaryDirectory(), try TemporaryDirectory("cache"))
    let store = try folderStore(folder)
    let directory = try await make(store, cache)
    let path = directory + "/thumbnails/index.bin"
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    bytes[bytes.count / 2] ^= 4
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
    #expect(collection.counts.ready + collection.counts.listed == 10)
    #expect(collection.counts.listed <= 1)
  }

  @Test("a damaged stage counts as never made, and its files go")
  func damagedStage() async throws {
    let (folder, cache) = (try TemporaryDirectory(), try TemporaryDirectory("cache"))
    let store = try folderStore(folder)
    let directory = try await make(store, cache)
    let path = directory + "/k-positions.npy"
    var collection: ImageCollection? = try ImageCollection.open(store: store, cacheDirectory: cache.path)
    let record = try #require(collection?.stages { $0.key == "k" }.first)
    #expect(collection?.arrays(of: record)?["positions"]?.floats == [1, 2])
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    bytes[bytes.count - 1] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    #expect(collection?.arrays(of: record) == nil)
    #expect(collection?.stages { _ in true }.isEmpty == true)
    #expect(!FileManager.default.fileExists(atPath: path))
    collection?.synchronize()
    collection = nil
    #expect(try ImageCollection.open(store: store, cacheDirectory: cache.path).stages { _ in true }.isEmpty)
  }

  @Test("a feature row is believed only for its own image, and undamaged")
  func features() throws {
    let directory = try TemporaryDirectory()
    let row = (0..<48).map { UInt8($0) }
    do {
      let matrix = try FeatureMatrix(directory: directory.path, identifier: "test", dimension: 48)
      #expect(try matrix.store(row, slot: 3, identity: 77))
      #expect(matrix.isValid(slot: 3, identity: 77))
      #expect(!matrix.isValid(slot: 3, identity: 78))
      #expect(!matrix.isValid(slot: 2, identity: 77))
      #expect(!matrix.isValid(slot: 1 << 20, identity: 77))
    }
    #expect(
      try FeatureMatrix(directory: directory.path, identifier: "test", dimension: 48).isValid(slot: 3, identity: 77))
    let path = URL(fileURLWithPath: directory.file("features-test.u8"))
    var bytes = Array(try Data(contentsOf: path))
    bytes[3 * 48 + 20] ^= 8
    try Data(bytes).write(to: path)
    #expect(
      try !FeatureMatrix(directory: directory.path, identifier: "test", dimension: 48).isValid(slot: 3, identity: 77))
  }

  @Test("growing memory never moves, and keeps what it has")
  func growing() throws {
    let memory = try GrowingMemory(path: nil, limit: 1 << 30)
    for step in 0..<64 {
      let at = step << 20
      #expect(try memory.grow(to: at + 8))
      (memory.base + at).storeBytes(of: step, as: Int.self)
    }
    for step in 0..<64 { #expect((memory.base + step << 20).load(as: Int.self) == step) }
    #expect(throws: StoreFailure.self) { try memory.grow(to: 1 << 31) }
  }

  @Test("where no directory can be made, everything is kept in memory, and said")
  func unusable() async throws {
    let (folder, cache) = (try TemporaryDirectory(), try TemporaryDirectory("cache"))
    let path = try cache.write([1], to: "a-file")
    let collection = try ImageCollection.open(store: try folderStore(folder), cacheDirectory: path)
    #expect(!collection.isKept)
    #expect(collection.takeNotes().first?.contains(path) == true)
    await collection.withWriter { writer in
      writer.saveStage(
        kind: "layout", key: "k", base: "b", parameters: "", arrays: ["a": NPYArray([Float(1)], shape: [1])])
    }
    let record = try #require(collection.stages { _ in true }.first)
    #expect(collection.arrays(of: record)?["a"]?.floats == [1])
  }
}
