import Collection
import Foundation
import ObjectStorage
import Synchronization
import TestSupport
import Testing

@testable import Mapping

/// Jobs through a proxy that makes bad weather: the map is the same as in good weather, nothing is lost, nothing comes twice.
@Suite("Jobs in any weather", .serialized, .timeLimit(.minutes(10)))
struct WeatherTests {
  private static let count = 40

  /// The bucket that every test reads, made once.
  private static let bucket = Task {
    let server = try await SeaweedServer.shared
    let folder = try TemporaryDirectory("weather")
    for number in 0..<count {
      let color = [(220, 40, 40), (40, 200, 60), (50, 60, 210)][number % 3]
      try folder.write(bitmap(width: 120, height: 90, color: color, seed: UInt64(number)), to: "a/\(number).bmp")
    }
    try await server.makeBucket("weather")
    try await server.upload(folder: folder.path, to: "weather")
    let calm = await run(try job(server.environment))
    return (server: server, positions: calm.positions)
  }

  static func job(
    _ environment: [String: String], bucket: String = "weather", endpoint: String? = nil,
    cache: TemporaryDirectory? = nil
  ) throws -> MappingRequest {
    var environment = environment
    if let endpoint { environment["AWS_ENDPOINT_URL"] = endpoint }
    var made = try request(bucket, cache: cache, environment: environment)
    made.storage.patience = 60
    made.storage.stallSeconds = 1
    made.storage.maximumConnections = 16
    return made
  }

  static func error(_ code: String) -> String {
    "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>words</Message><RequestId>R42</RequestId></Error>"
  }

  /// What can go wrong, all of it of one kind.
  enum Weather: String, CaseIterable, Sendable {
    case internalError, badGateway, slowDown, reset, truncation, shortLength, longLength, stall, damagedListing
    case garbageListing, everything

    func fault(_ request: FaultProxy.Request, _ random: inout SplitMix64) -> FaultProxy.Fault? {
      func happens(_ chance: Double) -> Bool { Double.random(in: 0..<1, using: &random) < chance }
      // Anywhere in a picture of 32 KB.
      let place = Int.random(in: 0..<32_000, using: &random)
      switch self {
      case .internalError: return happens(0.3) ? .answer(500, body: WeatherTests.error("InternalError")) : nil
      case .badGateway: return happens(0.3) ? .answer(502, body: "<html>Bad gateway</html>") : nil
      case .slowDown:
        return request.number % 9 == 4
          ? .answer(503, headers: ["Retry-After": "120"], body: WeatherTests.error("SlowDown")) : nil
      case .reset: return happens(0.3) ? .reset(after: place) : nil
      case .truncation: return happens(0.3) ? .truncation(after: place) : nil
      case .shortLength: return !request.isListing && happens(0.3) ? .wrongLength(place) : nil
      case .longLength: return !request.isListing && happens(0.3) ? .wrongLength(40_000 + place) : nil
      case .stall: return happens(0.1) ? .stall(after: place) : nil
      case .damagedListing: return request.isListing && request.attempt < 3 ? .wrongLength(700) : nil
      case .garbageListing: return request.isListing && request.attempt == 0 ? .garbage(3000) : nil
      case .everything:
        let others: [Weather] = [.internalError, .reset, .truncation, .shortLength, .longLength]
        return others[request.number % others.count].fault(request, &random)
      }
    }
  }

  /// Everything came, once, and gives the same map.
  private func expectWhole(_ outcome: Outcome, _ positions: [ObjectKey: [UInt32]], _ name: String) throws {
    let report = try #require(outcome.report, "\(name): \(String(describing: outcome.failure))")
    #expect(report.images == Self.count && report.leftOut == [], "\(name)")
    #expect(outcome.ready.count == Self.count && Set(outcome.ready).count == Self.count, "\(name)")
    #expect(outcome.listed.count == Self.count && Set(outcome.listed).count == Self.count, "\(name)")
    #expect(outcome.positions == positions, "\(name)")
    // Every request that was no repetition brought something.
    #expect(report.requests.get + report.requests.list == Self.count + 1 + report.requests.retries, "\(name)")
  }

