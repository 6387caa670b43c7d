import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ObjectStorage

/// Credentials that end while the work goes on, in good weather and in bad: nothing is lost, and the work is carried on.
@Suite(.timeLimit(.minutes(10))) struct CredentialWeatherTests {
  private let home: TemporaryDirectory

  init() throws { home = try TemporaryDirectory("home") }

  private func store(
    _ endpoint: String, _ environment: [String: String] = [:], profile: String, patience: Double? = nil,
    _ change: (inout StorageOptions) -> Void = { _ in }
  ) throws -> any ObjectStore {
    var options = StorageOptions(
      environment: environment.merging([
        "HOME": home.path, "PATH": "/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED": "true",
      ]) { old, _ in old })
    options.profile = profile
    options.patience = patience
    change(&options)
    return try openStore(Location(.bucket(endpoint: endpoint, name: "photos", prefix: [])), options: options)
  }

  private static func tokens(_ name: String, seconds: Double = 3600) -> String {
    """
    <AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>\(name)</AccessKeyId>
    <SecretAccessKey>hush-role</SecretAccessKey><SessionToken>hush-token</SessionToken>
    <Expiration>\(Date(timeIntervalSinceNow: seconds).formatted(.iso8601))</Expiration></Credentials>
    </AssumeRoleResult></AssumeRoleResponse>
    """
  }

  private static func signOn(_ name: String) -> String {
    """
    {"roleCredentials": {"accessKeyId": "\(name)", "secretAccessKey": "hush-s", "sessionToken": "hush-t",
     "expiration": \(Int(Date(timeIntervalSinceNow: 3600).timeIntervalSince1970 * 1000))}}
    """
  }

  private func writeRole(_ baseKey: String = "AKIABASEBASE") throws {
    try home.write(
      Array("[profile role]\nrole_arn = arn:aws:iam::111111111111:role/reader\nsource_profile = base\n".utf8),
      to: ".aws/config")
    try home.write(
      Array("[base]\naws_access_key_id = \(baseKey)\naws_secret_access_key = hush-base\n".utf8),
      to: ".aws/credentials")
  }

  private static let expired = FaultServer.Reply.answer(
    400, body: "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>")
  private static let failure = FaultServer.Reply.answer(500, body: "<Error><Code>InternalError</Code></Error>")

  /// What two servers do at present; a test changes it.
  private final class Weather: Sendable {
    private let state = Mutex((key: "", isDown: false, tokensAreDown: false))
    /// The only access key that the bucket takes.
    var key: String {
      get { state.withLock { $0.key } }
      set { state.withLock { $0.key = newValue } }
    }
    /// Whether the bucket fails.
    var isDown: Bool {
      get { state.withLock { $0.isDown } }
      set { state.withLock { $0.isDown = newValue } }
    }
    /// Whether the service that hands credentials out fails.
    var tokensAreDown: Bool {
      get { state.withLock { $0.tokensAreDown } }
      set { state.withLock { $0.tokensAreDown = newValue } }
    }

    func bucket() throws -> FaultServer {
      try FaultServer { request in
        if self.isDown { return CredentialWeatherTests.failure }
        let isSigned = request.headers["authorization"]?.contains("Credential=\(self.key)/") == true
        return isSigned ? .answer(200, headers: ["ETag": "\"e\""], body: request.path) : CredentialWeatherTests.expired
      }
    }
  }

  /// Reads many objects at one time.
  private func readAll(_ store: any ObjectStore, count: Int = 120) -> Task<Void, any Error> {
    Task {
      try await withThrowingTaskGroup { group in
        for index in 0..<count {
          group.addTask {
            let bytes = try await store.bytes(ObjectKey("\(index)"))
            #expect(bytes == Array("/photos/\(index)".utf8))
          }
        }
        try await group.waitForAll()
      }
    }
  }

  private func waits(_ store: any ObjectStore, _ title: String) async throws {
    try await eventually("it waits: \(title)", within: 60) {
      store.tryNow()
      return store.interruption?.title.contains(title) == true
    }
  }

  @Test("credentials that end while an outage is waited out are exchanged once when it is over")
  func outage() async throws {
    let tokens = try FaultServer { .answer(200, body: Self.tokens("ASIAROLE\($0.number)")) }
    let weather = Weather()
    weather.key = "ASIAROLE0"
    let server = try weather.bucket()
    try writeRole()
    let store = try store(server.endpoint, ["AWS_ENDPOINT_URL_STS": tokens.endpoint], profile: "role")
    _ = try await store.bytes(ObjectKey("first"))
    weather.isDown = true
    let reading = readAll(store)
    try await waits(store, "fails")
    weather.key = "ASIAROLE1"
    weather.isDown = false
    store.tryNow()
    try await reading.value
    #expect(tokens.requests.count == 2 && store.interruption == nil)
  }

  @Test("new credentials that cannot be had during an outage are waited for, and said to be")
  func renewalOutage() async throws {
    let weather = Weather()
    let issued = Mutex(0)
    let tokens = try FaultServer { _ in
      guard !weather.tokensAreDown else { return Self.failure }
      let number = issued.withLock { issued in
        defer { issued += 1 }
        return issued
      }
      return .answer(200, body: Self.tokens("ASIAROLE\(number)"))
    }
    weather.key = "ASIAROLE0"
    let server = try weather.bucket()
    try writeRole()
    let store = try store(server.endpoint, ["AWS_ENDPOINT_URL_STS": tokens.endpoint], profile: "role")
    _ = try await store.bytes(ObjectKey("first"))
    weather.tokensAreDown = true
    weather.key = "ASIAROLE1"
    let reading = readAll(store)
    try await waits(store, "No new credentials")
    let reason = try #require(store.interruption?.reason)
    #expect(reason.contains("role/reader") && !reason.contains("hush"), "\(reason)")
    weather.tokensAreDown = false
    store.tryNow()
    try await reading.value
    #expect(issued.withLock { $0 } == 2 && store.interruption == nil)
  }

  @Test("a sign-on that ends in the middle says what to run, and the work goes on when somebody has")
  func signOnEnds() async throws {
    let weather = Weather()
    weather.key = "ASIASIGNONE"
    let server = try weather.bucket()
    let portal = try FaultServer { request in
      switch request.headers["x-amz-sso_bearer_token"] {
      case "hush-one" where !weather.tokensAreDown: .answer(200, body: Self.signOn("ASIASIGNONE"))
      case "hush-two": .answer(200, body: Self.signOn("ASIASIGNTWO"))
      default: .answer(401, body: "{\"message\": \"Session token not found or invalid\"}")
      }
    }
    try home.write(
      Array(
        """
        [profile sso]
        sso_start_url = https://corp.awsapps.com/start
        sso_region = eu-central-1
        sso_account_id = 222222222222
        sso_role_name = Reader
        """.utf8), to: ".aws/config")
    let file =
      ".aws/sso/cache/" + Digest.hexadecimal(Digest.sha1(Array("https://corp.awsapps.com/start".utf8))) + ".json"
    func token(_ text: String) -> [UInt8] {
      Array("{\"accessToken\": \"\(text)\", \"expiresAt\": \"2999-01-01T00:00:00Z\"}".utf8)
    }
    try home.write(token("hush-one"), to: file)
    let store = try store(server.endpoint, ["AWS_ENDPOINT_URL_SSO": portal.endpoint], profile: "sso")
    _ = try await store.bytes(ObjectKey("first"))
    weather.key = "ASIASIGNTWO"
    weather.tokensAreDown = true
    let reading = readAll(store)
    try await waits(store, "The credentials have expired")
    let reason = try #require(store.interruption?.reason)
    #expect(reason.contains("Run: aws sso login --profile sso") && !reason.contains("hush"), "\(reason)")
    // The AWS command line empties the file before it writes it.
    try home.write([], to: file)
    let before = portal.requests.count
    try await waits(store, "No new credentials")
    #expect(portal.requests.count == before)
    try home.write(token("hush-two"), to: file)
    store.tryNow()
    try await reading.value
  }

  @Test("keys of a role's source that end in the middle are taken anew from the file")
  func sourceEnds() async throws {
    let weather = Weather()
    weather.key = "ASIAROLEONE"
    let server = try weather.bucket()
    let tokens = try FaultServer { request in
      let isNew = request.headers["authorization"]?.contains("Credential=AKIABASETWO/") == true
      if isNew { return .answer(200, body: Self.tokens("ASIAROLETWO")) }
      // Ends soon, so that it is this program that sees it first.
      return request.number == 0
        ? .answer(200, body: Self.tokens("ASIAROLEONE", seconds: 3))
        : .answer(
          403, body: "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>words</Message></Error></ErrorResponse>")
    }
    try writeRole()
    let store = try store(server.endpoint, ["AWS_ENDPOINT_URL_STS": tokens.endpoint], profile: "role")
    _ = try await store.bytes(ObjectKey("first"))
    try await Task.sleep(for: .seconds(4))
    weather.key = "ASIAROLETWO"
    let reading = readAll(store)
    try await waits(store, "The credentials have expired")
    #expect(store.interruption?.reason.contains("profile “base”") == true)
    try writeRole("AKIABASETWO")
    store.tryNow()
    try await reading.value
  }

  @Test("a program of the user's that fails in the middle is asked again until it prints credentials")
  func processFails() async throws {
    let weather = Weather()
    weather.key = "AKIAPROCESSONE"
    let server = try weather.bucket()
    let script = try home.write(Array("#!/bin/sh\ncat \"$(dirname \"$0\")/answer\"\n".utf8), to: "keys")
    chmod(script, 0o755)
    func answer(_ key: String) throws {
      try home.write(
        Array("{\"Version\": 1, \"AccessKeyId\": \"\(key)\", \"SecretAccessKey\": \"hush\"}".utf8), to: "answer")
    }
    try answer("AKIAPROCESSONE")
    try home.write(Array("[profile p]\ncredential_process = \(script)\n".utf8), to: ".aws/config")
    let store = try store(server.endpoint, profile: "p")
    _ = try await store.bytes(ObjectKey("first"))
    weather.key = "AKIAPROCESSTWO"
    try FileManager.default.removeItem(atPath: home.file("answer"))
    let reading = readAll(store)
    try await waits(store, "No new credentials")
    try answer("AKIAPROCESSTWO")
    store.tryNow()
    try await reading.value
  }

  @Test("patience ends for credentials too, and the end names them")
  func patience() async throws {
    let tokens = try FaultServer { _ in .answer(200, body: Self.tokens("ASIAROLE0")) }
    let weather = Weather()
    weather.key = "ASIAROLE0"
    let server = try weather.bucket()
    try writeRole()
    let store = try store(
      server.endpoint, ["AWS_ENDPOINT_URL_STS": tokens.endpoint], profile: "role", patience: 2)
    _ = try await store.bytes(ObjectKey("first"))
    weather.key = "none"
    let reading = readAll(store, count: 10)
    let error = await #expect(throws: StorageError.self) { try await reading.value }
    #expect(error?.kind == .expiredCredentials && error?.concernsWholeLocation == true)
    #expect(error?.message.contains("2 seconds") == true, "\(String(describing: error))")
  }

  @Test("whoever is cancelled while credentials are renewed goes at once, and the others carry on")
  func cancelled() async throws {
    let holds = Mutex(true)
    let tokens = try FaultServer { request in
      while request.number > 0, holds.withLock({ $0 }) { Thread.sleep(forTimeInterval: 0.01) }
      return .answer(200, body: Self.tokens("ASIAROLE\(request.number)"))
    }
    let weather = Weather()
    weather.key = "ASIAROLE0"
    let server = try weather.bucket()
    try writeRole()
    let store = try store(server.endpoint, ["AWS_ENDPOINT_URL_STS": tokens.endpoint], profile: "role")
    _ = try await store.bytes(ObjectKey("first"))
    weather.key = "ASIAROLE1"
    let one = Task { try await store.bytes(ObjectKey("one")) }
    let others = readAll(store, count: 20)
    try await eventually("the service is asked") { tokens.requests.count == 2 }
    one.cancel()
    await #expect(throws: CancellationError.self) { _ = try await one.value }
    #expect(holds.withLock { $0 })
    holds.withLock { $0 = false }
    try await others.value
    #expect(tokens.requests.count == 2)
  }

  @Test("a request waits only shortly for new credentials while the old ones last")
  func silentService() async throws {
    let tokens = try FaultServer { $0.number == 0 ? .answer(200, body: Self.tokens("ASIAROLE0")) : .silence }
    try writeRole()
    var options = StorageOptions(environment: ["HOME": home.path, "AWS_ENDPOINT_URL_STS": tokens.endpoint])
    options.profile = "role"
    let settings = try StorageSettings(options, locationEndpoint: nil)
    let later = Mutex(0.0)
    let (plan, start) = (settings.credentialPlan, Date())
    let source = CredentialSource(
      plan: plan, fetcher: settings.credentialSource.fetcher, lookUp: { plan },
      now: { start.addingTimeInterval(later.withLock { $0 }) })
    #expect(try await source.credentials()?.accessKeyID == "ASIAROLE0")
    later.withLock { $0 = 3400 }
    #expect(try await source.credentials()?.accessKeyID == "ASIAROLE0")
    #expect(try await source.credentials()?.accessKeyID == "ASIAROLE0")
    // One try lasts 20 seconds, and another one follows: nobody waited for the end of the first.
    #expect(tokens.requests.count == 2)
  }

  @Test("readers who pay say so on every part of an object, and in its link")
  func requesterPays() async throws {
    let size = 20 << 20
    let server = try FaultServer { request in
      let ends = request.headers["range"]?.dropFirst("bytes=".count).split(separator: "-").compactMap { Int($0) } ?? []
      guard ends.count == 2 else { return .answer(400) }
      let last = min(ends[1], size - 1)
      return .content(
        206, headers: ["ETag": "\"e\"", "Content-Range": "bytes \(ends[0])-\(last)/\(size)"],
        body: [UInt8](repeating: 7, count: last - ends[0] + 1))
    }
    try home.write(
      Array("[p]\naws_access_key_id = ASIAFILE\naws_secret_access_key = s\naws_session_token = token\n".utf8),
      to: ".aws/credentials")
    let store = try store(server.endpoint, profile: "p") { $0.requesterPays = true }
    let object = StoredObject(key: ObjectKey("x"), size: Int64(size), etag: "e")
    guard case .bytes(let bytes, _) = try await store.get(object) else { throw TestSupportError("no bytes") }
    #expect(bytes.count == size)
    #expect(server.requests.count == 3)
    for (index, request) in server.requests.sorted(by: { $0.number < $1.number }).enumerated() {
      #expect(request.headers["x-amz-request-payer"] == "requester")
      #expect(request.headers["authorization"]?.contains(";x-amz-request-payer;x-amz-security-token") == true)
      #expect((request.headers["if-match"] == "\"e\"") == (index > 0))
    }
    let link = try await store.link(to: ObjectKey("x"), validFor: 60)
    #expect(link.contains("x-amz-request-payer=requester") && link.contains("X-Amz-Security-Token=token"))
  }
}
