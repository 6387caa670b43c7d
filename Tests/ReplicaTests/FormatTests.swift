import Collection
import Foundation
import Imaging
import ObjectStorage
import TestSupport
import Testing

@testable import Replica

@Suite("A replica's files")
struct FormatTests {
  private func archive(_ files: [(String, [UInt8])]) -> [UInt8] {
    var writer = TarWriter()
    for (name, content) in files { writer.add(name, content) }
    return writer.finish()
  }

  @Test("an archive is read as it was written, by us and by tar")
  func tar() async throws {
    let files: [(String, [UInt8])] = [
      ("0.jpg", Array(repeating: 7, count: 513)), ("1.jpg", []), ("1-alpha.jpg", Array(repeating: 9, count: 1024)),
    ]
    let bytes = archive(files)
    let read = try TarReader.files(bytes, atMost: 3)
    #expect(read.count == 3)
    for (name, content) in files { #expect(read[name].map { Array(bytes[$0]) } == content) }
    let folder = try TemporaryDirectory()
    let path = try folder.write(bytes, to: "a.tar")
    let listing = try await run("tar", ["-tvf", path], checked: true).outputText
    #expect(listing.split(separator: "\n").count == 3 && listing.contains("1024") && listing.contains("1-alpha.jpg"))
    _ = try await run("tar", ["-xf", path, "-C", folder.path], checked: true)
    #expect(try Array(Data(contentsOf: URL(fileURLWithPath: folder.file("0.jpg")))) == files[0].1)
  }

  @Test("archives that climb, link, lie about their size, or are none are refused")
  func hostileArchives() throws {
    let good = archive([("0.jpg", [1, 2, 3])])
    func patched(_ offset: Int, _ text: String) -> [UInt8] {
      var bytes = good
      bytes.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
      // With a checksum that fits, as an attacker would.
      let sum = bytes[..<512].enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element)) }
      let digits = String(sum, radix: 8)
      bytes.replaceSubrange(148..<154, with: Array((String(repeating: "0", count: 6 - digits.count) + digits).utf8))
      return bytes
    }
    func isRefused(_ bytes: [UInt8]) -> Bool { (try? TarReader.files(bytes, atMost: 4)) == nil }
    #expect(!isRefused(patched(0, "1.jpg")))
    for name in ["/a.jpg", "../.a", "a/b.jpg", ".hide", "A.jpg", "\u{1}.jpg"] { #expect(isRefused(patched(0, name))) }
    for kind in ["1", "2", "5", "x", "L"] { #expect(isRefused(patched(156, kind)), "type \(kind)") }
    #expect(isRefused(patched(124, "77777777777")), "larger than the archive")
    #expect(isRefused(patched(124, "-0000000001")))
    #expect(isRefused(patched(345, "../..")), "a prefix")
    #expect(isRefused(Array(good.prefix(600))) && isRefused([]) && isRefused(Array(repeating: 65, count: 2048)))
    #expect(isRefused(archive((0..<5).map { ("\($0).jpg", []) })), "more than announced")
    #expect(isRefused(archive([("0.jpg", [1]), ("0.jpg", [2])])), "twice the same")
    var random = SplitMix64(seed: 11)
    for _ in 0..<300 {
      var bytes = good
      for _ in 0..<3 {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if let files = try? TarReader.files(bytes, atMost: 4) {
        #expect(files.values.allSatisfy { $0.upperBound <= bytes.count })
      }
    }
  }

  @Test("a thumbnail comes back as it looked, transparent ones as well, and nothing larger is decoded")
  func thumbnails() throws {
    func picture(opaque: Bool) -> PixelImage {
      let pixels = (0..<120 * 90).map { index -> UInt32 in
        let alpha = opaque ? 255 : UInt32(index % 120 * 2)
        let red = UInt32(index / 120 * 2) * alpha / 255
        return alpha << 24 | red << 16 | (alpha / 2) << 8 | alpha / 3
      }
      return PixelImage(width: 120, height: 90, pixels: pixels, isOpaque: opaque)
    }
    for opaque in [true, false] {
      let original = picture(opaque: opaque)
      let files = try #require(ReplicaThumbnail.encode(original, 3))
      #expect(files.map(\.name) == (opaque ? ["3.jpg"] : ["3.jpg", "3-alpha.jpg"]))
      let byName = Dictionary(uniqueKeysWithValues: files.map { ($0.name, $0.bytes) })
      let read = try #require(ReplicaThumbnail.decode({ byName[$0] }, 3))
      #expect(read.width == 120 && read.height == 90 && read.isOpaque == opaque)
      var worst = 0
      for (one, other) in zip(original.pixels, read.pixels) {
        for shift in [0, 8, 16, 24] as [UInt32] {
          worst = max(worst, abs(Int(one >> shift & 255) - Int(other >> shift & 255)))
        }
        #expect((other >> 16 & 255) <= other >> 24, "a colour above its opacity")
      }
      #expect(worst < 24)
    }
    let large = PixelImage(width: 200, height: 20, pixels: Array(repeating: 0xFF00_00FF, count: 4000), isOpaque: true)
    let bytes = try #require(large.jpegData(quality: 50))
    #expect(ReplicaThumbnail.decode({ _ in bytes }, 0) == nil)
    #expect(ReplicaThumbnail.decode({ _ in Array("GIF89a".utf8) }, 0) == nil)
    #expect(ReplicaThumbnail.decode({ _ in nil }, 0) == nil)
  }

  @Test("a line says everything of an image, any bytes of its key too, and lines of others are refused")
  func lines() throws {
    func entry(_ key: ObjectKey, _ state: CollectionEntry.State) -> CollectionEntry {
      CollectionEntry(
        slot: 1, object: StoredObject(key: key, size: 5, etag: "e\"\n", modified: nil), width: 4, height: 3,
        state: state)
    }
    let entries = [
      entry(ObjectKey("ä/b\n.jpg"), .ready), entry(ObjectKey(bytes: [0xFF, 0, 0x0A]), .notAnImage),
      entry(ObjectKey("c"), .leftOut(reason: "It is \u{1b}[31mred\u{7}.")),
    ]
    let images = entries.compactMap(ReplicaImage.init)
    let bytes = ReplicaImage.encode(images)
    #expect(bytes.count { $0 == 10 } == 3)
    #expect(ReplicaImage.parse(bytes, count: 3) == images)
    #expect(images.map(\.objectKey) == entries.map(\.object.key))
    #expect(images[2].shownReason == "It is  [31mred .")
    #expect(ReplicaImage(entry(ObjectKey("d"), .listed)) == nil)
    #expect(ReplicaImage.parse(bytes, count: 2) == nil && ReplicaImage.parse([], count: 1) == nil)
    func line(_ change: (inout [String: Any]) -> Void) throws -> [UInt8] {
      var object: [String: Any] = [
        "key": "k", "etag": "", "size": 1, "id": "0", "width": 3, "height": 3, "state": "ready",
      ]
      change(&object)
      return Array(try JSONSerialization.data(withJSONObject: object))
    }
    #expect(ReplicaImage.parse(try line { _ in }, count: 1) != nil)
    #expect(ReplicaImage.parse(try line { $0["key"] = "" }, count: 1) == nil)
    #expect(ReplicaImage.parse(try line { $0["key"] = String(repeating: "k", count: 5_000) }, count: 1) == nil)
    #expect(ReplicaImage.parse(try line { $0["size"] = -1 }, count: 1) == nil)
    #expect(ReplicaImage.parse(try line { $0["width"] = 0 }, count: 1) == nil)
    #expect(ReplicaImage.parse(try line { $0["width"] = Int64.max }, count: 1) == nil)
    #expect(ReplicaImage.parse(try line { $0["state"] = "run" }, count: 1) == nil)
    #expect(ReplicaImage.parse(try line { $0["etag"] = String(repeating: "e", count: 20_000) }, count: 1) == nil)
  }

  @Test("an index that names other files, climbs, or promises more than there may be is refused")
  func indexes() throws {
    let hash = String(repeating: "a", count: 64)
    func index(_ change: (inout ReplicaIndex) -> Void = { _ in }) -> [UInt8] {
      var index = ReplicaIndex(
        location: "bucket/folder", decoder: "1", replaces: [],
        shards: [
          .init(
            count: 2, images: .init(name: "images-\(hash).jsonl", bytes: 10),
            thumbnails: .init(name: "thumbnails-\(hash).tar", bytes: 10),
            features: ["pixels-50": .init(name: "features-\(hash).npy", bytes: 10)])
        ],
        layouts: [
          .init(
            key: hash, parameters: "{}", created: 1, count: 2,
            positions: .init(name: "positions-\(hash).npy", bytes: 144),
            images: .init(name: "identities-\(hash).npy", bytes: 144))
        ])
      change(&index)
      return index.encoded
    }
    #expect(ReplicaIndex(parsing: index()) != nil)
    #expect(ReplicaIndex(parsing: index { $0.format = "s3totsne replica 2" }) == nil)
    #expect(ReplicaIndex(parsing: index { $0.shards[0].images.name = "images-../../\(hash).jsonl" }) == nil)
    #expect(ReplicaIndex(parsing: index { $0.shards[0].images.name = "other-\(hash).jsonl" }) == nil)
    #expect(ReplicaIndex(parsing: index { $0.shards[0].thumbnails.bytes = 1 << 40 }) == nil)
    #expect(ReplicaIndex(parsing: index { $0.shards[0].thumbnails.bytes = -1 }) == nil)
    #expect(ReplicaIndex(parsing: index { $0.shards[0].count = 1 << 30 }) == nil)
    #expect(ReplicaIndex(parsing: index { $0.shards[0].count = 0 }) == nil)
    #expect(ReplicaIndex(parsing: index { $0.shards[0].features["pixels-50"]?.bytes = 1 << 33 }) == nil)
    #expect(ReplicaIndex(parsing: index { $0.layouts[0].key = "../layout" }) == nil)
    #expect(ReplicaIndex(parsing: index { $0.layouts[0].positions.bytes = 1 << 20 }) == nil)
    #expect(ReplicaIndex(parsing: index { $0.shards = Array(repeating: $0.shards[0], count: 9_000) }) == nil)
    #expect(ReplicaIndex(parsing: Array("[".utf8)) == nil)
    #expect(ReplicaIndex(parsing: Array(repeating: UInt8(ascii: "["), count: 100_000)) == nil)
  }

  @Test("features are read as they were written, and by nothing else")
  func features() {
    let rows: [[UInt8]] = [[1, 2, 3], [4, 5, 6]]
    let bytes = FeatureFile.encode(rows, dimension: 3)
    #expect(bytes.count == 128 + 6)
    #expect(FeatureFile.start(of: bytes, count: 2, dimension: 3) == 128)
    #expect(FeatureFile.start(of: bytes, count: 3, dimension: 2) == nil)
    #expect(FeatureFile.start(of: bytes + [0], count: 2, dimension: 3) == nil)
    #expect(FeatureFile.start(of: [], count: 0, dimension: 3) == nil)
  }

  @Test("the place depends on bucket and folder alone, and a folder on this computer has none")
  func places() throws {
    func place(_ text: String, in bucket: String = "shared") throws -> ReplicaPlace? {
      ReplicaPlace(for: try Location(parsing: text, currentDirectory: "/"), in: bucket)
    }
    #expect(try place("bucket/photos") == place("s3://bucket/photos/"))
    #expect(try place("bucket/photos") != place("bucket/photo") && place("bucket") != place("other"))
    #expect(try place("bucket/photos")?.location.text.hasPrefix("shared/s3totsne-1/") == true)
    #expect(
      try place("https://minio.example:9000/bucket/photos")?.location.text.hasPrefix("https://minio.example:9000/")
        == true)
    #expect(try place("/a/folder") == nil)
  }

  @Test("a replica is never used anonymously, for a folder, or when it is declined")
  func decisions() async throws {
    let bucket = try Location(parsing: "bucket/photos", currentDirectory: "/")
    var options = StorageOptions(environment: [:])
    func decide(_ choice: ReplicaChoice, _ location: Location) async throws -> ReplicaPlace.Decision {
      try await ReplicaPlace.decide(choice, location: location, storeIdentity: "aws|bucket|photos/", options: options)
    }
    #expect(try await decide(.none, bucket) == .nothing)
    #expect(try await decide(.bucket("mine"), bucket) == .use(try #require(ReplicaPlace(for: bucket, in: "mine"))))
    #expect(try await decide(.bucket("mine"), try Location(parsing: "/a", currentDirectory: "/")) == .nothing)
    options.noSignRequest = true
    #expect(try await decide(.bucket("mine"), bucket) == .nothing)
    #expect(try await decide(.automatic, bucket) == .nothing)
  }
}
