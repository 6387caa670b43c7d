import Atlas
import Foundation
import ObjectStorage
import TestSupport
import Testing

@testable import Collection

@Suite("Pictures that are already there")
struct AdoptionTests {
  private let bucket = Location(.bucket(endpoint: nil, name: "bucket", prefix: []))
  private let folder = Location(.folder(path: Array("/a".utf8)))
  private let md5 = "0123456789abcdef0123456789abcdef"

  @Test("what tells the content is an ETag that is a hash, or a file's time, size and inode")
  func names() {
    func name(_ etag: String, _ size: Int64 = 5, in location: Location) -> ContentName? {
      ContentName(object("key", etag: etag, size: size), in: location)
    }
    #expect(name(md5, in: bucket) != nil)
    #expect(name(md5, in: bucket) == name(md5, in: bucket))
    #expect(name(md5, in: bucket) != name(md5, 6, in: bucket))
    #expect(name(md5 + "-3", in: bucket) != nil && name(md5 + "-3", in: bucket) != name(md5 + "-4", in: bucket))
    for etag in ["", "1", md5 + "0", md5 + "-", md5 + "-x", md5 + "-0", "W/" + md5, md5.replacing("0", with: "g")] {
      #expect(name(etag, in: bucket) == nil, "\(etag)")
    }
    #expect(name(md5, 0, in: bucket) == nil, "there is nothing in it")
    #expect(name("1700000000123456789-5-77", in: folder) != nil)
    #expect(name("1700000000000000000-5-77", in: folder) == nil, "a time that was set may come again")
    #expect(name(md5, in: folder) == nil)
  }

  @Test("a renamed or copied object takes its picture from where it is, and a damaged picture is not taken")
  func renaming() async throws {
    let (folder, cache) = (try TemporaryDirectory(), try TemporaryDirectory("cache"))
    let collection = try ImageCollection.open(store: try folderStore(folder), cacheDirectory: cache.path)
    func tagged(_ key: String, _ number: Int) -> StoredObject {
      object(key, etag: "170000000012345678\(number)-10-\(number)")
    }
    try await collection.withWriter { writer in
      _ = writer.take([tagged("a.png", 1), tagged("b.png", 2)])
      for slot in 0..<2 { try writer.keep(slot, UInt32(slot * 90)) }
    }
    try await collection.withWriter { writer in
      let change = writer.take([tagged("b.png", 2), tagged("c.png", 1), tagged("d.png", 2), tagged("e.png", 3)])
      #expect(change.unfetched == [2, 3, 4])
      #expect(change.unfetched.map { writer.mayAdopt($0) } == [true, true, false])
      #expect(writer.adopt(2) && writer.adopt(3) && !writer.adopt(4))
      #expect(writer.finishListing() == [0])
      let ready = collection.entries.filter { $0.state == .ready }
      #expect(ready.map(\.object.key.displayName) == ["b.png", "c.png", "d.png"])
      #expect(ready.allSatisfy { $0.width == 80 && collection.atlas.verify($0.slot) })
      #expect(collection.atlas.info(2)?.averageColor == collection.atlas.info(0)?.averageColor)
      let matrix = try writer.features(of: extractor)
      #expect(writer.withoutFeatures(ready, in: matrix).isEmpty)
      // The picture of what has just gone still serves.
      #expect(writer.take([tagged("f.png", 1)]).unfetched.allSatisfy { writer.adopt($0) })
    }
    let path = URL(fileURLWithPath: try #require(collection.directory) + "/thumbnails/level-004.bgra")
    var bytes = try Data(contentsOf: path)
    for slot in 0..<6 { bytes[slot * 64] ^= 1 }
    let file = try FileHandle(forWritingTo: path)
    try file.write(contentsOf: bytes)
    try file.close()
    await collection.withWriter { writer in
      for slot in writer.take([tagged("g.png", 1), tagged("h.png", 2)]).unfetched { #expect(!writer.adopt(slot)) }
    }
  }
}
