import Atlas
import Collection
import Foundation
import ObjectStorage
import Replica
import TSNE
import TestSupport
import Testing

@testable import Mapping

/// The replica on either server, by nothing but S3.
@Suite("The replica on real servers", .serialized, .timeLimit(.minutes(10)))
struct ReplicaServerTests {
  private let kept = KeptDirectories()
  private static let servers = ["SeaweedFS", "rclone"]

  /// A bucket of 40 pictures, one broken file and one other, and an empty one to share in.
  private struct Place {
    let server: any S3Server
    let originals: String
    let shared: String

    init(_ name: String) async throws {
      server = name == "rclone" ? try await RcloneServer.start() : try await SeaweedServer.shared
      let number = UInt32.random(in: 0 ... .max)
      (originals, shared) = ("photos-\(number)", "shared-\(number)")
      let pictures = try pictureFolder(40)
      try pictures.write(Array("no picture".utf8), to: "red/broken.jpg")
      try pictures.write(Array("words".utf8), to: "red/notes.txt")
      try await server.makeBucket(originals)
      try await server.makeBucket(shared)
      try await server.upload(folder: pictures.path, to: originals, prefix: "set")
    }

    func machine(
      _ cache: TemporaryDirectory, keys: (access: String, secret: String)? = nil,
      change: (inout MapParameters) -> Void = { _ in }
    ) throws -> MappingRequest {
      var environment = server.environment
      if let keys {
        environment["AWS_ACCESS_KEY_ID"] = keys.access
        environment["AWS_SECRET_ACCESS_KEY"] = keys.secret
      }
      var request = try request(originals + "/set", cache: cache, environment: environment, change: change)
      request.replica = .bucket(shared)
      return request
    }

    /// The replica's objects by their names without the folder, and the folder.
    func objects() async throws -> (store: any ObjectStore, folder: String, keys: [String: ObjectKey]) {
      let location = try Location(parsing: originals + "/set", currentDirectory: "/")
      let place = try #require(ReplicaPlace(for: location, in: shared))
      let store = try openStore(place.location, options: StorageOptions(environment: server.environment))
      var keys: [String: ObjectKey] = [:]
      for try await page in store.list() { for object in page { keys[object.key.lastComponent] = object.key } }
      let folder = try #require(keys.values.first).displayName
      return (store, String(folder[..<folder.lastIndex(of: "/")!]), keys)
    }

    /// Puts other contents into the replica as one who may write to it would: names, sizes, index and all.
    func replace(_ kind: String, change: (inout [UInt8]) -> Void) async throws {
      let (store, folder, keys) = try await objects()
      func bytes(_ name: String) async throws -> [UInt8] {
        let result = try await store.get(try #require(keys[name]), accept: nil)
        guard case .bytes(let bytes, _) = result else { throw TestSupportError("\(name) cannot be read") }
        return bytes
      }
      let old = try #require(keys.keys.first { $0.hasPrefix(kind + "-") })
      let index = try #require(keys.keys.first { $0.hasPrefix("index-") })
      let before = try await bytes(old)
      var after = before
      change(&after)
      let new = "\(kind)-\(sha256(after))" + old[old.lastIndex(of: ".")!...]
      let text = String(decoding: try await bytes(index), as: UTF8.self)
      let entry = "\"bytes\":\(before.count),\"name\":\"\(old)\""
      try #require(text.contains(entry))
      let changed = Array(
        text.replacing(entry, with: "\"bytes\":\(after.count),\"name\":\"\(new)\"").utf8)
      try await server.put(after, to: "\(folder)/\(new)", in: shared)
      try await server.put(changed, to: "\(folder)/index-\(sha256(changed)).json", in: shared)
      for name in [old, index] { try await server.remove("\(folder)/\(name)", from: shared) }
    }
  }

  @Test(
    "the second machine fetches no original; what is new is added, and two at once lose nothing", arguments: servers)
  func machines(name: String) async throws {
    let place = try await Place(name)
    let first = await run(try place.machine(try kept.directory()))
    #expect(first.report?.requests.get == 42 && first.report?.replica?.objects == 6)
    let second = await run(try place.machine(try kept.directory()))
    #expect(second.report?.requests.get == 0 && second.report?.reused.layout == true && second.notes == [])
    #expect(second.positions == first.positions && second.report?.leftOut == first.report?.leftOut)

    try await place.server.put(bitmap(color: (9, 90, 9), seed: 6), to: "set/green/99.bmp", in: place.originals)
    let requests = try [3, 4].map { seed in try place.machine(try kept.directory()) { $0.tsne.seed = seed } }
    async let one = run(requests[0])
    async let other = run(requests[1])
    let outcomes = await [one, other]
    #expect(outcomes.map { $0.report?.requests.get } == [1, 1] && outcomes.allSatisfy { $0.notes == [] })
    for (seed, outcome) in zip([3, 4] as [UInt64], outcomes) {
      let third = await run(try place.machine(try kept.directory()) { $0.tsne.seed = seed })
      #expect(third.report?.requests.get == 0 && third.report?.reused.layout == true)
      #expect(third.positions == outcome.positions)
    }
  }

