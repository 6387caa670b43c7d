import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ObjectStorage

/// Credentials that others hand out, asked for over real connections.
@Suite(.timeLimit(.minutes(10))) struct CredentialServiceTests {
  private let home: TemporaryDirectory

  init() throws { home = try TemporaryDirectory("home") }

  private func settings(
    _ environment: [String: String], config: String = "", credentials: String = "", profile: String? = nil
  ) throws -> StorageSettings {
    try home.write(Array(config.utf8), to: ".aws/config")
    try home.write(Array(credentials.utf8), to: ".aws/credentials")
    var options = StorageOptions(
      environment: environment.merging(["HOME": home.path, "PATH": "/usr/bin:/bin"]) { old, _ in old })
    options.profile = profile
    return try StorageSettings(options, locationEndpoint: nil)
  }

  /// The same credentials by a clock that a test sets.
  private func source(_ settings: StorageSettings, clock: SetClock) -> CredentialSource {
    let plan = settings.credentialPlan
    return CredentialSource(
      plan: plan, fetcher: settings.credentialSource.fetcher, lookUp: { plan }, now: { clock.now },
      // The clock stands still, and the machine may be busy.
      graceSeconds: 60)
  }

  /// Stands still until it is set forward.
  private final class SetClock: Sendable {
    private let seconds = Mutex(0.0)
    private let start = Date()
    var now: Date { start.addingTimeInterval(seconds.withLock { $0 }) }
    func advance(_ more: Double) { seconds.withLock { $0 += more } }
  }

  private func failure(_ settings: StorageSettings) async throws -> StorageError {
    do {
      let found = try await settings.credentialSource.credentials()
      throw TestSupportError("there are credentials: \(String(describing: found))")
    } catch let error as StorageError { return error }
  }

  private static func moment(_ seconds: Double) -> String {
    Date(timeIntervalSinceNow: seconds).formatted(.iso8601)
  }

  private static func tokens(_ number: Int) -> String {
    """
    <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
    <AccessKeyId>ASIAROLE\(number)</AccessKeyId><SecretAccessKey>hush-role\(number)</SecretAccessKey>
    <SessionToken>hush-token\(number)</SessionToken><Expiration>\(moment(3600))</Expiration></Credentials>
    </AssumeRoleResult></AssumeRoleResponse>
    """
  }

  private static let roleConfig = """
    [profile base]
    region = eu-west-1
    [profile role]
    role_arn = arn:aws:iam::111111111111:role/reader
    source_profile = base
    external_id = a&b=c
    role_session_name = ada@example
    duration_seconds = 900
    region = eu-west-1
    [profile chain]
    role_arn = arn:aws:iam::111111111111:role/second
    source_profile = role
    [profile device]
    role_arn = arn:aws:iam::111111111111:role/reader
    source_profile = base
    mfa_serial = arn:aws:iam::111111111111:mfa/ada
    """
  private static let baseKeys = "[base]\naws_access_key_id = AKIABASEBASE\naws_secret_access_key = hush-base\n"

  // MARK: - Roles

  @Test("a role is assumed with a signed request that says what the profile says")
  func role() async throws {
    let server = try FaultServer { .answer(200, body: Self.tokens($0.number)) }
    let settings = try settings(
      ["AWS_ENDPOINT_URL_STS": server.endpoint], config: Self.roleConfig, credentials: Self.baseKeys, profile: "role")
    let found = try #require(try await settings.credentialSource.credentials())
    #expect(found.accessKeyID == "ASIAROLE0" && found.secretKey.value == "hush-role0")
    #expect(found.sessionToken?.value == "hush-token0")
    #expect(found.source.contains("role/reader") && found.source.contains("“base”"))
    let request = try #require(server.requests.first)
    #expect(request.method == "POST")
    let form = String(decoding: request.body, as: UTF8.self)
    for part in [
      "Action=AssumeRole&", "DurationSeconds=900", "ExternalId=a%26b%3Dc", "RoleSessionName=ada%40example",
      "RoleArn=arn%3Aaws%3Aiam%3A%3A111111111111%3Arole%2Freader", "Version=2011-06-15",
    ] { #expect(form.contains(part), "\(form)") }
    // Signed again from what arrived.
    let names = ["content-type", "host", "x-amz-date"]
    let signable = SignableRequest(
      method: "POST", path: "/", query: "", headers: names.map { ($0, request.headers[$0] ?? "") },
      payloadHash: Digest.hexadecimal(Digest.sha256(request.body)))
    let signer = RequestSigner(
      credentials: Credentials(accessKeyID: "AKIABASEBASE", secretKey: "hush-base", source: ""), region: "eu-west-1",
      service: "sts")
    let date = SigningDate(timestamp: request.headers["x-amz-date"] ?? "")
    #expect(request.headers["authorization"] == signer.authorization(for: signable, at: date))
  }

  @Test("a chain of roles is walked from its end, each with the credentials of the one before")
  func chain() async throws {
    let server = try FaultServer { .answer(200, body: Self.tokens($0.number)) }
    let settings = try settings(
      ["AWS_ENDPOINT_URL_STS": server.endpoint], config: Self.roleConfig, credentials: Self.baseKeys, profile: "chain")
    #expect(try await settings.credentialSource.credentials()?.accessKeyID == "ASIAROLE1")
    let requests = server.requests
    #expect(requests.count == 2)
    #expect(requests[1].headers["authorization"]?.contains("ASIAROLE0/") == true)
    #expect(requests[1].headers["x-amz-security-token"] == "hush-token0")
  }

  @Test("however many requests wait, the service is asked once, and again before the end")
  func singleFlight() async throws {
    let server = try FaultServer { .answer(200, body: Self.tokens($0.number)) }
    let settings = try settings(
      ["AWS_ENDPOINT_URL_STS": server.endpoint], config: Self.roleConfig, credentials: Self.baseKeys, profile: "role")
    let clock = SetClock()
    let source = source(settings, clock: clock)
    func fifty() async throws -> Set<String?> {
      try await withThrowingTaskGroup(of: String?.self) { group in
        for _ in 0..<50 { group.addTask { try await source.credentials()?.accessKeyID } }
        return try await group.reduce(into: []) { $0.insert($1) }
      }
    }
    #expect(try await fifty() == ["ASIAROLE0"])
    clock.advance(3000)
    #expect(try await fifty() == ["ASIAROLE0"])
    #expect(server.requests.count == 1)
    clock.advance(400)
    #expect(try await fifty() == ["ASIAROLE1"])
    #expect(server.requests.count == 2)
  }

  @Test("while the old credentials last, a service that fails disturbs nobody; then its refusal is said")
  func renewalInVain() async throws {
    let server = try FaultServer {
      $0.number == 0
        ? .answer(200, body: Self.tokens(0)) : .answer(403, body: "<Error><Code>AccessDenied</Code></Error>")
    }
    let settings = try settings(
      ["AWS_ENDPOINT_URL_STS": server.endpoint], config: Self.roleConfig, credentials: Self.baseKeys, profile: "role")
    let clock = SetClock()
    let source = source(settings, clock: clock)
    for (seconds, requests) in [(0.0, 1), (3400, 2), (1, 2), (60, 3)] {
      clock.advance(seconds)
      #expect(try await source.credentials()?.accessKeyID == "ASIAROLE0")
      #expect(server.requests.count == requests)
    }
    clock.advance(400)
    let error = await #expect(throws: StorageError.self) { _ = try await source.credentials() }
    #expect(error?.message.contains("could not be assumed") == true)
  }

  @Test("a waiter that is cancelled goes at once")
  func cancelled() async throws {
    let server = try FaultServer { _ in .silence }
    let settings = try settings(
      ["AWS_ENDPOINT_URL_STS": server.endpoint], config: Self.roleConfig, credentials: Self.baseKeys, profile: "role")
    let task = Task { try await settings.credentialSource.credentials() }
    try await eventually("the service is asked") { server.requests.count == 1 }
    task.cancel()
    await #expect(throws: CancellationError.self) { _ = try await task.value }
  }

  @Test(
    "what the service refuses is said with its remedy",
    arguments: [
      (403, "AccessDenied", StorageError.Kind.noCredentials, "sts:AssumeRole"),
      (403, "ExpiredToken", .expiredCredentials, "profile “base”"),
      (403, "InvalidClientTokenId", .unknownAccessKey, "AKIA…BASE"),
      (403, "SignatureDoesNotMatch", .wrongSecret, "secret key"),
      (400, "ValidationError", .configuration, "role_session_name"),
    ])
  func refusedRole(status: Int, code: String, kind: StorageError.Kind, word: String) async throws {
    let server = try FaultServer { _ in
      .answer(
        status,
        body: "<ErrorResponse><Error><Type>Sender</Type><Code>\(code)</Code><Message>words</Message></Error>"
          + "<RequestId>R42</RequestId></ErrorResponse>")
    }
    let settings = try settings(
      ["AWS_ENDPOINT_URL_STS": server.endpoint], config: Self.roleConfig, credentials: Self.baseKeys, profile: "role")
    let error = try await failure(settings)
    #expect(error.kind == kind)
    #expect(error.requestID == "R42")
    #expect(error.description.contains(word) && error.message.contains("role/reader"), "\(error)")
    #expect(!error.description.contains("hush"))
  }

  @Test("a clock that is wrong is corrected for the service too")
  func clock() async throws {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "GMT")
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    let text = formatter.string(from: Date(timeIntervalSinceNow: 7200))
    let server = try FaultServer {
      $0.number == 0
        ? .answer(403, headers: ["Date": text], body: "<Error><Code>RequestExpired</Code></Error>")
        : .answer(200, headers: ["Date": text], body: Self.tokens(1))
    }
    let settings = try settings(
      ["AWS_ENDPOINT_URL_STS": server.endpoint], config: Self.roleConfig, credentials: Self.baseKeys, profile: "role")
    #expect(try await settings.credentialSource.credentials()?.accessKeyID == "ASIAROLE1")
    let dates = server.requests.compactMap { $0.headers["x-amz-date"] }
    #expect(dates.count == 2 && dates[0] < dates[1])
  }

  @Test("a role that wants a number from a device is had from the cache of the AWS command line, or said to want it")
  func device() async throws {
    let settings = try settings([:], config: Self.roleConfig, credentials: Self.baseKeys, profile: "device")
    let error = try await failure(settings)
    #expect(error.message.contains("mfa/ada"))
    #expect(error.remedy?.contains("aws sts get-caller-identity --profile device") == true)
    guard case .role(let role, _) = settings.credentialPlan else { throw TestSupportError("no role") }
    let path = CommandLineCache(directory: home.path + "/.aws").path(of: role)
    let session = """
      {"Credentials": {"AccessKeyId": "ASIACACHED", "SecretAccessKey": "hush-cached", "SessionToken": "hush-t",
       "Expiration": "\(Self.moment(3000))"}}
      """
    try home.write(Array(session.utf8), to: String(path.dropFirst(home.path.count + 1)))
    #expect(try await settings.credentialSource.credentials()?.accessKeyID == "ASIACACHED")
  }

  @Test("a web identity is exchanged without a signature, its token read anew")
  func webIdentity() async throws {
    let server = try FaultServer { .answer(200, body: Self.tokens($0.number)) }
    try home.write(Array("hush.jwt.one\n".utf8), to: "token")
    let settings = try settings([
      "AWS_ENDPOINT_URL_STS": server.endpoint, "AWS_WEB_IDENTITY_TOKEN_FILE": home.file("token"),
      "AWS_ROLE_ARN": "arn:aws:iam::111111111111:role/pod",
    ])
    let clock = SetClock()
    let source = source(settings, clock: clock)
    #expect(try await source.credentials()?.accessKeyID == "ASIAROLE0")
    try home.write(Array("hush.jwt.two".utf8), to: "token")
    clock.advance(3500)
    #expect(try await source.credentials()?.accessKeyID == "ASIAROLE1")
    let forms = server.requests.map { String(decoding: $0.body, as: UTF8.self) }
    #expect(
      forms.allSatisfy { $0.contains("Action=AssumeRoleWithWebIdentity") && $0.contains("RoleSessionName=s3totsne-") })
    #expect(forms.first?.contains("WebIdentityToken=hush.jwt.one") == true)
    #expect(forms.last?.contains("WebIdentityToken=hush.jwt.two") == true)
    #expect(server.requests.allSatisfy { $0.headers["authorization"] == nil })
    try FileManager.default.removeItem(atPath: home.file("token"))
    let missing = try await failure(
      try self.settings(["AWS_WEB_IDENTITY_TOKEN_FILE": home.file("token"), "AWS_ROLE_ARN": "arn:r"]))
    #expect(missing.message.contains(home.file("token")))
  }

  // MARK: - Processes

  private func process(_ script: String) throws -> StorageSettings {
    let path = try home.write(Array("#!/bin/sh\n\(script)\n".utf8), to: "my keys")
    chmod(path, 0o755)
    return try settings([:], config: "[profile p]\ncredential_process = \"\(path)\" 'one $HOME' two\n", profile: "p")
  }

  @Test("a process is run without a shell, and what it prints is taken")
  func process() async throws {
    let settings = try process(
      """
      [ "$1" = 'one $HOME' ] && [ "$2" = two ] || exit 9
      echo 'hush noise' >&2
      echo '{"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "hush-process", "SessionToken": null}'
      """)
    let found = try #require(try await settings.credentialSource.credentials())
    #expect(found.accessKeyID == "AKIAPROCESS" && found.sessionToken == nil && found.expiration == nil)
  }

  @Test(
    "a process that fails is said to, and nothing that it prints is repeated",
    arguments: [
      ("echo hush >&2; echo hush; exit 3", "exit code 3"), ("echo hush", "not the JSON"),
      ("echo '{\"Version\": 2}'", "version 2"),
      ("echo '{\"Version\": 1, \"AccessKeyId\": \"hush\"}'", "no SecretAccessKey"),
      ("kill -9 $$", "signal 9"), ("head -c 400000 /dev/zero | tr '\\0' x", "too much"),
    ])
  func failingProcess(_ script: String, word: String) async throws {
    let error = try await failure(try process(script))
    #expect(error.kind == .noCredentials)
    #expect(error.message.contains(word) && error.message.contains("“p”"), "\(error)")
    #expect(error.remedy?.contains("hush") != true && !error.message.contains("hush"))
  }

  @Test("a process that is missing, and one that never ends, are said to be")
  func endlessProcess() async throws {
    let missing = try settings([:], config: "[profile p]\ncredential_process = /no/such/program\n", profile: "p")
    #expect(try await failure(missing).message.contains("could not be started"))
    let path = try home.write(
      Array("#!/bin/sh\nsleep 100 & echo $! > \(home.file("child")); wait\n".utf8), to: "endless")
    chmod(path, 0o755)
    let process = CredentialProcess(profile: "p", command: Secret(path))
    // Long enough for it to have started on a busy machine.
    let ended = await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(
          returning: Result { try process.run(environment: [:], timeoutSeconds: 5, isCancelled: { false }) })
      }
    }
    let error = #expect(throws: StorageError.self) { _ = try ended.get() }
    #expect(error?.message.contains("within 5 seconds") == true)
    // With all that it started.
    let text = String(decoding: FileManager.default.contents(atPath: home.file("child")) ?? Data(), as: UTF8.self)
    let child = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    try await eventually("its child has ended") {
      let state = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)
      return state == nil || state?.contains(") Z") == true
    }
  }

  // MARK: - Single sign-on

  private static let signOnConfig = """
    [profile sso]
    sso_session = corp
    sso_account_id = 222222222222
    sso_role_name = Reader
    [sso-session corp]
    sso_start_url = https://corp.awsapps.com/start
    sso_region = eu-central-1
    """

  private func signOn(_ server: FaultServer, token: String?) throws -> StorageSettings {
    let settings = try settings(
      ["AWS_ENDPOINT_URL_SSO": server.endpoint, "AWS_ENDPOINT_URL_SSO_OIDC": server.endpoint],
      config: Self.signOnConfig, profile: "sso")
    if let token { try home.write(Array(token.utf8), to: signOnFile(settings)) }
    return settings
  }

  private func signOnFile(_ settings: StorageSettings) -> String {
    guard case .singleSignOn(let signOn) = settings.credentialPlan else { return "none" }
    return String(signOn.tokenFile.dropFirst(home.path.count + 1))
  }

  private static func role(_ name: String) -> String {
    """
    {"roleCredentials": {"accessKeyId": "\(name)", "secretAccessKey": "hush-s", "sessionToken": "hush-t",
     "expiration": \(Int(Date(timeIntervalSinceNow: 3600).timeIntervalSince1970 * 1000))}}
    """
  }

  @Test("a sign-on is exchanged for the role's credentials")
  func singleSignOn() async throws {
    let server = try FaultServer { _ in .answer(200, body: Self.role("ASIASSO")) }
    let settings = try signOn(
      server, token: "{\"accessToken\": \"hush-access\", \"expiresAt\": \"\(Self.moment(3600))\"}")
    let found = try #require(try await settings.credentialSource.credentials())
    #expect(found.accessKeyID == "ASIASSO" && (found.expiration?.timeIntervalSinceNow ?? 0) > 3000)
    #expect(found.source.contains("“corp”") && found.renewal == "Run: aws sso login --profile sso")
    let request = try #require(server.requests.first)
    #expect(request.target == "/federation/credentials?account_id=222222222222&role_name=Reader")
    #expect(request.headers["x-amz-sso_bearer_token"] == "hush-access")
  }

  @Test(
    "a sign-on that is missing, damaged, ended or refused leads to “aws sso login”",
    arguments: [
      nil, "{", "{\"accessToken\": \"hush\", \"expiresAt\": \"2020-06-17T02:21:08UTC\"}",
      "{\"accessToken\": \"hush\", \"expiresAt\": \"2999-06-17T02:21:08Z\"}",
    ])
  func endedSignOn(_ token: String?) async throws {
    let server = try FaultServer { _ in .answer(401, body: "{\"message\": \"Session token not found or invalid\"}") }
    let error = try await failure(try signOn(server, token: token))
    #expect(error.remedy == "Run: aws sso login --profile sso")
    #expect(!error.description.contains("hush"))
    #expect(error.kind == (token?.contains("accessToken") == true ? .expiredCredentials : .noCredentials))
  }

  @Test("a role that the sign-on does not give is said to be")
  func refusedSignOn() async throws {
    let server = try FaultServer { _ in .answer(403, body: "{\"message\": \"No access\"}") }
    let error = try await failure(
      try signOn(server, token: "{\"accessToken\": \"hush\", \"expiresAt\": \"\(Self.moment(3600))\"}"))
    #expect(error.kind == .noCredentials)
    #expect(error.message.contains("Reader") && error.message.contains("222222222222"))
    #expect(error.message.contains("No access"))
  }

  @Test("a sign-on with a refresh token is prolonged, and kept for the AWS command line")
  func prolonged() async throws {
    let server = try FaultServer { request in
      request.path == "/token"
        ? .answer(200, body: "{\"accessToken\": \"hush-new\", \"expiresIn\": 3600, \"refreshToken\": \"hush-r2\"}")
        : .answer(200, body: Self.role("ASIASSO"))
    }
    let settings = try signOn(
      server,
      token: """
        {"accessToken": "hush-old", "expiresAt": "\(Self.moment(-60))", "refreshToken": "hush-r1", "clientId": "c",
         "clientSecret": "hush-c", "registrationExpiresAt": "\(Self.moment(86_400))", "startUrl": "https://corp"}
        """)
    #expect(try await settings.credentialSource.credentials()?.accessKeyID == "ASIASSO")
    let requests = server.requests
    #expect(requests.map(\.path) == ["/token", "/federation/credentials"])
    let form = try #require(try JSONSerialization.jsonObject(with: Data(requests[0].body)) as? [String: String])
    #expect(
      form == ["grantType": "refresh_token", "clientId": "c", "clientSecret": "hush-c", "refreshToken": "hush-r1"])
    #expect(requests[1].headers["x-amz-sso_bearer_token"] == "hush-new")
    let path = home.file(signOnFile(settings))
    let data = try #require(FileManager.default.contents(atPath: path))
    let kept = try #require(try JSONSerialization.jsonObject(with: data) as? [String: String])
    #expect(
      kept["accessToken"] == "hush-new" && kept["refreshToken"] == "hush-r2" && kept["startUrl"] == "https://corp")
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }

  // MARK: - Machines

  private static let machineKeys = """
    {"Code": "Success", "AccessKeyId": "ASIAMACHINE", "SecretAccessKey": "hush-m", "Token": "hush-mt",
     "Expiration": "2999-01-01T00:00:00Z"}
    """

  @Test("a container's service is asked with its token, which is read anew")
  func container() async throws {
    let server = try FaultServer { request in
      request.headers["authorization"] == "hush-file" ? .answer(200, body: Self.machineKeys) : .answer(401)
    }
    try home.write(Array("hush-file".utf8), to: "token")
    let environment = [
      "AWS_CONTAINER_CREDENTIALS_FULL_URI": server.endpoint + "/role?id=1",
      "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": home.file("token"),
      "AWS_CONTAINER_AUTHORIZATION_TOKEN": "hush-variable",
    ]
    #expect(try await settings(environment).credentialSource.credentials()?.accessKeyID == "ASIAMACHINE")
    #expect(server.requests.first?.target == "/role?id=1")
    try home.write(Array("hush-wrong".utf8), to: "token")
    let error = try await failure(try settings(environment))
    #expect(error.message.contains("401") && !error.description.contains("hush"))
  }

  @Test("an instance's service is asked for a token first, then for its role")
  func instance() async throws {
    let server = try FaultServer { request in
      switch (request.method, request.path) {
      case ("PUT", "/latest/api/token"):
        request.headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600"
          ? .answer(200, body: "hush-imds") : .answer(400)
      case ("GET", _) where request.headers["x-aws-ec2-metadata-token"] != "hush-imds": .answer(401)
      case ("GET", "/latest/meta-data/iam/security-credentials/"): .answer(200, body: "my role\n")
      case ("GET", "/latest/meta-data/iam/security-credentials/my%20role"): .answer(200, body: Self.machineKeys)
      default: .answer(404)
      }
    }
    let found = try await settings([
      "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.endpoint, "AWS_METADATA_SERVICE_TIMEOUT": "30",
    ]).credentialSource
      .credentials()
    #expect(found?.accessKeyID == "ASIAMACHINE")
    #expect(found?.source.contains("role my role") == true)
  }

  @Test("where no instance's service answers, or none gives a role, that is said after one try")
  func noInstance() async throws {
    let silent = try FaultServer { _ in .silence }
    let empty = try FaultServer { $0.method == "PUT" ? .answer(200, body: "t") : .answer(404) }
    for endpoint in [silent.endpoint, "http://127.0.0.1:1", empty.endpoint] {
      let error = try await failure(try settings(["AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint]))
      #expect(error.kind == .noCredentials)
      #expect(error.message.contains("in the environment") && error.message.contains("profile “default”"), "\(error)")
      #expect(error.remedy?.contains("--no-sign-request") == true)
    }
    #expect(silent.requests.count == 1)
  }

  // MARK: - In the middle of a job

  private func store(_ endpoint: String, _ environment: [String: String], profile: String?) throws -> any ObjectStore {
    var options = StorageOptions(
      environment: environment.merging(["HOME": home.path, "AWS_EC2_METADATA_DISABLED": "true"]) { old, _ in old })
    options.profile = profile
    return try openStore(Location(.bucket(endpoint: endpoint, name: "photos", prefix: [])), options: options)
  }

  private static let expired = FaultServer.Reply.answer(
    400, body: "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>")

  @Test("credentials that end in the middle are exchanged once, for all requests")
  func expiredInTheMiddle() async throws {
    let tokens = try FaultServer { .answer(200, body: Self.tokens($0.number)) }
    let accepts = Mutex("ASIAROLE0/")
    let server = try FaultServer { request in
      request.headers["authorization"]?.contains(accepts.withLock { $0 }) == true
        ? .answer(200, body: "hello") : Self.expired
    }
    try home.write(Array(Self.roleConfig.utf8), to: ".aws/config")
    try home.write(Array(Self.baseKeys.utf8), to: ".aws/credentials")
    let store = try store(server.endpoint, ["AWS_ENDPOINT_URL_STS": tokens.endpoint], profile: "role")
    _ = try await store.bytes(ObjectKey("x"))
    accepts.withLock { $0 = "ASIAROLE1/" }
    try await withThrowingTaskGroup { group in
      for index in 0..<40 { group.addTask { _ = try await store.bytes(ObjectKey("\(index)")) } }
      try await group.waitForAll()
    }
    #expect(tokens.requests.count == 2)
    #expect(store.counts.retries <= 40)
  }

  @Test("keys that a person has put into the file anew are taken in the middle")
  func renewedFile() async throws {
    let server = try FaultServer { request in
      request.headers["x-amz-security-token"] == "hush-new" ? .answer(200, body: "hello") : Self.expired
    }
    func keys(_ token: String) -> [UInt8] {
      Array("[p]\naws_access_key_id = ASIAFILE\naws_secret_access_key = hush-s\naws_session_token = \(token)\n".utf8)
    }
    try home.write(keys("hush-old"), to: ".aws/credentials")
    let store = try store(server.endpoint, [:], profile: "p")
    let error = await #expect(throws: StorageError.self) { _ = try await store.bytes(ObjectKey("x")) }
    #expect(error?.kind == .expiredCredentials)
    #expect(error?.remedy?.contains("profile “p”") == true)
    try home.write(keys("hush-new"), to: ".aws/credentials")
    #expect(try await store.bytes(ObjectKey("x")) == Array("hello".utf8))
  }

  @Test("a sign-on that has ended in the middle says what to run")
  func signOnEnded() async throws {
    let portal = try FaultServer { $0.number == 0 ? .answer(200, body: Self.role("ASIASSO")) : .answer(401) }
    let settings = try signOn(
      portal, token: "{\"accessToken\": \"hush\", \"expiresAt\": \"\(Self.moment(3600))\"}")
    _ = settings
    let server = try FaultServer { _ in Self.expired }
    let store = try store(server.endpoint, ["AWS_ENDPOINT_URL_SSO": portal.endpoint], profile: "sso")
    let error = await #expect(throws: StorageError.self) { _ = try await store.bytes(ObjectKey("x")) }
    #expect(error?.kind == .expiredCredentials)
    #expect(error?.remedy == "Run: aws sso login --profile sso")
  }

  @Test("readers who pay say so, signed, on listings and objects alike")
  func requesterPays() async throws {
    let server = try FaultServer { request in
      request.isListing ? .answer(200, body: "<ListBucketResult></ListBucketResult>") : .answer(200, body: "hello")
    }
    var options = StorageOptions(environment: [
      "AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "s", "AWS_CONFIG_FILE": "/dev/null",
      "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    ])
    options.requesterPays = true
    let store = try openStore(
      Location(.bucket(endpoint: server.endpoint, name: "photos", prefix: [])), options: options)
    _ = try await store.allObjects()
    _ = try await store.bytes(ObjectKey("x"))
    #expect(server.requests.count == 2)
    for request in server.requests {
      #expect(request.headers["x-amz-request-payer"] == "requester")
      #expect(request.headers["authorization"]?.contains(";x-amz-request-payer") == true)
    }
  }
}
