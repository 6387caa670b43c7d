import Atlas
import Foundation
import NPY
import ObjectStorage
import TestSupport
import Testing

@testable import Collection

/// Two processes are played by two collection objects of one directory: the registry of this process is passed by, the
/// lock is the real one.
@Suite("Two programs on one collection")
struct SharingTests {
  private let folder: TemporaryDirectory
  private let cache: TemporaryDirectory
  private let store: any ObjectStore
  private let place: ImageCollection.Place

  init() throws {
    folder = try TemporaryDirectory()
    cache = try TemporaryDirectory("cache")
    store = try folderStore(folder)
    place = ImageCollection.Place(
      root: cache.path, directory: CacheDirectory.directory(of: store.identity, in: cache.path),
      limits: StoreLimits(bytesLeftFree: 0))
  }

  /// The first program: it holds the lock.
  private func first() throws -> ImageCollection {
    try CacheDirectory.prepare(cache.path)
    try PrivateFiles.makeDirectory(place.directory)
    let lock = try #require(try DirectoryLock.take(in: place.directory))
    return try ImageCollection.load(store: store, place: place, lock: lock)
  }

  private func fill(_ collection: ImageCollection, _ range: Range<Int>) async throws {
    try await collection.withWriter { writer in
      _ = writer.take(range.map { object("image-\($0).png", etag: "etag-of-\($0)") })
      for number in range {
        let slot = try #require(collection.slot(of: ObjectKey("image-\(number).png")))
        try writer.keep(slot, UInt32(number))
      }
      writer.saveStage(
        kind: "layout", key: "k\(range.upperBound)", base: "b", parameters: "{}",
        arrays: ["positions": NPYArray([Float(range.upperBound), 2], shape: [1, 2])])
    }
  }

  @Test("the second reads what the first has stored, and changes nothing of it")
  func reading() async throws {
    let one = try first()
    try await fill(one, 0..<10)
    let other = try ImageCollection.open(store: store, cacheDirectory: cache.path)
    #expect(other !== one && !other.isKept)
    #expect(other.takeNotes().first?.contains("Another program") == true)
    #expect(other.counts.ready == 10)
    #expect((0..<10).allSatisfy { other.atlas.verify($0) })
    let record = try #require(other.stages { $0.key == "k10" }.first)
    #expect(other.arrays(of: record)?["positions"]?.floats == [10, 2])
    try await other.withWriter { writer in
      let matrix = try writer.features(of: extractor)
      #expect(writer.withoutFeatures(other.entries, in: matrix).isEmpty)
      #expect(writer.take([object("own.png", etag: "own")]).new == [10])
      try writer.keep(10, 99)
      #expect(writer.withoutFeatures(other.entries, in: matrix).isEmpty)
    }
    #expect(other.atlas.verify(10) && one.atlas.info(10) == nil && one.slot(of: ObjectKey("own.png")) == nil)
    #expect(try CacheDirectory.clear(cache.path).inUse.map(\.directory) == [place.directory])
    withExtendedLifetime(one) {}
  }

  @Test("what the first stores later is taken over, not fetched")
  func adopting() async throws {
    let one = try first()
    try await fill(one, 0..<3)
    let other = try ImageCollection.open(store: store, cacheDirectory: cache.path)
    try await fill(one, 3..<6)
    // A second look is not taken at once.
    try await Task.sleep(for: .seconds(2.1))
    try await other.withWriter { writer in
      _ = try writer.features(of: extractor)
      let change = writer.take((0..<7).map { object("image-\($0).png", etag: "etag-of-\($0)") })
      #expect(change.unfetched.count == 4)
      let adopted = change.unfetched.filter { writer.mayAdopt($0) && writer.adopt($0) }
      #expect(adopted.compactMap { other.entry($0)?.object.key.displayName } == (3..<6).map { "image-\($0).png" })
      #expect(adopted.allSatisfy { other.atlas.verify($0) && other.entry($0)?.width == 80 })
      let matrix = try writer.features(of: extractor)
      #expect(writer.withoutFeatures(other.entries.filter { $0.state == .ready }, in: matrix).isEmpty)
    }
    #expect(other.stages { $0.key == "k6" }.count == 1)
    withExtendedLifetime(one) {}
  }

  @Test("when the first has ended, what the second has fetched is added to the store")
  func depositing() async throws {
    var one: ImageCollection? = try first()
    try await fill(try #require(one), 0..<3)
    var other: ImageCollection? = try ImageCollection.open(store: store, cacheDirectory: cache.path)
    one = nil
    try await eventually("the first has ended") { try DirectoryLock.take(in: place.directory) != nil }
    try await fill(try #require(other), 3..<8)
    other = nil
    try await eventually("the second has ended") { try DirectoryLock.take(in: place.directory) != nil }
    let third = try first()
    #expect(third.counts.ready == 8)
    #expect((0..<8).allSatisfy { third.atlas.verify($0) })
    #expect(Set(third.stages { _ in true }.map(\.key)) == ["k3", "k8"])
    try await third.withWriter { writer in
      let matrix = try writer.features(of: extractor)
      #expect(writer.withoutFeatures(third.entries, in: matrix).isEmpty)
    }
  }

  @Test("when the first ends after the second's job, what the second has fetched is added when the second quits")
  func quitting() async throws {
    var one: ImageCollection? = try first()
    try await fill(try #require(one), 0..<3)
    var other: ImageCollection? = try ImageCollection.open(store: store, cacheDirectory: cache.path)
    try await fill(try #require(other), 3..<8)
    one = nil
    try await eventually("the first has ended") { try DirectoryLock.take(in: place.directory) != nil }
    other?.synchronize()
    // A second time there is nothing left to be added.
    other?.synchronize()
    other = nil
    try await eventually("the second has ended") { try DirectoryLock.take(in: place.directory) != nil }
    let third = try first()
    #expect(third.counts.ready == 8 && (0..<8).allSatisfy { third.atlas.verify($0) })
    #expect(Set(third.stages { _ in true }.map(\.key)) == ["k3", "k8"])
  }

  @Test("a store that can only be read is read", .enabled(if: geteuid() == 0))
  func readOnly() async throws {
    do { try await fill(try first(), 0..<10) }
    try await eventually("it is closed") { try DirectoryLock.take(in: place.directory) != nil }
    // The superuser is stopped by the file system alone.
    try #require(mount(cache.path, cache.path, nil, UInt(MS_BIND), nil) == 0)
    defer { umount2(cache.path, Int32(MNT_DETACH)) }
    try #require(mount(nil, cache.path, nil, UInt(MS_BIND | MS_REMOUNT | MS_RDONLY), nil) == 0)
    let collection = try ImageCollection.open(store: store, cacheDirectory: cache.path)
    #expect(!collection.isKept && collection.counts.ready == 10)
    #expect(collection.takeNotes().first?.contains("cannot be written") == true)
    #expect((0..<10).allSatisfy { collection.atlas.verify($0) })
    try await fill(collection, 10..<12)
    #expect(collection.counts.ready == 12 && collection.atlas.verify(11))
    #expect(CacheDirectory.collections(in: cache.path).first?.images == 10)
  }
}
