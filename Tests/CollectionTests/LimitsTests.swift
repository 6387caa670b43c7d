import Atlas
import Foundation
import ObjectStorage
import TestSupport
import Testing

@testable import Collection

@Suite("The store's limits")
struct LimitsTests {
  private let cache: TemporaryDirectory
  private let folders: [TemporaryDirectory]

  init() throws {
    cache = try TemporaryDirectory("cache")
    folders = try (0..<3).map { _ in try TemporaryDirectory() }
  }

  private func fill(_ number: Int, limits: StoreLimits = StoreLimits(bytesLeftFree: 0)) async throws -> ImageCollection
  {
    let collection = try ImageCollection.open(
      store: try folderStore(folders[number]), cacheDirectory: cache.path, limits: limits)
    try await collection.withWriter { writer in
      _ = writer.take((0..<20).map { object("\($0).png") })
      for slot in 0..<20 { try writer.keep(slot, UInt32(slot)) }
    }
    collection.synchronize()
    return collection
  }

  @Test("the least recently used collections go first, never one in use, nor the one that needs the room")
  func eviction() async throws {
    var open: ImageCollection? = try await fill(0)
    let first = try #require(open?.directory)
    let second = try #require(try await fill(1).directory)
    try await eventually("it is closed") { try DirectoryLock.take(in: second) != nil }
    let each = PrivateFiles.bytes(below: second)
    let third = try await fill(2, limits: StoreLimits(bytes: each * 5 / 2, bytesLeftFree: 0))
    #expect(FileManager.default.fileExists(atPath: first), "it is open")
    #expect(!FileManager.default.fileExists(atPath: second))
    #expect(third.isKept && third.takeNotes() == [])
    open = nil
    try await eventually("it is closed") { try DirectoryLock.take(in: first) != nil }
    // Used again, it is the youngest.
    let again = try await fill(1, limits: StoreLimits(bytes: each * 5 / 2, bytesLeftFree: 0))
    #expect(!FileManager.default.fileExists(atPath: first))
    #expect(again.isKept)
    #expect(CacheDirectory.collections(in: cache.path).map(\.directory) == [again.directory, third.directory])
  }

  @Test("a collection that does not fit alone is kept as far as it fits, and that is said once")
  func tooLarge() async throws {
    let collection = try await fill(0, limits: StoreLimits(bytes: 1000, bytesLeftFree: 0))
    #expect(!collection.isKept && collection.counts.ready == 20)
    let notes = collection.takeNotes()
    #expect(notes.count == 1 && notes[0].contains("--cache-size"))
    #expect((0..<20).allSatisfy { collection.atlas.verify($0) })
  }

  @Test("a disk with less free than is to be left takes nothing more")
  func fullDisk() async throws {
    let collection = try await fill(0, limits: StoreLimits(bytesLeftFree: .max))
    #expect(!collection.isKept)
    #expect(collection.takeNotes().first?.contains("disk has only") == true)
  }

  @Test("a clock that was set back makes neither the newest collection nor the newest layout the oldest")
  func clockSetBack() async throws {
    let collection = try await fill(0)
    let directory = try #require(collection.directory)
    // As if all this had been written by a clock a year ahead.
    let future = Date().addingTimeInterval(31_536_000)
    let catalogue = try Catalogue(path: directory + "/catalogue.sqlite")
    try catalogue.setValue(Data(String(future.timeIntervalSince1970).utf8), "used")
    catalogue.close()
    let other = try await fill(1)
    #expect(CacheDirectory.collections(in: cache.path).map(\.directory) == [other.directory, directory])

    let stages = StageStore(
      directory: nil,
      records: (0..<10).map { number in
        StageRecord(
          key: "\(number)", kind: "layout", base: "", parameters: "", files: [], created: future, used: future)
      })
    let new = StageRecord(
      key: "new", kind: "layout", base: "", parameters: "", files: [], created: Date(), used: Date())
    let (kept, gone) = try stages.save(new, arrays: [:])
    #expect(kept.used > future && gone.count == 1 && gone[0].key != "new")
    #expect(stages.records { _ in true }.first?.key == "new")
  }

  @Test("what others have made does not push out what is one's own, and is one's own once it is used")
  func sharedStages() throws {
    let stages = StageStore(directory: nil, records: [])
    func save(_ kind: String, _ key: String) throws {
      _ = try stages.save(
        StageRecord(
          key: key, kind: kind, base: key, parameters: "", files: [], created: Date(timeIntervalSince1970: 1),
          used: Date()), arrays: [:])
    }
    for number in 0..<10 { try save("layout", "own \(number)") }
    for number in 0..<12 { try save("shared", "other \(number)") }
    #expect(stages.records { $0.kind == "layout" }.count == 10)
    #expect(stages.records { $0.kind == "shared" }.map(\.key) == (2..<12).reversed().map { "other \($0)" })
    let (kept, gone) = try #require(stages.change("other 5", to: "layout"))
    #expect(kept.kind == "layout" && kept.created == Date(timeIntervalSince1970: 1) && gone.map(\.key) == ["own 0"])
    #expect(stages.records { $0.kind == "layout" }.first?.key == "other 5")
    #expect(stages.touch(gone[0]).key == "own 0" && stages.change("own 0", to: "shared") == nil)
    #expect(stages.records { _ in true }.count == 19)
  }

  @Test("what another version has left is counted, and goes first")
  func otherVersions() async throws {
    try cache.write([UInt8](repeating: 1, count: 100_000), to: "collections-1/abc/level-128.bgra")
    let collection = try await fill(0, limits: StoreLimits(bytes: 90_000_000, bytesLeftFree: 0))
    #expect(CacheDirectory.collections(in: cache.path).count == 2)
    let bytes = PrivateFiles.bytes(below: try #require(collection.directory))
    #expect(
      CacheDirectory.trim(
        cache.path, to: StoreLimits(bytes: bytes + 50_000, bytesLeftFree: 0), keeping: collection.directory ?? "")
        == nil)
    #expect(CacheDirectory.collections(in: cache.path).map(\.directory) == [collection.directory])
  }

  @Test("what a program that was ended left half-written is removed")
  func strays() async throws {
    let directory = try #require(try await fill(0).directory)
    try await eventually("it is closed") { try DirectoryLock.take(in: directory) != nil }
    for name in ["catalogue.snapshot.part", "0123-positions.npy"] {
      try Data([1]).write(to: URL(fileURLWithPath: directory + "/" + name))
    }
    let collection = try await fill(0)
    let names = try FileManager.default.contentsOfDirectory(atPath: directory)
    #expect(!names.contains { $0.hasSuffix(".part") || $0.hasSuffix(".npy") })
    withExtendedLifetime(collection) {}
  }
}
