import Atlas
import Collection
import Foundation
import Neighbors
import ObjectStorage
import Replica
import TSNE
import TestSupport
import Testing

@testable import Mapping

@Suite("Jobs and the replica", .serialized, .timeLimit(.minutes(10)))
struct ReplicaTests {
  private let server: RcloneServer
  private let pictures: TemporaryDirectory
  private let kept = KeptDirectories()

  init() async throws {
    server = try await RcloneServer.start()
    pictures = try pictureFolder(40)
    try pictures.write(Array("no picture".utf8), to: "red/broken.jpg")
    try pictures.write(Array("words".utf8), to: "red/notes.txt")
    try await server.makeBucket("photos")
    try await server.upload(folder: pictures.path, to: "photos", prefix: "set")
  }

  private func machine(
    _ cache: TemporaryDirectory, replica: ReplicaChoice = .automatic, change: (inout MapParameters) -> Void = { _ in }
  ) throws -> MappingRequest {
    var request = try request("photos/set", cache: cache, environment: server.environment, change: change)
    request.replica = replica
    return request
  }

  /// The replica's files, as rclone keeps them.
  private func files(_ bucket: String = "tsnetooldata") throws -> [String] {
    let root = server.directory + "/" + bucket
    return (FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? [])
      .map { root + "/" + $0 }.filter {
        $0.contains("-") && $0.hasSuffix("jsonl") || $0.hasSuffix(".npy") || $0.hasSuffix(".tar")
          || $0.hasSuffix(".json")
      }
  }

