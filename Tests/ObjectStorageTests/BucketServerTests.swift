import Foundation
import TestSupport
import Testing

@testable import ObjectStorage

/// Against real servers: SeaweedFS, which checks signatures, and rclone, which differs in what it leaves free.
@Suite(.timeLimit(.minutes(10))) struct BucketServerTests {
  private func open(
    _ server: any S3Server, _ bucket: String, prefix: String = "", _ change: (inout StorageOptions) -> Void = { _ in }
  ) throws -> any ObjectStore {
    var options = StorageOptions(environment: server.environment)
    change(&options)
    return try openStore(Location(.bucket(endpoint: nil, name: bucket, prefix: Array(prefix.utf8))), options: options)
  }

  private func put(_ keys: [String], _ store: any ObjectStore) async throws {
    try await withThrowingTaskGroup { group in
      for key in keys {
        group.addTask { try await store.put(ObjectKey(key), Array(key.utf8), contentType: "text/plain") }
      }
      try await group.waitForAll()
    }
  }

  @Test("2,500 keys are listed in pages, in order, each once")
  func paging() async throws {
    let server = try await SeaweedServer.shared
    try await server.makeBucket("paging")
    let store = try open(server, "paging")
    let keys = (0..<2500).map { "folder/\(String($0, radix: 7))/image \($0).jpg" }
    try await put(keys + ["elsewhere.jpg"], store)
    let folder = try open(server, "paging", prefix: "folder/")
    let found = try await folder.allObjects()
    #expect(found.map(\.key) == keys.map { ObjectKey($0) }.sorted())
    #expect(folder.counts.list >= 3)
    #expect(found.allSatisfy { $0.etag.count == 32 && !$0.isArchived && $0.modified != nil })
    #expect(store.counts.put == 2501)
  }

  // Without backslashes, which SeaweedFS makes slashes: `BucketFaultTests` sees all bytes on the wire.
  private static let oddKeys = [
    "a b c.jpg", "plus+plus.jpg", "100%.jpg", "100%25.jpg", "a&b=c.jpg", "hash#mark?.jpg", "ä ö ü.jpg", "日本語/😀.jpg",
    "quote'\"<>.jpg", "(brackets)[x]{y}.jpg", "~tilde,comma;semi:colon@at!$.jpg", "*star|pipe^.jpg",
    "a-b", "a/b", "a.b", String(repeating: "deep/", count: 20) + "x.jpg",
    (0..<8).map { String(repeating: "\($0)", count: 127) }.joined(separator: "/") + "/",
  ].map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }

  @Test("odd keys survive writing, listing and reading")
  func oddKeys() async throws {
    let server = try await SeaweedServer.shared
    try await server.makeBucket("oddkeys")
    let store = try open(server, "oddkeys")
    try await put(Self.oddKeys, store)
    let found = try await store.allObjects()
    #expect(found.map(\.key) == Self.oddKeys.map { ObjectKey($0) }.sorted())
    for object in found {
      guard case .bytes(let bytes, let etag) = try await store.get(object) else { continue }
      #expect(bytes == object.key.bytes)
      #expect(etag == object.etag)
    }
  }

  @Test("rclone's server, which quotes and escapes otherwise, gives the same")
  func rclone() async throws {
    let server = try await RcloneServer.start()
    try await server.makeBucket("photos")
    let store = try open(server, "photos")
    let keys = Self.oddKeys.filter { $0 != "a/b" }
    try await put(keys, store)
    let found = try await store.allObjects()
    #expect(found.map(\.key) == keys.map { ObjectKey($0) }.sorted())
    for object in found { #expect(try await store.bytes(object.key) == object.key.bytes) }
    let error = try await failure { _ = try await open(server, "missing").allObjects() }
    #expect(error.kind == .noSuchBucket)
  }

  @Test("many megabytes come back as they went")
  func large() async throws {
    let server = try await SeaweedServer.shared
    try await server.makeBucket("large")
    let store = try open(server, "large")
    var random = SplitMix64(seed: 1)
    var body: [UInt8] = []
    for _ in 0..<(24 << 17) { withUnsafeBytes(of: random.next()) { body += $0 } }
    try await store.put(ObjectKey("big.bin"), body, contentType: "application/octet-stream")
    #expect(try await store.bytes(ObjectKey("big.bin")) == body)
    try await store.put(ObjectKey("empty"), [], contentType: "application/octet-stream")
    #expect(try await store.bytes(ObjectKey("empty")) == [])
  }

  private func failure(_ body: () async throws -> Void) async throws -> StorageError {
    do {
      try await body()
    } catch let error as StorageError { return error }
    throw TestSupportError("nothing failed")
  }

  @Test("a wrong secret, an unknown key, no permission and no bucket are told apart")
  func refusals() async throws {
    let server = try await SeaweedServer.shared
    try await server.makeBucket("refusals")
    let wrongSecret = try await failure {
      _ = try await open(server, "refusals") { $0.environment["AWS_SECRET_ACCESS_KEY"] = "wrong-secret" }.allObjects()
    }
    #expect(wrongSecret.kind == .wrongSecret)
    #expect(!wrongSecret.description.contains("wrong-secret"))
    let unknownKey = try await failure {
      _ = try await open(server, "refusals") { $0.environment["AWS_ACCESS_KEY_ID"] = "NOBODYSKEY" }.allObjects()
    }
    #expect(unknownKey.kind == .unknownAccessKey)
    let noBucket = try await failure { _ = try await open(server, "there-is-none").allObjects() }
    #expect(noBucket.kind == .noSuchBucket)
    #expect(noBucket.message.contains("there-is-none"))
    let noKey = try await failure { _ = try await open(server, "refusals").bytes(ObjectKey("gone.jpg")) }
    #expect(noKey.kind == .noSuchKey)
    let anonymous = try await failure {
      _ = try await open(server, "refusals") { $0.noSignRequest = true }.allObjects()
    }
    #expect(anonymous.kind == .accessDenied)
    let readOnly = try await failure {
      let store = try open(server, "refusals") {
        $0.environment["AWS_ACCESS_KEY_ID"] = server.readOnlyKey.access
        $0.environment["AWS_SECRET_ACCESS_KEY"] = server.readOnlyKey.secret
      }
      #expect(try await store.allObjects().isEmpty)
      try await store.put(ObjectKey("x"), [1], contentType: "text/plain")
    }
    #expect(readOnly.kind == .accessDenied)
  }

  @Test("a listing and fetches cancelled in the middle end, and the store works on")
  func cancel() async throws {
    let server = try await SeaweedServer.shared
    try await server.makeBucket("cancelled")
    let store = try open(server, "cancelled")
    try await put((0..<50).map { "\($0)" }, store)
    for _ in 0..<5 {
      let task = Task {
        try await withThrowingTaskGroup { group in
          for index in 0..<50 { group.addTask { _ = try await store.bytes(ObjectKey("\(index)")) } }
          try await group.waitForAll()
        }
      }
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...5)))
      task.cancel()
      _ = await task.result
    }
    for try await _ in store.list() { break }
    #expect(try await store.allObjects().count == 50)
    #expect(try await store.bytes(ObjectKey("7")) == Array("7".utf8))
  }

  @Test("an encrypted server is reached when its authority is known, and refused when not")
  func encrypted() async throws {
    let certificate = try await TestCertificate()
    let data = try TemporaryDirectory("tls")
    try data.write(Array("hello".utf8), to: "photos/x.jpg")
    var server: RcloneServer? = try await RcloneServer.start(directory: data.path, certificate: certificate)
    var options = StorageOptions(environment: try #require(server).environment)
    options.environment["AWS_CA_BUNDLE"] = nil
    let location = Location(.bucket(endpoint: nil, name: "photos", prefix: []))
    let untrusted = try await failure { _ = try await openStore(location, options: options).allObjects() }
    #expect(untrusted.kind == .insecure)
    #expect(untrusted.remedy?.contains("AWS_CA_BUNDLE") == true)
    options.environment["AWS_CA_BUNDLE"] = data.file("missing.pem")
    let noFile = try await failure { _ = try await openStore(location, options: options).allObjects() }
    #expect(noFile.kind == .configuration)
    options.environment["AWS_CA_BUNDLE"] = certificate.file
    let store = try openStore(location, options: options)
    #expect(try await store.allObjects().map(\.key) == [ObjectKey("x.jpg")])
    #expect(try await store.bytes(ObjectKey("x.jpg")) == Array("hello".utf8))
    // The server goes while its connection is kept: the next request finds out, and the program lives on.
    server = nil
    let gone = try await failure { _ = try await store.bytes(ObjectKey("x.jpg")) }
    #expect(gone.kind == .unreachable || gone.kind == .interrupted, "\(gone.kind): \(gone)")
  }

  @Test("the bucket's name in the host, at a server that takes it there")
  func virtualHost() async throws {
    let server = try await SeaweedServer.start(arguments: ["-s3.domainName=s3.localhost"])
    try await server.makeBucket("virtual")
    // Every name below localhost is this computer.
    let endpoint = server.endpoint.replacing("127.0.0.1", with: "s3.localhost")
    let store = try open(server, "virtual", prefix: "ä b/") {
      $0.endpointURL = endpoint
      $0.addressingStyle = .virtual
    }
    try await put(["ä b/1", "ä b/2+"], store)
    #expect(try await store.allObjects().map(\.key) == [ObjectKey("ä b/1"), ObjectKey("ä b/2+")])
    #expect(try await store.bytes(ObjectKey("ä b/2+")) == Array("ä b/2+".utf8))
    // It is the host alone that names the bucket.
    let bound = try await open(server, "virtual").allObjects()
    #expect(bound.map(\.key) == [ObjectKey("ä b/1"), ObjectKey("ä b/2+")])
  }

  @Test("a server at an IPv6 address")
  func internetProtocol6() async throws {
    let server = try await SeaweedServer.shared
    try await server.makeBucket("sixth")
    let line = try LineProxy(upstream: server.endpoint, isIPv6: true)
    let store = try open(server, "sixth") { $0.endpointURL = "http://[::1]:\(line.port)" }
    try await put(["a b", "c"], store)
    #expect(try await store.allObjects().map(\.key) == [ObjectKey("a b"), ObjectKey("c")])
    #expect(try await store.bytes(ObjectKey("a b")) == Array("a b".utf8))
    #expect(line.connectionCount > 0)
  }

  @Test("a server below a path of its endpoint is asked there, the path encoded")
  func basePath() async throws {
    // The real ones at hand check signatures of the path behind the base alone, as no client signs it.
    let server = try FaultServer { request in
      switch request.path {
      case "/storage/v1%20s3/below", "/storage/v1%20s3/below/":
        .answer(200, body: "<ListBucketResult><Contents><Key>a b</Key><Size>3</Size></Contents></ListBucketResult>")
      case "/storage/v1%20s3/below/a%20b": .answer(200, body: "a b")
      default: .answer(404, body: "<Error><Code>NoSuchBucket</Code></Error>")
      }
    }
    let store = try open(try await SeaweedServer.shared, "below") {
      $0.endpointURL = server.endpoint + "/storage/v1 s3/"
    }
    #expect(try await store.allObjects().map(\.key) == [ObjectKey("a b")])
    #expect(try await store.bytes(ObjectKey("a b")) == Array("a b".utf8))
    let root = try await failure {
      _ = try await open(try await SeaweedServer.shared, "below") { $0.endpointURL = server.endpoint }.allObjects()
    }
    #expect(root.kind == .noSuchBucket, "\(root)")
  }

  @Test("a server killed in the middle is said to be gone, and soon")
  func killed() async throws {
    var server: RcloneServer? = try await RcloneServer.start()
    let directory = try #require(server).directory + "/photos"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for index in 0..<20 {
      #expect(
        FileManager.default.createFile(atPath: directory + "/\(index)", contents: Data(repeating: 1, count: 100_000)))
    }
    let store = try open(try #require(server), "photos")
    let objects = try await store.allObjects()
    _ = try await store.bytes(objects[0].key)
    server = nil
    let errors = await withTaskGroup(of: StorageError?.self) { group in
      for object in objects {
        group.addTask {
          do { _ = try await store.bytes(object.key) } catch let error as StorageError { return error } catch {}
          return nil
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(errors.count == 20)
    #expect(errors.allSatisfy { $0?.kind == .unreachable || $0?.kind == .interrupted })
  }

  @Test(
    "real images come through whole, and text files are refused at their first bytes",
    // The pictures beside the checkout are not part of the repository.
    .enabled(if: sharedImages != nil))
  func images() async throws {
    let server = try await SeaweedServer.shared
    try await server.makeBucket("images")
    let folder = try #require(sharedImages)
    let source = try openStore(Location(.folder(path: Array(folder.utf8))), options: StorageOptions(environment: [:]))
    let store = try open(server, "images")
    let chosen = try await source.allObjects().filter { $0.size < 500_000 }.prefix(120)
    try await withThrowingTaskGroup { group in
      for object in chosen {
        group.addTask {
          let bytes = try await source.bytes(object.key)
          try await store.put(object.key, bytes, contentType: "application/octet-stream")
          #expect(try await store.bytes(object.key) == bytes)
        }
      }
      try await group.waitForAll()
    }
    #expect(try await store.allObjects().map(\.key) == chosen.map(\.key))
  }
}
