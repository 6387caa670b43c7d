import Foundation
import TestSupport
import Testing

@testable import ObjectStorage

@Suite struct FolderStoreTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory("folder") }

  private func open(_ change: (inout StorageOptions) -> Void = { _ in }) throws -> any ObjectStore {
    var options = StorageOptions(environment: [:])
    change(&options)
    return try openStore(Location(.folder(path: Array(directory.path.utf8))), options: options)
  }

  private func keys(_ store: any ObjectStore) async throws -> [ObjectKey] { try await store.allObjects().map(\.key) }

  @Test("files come in the byte order of their whole paths, as S3 would list them")
  func order() async throws {
    let names = [
      "a-b.jpg", "a/x.jpg", "a/y/z.jpg", "a0.jpg", "a.jpg", "Z.jpg", "ä.jpg", ".hidden/q.png", "b c.jpg", "a!/1",
    ]
    for name in names { try directory.write(Array(name.utf8), to: name) }
    let store = try open()
    let found = try await keys(store)
    #expect(found == names.map { ObjectKey($0) }.sorted())
    #expect(store.listingProblems.isEmpty)
  }

  @Test("a random tree is listed in order, whole and once", arguments: 0..<5)
  func randomTrees(seed: Int) async throws {
    var random = SplitMix64(seed: UInt64(seed))
    let parts = ["a", "a-", "a.b", "a0", "B", "ä", "~", "-"]
    var expected: Set<ObjectKey> = []
    for index in 0..<150 {
      let path = (0..<Int.random(in: 0...3, using: &random)).map { _ in parts.randomElement(using: &random)! + "d" }
      let name = (path + [parts.randomElement(using: &random)! + String(index % 7)]).joined(separator: "/")
      try directory.write([1], to: name)
      expected.insert(ObjectKey(name))
    }
    #expect(try await keys(open()) == expected.sorted(), "seed \(seed)")
  }

  @Test("names that are no UTF-8 are listed, read and written byte for byte")
  func bytes() async throws {
    let store = try open()
    let key = ObjectKey(bytes: Array("sub/".utf8) + [0xFF, 0xFE, 0x0A, 0x20])
    try await store.put(key, Array("hello".utf8), contentType: "text/plain")
    #expect(try await keys(store) == [key])
    #expect(try await store.bytes(key) == Array("hello".utf8))
  }

  @Test("links are followed, but never in a circle, and what is listed already is not listed again")
  func links() async throws {
    let outside = try TemporaryDirectory("outside")
    try outside.write([1], to: "far/away.jpg")
    try directory.write([1], to: "real/one.jpg")
    let manager = FileManager.default
    try manager.createSymbolicLink(atPath: directory.file("real/up"), withDestinationPath: "..")
    try manager.createSymbolicLink(atPath: directory.file("again"), withDestinationPath: "real")
    try manager.createSymbolicLink(atPath: directory.file("self"), withDestinationPath: "self")
    try manager.createSymbolicLink(atPath: directory.file("nowhere"), withDestinationPath: "/does/not/exist")
    try manager.createSymbolicLink(atPath: directory.file("file.jpg"), withDestinationPath: "real/one.jpg")
    try manager.createSymbolicLink(atPath: directory.file("out"), withDestinationPath: outside.path)
    try manager.createSymbolicLink(atPath: outside.file("far/back"), withDestinationPath: outside.path)
    let store = try open()
    #expect(try await keys(store).map(\.displayName) == ["file.jpg", "out/far/away.jpg", "real/one.jpg"])
    #expect(store.listingProblems.map(\.key.displayName) == ["nowhere", "self"])
  }

  @Test(
    "a sub-folder that cannot be read is a problem and not the end",
    // Nothing is unreadable for root.
    .enabled(if: geteuid() != 0 || unprivilegedUserExists))
  func unreadable() async throws {
    try directory.write([1], to: "closed/x.jpg")
    try directory.write([1], to: "open/y.jpg")
    chmod(directory.file("closed"), 0)
    chmod(directory.path, 0o755)
    defer { chmod(directory.file("closed"), 0o755) }
    let root = Array(directory.path.utf8)
    let (found, problems) = try asUnprivilegedUser {
      var walk = try DirectoryWalk(root: root)
      var found: [ObjectKey] = []
      while let object = walk.next() { found.append(object.key) }
      return (found, walk.problems)
    }
    #expect(found == [ObjectKey("open/y.jpg")])
    #expect(problems.map(\.key) == [ObjectKey("closed")])
    #expect(problems.first?.reason == "Permission denied.")
  }

  @Test("pipes are left out, and a pipe in a file's place does not hang")
  func pipes() async throws {
    try directory.write([1], to: "x.jpg")
    mkfifo(directory.file("pipe"), 0o600)
    let store = try open()
    #expect(try await keys(store) == [ObjectKey("x.jpg")])
    await #expect(throws: StorageError.self) { _ = try await store.bytes(ObjectKey("pipe")) }
  }

  @Test("refused files are read no further than their first bytes")
  func rejected() async throws {
    try directory.write([UInt8](repeating: 7, count: 3_000_000), to: "big.bin")
    try directory.write([1, 2, 3], to: "small.bin")
    try directory.write([], to: "empty.bin")
    let store = try open()
    for (name, size) in [("big.bin", 4096), ("small.bin", 3), ("empty.bin", 0)] {
      guard case .rejected(let head) = try await store.get(ObjectKey(name), accept: { $0.count < 0 }) else {
        Issue.record("\(name) was accepted")
        continue
      }
      #expect(head.count == size)
    }
    #expect(store.counts.bytesFetched == 4099)
    #expect(store.counts.get == 3)
    guard case .bytes(let bytes, let etag) = try await store.get(ObjectKey("big.bin"), accept: { $0[0] == 7 }) else {
      Issue.record("big.bin was refused")
      return
    }
    #expect(bytes == [UInt8](repeating: 7, count: 3_000_000))
    #expect(etag == (try await store.allObjects()).first?.etag)
  }

  @Test("the tag changes when the content does")
  func tags() async throws {
    let store = try open()
    try await store.put(ObjectKey("x"), [1], contentType: "")
    let before = try await store.allObjects()
    try await store.put(ObjectKey("x"), [2], contentType: "")
    #expect(try await store.allObjects().first?.etag != before.first?.etag)
  }

  @Test("what is larger than allowed is refused")
  func limit() async throws {
    try directory.write([UInt8](repeating: 7, count: 101), to: "big.bin")
    let store = try open { $0.maximumBytes = 100 }
    let error = await #expect(throws: StorageError.self) { _ = try await store.bytes(ObjectKey("big.bin")) }
    #expect(error?.kind == .tooLarge)
  }

  @Test("keys never lead out of the folder", arguments: ["../x", "/etc/passwd", "a/../../x", ".", "", "a//b", "a\0b"])
  func escape(_ key: String) async throws {
    let store = try open()
    let error = await #expect(throws: StorageError.self) { _ = try await store.bytes(ObjectKey(key)) }
    #expect(error?.kind == .noSuchKey)
    await #expect(throws: StorageError.self) { try await store.put(ObjectKey(key), [1], contentType: "") }
  }

  @Test("no folder, a file in its place, no file: each is said")
  func missing() async throws {
    let file = try directory.write([1], to: "x.jpg")
    for path in [directory.file("nothing"), file] {
      let error = #expect(throws: StorageError.self) {
        _ = try openStore(Location(.folder(path: Array(path.utf8))), options: StorageOptions(environment: [:]))
      }
      #expect(error?.kind == .noSuchFolder)
      #expect(error?.description.contains(path) == true)
    }
    let error = await #expect(throws: StorageError.self) { _ = try await open().bytes(ObjectKey("gone.jpg")) }
    #expect(error?.kind == .noSuchKey)
    #expect(error?.concernsWholeLocation == false)
  }

  @Test("two spellings of one folder have one identity")
  func identity() throws {
    try FileManager.default.createDirectory(atPath: directory.file("real"), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: directory.file("link"), withDestinationPath: "real")
    let identities = try ["real", "link"].map {
      try openStore(Location(.folder(path: Array(directory.file($0).utf8))), options: StorageOptions(environment: [:]))
        .identity
    }
    #expect(identities[0] == identities[1])
  }

  @Test("a large folder starts with a small page, and ends when nobody listens")
  func pages() async throws {
    for index in 0..<1500 { try directory.write([], to: "\(index)") }
    var sizes: [Int] = []
    for try await page in try open().list() { sizes.append(page.count) }
    #expect(sizes == [64, 1000, 436])
    for try await page in try open().list() {
      #expect(page.count == 64)
      break
    }
  }
}