  @Test("the second machine fetches no original, shows the same layout, and the replica is written once")
  func secondMachine() async throws {
    try await server.makeBucket("tsnetooldata")
    let one = try TemporaryDirectory("cache")
    let first = await run(try machine(one))
    let report = try #require(first.report, "\(String(describing: first.failure))")
    #expect(report.images == 40 && report.requests.get == 42, "\(report)")
    #expect(report.replica?.images == 42 && report.replica?.layouts == 1 && report.replica?.objects == 6)
    #expect(try files().count == 6)

    let second = await run(try machine(try kept.directory()))
    let other = try #require(second.report)
    #expect(other.requests.get == 0 && other.images == 40 && other.reused.layout && other.replica == nil)
    #expect(other.leftOut == report.leftOut && other.otherFiles == 1)
    #expect(second.positions == first.positions && second.notes == [])
    let collection = try #require(second.collection)
    #expect(collection.slotsInKeyOrder.allSatisfy { collection.atlas.verify($0) })
    for (slot, mine) in zip(collection.slotsInKeyOrder, first.collection?.slotsInKeyOrder ?? []) {
      let color = try #require(collection.atlas.info(slot)?.averageColor)
      let original = try #require(first.collection?.atlas.info(mine)?.averageColor)
      for shift in [0, 8, 16] as [UInt32] { #expect(abs(Int(color >> shift & 255) - Int(original >> shift & 255)) < 8) }
    }
    // Other parameters need the features alone.
    let third = await run(try machine(try kept.directory()) { $0.metric = .euclidean })
    #expect(third.report?.requests.get == 0 && third.report?.reused.layout == false)
    #expect(third.report?.replica?.images == 0 && third.report?.replica?.layouts == 1)
    #expect(third.positions == (await run(try request(pictures.path) { $0.metric = .euclidean })).values(byName: true))
    #expect(await run(try machine(one)).report?.replica == nil)
  }

  @Test(
    "nothing is written where there is no such bucket, where it is declined, or anonymously; a chosen one is missed")
  func choices() async throws {
    let without = await run(try machine(try kept.directory()))
    #expect(without.report?.images == 40 && without.notes == [])
    try await server.makeBucket("tsnetooldata")
    _ = await run(try machine(try kept.directory(), replica: .none))
    #expect(try files() == [])
    let missing = await run(try machine(try kept.directory(), replica: .bucket("missing")))
    #expect(missing.report?.images == 40 && missing.notes.contains { $0.contains("missing") }, "\(missing.notes)")
    try await server.makeBucket("mine")
    _ = await run(try machine(try kept.directory(), replica: .bucket("mine")))
    #expect(try files("mine").count == 6 && files() == [])
  }

  @Test("a replica that is partly of the past gives what it can, and is brought up to date")
  func stale() async throws {
    try await server.makeBucket("tsnetooldata")
    let one = try TemporaryDirectory("cache")
    _ = await run(try machine(one))
    try await server.remove("set/red/00.bmp", from: "photos")
    try await server.put(bitmap(color: (9, 9, 9), seed: 5), to: "set/green/01.bmp", in: "photos")
    try await server.put(bitmap(color: (9, 90, 9), seed: 6), to: "set/green/99.bmp", in: "photos")
    let second = await run(try machine(try kept.directory()))
    #expect(second.report?.requests.get == 2 && second.report?.images == 40)
    #expect(second.report?.replica?.images == 2)
    let third = await run(try machine(try kept.directory()))
    #expect(third.report?.requests.get == 0 && third.positions == second.positions)
  }

  @Test("a colleague's layout comes also where nothing has to be fetched, and does not take the place of one's own")
  func colleague() async throws {
    try await server.makeBucket("tsnetooldata")
    let (mine, theirs) = (try kept.directory(), try kept.directory())
    _ = await run(try machine(mine))
    let other = await run(try machine(theirs) { $0.tsne.seed = 5 })
    #expect(other.report?.replica?.layouts == 1)

    let again = await run(try machine(mine))
    #expect(again.report?.requests.get == 0 && again.report?.replica == nil && again.notes == [])
    let collection = try #require(again.collection)
    let layouts = collection.keptLayouts()
    #expect(layouts.map(\.parameters.tsne.seed) == [0, 5] && layouts.map(\.isShared) == [false, true])
    #expect(collection.snapshot(of: layouts[1], isUse: false) != nil)
    var opening = try machine(mine)
    opening.mode = .open
    #expect(await run(opening).known?.layout == again.final, "what was shown last is one's own")

    // It is used without being computed, and is one's own from then on.
    let used = await run(try machine(mine) { $0.tsne.seed = 5 })
    #expect(used.report?.reused.layout == true && used.positions == other.positions)
    #expect(used.collection?.keptLayouts().map(\.isShared) == [false, false])
    #expect(await run(opening).known?.layout == used.final)

    // Shown in the window, it is so too.
    _ = await run(try machine(theirs) { $0.tsne.seed = 6 })
    let third = try #require(await run(try machine(mine)).collection)
    let shared = try #require(third.keptLayouts().first { $0.isShared })
    #expect(third.snapshot(of: shared)?.slots.count == 40)
    #expect(third.keptLayouts().first.map { ($0.parameters.tsne.seed, $0.isShared) } ?? (0, true) == (6, false))
  }

  @Test("two who write at once lose nothing")
  func together() async throws {
    try await server.makeBucket("tsnetooldata")
    let caches = try (0..<2).map { _ in try TemporaryDirectory("cache") }
    // Each has all images and a layout of its own before either writes.
    for (number, cache) in caches.enumerated() {
      _ = await run(try machine(cache, replica: .none) { $0.tsne.seed = UInt64(number) })
    }
    let requests = try caches.enumerated().map { number, cache in try machine(cache) { $0.tsne.seed = UInt64(number) } }
    async let one = run(requests[0])
    async let other = run(requests[1])
    let outcomes = await [one, other]
    #expect(outcomes.allSatisfy { $0.report != nil })
    for number in 0..<2 {
      let third = await run(try machine(try kept.directory()) { $0.tsne.seed = UInt64(number) })
      #expect(third.report?.requests.get == 0 && third.report?.reused.layout == true)
      #expect(third.positions == outcomes[number].positions)
    }
  }

  @Test(
    "what was tampered with is refused, said, and fetched instead",
    arguments: ["index", "images", "thumbnails", "features", "positions", "missing", "oversized", "garbage", "bomb"])
  func hostile(what: String) async throws {
    try await server.makeBucket("tsnetooldata")
    let first = await run(try machine(try kept.directory()))
    let kinds = ["missing": "features", "oversized": "thumbnails", "garbage": "index", "bomb": "thumbnails"]
    let path = try #require(try files().first { $0.contains("/" + (kinds[what] ?? what) + "-") })
    let url = URL(fileURLWithPath: path)
    var bytes = Array(try Data(contentsOf: url))
    switch what {
    case "missing": try FileManager.default.removeItem(at: url)
    case "oversized": try Data(bytes + [UInt8](repeating: 0, count: 50_000_000)).write(to: url)
    case "garbage": try Data([UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)).write(to: url)
    case "bomb":
      // The right length, and a picture that says it has 65,535 × 65,535 pixels; every name and hash fits.
      if let frame = bytes.indices.first(where: { bytes[$0...].starts(with: [0xFF, 0xC0]) }) {
        for index in frame + 5..<frame + 9 { bytes[index] = 0xFF }
      }
      try await replace(path, with: bytes)
    default:
      bytes[bytes.count / 2] ^= 4
      try Data(bytes).write(to: url)
    }
    let second = await run(try machine(try kept.directory()))
    #expect(second.report?.images == 40)
    #expect(second.positions == first.positions)
    let fetched = second.report?.requests.get ?? -1
    switch what {
    case "positions": #expect(fetched == 0)
    case "bomb": #expect(fetched == 1)
    // Left-out objects are believed of an intact list.
    case "thumbnails", "features", "missing", "oversized": #expect(fetched == 40)
    default: #expect(fetched == 42)
    }
    #expect(second.notes.contains { $0.contains("fetched anew") }, "\(second.notes)")
    // It has been mended.
    let third = await run(try machine(try kept.directory()))
    #expect(third.report?.requests.get == 0 && third.notes == [], "\(what): \(third.notes)")
    #expect(third.positions == first.positions)
  }

  /// Puts other contents into the replica as one who may write to it would: names, index and all.
  private func replace(_ path: String, with bytes: [UInt8]) async throws {
    let bucket = "tsnetooldata"
    func key(_ path: String) -> String { String(path.dropFirst(server.directory.count + bucket.count + 2)) }
    let folder = (key(path) as NSString).deletingLastPathComponent
    let new = "thumbnails-\(sha256(bytes)).tar"
    let index = try #require(try files().first { $0.contains("/index-") })
    let text = try String(contentsOfFile: index, encoding: .utf8)
      .replacing((path as NSString).lastPathComponent, with: new)
    try await server.put(bytes, to: folder + "/" + new, in: bucket)
    try await server.put(Array(text.utf8), to: folder + "/index-\(sha256(Array(text.utf8))).json", in: bucket)
    for old in [index, path] { try await server.remove(key(old), from: bucket) }
  }

  @Test("a check reads everything and finds what is wrong; dropping leaves nothing")
  func inspection() async throws {
    try await server.makeBucket("tsnetooldata")
    _ = await run(try machine(try kept.directory()))
    let options = StorageOptions(environment: server.environment)
    let place = try #require(
      ReplicaPlace(for: try Location(parsing: "photos/set", currentDirectory: "/"), in: "tsnetooldata"))
    let sound = try await ReplicaInspection.check(place, options: options)
    #expect(sound.images == 42 && sound.layouts == 1 && sound.objects == 6 && sound.unused == 0 && sound.problems == [])
    #expect(sound.locations == ["photos/set"])
    let path = try #require(try files().first { $0.contains("/features-") })
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    bytes[bytes.count - 1] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    #expect(try await ReplicaInspection.check(place, options: options).problems.count == 1)
    #expect(try await ReplicaInspection.drop(place, options: options) == 6)
    #expect(try await ReplicaInspection.check(place, options: options).objects == 0)
  }
}

extension Outcome {
  /// Positions by key as they are in the bucket `photos/set`.
  fileprivate func values(byName: Bool) -> [ObjectKey: [UInt32]] {
    Dictionary(uniqueKeysWithValues: positions.map { (ObjectKey(bytes: Array("set/".utf8) + $0.key.bytes), $0.value) })
  }
}