  @Test("the map of a bad line is the map of a good one", arguments: Weather.allCases)
  func faults(weather: Weather) async throws {
    let (server, positions) = try await Self.bucket.value
    let proxy = try FaultProxy(upstream: server.endpoint, seed: 7) { weather.fault($0, &$1) }
    let start = ContinuousClock.now
    let outcome = await run(try Self.job(server.environment, endpoint: proxy.endpoint))
    try expectWhole(outcome, positions, weather.rawValue)
    #expect(proxy.faultCount > 0)
    #expect(proxy.connectionCount <= 16 + proxy.faultCount)
    print("\(weather): \(Self.count) objects, \(proxy.faultCount) faults, \(ContinuousClock.now - start)")
  }

  @Test("a bucket in another region is found there")
  func region() async throws {
    let (server, positions) = try await Self.bucket.value
    let proxy = try FaultProxy(upstream: server.endpoint) { request, _ in
      request.headers["authorization"]?.contains("/eu-west-3/") == true
        ? nil : .answer(301, headers: ["x-amz-bucket-region": "eu-west-3"])
    }
    try expectWhole(
      await run(try Self.job(server.environment, endpoint: proxy.endpoint)), positions, "region")
    #expect(proxy.faultCount == 1)
  }

  @Test("a clock that is ten minutes slow is corrected once")
  func clock() async throws {
    let (server, positions) = try await Self.bucket.value
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "GMT")
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    let date = formatter.string(from: Date(timeIntervalSinceNow: 600))
    formatter.dateFormat = "yyyyMMdd'T'HHmmss'Z'"
    let earliest = formatter.string(from: Date(timeIntervalSinceNow: 300))
    let proxy = try FaultProxy(upstream: server.endpoint) { request, _ in
      request.headers["x-amz-date", default: ""] > earliest
        ? nil : .answer(403, headers: ["Date": date], body: Self.error("RequestTimeTooSkewed"))
    }
    try expectWhole(await run(try Self.job(server.environment, endpoint: proxy.endpoint)), positions, "clock")
    #expect(proxy.faultCount == 1)
  }

  @Test("a token that expires in the middle is replaced by the one that was written meanwhile")
  func expiredToken() async throws {
    let (server, positions) = try await Self.bucket.value
    let files = try TemporaryDirectory("credentials")
    func credentials(_ key: String, _ secret: String) -> [UInt8] {
      Array("[default]\naws_access_key_id = \(key)\naws_secret_access_key = \(secret)\n".utf8)
    }
    let path = try files.write(credentials(server.accessKey, server.secretKey), to: "credentials")
    var environment = server.environment
    environment["AWS_ACCESS_KEY_ID"] = nil
    environment["AWS_SECRET_ACCESS_KEY"] = nil
    environment["AWS_SHARED_CREDENTIALS_FILE"] = path
    let next = credentials(server.readOnlyKey.access, server.readOnlyKey.secret)
    let old = server.accessKey
    let proxy = try FaultProxy(upstream: server.endpoint) { request, _ in
      guard request.number >= 10, request.headers["authorization"]?.contains(old) == true else { return nil }
      return .answer(400, body: Self.error("ExpiredToken"))
    }
    let titles = Mutex<Set<String>>([])
    let outcome = await run(try Self.job(environment, endpoint: proxy.endpoint)) { event, job in
      guard case .progress(let progress) = event, let interruption = progress.interruption else { return }
      titles.withLock { _ = $0.insert(interruption.title) }
      // A person reads it, and does what it says.
      _ = FileManager.default.createFile(atPath: path, contents: Data(next))
      job.tryNow()
    }
    let report = try #require(outcome.report, "\(String(describing: outcome.failure))")
    #expect(report.images == Self.count && report.leftOut == [])
    #expect(outcome.positions == positions)
    #expect(titles.withLock { $0 } == ["The credentials have expired"])
  }

  @Test("a lost connection is waited out, said with a countdown, and carried on from where it was")
  func connectionLoss() async throws {
    let (server, positions) = try await Self.bucket.value
    let proxy = try FaultProxy(upstream: server.endpoint, delay: 0.05)
    var asked = try Self.job(server.environment, endpoint: proxy.endpoint)
    asked.storage.maximumConnections = 2
    asked.storage.patience = nil
    let seen = Mutex<(isDown: Bool, isBack: Bool, interruptions: [StorageInterruption])>((false, false, []))
    let outcome = await run(asked) { event, job in
      switch event {
      case .ready:
        let cuts = seen.withLock { seen in
          defer { seen.isDown = true }
          return !seen.isDown
        }
        if cuts { proxy.disconnect() }
      case .progress(let progress):
        guard let interruption = progress.interruption else { return }
        let returns = seen.withLock { seen in
          seen.interruptions.append(interruption)
          let long = ContinuousClock.now - interruption.since > .seconds(6)
          defer { if long { seen.isBack = true } }
          return long && !seen.isBack
        }
        if returns {
          try? proxy.reconnect()
          job.tryNow()
        }
      default: break
      }
    }
    try expectWhole(outcome, positions, "connection loss")
    let interruptions = seen.withLock { $0.interruptions }
    let host = proxy.endpoint.dropFirst("http://".count)
    #expect(interruptions.allSatisfy { $0.title == "No connection to \(host)" || $0.title.contains("fails") })
    #expect(interruptions.contains { $0.nextTry.map { $0 > .now - .seconds(60) } == true })
    #expect(outcome.notes.contains { $0.contains("waited, and carried on") }, "\(outcome.notes)")
  }

  @Test("patience ends: the job fails, and the next one fetches only what is missing")
  func patience() async throws {
    let (server, positions) = try await Self.bucket.value
    let proxy = try FaultProxy(upstream: server.endpoint, delay: 0.05)
    let cache = try TemporaryDirectory("cache")
    var asked = try Self.job(server.environment, endpoint: proxy.endpoint, cache: cache)
    asked.storage.maximumConnections = 2
    asked.storage.patience = 3
    let failed = await run(asked) { event, _ in
      if case .ready = event { proxy.disconnect() }
    }
    #expect(failed.failure?.kind == .network, "\(String(describing: failed.failure))")
    #expect(failed.failure?.why.contains("3 seconds") == true)
    let kept = failed.collection?.counts.ready ?? 0
    #expect(kept > 0 && kept < Self.count)
    try proxy.reconnect()
    let rest = await run(asked)
    #expect(rest.report?.requests.get == Self.count - kept && rest.report?.images == Self.count)
    #expect(rest.positions == positions)
  }

  @Test("whoever waits for a connection can be cancelled at once")
  func cancelled() async throws {
    let (server, _) = try await Self.bucket.value
    let proxy = try FaultProxy(upstream: server.endpoint, delay: 0.05)
    var asked = try Self.job(server.environment, endpoint: proxy.endpoint)
    asked.storage.maximumConnections = 2
    asked.storage.patience = nil
    let wasCancelled = Mutex(false)
    let outcome = await run(asked) { event, job in
      switch event {
      case .ready: proxy.disconnect()
      case .progress(let progress) where progress.interruption != nil:
        wasCancelled.withLock { $0 = true }
        job.cancel()
      default: break
      }
    }
    #expect(outcome.isCancelled)
    // With patience without end, that it ends at all is by the cancelling.
    #expect(wasCancelled.withLock { $0 })
  }

  @Test("keys that lead out of every folder harm nothing, and are shown as they are")
  func strayKeys() async throws {
    let pictures = ["../../../etc/passwd.bmp", "/abs.bmp", "a/../../b.bmp", "..", "C:\\x.bmp", "%2e%2e/c.bmp"]
    let listing =
      "<ListBucketResult>"
      + pictures.map { "<Contents><Key>\($0)</Key><Size>1350</Size><ETag>\"e\"</ETag></Contents>" }.joined()
      + "</ListBucketResult>"
    let bytes = bitmap(color: (200, 100, 50), seed: 3)
    let proxy = try FaultProxy(upstream: "http://127.0.0.1:1") { request, _ in
      request.isListing ? .answer(200, body: listing) : .content(bytes)
    }
    let place = try TemporaryDirectory("cache")
    var asked = try Self.job(
      ["AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_CONFIG_FILE": "/dev/null"],
      endpoint: proxy.endpoint)
    asked.usesStore = true
    asked.cacheDirectory = place.file("store")
    let outcome = await run(asked)
    #expect(outcome.report?.images == pictures.count, "\(String(describing: outcome.failure))")
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.path) == ["store"])
    let kept = FileManager.default.enumerator(atPath: place.path)?.allObjects.compactMap { "\($0)" } ?? []
    #expect(!kept.contains { $0.contains("passwd") || $0.hasSuffix(".bmp") })
  }

  @Test("objects above the limit and in the archive are left out with their reason, without a request")
  func leftOut() async throws {
    let (server, _) = try await Self.bucket.value
    let listing = """
      <ListBucketResult><Contents><Key>a/0.bmp</Key><Size>32454</Size></Contents>\
      <Contents><Key>a/large.tif</Key><Size>5000000</Size></Contents>\
      <Contents><Key>a/old.jpg</Key><Size>1000</Size><StorageClass>DEEP_ARCHIVE</StorageClass></Contents>\
      <Contents><Key>a/folder/</Key><Size>0</Size></Contents></ListBucketResult>
      """
    let proxy = try FaultProxy(upstream: server.endpoint) { request, _ in
      request.isListing ? .answer(200, body: listing) : nil
    }
    var asked = try Self.job(server.environment, endpoint: proxy.endpoint)
    asked.storage.maximumBytes = 1_000_000
    let report = try #require(await run(asked).report)
    #expect(report.images == 1 && report.requests.get == 1 && report.otherFiles == 0)
    #expect(report.leftOut.map(\.key) == ["a/large.tif", "a/old.jpg"])
    #expect(report.leftOut[0].reason.contains("1000000") && report.leftOut[1].reason.contains("archive"))
    // And what to do.
    #expect(report.leftOut[0].reason.contains("--max-bytes") && report.leftOut[1].reason.contains("restore-object"))
  }

  /// Whoever may be on the way, from some moment on.
  enum Stranger: CaseIterable, Sendable {
    /// A policy that lets nobody in from outside the VPN.
    case policy
    /// The sign-on page of a network, for everything.
    case page
    /// The same as a redirect.
    case redirect
    /// A proxy that wants to know who one is.
    case proxy

    var fault: FaultProxy.Fault {
      switch self {
      case .policy: .answer(403, body: WeatherTests.error("AccessDenied"))
      case .page:
        .answer(200, headers: ["Content-Type": "text/html"], body: "<html><title>Welcome to Hotel WiFi</title></html>")
      case .redirect: .answer(302, headers: ["Location": "http://portal.example/sign-on"])
      case .proxy: .answer(407, body: "<html>Who are you?</html>")
      }
    }
  }

  @Test(
    "whoever comes between in the middle of a job is waited out, and nothing of what he says is kept",
    arguments: Stranger.allCases)
  func stranger(stranger: Stranger) async throws {
    let (server, positions) = try await Self.bucket.value
    let isThere = Mutex(false)
    let proxy = try FaultProxy(upstream: server.endpoint, delay: 0.02) { _, _ in
      isThere.withLock { $0 } ? stranger.fault : nil
    }
    var asked = try Self.job(server.environment, endpoint: proxy.endpoint)
    asked.storage.maximumConnections = 4
    let seen = Mutex((hasCome: false, reasons: [StorageInterruption]()))
    let outcome = await run(asked) { event, job in
      switch event {
      case .ready:
        let comes = seen.withLock { seen in
          defer { seen.hasCome = true }
          return !seen.hasCome
        }
        if comes { isThere.withLock { $0 = true } }
      case .progress(let progress):
        guard let interruption = progress.interruption else { return }
        seen.withLock { $0.reasons.append(interruption) }
        isThere.withLock { $0 = false }
        job.tryNow()
      default: break
      }
    }
    let report = try #require(outcome.report, "\(String(describing: outcome.failure))")
    #expect(report.images == Self.count && report.leftOut == [] && report.otherFiles == 0)
    #expect(outcome.positions == positions)
    let reason = try #require(seen.withLock { $0.reasons.first })
    switch stranger {
    case .policy: #expect(reason.title.contains("No access") && reason.reason.contains("R42"))
    case .page: #expect(reason.reason.contains("Welcome to Hotel WiFi"))
    case .redirect: #expect(reason.reason.contains("portal.example"))
    case .proxy: #expect(reason.reason.contains("password"))
    }
  }

  @Test("an object that alone may not be read is left out with the permission it needs, and nobody waits for it")
  func deniedObject() async throws {
    let (server, _) = try await Self.bucket.value
    let proxy = try FaultProxy(upstream: server.endpoint) { request, _ in
      request.target.contains("/a/7.bmp") ? .answer(403, body: Self.error("AccessDenied")) : nil
    }
    let report = try #require(await run(try Self.job(server.environment, endpoint: proxy.endpoint)).report)
    #expect(report.images == Self.count - 1)
    #expect(report.leftOut.map(\.key) == ["a/7.bmp"])
    for part in ["a/7.bmp", "weather", "s3:GetObject", "R42"] { #expect(report.leftOut[0].reason.contains(part)) }
    // One look whether it is this object alone.
    #expect(report.requests.list == 2 && report.requests.get == Self.count)
  }

  @Test("an object at which the server always fails is left out, the first time and when nothing else is missing")
  func brokenObject() async throws {
    let (server, _) = try await Self.bucket.value
    let proxy = try FaultProxy(upstream: server.endpoint) { request, _ in
      request.target.contains("/a/7.bmp") ? .answer(500, body: Self.error("InternalError")) : nil
    }
    let cache = try TemporaryDirectory("broken")
    for _ in 0..<2 {
      var job = try Self.job(server.environment, endpoint: proxy.endpoint, cache: cache)
      job.storage.patience = nil
      let report = try #require(await run(job).report)
      #expect(report.images == Self.count - 1 && report.leftOut.map(\.key) == ["a/7.bmp"])
    }
  }

  @Test("a failure names the request for the server's administrator, and what has to be set right is no wrong usage")
  func failureSentences() async throws {
    let (server, _) = try await Self.bucket.value
    func failure(_ code: String, date: String? = nil) async throws -> MappingFailure? {
      let proxy = try FaultProxy(upstream: server.endpoint) { _, _ in
        .answer(403, headers: date.map { ["Date": $0] } ?? [:], body: Self.error(code))
      }
      return await run(try Self.job(server.environment, endpoint: proxy.endpoint)).failure
    }
    let denied = try #require(try await failure("AccessDenied"))
    #expect(denied.kind == .accessDenied && denied.requestID == "R42" && denied.why.contains("R42"))
    #expect(denied.remedy.contains("s3:ListBucket"))
    for code in ["RequestTimeTooSkewed", "AuthorizationHeaderMalformed"] {
      let said = try #require(try await failure(code, date: "Mon, 01 Jan 2001 00:00:00 GMT"))
      #expect(said.kind == .other && said.requestID == "R42" && !said.remedy.isEmpty, "\(said)")
    }
  }

  @Test("sizes that lie end a job with a sentence, or are believed as far as they go")
  func lyingSizes() async throws {
    let (server, _) = try await Self.bucket.value
    func outcome(_ size: Int64) async throws -> Outcome {
      let listing =
        "<ListBucketResult>"
        + (0..<3).map { "<Contents><Key>a/\($0).bmp</Key><Size>\(size)</Size></Contents>" }.joined()
        + "</ListBucketResult>"
      let proxy = try FaultProxy(upstream: server.endpoint) { request, _ in
        request.isListing ? .answer(200, body: listing) : nil
      }
      var asked = try Self.job(server.environment, endpoint: proxy.endpoint)
      asked.storage.maximumBytes = nil
      asked.asksNothing = true
      return await run(asked)
    }
    let refused = try #require(try await outcome(.max).failure)
    #expect(refused.why.contains("a/0.bmp") && refused.remedy.contains("server"))
    let believed = try await outcome(1 << 50)
    #expect(believed.report?.images == 3, "\(String(describing: believed.failure))")
  }

  @Test("of what is named like no image, little more than the first bytes come")
  func otherFiles() async throws {
    let server = try await SeaweedServer.shared
    let folder = try TemporaryDirectory("others")
    let words = [UInt8](repeating: UInt8(ascii: "{"), count: 100_000)
    for number in 0..<60 { try folder.write(words, to: "labels/\(number).json") }
    let picture = bitmap(color: (1, 2, 3), seed: 1)
    for number in 0..<5 { try folder.write(bitmap(color: (1, 2, 3), seed: UInt64(number)), to: "\(number).bmp") }
    // Named like something else, and an image all the same.
    try folder.write(bitmap(width: 100, height: 60, color: (200, 2, 3), seed: 9), to: "labels/odd.json")
    try await server.makeBucket("others")
    try await server.upload(folder: folder.path, to: "others")
    let report = try #require(await run(try Self.job(server.environment, bucket: "others")).report)
    #expect(report.images == 6 && report.otherFiles == 60 && report.leftOut == [])
    #expect(report.bytesFetched < 60 * 5000 + 5 * Int64(picture.count) + 20_000)
  }
}