  /// A tar archive's first header with something else in it, and the checksum that fits.
  private static func retar(_ bytes: inout [UInt8], at offset: Int, _ text: String) {
    for (index, byte) in text.utf8.enumerated() { bytes[offset + index] = byte }
    for index in 148..<156 { bytes[index] = UInt8(ascii: " ") }
    let sum = String(bytes[..<512].reduce(0) { $0 + Int($1) }, radix: 8)
    let digits = String(repeating: "0", count: 6 - sum.count) + sum
    bytes.replaceSubrange(148..<155, with: Array(digits.utf8) + [0])
  }

  private static let contents: [String: (kind: String, change: @Sendable (inout [UInt8]) -> Void)] = [
    "an archive that is cut off": ("thumbnails", { $0.removeLast($0.count / 2) }),
    "a name that climbs": ("thumbnails", { retar(&$0, at: 0, "../../../../tmp/escaped.jpg") }),
    "an absolute name": ("thumbnails", { retar(&$0, at: 0, "/tmp/escaped.jpg") }),
    "a link": ("thumbnails", { retar(&$0, at: 156, "2") }),
    "a length beyond the end": ("thumbnails", { retar(&$0, at: 124, "77777777777") }),
    "a matrix of another shape": (
      "features",
      { bytes in
        // As many digits, so that the header stays as long as it was.
        if let at = bytes.firstRange(of: Array("(42, ".utf8))?.lowerBound { bytes[at + 1] = UInt8(ascii: "9") }
      }
    ),
    "lines that are none": ("images", { $0[0] = UInt8(ascii: "[") }),
    "a size that is absurd": (
      "images",
      { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        bytes = Array(text.replacing(#/"width":24/#, with: "\"width\":99999999").utf8)
      }
    ),
  ]

  @Test(
    "contents that are hostile, with names and hashes that fit, are refused, said, fetched instead and mended",
    arguments: contents.keys.sorted(), servers)
  func hostile(what: String, name: String) async throws {
    let place = try await Place(name)
    let first = await run(try place.machine(try kept.directory()))
    let (kind, change) = try #require(Self.contents[what])
    try await place.replace(kind, change: change)
    let second = await run(try place.machine(try kept.directory()))
    #expect(second.report?.images == 40 && second.positions == first.positions)
    #expect(second.report?.requests.get == (kind == "images" ? 42 : 40))
    #expect(second.notes.contains { $0.contains("fetched anew") }, "\(second.notes)")
    #expect(!FileManager.default.fileExists(atPath: "/tmp/escaped.jpg"))
    let third = await run(try place.machine(try kept.directory()))
    #expect(third.report?.requests.get == 0 && third.notes == [], "\(third.notes)")
  }

  @Test("keys that may only read take what is there, and are told once that nothing is shared")
  func readOnly() async throws {
    let place = try await Place("SeaweedFS")
    let keys = try await SeaweedServer.shared.readOnlyKey
    let first = await run(try place.machine(try kept.directory()))
    let cache = try kept.directory()
    let second = await run(try place.machine(cache, keys: keys))
    #expect(second.report?.requests.get == 0 && second.positions == first.positions && second.notes == [])
    for (seed, isTold) in [(1, true), (2, false)] as [(UInt64, Bool)] {
      let outcome = await run(try place.machine(cache, keys: keys) { $0.tsne.seed = seed })
      #expect(outcome.report?.images == 40 && outcome.report?.replica == nil)
      #expect(outcome.notes.count { $0.contains("may not write") } == (isTold ? 1 : 0), "\(outcome.notes)")
    }
    // Nothing is lost: with other keys all of it is shared.
    let shared = await run(try place.machine(cache) { $0.tsne.seed = 2 })
    #expect(shared.report?.replica?.layouts == 2 && shared.notes == [])
  }

  @Test("what was renamed or copied on the server is not fetched again", arguments: servers)
  func renamed(name: String) async throws {
    let place = try await Place(name)
    let cache = try kept.directory()
    var request = try place.machine(cache)
    request.replica = .none
    #expect(await run(request).report?.requests.get == 42)
    // Red and green change their names, blue is there twice.
    let pictures = try pictureFolder(40)
    for color in ["red", "green", "blue"] {
      try await place.server.upload(
        folder: pictures.file(color), to: place.originals, prefix: "set/other/" + color)
      guard color != "blue" else { continue }
      for file in try FileManager.default.contentsOfDirectory(atPath: pictures.file(color)) {
        try await place.server.remove("set/\(color)/\(file)", from: place.originals)
      }
    }
    let outcome = await run(request)
    #expect(outcome.report?.requests.get == 0 && outcome.report?.images == 40 + 13)
    let collection = try #require(outcome.collection)
    #expect(collection.slotsInKeyOrder.allSatisfy { collection.atlas.verify($0) })
    let undisturbed = await run(
      try MappingTests.request(
        place.originals + "/set", cache: try kept.directory(), environment: place.server.environment))
    #expect(outcome.positions == undisturbed.positions)
  }
}
