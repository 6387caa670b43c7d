import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ObjectStorage

/// Listings of any size, divided where folders show.
@Suite(.timeLimit(.minutes(10))) struct ListingTests {
  private func open(_ endpoint: String, prefix: String = "") throws -> any ObjectStore {
    var options = StorageOptions(environment: [
      "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    ])
    options.noSignRequest = true
    return try openStore(
      Location(.bucket(endpoint: endpoint, name: "photos", prefix: Array(prefix.utf8))), options: options)
  }

  private func keys(_ store: any ObjectStore) async throws -> [[UInt8]] {
    var keys: [[UInt8]] = []
    for try await page in store.list() { keys += page.map(\.key.bytes) }
    return keys
  }

  @Test(
    "every key comes once, and in the order of bytes where the server has it, whatever the folders are",
    arguments: 0..<32)
  func anyTree(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    let names = ["a", "a-b", "b", "b!", "é", "z", "0", "a b"]
    var paths: [String] = []
    for index in 0..<Int.random(in: 5...400, using: &random) {
      let depth = Int.random(in: 0...3, using: &random)
      let folders = (0..<depth).map { _ in names.randomElement(using: &random)! + "/" }
      paths.append("top/" + folders.joined() + names.randomElement(using: &random)! + "\(index % 40)")
    }
    // Beside the folder that is opened.
    paths += ["top", "top-2/x", "to/x"]
    var listing = ListingServer(paths, isByDirectory: seed % 4 == 1)
    listing.pageSize = Int.random(in: 1...30, using: &random)
    listing.knowsDelimiter = seed % 4 != 2
    let server = try FaultServer { [listing] in listing.answer($0) }
    var found = try await keys(try open(server.endpoint, prefix: "top/"))
    let wanted = listing.keys.filter { $0.starts(with: "top/".utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
    if seed % 4 == 1 { found.sort { $0.lexicographicallyPrecedes($1) } }
    #expect(found == wanted, "seed \(seed)")
  }

  @Test(
    "real servers bring every key once where folders begin alike",
    arguments: ["SeaweedFS", "rclone"])
  func alike(name: String) async throws {
    let server: any S3Server
    switch name {
    case "SeaweedFS": server = try await SeaweedServer.shared
    default: server = try await RcloneServer.start()
    }
    let folder = try TemporaryDirectory("alike")
    var wanted: [String] = []
    for (path, count) in [("a", 1100), ("a-b", 30), ("a!", 30), ("a/x", 1050), ("a/x-y", 20), ("a.d/e", 1010)] {
      for number in 0..<count {
        wanted.append("\(path)/\(number).jpg")
        try folder.write([UInt8(number & 255)], to: wanted[wanted.count - 1])
      }
    }
    try folder.write([1], to: "a-.jpg")
    wanted.append("a-.jpg")
    try await server.makeBucket("alike")
    try await server.upload(folder: folder.path, to: "alike")
    let store = try openStore(
      Location(.bucket(endpoint: nil, name: "alike", prefix: [])),
      options: StorageOptions(environment: server.environment))
    let found = try await keys(store).map { String(decoding: $0, as: UTF8.self) }
    #expect(found.count == wanted.count)
    #expect(Set(found) == Set(wanted))
  }

  @Test(
    "folders below a single folder, and more of them than a page names, are listed at the same time",
    arguments: [("data/train/class-", 12, 1000, 1000), ("", 250, 60, 100)])
  func deepAndMany(path: String, folders: Int, each: Int, pageSize: Int) async throws {
    var listing = ListingServer(
      (0..<(folders * each)).map { "\(path)\($0 % folders)/\($0).jpg" })
    listing.pageSize = pageSize
    let running = Mutex((now: 0, most: 0))
    let server = try FaultServer { [listing] request in
      running.withLock {
        $0.now += 1
        $0.most = max($0.most, $0.now)
      }
      defer { running.withLock { $0.now -= 1 } }
      Thread.sleep(forTimeInterval: 0.01)
      return listing.answer(request)
    }
    let store = try open(server.endpoint)
    #expect(try await keys(store) == listing.keys)
    #expect((4...8).contains(running.withLock { $0.most }))
    // A page more for every folder, and some to find the folders.
    #expect(server.requests.count <= folders * (each / pageSize + 1) + folders / pageSize + 12)
  }

  @Test("many small folders are listed page after page: a request for each would take longer")
  func small() async throws {
    let listing = ListingServer((0..<6000).map { "day-\($0 / 3)/\($0).jpg" })
    let server = try FaultServer { listing.answer($0) }
    #expect(try await keys(try open(server.endpoint)) == listing.keys)
    #expect(server.requests.count == 6)
  }

  @Test("folders are listed at the same time, and the first page comes before all else")
  func parallel() async throws {
    let listing = ListingServer((0..<12_000).map { "class-\($0 % 12)/\($0).jpg" })
    let server = try FaultServer { request in
      Thread.sleep(forTimeInterval: 0.03)
      return listing.answer(request)
    }
    let store = try open(server.endpoint)
    var firstRequests: Int?
    var found: [[UInt8]] = []
    for try await page in store.list() {
      if firstRequests == nil { firstRequests = server.requests.count }
      found += page.map(\.key.bytes)
    }
    #expect(found == listing.keys)
    #expect(try #require(firstRequests) <= 2)
    #expect((2...9).contains(server.connectionCount))
  }

  @Test("a listing that is cancelled or left ends its requests")
  func left() async throws {
    let listing = ListingServer((0..<60_000).map { "class-\($0 % 30)/\($0).jpg" })
    let server = try FaultServer { listing.answer($0) }
    let store = try open(server.endpoint)
    for try await _ in store.list() { break }
    try await eventually("nothing is asked any more") {
      let before = server.requests.count
      try await Task.sleep(for: .milliseconds(200))
      return server.requests.count == before
    }
    #expect(server.requests.count < 60)
  }

  @Test("an object of a listing takes at most 200 bytes of memory")
  func memory() async throws {
    let listing = ListingServer(
      (0..<100_000).map { "train/class-\($0 / 10_000)/subject_\($0 % 10_000)_image_\($0).jpg" })
    let server = try FaultServer { listing.answer($0) }
    let store = try open(server.endpoint)
    var objects: [StoredObject] = []
    objects.reserveCapacity(100_000)
    for try await page in store.list() { objects += page }
    #expect(objects.count == 100_000)
    let arrays = objects.reduce(0) { $0 + heapBytes($1.key.bytes) }
    let bytes = MemoryLayout<StoredObject>.stride * objects.count + arrays
    #expect(bytes / objects.count <= 200, "\(bytes / objects.count)")
    #expect(objects[5].etag == "0123456789abcdef0123456789abcdef" && objects[5].storageClass == "STANDARD")
    #expect(objects[5].modified == Date(timeIntervalSince1970: 1_795_462_269))
  }

  /// What an array takes of the heap: its header, its room, the allocator's 8 bytes, rounded up to 16.
  private func heapBytes(_ array: [UInt8]) -> Int { (32 + array.capacity + 8 + 15) / 16 * 16 }

  @Test(
    "tags, classes and dates come back as they were",
    arguments: [
      "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef-12", "0123456789ABCDEF0123456789abcdef",
      "0123456789abcdef0123456789abcdef-012", "0123456789abcdef0123456789abcdef-", "", "W/x", "\"", "\"\"a",
      "0123456789abcdef0123456789abcdef-4294967296", "ffffffffffffffffffffffffffffffff-1",
    ])
  func tags(tag: String) {
    var object = StoredObject(key: ObjectKey("x"), size: 1, etag: tag, storageClass: "CEPH_COLD")
    #expect(object.etag == tag && object.modified == nil && object.storageClass == "CEPH_COLD")
    object.modified = Date(timeIntervalSinceReferenceDate: 0.5)
    object.storageClass = nil
    #expect(object.modified == Date(timeIntervalSinceReferenceDate: 0.5) && object.storageClass == nil)
    #expect(object == object && MemoryLayout<StoredObject>.stride <= 48)
  }

  @Test("archived objects are known from the listing, restored ones can be read")
  func archives() throws {
    func object(_ more: String) throws -> StoredObject? {
      let text = "<ListBucketResult><Contents><Key>a</Key><Size>1</Size>\(more)</Contents></ListBucketResult>"
      return try ListingPage(parsing: Array(text.utf8)).objects.first
    }
    #expect(try object("<StorageClass>DEEP_ARCHIVE</StorageClass>")?.isArchived == true)
    #expect(try object("<StorageClass>GLACIER_IR</StorageClass>")?.isArchived == false)
    let restoring = "<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>"
    #expect(try object("<StorageClass>GLACIER</StorageClass>" + restoring)?.isArchived == true)
    let restored =
      "<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>"
      + "<RestoreExpiryDate>2027-01-01T00:00:00Z</RestoreExpiryDate></RestoreStatus>"
    #expect(try object("<StorageClass>GLACIER</StorageClass>" + restored)?.isArchived == false)
  }
}