private var unprivilegedUserExists: Bool { getpwnam("nobody") != nil }

/// Runs the body without root's right to read everything, on a thread of its own: on Linux a thread can have a user of its
/// own, as long as the C library is not asked, which would change all threads.
private func asUnprivilegedUser<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
  guard geteuid() == 0 else { return try body() }
  let done = DispatchSemaphore(value: 0)
  nonisolated(unsafe) var result: Swift.Result<Result, any Error>?  // Written before the signal, read after the wait.
  Thread.detachNewThread {
    // The user for file access of this thread alone; Swift does not import its header.
    typealias SetFileSystemUser = @convention(c) (UInt32) -> Int32
    if let symbol = dlsym(nil, "setfsuid") { _ = unsafeBitCast(symbol, to: SetFileSystemUser.self)(65534) }
    result = Swift.Result { try body() }
    done.signal()
  }
  done.wait()
  return try result!.get()
}

extension ObjectStore {
  /// The whole listing.
  func allObjects() async throws -> [StoredObject] {
    var objects: [StoredObject] = []
    for try await page in list() { objects += page }
    return objects
  }

  /// The whole object.
  func bytes(_ key: ObjectKey) async throws -> [UInt8] {
    guard case .bytes(let bytes, _) = try await get(key, accept: nil) else {
      throw TestSupportError("\(key) was refused")
    }
    return bytes
  }
}
