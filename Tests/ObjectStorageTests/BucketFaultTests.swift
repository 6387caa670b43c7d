import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ObjectStorage

/// Bad weather, from a server that makes it.
@Suite(.timeLimit(.minutes(10))) struct BucketFaultTests {
  private static let keys = ["AWS_ACCESS_KEY_ID": "TESTKEYTESTKEY", "AWS_SECRET_ACCESS_KEY": "hush-hush"]
  private static let noFiles = ["AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"]

  private func open(
    _ endpoint: String, prefix: String = "", _ change: (inout StorageOptions) -> Void = { _ in }
  ) throws -> any ObjectStore {
    var options = StorageOptions(environment: Self.keys.merging(Self.noFiles) { $1 })
    change(&options)
    return try openStore(
      Location(.bucket(endpoint: endpoint, name: "photos", prefix: Array(prefix.utf8))), options: options)
  }

  private static func error(_ code: String, _ more: String = "") -> String {
    "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>words</Message>\(more)<RequestId>R42</RequestId></Error>"
  }

  private static func listing(_ keys: [String], _ more: String = "") -> String {
    "<ListBucketResult>"
      + keys.map { "<Contents><Key>\($0)</Key><Size>1</Size><ETag>e</ETag></Contents>" }.joined() + more
      + "</ListBucketResult>"
  }

  // MARK: - Tried again

  @Test("two 503 are waited out")
  func serviceUnavailable() async throws {
    let server = try FaultServer {
      $0.number < 2 ? .answer(503) : .answer(200, headers: ["ETag": "\"e\""], body: "hello")
    }
    let store = try open(server.endpoint)
    #expect(try await store.bytes(ObjectKey("x")) == Array("hello".utf8))
    #expect(store.counts.retries == 2)
    #expect(store.counts.get == 3)
    #expect(server.connectionCount == 1)
  }

  @Test("SlowDown with a Retry-After of two minutes costs a few seconds")
  func slowDown() async throws {
    let server = try FaultServer {
      $0.number == 0
        ? .answer(503, headers: ["Retry-After": "120"], body: Self.error("SlowDown")) : .answer(200, body: "hello")
    }
    let start = ContinuousClock.now
    let store = try open(server.endpoint)
    #expect(try await store.bytes(ObjectKey("x")) == Array("hello".utf8))
    let waited = start.duration(to: .now)
    #expect(waited > .seconds(4) && waited < .seconds(110))
  }

  @Test("short bodies, broken connections and empty answers are fetched again, whole and once")
  func interrupted() async throws {
    let server = try FaultServer { request in
      switch request.number {
      case 0: .cut(announced: 5, sent: 3)
      case 1: .raw([])
      case 2: .raw(Array("HTTP/1.1 200 OK\r\nContent-Le".utf8))
      default: .answer(200, body: "hello")
      }
    }
    #expect(try await open(server.endpoint).bytes(ObjectKey("x")) == Array("hello".utf8))
  }

  @Test("a server that stays broken is given up, and said to be")
  func stillBroken() async throws {
    let server = try FaultServer { _ in .answer(500, body: Self.error("InternalError")) }
    let store = try open(server.endpoint)
    let error = await #expect(throws: StorageError.self) { _ = try await store.bytes(ObjectKey("x")) }
    #expect(error?.kind == .serverFailure)
    #expect(server.requests.count == RetryState.maximumTries)
  }

  @Test("what succeeded before it turned bad is no reason to give up")
  func lateSuccess() async throws {
    let isBad = Atomic(true)
    let isSent = Atomic(false)
    let server = try FaultServer { request in
      if request.path == "/photos/late", !isSent.exchange(true, ordering: .relaxed) {
        // It comes after another one has failed.
        Thread.sleep(forTimeInterval: 1)
        return .answer(200, body: "late")
      }
      return isBad.load(ordering: .relaxed)
        ? .answer(503, headers: ["Retry-After": "300"], body: Self.error("SlowDown")) : .answer(200, body: "hello")
    }
    let store = try open(server.endpoint) { $0.patience = nil }
    async let late = store.bytes(ObjectKey("late"))
    async let other = store.bytes(ObjectKey("x"))
    #expect(try await late == Array("late".utf8))
    // Not for as long as ten tries take.
    try await eventually("it is waited for", within: 30) { store.interruption?.nextTry != nil }
    isBad.store(false, ordering: .relaxed)
    store.tryNow()
    #expect(try await other == Array("hello".utf8))
    #expect(store.interruption == nil)
  }

  @Test("an object that alone fails is given up, and nobody waits for it for ever", arguments: [true, false])
  func failsAlone(afterOthers: Bool) async throws {
    let server = try FaultServer { request in
      if request.path == "/photos/bad" { return .answer(500, body: Self.error("InternalError")) }
      return request.path == "/photos/good" ? .answer(200, body: "hello") : .answer(200, body: Self.listing(["bad"]))
    }
    let store = try open(server.endpoint) { $0.patience = nil }
    if afterOthers {
      _ = try await store.bytes(ObjectKey("good"))
    } else {
      _ = try await store.allObjects()
    }
    let error = await #expect(throws: StorageError.self) { _ = try await store.bytes(ObjectKey("bad")) }
    #expect(error?.kind == .serverFailure && store.interruption == nil)
    #expect(try await store.bytes(ObjectKey("good")) == Array("hello".utf8))
  }

  @Test("a real server behind a bad line loses nothing")
  func badLine() async throws {
    let real = try await RcloneServer.start()
    try FileManager.default.createDirectory(atPath: real.directory + "/photos", withIntermediateDirectories: true)
    for index in 0..<150 {
      let bytes = [UInt8](repeating: UInt8(index), count: 20_000 + index)
      #expect(FileManager.default.createFile(atPath: real.directory + "/photos/\(index).jpg", contents: Data(bytes)))
    }
    let faults = Atomic(0)
    let server = try FaultServer(upstream: real.endpoint) { request in
      guard request.number % 4 == 1 else { return .forward }
      switch faults.wrappingAdd(1, ordering: .relaxed).oldValue % 4 {
      case 0: return .answer(500)
      case 1: return .cut(announced: 20_000, sent: 7000)
      case 2: return .raw([])
      default: return .answer(503, headers: ["Retry-After": "0"], body: Self.error("SlowDown"))
      }
    }
    let store = try open(server.endpoint) { options in
      options.environment["AWS_ACCESS_KEY_ID"] = real.accessKey
      options.environment["AWS_SECRET_ACCESS_KEY"] = real.secretKey
      options.maximumConnections = 8
    }
    let objects = try await store.allObjects()
    #expect(objects.count == 150)
    try await withThrowingTaskGroup { group in
      for object in objects {
        group.addTask {
          let bytes = try await store.bytes(object.key)
          let index = try #require(Int(object.key.displayName.dropLast(4)))
          #expect(bytes == [UInt8](repeating: UInt8(index), count: 20_000 + index))
        }
      }
      try await group.waitForAll()
    }
    #expect(faults.load(ordering: .relaxed) >= 40)
    // Where a kept connection ends without a byte, libcurl itself asks again.
    let retries = store.counts.retries
    #expect(retries > 20 && retries <= faults.load(ordering: .relaxed))
  }

  // MARK: - Corrected

  @Test(
    "a wrong region is corrected once, and remembered",
    arguments: [
      FaultServer.Reply.answer(301, headers: ["x-amz-bucket-region": "eu-west-3"]),
      .answer(400, body: error("AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>")),
    ])
  func region(_ refusal: FaultServer.Reply) async throws {
    let server = try FaultServer { request in
      request.headers["authorization"]?.contains("/eu-west-3/") == true ? .answer(200, body: "hello") : refusal
    }
    let store = try open(server.endpoint)
    _ = try await store.bytes(ObjectKey("x"))
    _ = try await store.bytes(ObjectKey("y"))
    #expect(server.requests.map(\.path) == ["/photos/x", "/photos/x", "/photos/y"])
  }

  @Test("a server that keeps naming other regions is not followed for ever")
  func regionLoop() async throws {
    let server = try FaultServer { .answer(301, headers: ["x-amz-bucket-region": "r-\($0.number)"]) }
    let error = await #expect(throws: StorageError.self) { _ = try await open(server.endpoint).bytes(ObjectKey("x")) }
    #expect(error?.kind == .wrongRegion)
    #expect(server.requests.count == 2)
  }

  @Test("a region that is none never becomes part of a host name")
  func hostileRegion() async throws {
    let server = try FaultServer { _ in .answer(301, headers: ["x-amz-bucket-region": "evil.example/"]) }
    await #expect(throws: StorageError.self) { _ = try await open(server.endpoint).bytes(ObjectKey("x")) }
    #expect(server.requests.count == 1)
  }

  @Test("a wrong clock is corrected once from the server's date, and remembered")
  func clock() async throws {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "GMT")
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    let text = formatter.string(from: Date(timeIntervalSinceNow: 7200))
    let server = try FaultServer { request in
      let sent = Timestamp.date(iso8601: Array(Self.spelledOut(request.headers["x-amz-date"] ?? "").utf8))
      return abs(sent?.timeIntervalSinceNow ?? 0) > 7000
        ? .answer(200, body: "hello")
        : .answer(403, headers: ["Date": text], body: Self.error("RequestTimeTooSkewed"))
    }
    let store = try open(server.endpoint)
    // Several at once, each refused for the same clock.
    try await withThrowingTaskGroup { group in
      for index in 0..<5 { group.addTask { _ = try await store.bytes(ObjectKey("x\(index)")) } }
      try await group.waitForAll()
    }
    let before = server.requests.count
    _ = try await store.bytes(ObjectKey("y"))
    #expect(server.requests.count == before + 1)
  }

  /// `20130524T000000Z` with the punctuation that makes it readable.
  private static func spelledOut(_ text: String) -> String {
    let digits = text.filter(\.isNumber).map(String.init)
    guard digits.count == 14 else { return "" }
    return [0..<4, 4..<6, 6..<8].map { digits[$0].joined() }.joined(separator: "-") + "T"
      + [8..<10, 10..<12, 12..<14].map { digits[$0].joined() }.joined(separator: ":") + "Z"
  }

  // MARK: - Said

  @Test(
    "what the server refuses is said in words, once",
    arguments: [
      (403, "AccessDenied", .accessDenied), (403, "SignatureDoesNotMatch", .wrongSecret),
      (403, "InvalidAccessKeyId", .unknownAccessKey), (400, "ExpiredToken", .expiredCredentials),
      (404, "NoSuchBucket", .noSuchBucket), (404, "NoSuchKey", .noSuchKey), (403, "InvalidObjectState", .archived),
      (400, "SomethingNew", .refused),
    ] as [(Int, String, StorageError.Kind)])
  func refusals(status: Int, code: String, kind: StorageError.Kind) async throws {
    let server = try FaultServer { _ in .answer(status, body: Self.error(code)) }
    let store = try open(server.endpoint)
    let error = await #expect(throws: StorageError.self) { _ = try await store.bytes(ObjectKey("x.jpg")) }
    #expect(error?.kind == kind)
    #expect(error?.requestID == "R42")
    #expect(server.requests.count == 1)
    let text = try #require(error).description
    #expect(text.contains("photos") || text.contains("key") || text.contains("token"), "\(text)")
    #expect(!text.contains("hush-hush") && !text.contains("TESTKEYTESTKEY"), "\(text)")
  }

  @Test(
    "what is no S3 server is said to be none",
    arguments: [
      .answer(200, body: "<html><head><title>My  Router</title></head></html>"), .answer(404, body: "<html>no</html>"),
      .answer(302, headers: ["Location": "https://login.example/?token=secret"]), .answer(200, body: "ok"),
      .answer(400, body: "Client sent an HTTP request to an HTTPS server."), .raw(Array("SSH-2.0-OpenSSH\r\n".utf8)),
    ] as [FaultServer.Reply])
  func noS3(_ reply: FaultServer.Reply) async throws {
    let server = try FaultServer { _ in reply }
    let store = try open(server.endpoint)
    let error = await #expect(throws: StorageError.self) { _ = try await store.allObjects() }
    #expect(error?.kind == .notS3, "\(String(describing: error))")
    #expect(error?.concernsWholeLocation == true)
    #expect(error?.description.contains("secret") == false)
    if case .answer(200, _, let body) = reply, body.contains("title") {
      #expect(error?.message.contains("“My Router”") == true)
    }
  }

  @Test("nothing at the address, an unknown host, and no encryption are told apart")
  func unreachable() async throws {
    let server = try FaultServer { _ in .answer(200) }
    for (endpoint, kind, word) in [
      ("http://127.0.0.1:1", StorageError.Kind.unreachable, "127.0.0.1:1"),
      ("http://no-such-host.invalid", .unreachable, "no-such-host.invalid"),
      (server.endpoint.replacing("http:", with: "https:"), .insecure, "http://"),
    ] {
      let error = await #expect(throws: StorageError.self) { _ = try await open(endpoint).allObjects() }
      #expect(error?.kind == kind)
      #expect(error?.description.contains(word) == true)
    }
  }

  // MARK: - Listings

  @Test(
    "a listing that does not hold together is an error and no loop",
    arguments: [
      listing(["a"], "<IsTruncated>true</IsTruncated>"),
      listing(["a"], "<IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken>"),
      "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
    ])
  func brokenListing(_ body: String) async throws {
    let server = try FaultServer { _ in .answer(200, body: body) }
    let error = await #expect(throws: StorageError.self) { _ = try await open(server.endpoint).allObjects() }
    #expect(error?.kind == .invalidAnswer)
    #expect(server.requests.count <= 2)
  }

  @Test("keys outside of the folder are not believed")
  func foreignKeys() async throws {
    let server = try FaultServer { _ in .answer(200, body: Self.listing(["a/x", "../../etc/passwd"])) }
    let error = await #expect(throws: StorageError.self) {
      _ = try await open(server.endpoint, prefix: "a/").allObjects()
    }
    #expect(error?.kind == .invalidAnswer)
  }

  @Test("an endless listing of empty pages ends")
  func endlessListing() async throws {
    let server = try FaultServer {
      .answer(
        200,
        body: Self.listing(
          [], "<IsTruncated>true</IsTruncated><NextContinuationToken>\($0.number)</NextContinuationToken>"))
    }
    let error = await #expect(throws: StorageError.self) { _ = try await open(server.endpoint).allObjects() }
    #expect(error?.kind == .invalidAnswer)
  }

  @Test("pages follow one another by opaque tokens, and each is handed on when it is there")
  func pages() async throws {
    let server = try FaultServer { request in
      request.query.contains("continuation-token=a%2F%2B%26%3D%20")
        ? .answer(200, body: Self.listing(["c"]))
        : .answer(
          200,
          body: Self.listing(
            ["a", "b"], "<IsTruncated>true</IsTruncated><NextContinuationToken>a/+&amp;= </NextContinuationToken>"))
    }
    var pages: [[ObjectKey]] = []
    for try await page in try open(server.endpoint).list() { pages.append(page.map(\.key)) }
    #expect(pages == [[ObjectKey("a"), ObjectKey("b")], [ObjectKey("c")]])
  }

  // MARK: - On the wire

  @Test("any key is sent as it is signed, byte for byte", arguments: 0..<40)
  func anyKey(seed: Int) async throws {
    var random = SplitMix64(seed: UInt64(seed))
    let fixed = [
      "a//b", "/a", "../../x", "./y", "a b+c%20d&e#f?g", "日本/😀.jpg", "new\nline\u{1}\\",
      String(repeating: "k", count: 1024),
    ]
    let bytes =
      seed < fixed.count
      ? Array(fixed[seed].utf8)
      : (0..<Int.random(in: 1...200, using: &random)).map { _ in UInt8.random(in: 1...255, using: &random) }
    let server = try FaultServer { _ in .answer(200, body: "hello") }
    _ = try await open(server.endpoint).bytes(ObjectKey(bytes: bytes))
    let request = try #require(server.requests.first)
    #expect(PercentEncoding.decode(Array(request.path.utf8)) == Array("/photos/".utf8) + bytes, "seed \(seed)")
    // Signed again from what arrived.
    let names = ["host", "x-amz-content-sha256", "x-amz-date"]
    let signer = RequestSigner(
      credentials: Credentials(accessKeyID: "TESTKEYTESTKEY", secretKey: "hush-hush", source: ""), region: "us-east-1")
    let signable = SignableRequest(
      method: "GET", path: request.path, query: request.query, headers: names.map { ($0, request.headers[$0] ?? "") },
      payloadHash: Digest.ofNothing)
    let date = SigningDate(timestamp: request.headers["x-amz-date"] ?? "")
    #expect(request.headers["authorization"] == signer.authorization(for: signable, at: date), "seed \(seed)")
  }

  @Test("an anonymous request carries no signature")
  func anonymous() async throws {
    let server = try FaultServer { _ in .answer(200, body: "hello") }
    let store = try open(server.endpoint) { $0.noSignRequest = true }
    _ = try await store.bytes(ObjectKey("x"))
    #expect(server.requests.first?.headers.keys.contains { $0 == "authorization" || $0.hasPrefix("x-amz") } == false)
  }

  @Test("a session token is sent and signed")
  func sessionToken() async throws {
    let server = try FaultServer { _ in .answer(200, body: "hello") }
    let store = try open(server.endpoint) { $0.environment["AWS_SESSION_TOKEN"] = "token" }
    _ = try await store.bytes(ObjectKey("x"))
    let headers = try #require(server.requests.first).headers
    #expect(headers["x-amz-security-token"] == "token")
    #expect(headers["authorization"]?.contains("x-amz-security-token") == true)
  }

  // MARK: - Connections

  @Test("as many connections as allowed serve any number of requests")
  func connections() async throws {
    let server = try FaultServer { _ in .answer(200, body: String(repeating: "x", count: 5000)) }
    let store = try open(server.endpoint) { $0.maximumConnections = 4 }
    try await withThrowingTaskGroup { group in
      for index in 0..<300 { group.addTask { _ = try await store.bytes(ObjectKey("\(index)")) } }
      try await group.waitForAll()
    }
    #expect(server.connectionCount <= 4)
    #expect(store.counts.get == 300)
    #expect(store.counts.bytesFetched == 1_500_000)
  }

  @Test("a cancelled task goes on at once, whether its transfer runs or waits")
  func cancel() async throws {
    let server = try FaultServer { _ in .silence }
    let store = try open(server.endpoint) {
      $0.maximumConnections = 1
      // Nothing but the cancelling ends them within the time this suite has.
      $0.stallSeconds = 3600
    }
    let tasks = (0..<3).map { index in Task { try await store.bytes(ObjectKey("\(index)")) } }
    try await eventually("the first transfer runs") { server.requests.count == 1 }
    for task in tasks.reversed() {
      task.cancel()
      await #expect(throws: CancellationError.self) { _ = try await task.value }
    }
    #expect(server.requests.count == 1)
  }

  @Test("after a cancelled transfer its connection's place is free again")
  func cancelledPlace() async throws {
    let server = try FaultServer { $0.path.hasSuffix("silent") ? .silence : .answer(200, body: "hello") }
    let store = try open(server.endpoint) { $0.maximumConnections = 1 }
    let task = Task { try await store.bytes(ObjectKey("silent")) }
    try await eventually("the transfer runs") { server.requests.count == 1 }
    task.cancel()
    #expect(try await store.bytes(ObjectKey("x")) == Array("hello".utf8))
  }

  @Test("a refused object keeps its connection when little is left, and ends it when much is")
  func rejected() async throws {
    let server = try FaultServer { request in
      request.path.hasSuffix("small")
        ? .answer(200, body: String(repeating: "s", count: 50_000))
        : .answer(200, body: String(repeating: "l", count: 30_000_000))
    }
    let store = try open(server.endpoint) { $0.maximumConnections = 1 }
    for (name, connections) in [("small", 1), ("small", 1), ("large", 1), ("small", 2)] {
      guard case .rejected(let head) = try await store.get(ObjectKey(name), accept: { $0.count < 32 }) else {
        Issue.record("\(name) was accepted")
        continue
      }
      #expect(head.count >= 32)
      #expect(server.connectionCount == connections)
    }
    #expect(store.counts.bytesFetched < 5_000_000)
  }

  @Test("a body that ends before it can be judged is asked for again, and believed when it ends there twice")
  func tooShortToJudge() async throws {
    let whole = [UInt8](repeating: 7, count: 5000)
    let server = try FaultServer { request in
      let isWhole = request.path.hasSuffix("whole") && request.number > 1
      let body = isWhole ? whole : [UInt8](repeating: 7, count: request.number == 0 ? 9 : 3)
      return .content(200, headers: ["ETag": "\"e\""], body: body)
    }
    let store = try open(server.endpoint)
    func get(_ name: String) async throws -> FetchResult {
      try await store.get(StoredObject(key: ObjectKey(name), size: 5000, etag: "e")) { $0.count >= 32 }
    }
    guard case .bytes(let bytes, _) = try await get("whole") else {
      Issue.record("it was refused")
      return
    }
    #expect(bytes == whole && server.requests.count == 3)
    guard case .rejected(let head) = try await get("short") else {
      Issue.record("it was accepted")
      return
    }
    #expect(head.count == 3 && server.requests.count == 5)
  }

  @Test("bodies shorter than the first bytes are judged too")
  func shortBodies() async throws {
    let server = try FaultServer { .answer(200, body: $0.path.hasSuffix("empty") ? "" : "abc") }
    let store = try open(server.endpoint)
    for (name, size) in [("empty", 0), ("three", 3)] {
      guard case .rejected(let head) = try await store.get(ObjectKey(name), accept: { $0.count != size }) else {
        Issue.record("\(name) was accepted")
        continue
      }
      #expect(head.count == size)
    }
  }

  @Test("what is too large or archived is refused before it is fetched")
  func refusedEarly() async throws {
    let server = try FaultServer { _ in .answer(200, body: String(repeating: "l", count: 20_000_000)) }
    let store = try open(server.endpoint) { $0.maximumBytes = 1000 }
    var error = await #expect(throws: StorageError.self) { _ = try await store.bytes(ObjectKey("x")) }
    #expect(error?.kind == .tooLarge)
    #expect(error?.message.contains("20000000") == true)
    #expect(store.counts.bytesFetched == 0)
    let large = StoredObject(key: ObjectKey("x"), size: 2000, etag: "e")
    error = await #expect(throws: StorageError.self) { _ = try await store.get(large) }
    #expect(error?.kind == .tooLarge)
    let archived = StoredObject(key: ObjectKey("x"), size: 1, etag: "e", storageClass: "DEEP_ARCHIVE")
    error = await #expect(throws: StorageError.self) { _ = try await store.get(archived) }
    #expect(error?.kind == .archived)
    #expect(server.requests.count == 1)
  }
}
