import Foundation
import NPY
import TestSupport
import Testing

@testable import Collection

@Suite("The cache directory and the history", .computing)
struct CacheDirectoryTests {
  @Test("it is found as the XDG specification says")
  func resolving() {
    #expect(CacheDirectory.resolve(override: "/x", environment: ["XDG_CACHE_HOME": "/c"]) == "/x")
    #expect(
      CacheDirectory.resolve(override: nil, environment: ["XDG_CACHE_HOME": "/c", "HOME": "/h"]) == "/c/s3totsne")
    #expect(
      CacheDirectory.resolve(override: nil, environment: ["XDG_CACHE_HOME": "c", "HOME": "/h"]) == "/h/.cache/s3totsne")
    #expect(CacheDirectory.resolve(override: nil, environment: ["HOME": "/h"]) == "/h/.cache/s3totsne")
  }

  @Test("it is tagged, and private to the user")
  func privacy() async throws {
    let (folder, cache) = (try TemporaryDirectory(), try TemporaryDirectory("cache"))
    let path = cache.file("deep/er")
    let collection = try ImageCollection.open(store: try folderStore(folder), cacheDirectory: path)
    try await collection.withWriter { writer in
      _ = writer.take([object("a.png")])
      try writer.keep(0, 1)
      writer.saveStage(
        kind: "layout", key: "k", base: "b", parameters: "", arrays: ["a": NPYArray([Float(1)], shape: [1])])
    }
    let tag = try String(contentsOfFile: path + "/CACHEDIR.TAG", encoding: .utf8)
    #expect(tag.hasPrefix("Signature: 8a477f597d28d172789f06886806bc55\n"))
    var seen = 0
    for case let name as String in try #require(FileManager.default.enumerator(atPath: path)) {
      var status = stat()
      #expect(lstat(path + "/" + name, &status) == 0)
      let isDirectory = status.st_mode & S_IFMT == S_IFDIR
      #expect(status.st_mode & 0o777 == (isDirectory ? 0o700 : 0o600), "\(name)")
      seen += 1
    }
    #expect(seen > 10)
  }

  @Test("collections are listed, last used first, and cleared")
  func listing() async throws {
    let cache = try TemporaryDirectory("cache")
    let folders = [try TemporaryDirectory("one"), try TemporaryDirectory("two")]
    for folder in folders {
      let collection = try ImageCollection.open(store: try folderStore(folder), cacheDirectory: cache.path)
      try await collection.withWriter { writer in
        _ = writer.take([object("a.png"), object("b.png")])
        try writer.keep(1, 1)
      }
    }
    try await closed(cache)
    let found = CacheDirectory.collections(in: cache.path)
    #expect(found.map(\.location) == folders.reversed().map(\.path))
    #expect(found.allSatisfy { $0.images == 1 && $0.bytes > 1_000 && abs($0.lastUsed.timeIntervalSinceNow) < 600 })
    #expect(try CacheDirectory.clear(cache.path).removed.map(\.directory) == found.map(\.directory))
    #expect(CacheDirectory.collections(in: cache.path) == [])
    #expect(CacheDirectory.collections(in: cache.file("nowhere")) == [])
  }

  @Test("stages are bounded: the least recently used goes, with its files")
  func boundedStages() async throws {
    let (folder, cache) = (try TemporaryDirectory(), try TemporaryDirectory("cache"))
    let collection = try ImageCollection.open(store: try folderStore(folder), cacheDirectory: cache.path)
    await collection.withWriter { writer in
      for number in 0..<14 {
        writer.saveStage(
          kind: "layout", key: "k\(number)", base: "b", parameters: "", arrays: ["a": NPYArray([Float(1)], shape: [1])])
      }
    }
    let kept = (4..<14).map { "k\($0)" }
    #expect(Set(collection.stages { _ in true }.map(\.key)) == Set(kept))
    let directory = try #require(collection.directory)
    let files = try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".npy") }
    #expect(Set(files) == Set(kept.map { $0 + "-a.npy" }))
  }

  @Test("the history is newest first, without repetitions, and bounded")
  func history() throws {
    let home = try TemporaryDirectory("home")
    let history = RecentLocations(environment: ["XDG_STATE_HOME": home.path])
    #expect(history.path == home.file("s3totsne/history"))
    #expect(history.load() == [])
    for location in ["a/b", "c", "a/b", "with\nbreak", "ü/ñ"] { history.add(location) }
    #expect(history.load() == ["ü/ñ", "a/b", "c"])
    for number in 0..<150 { history.add("bucket/\(number)") }
    #expect(history.load().count == RecentLocations.limit)
    #expect(history.load().first == "bucket/149")
    #expect(RecentLocations(environment: ["HOME": "/h"]).path == "/h/.local/state/s3totsne/history")
  }
}
