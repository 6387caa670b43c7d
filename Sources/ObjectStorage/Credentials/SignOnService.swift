import Foundation

/// IAM Identity Center: exchanges a person's sign-on for the credentials of a role.
///
/// https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
struct SignOnService: Sendable {
  var client: ServiceClient
  var signOn: SingleSignOn
  /// The portal.
  var endpoint: EndpointAddress
  /// Where a sign-on is prolonged.
  var tokenEndpoint: EndpointAddress
  /// For files.
  var lane: BlockingLane

  /// A sign-on that ends sooner is prolonged first, where it can be.
  private static let refreshSeconds = 15.0 * 60

  func credentials() async throws -> Credentials {
    var token = try await currentToken()
    var response = try await ask(token)
    if response.status == 401, let renewed = try await prolonged(token) {
      token = renewed
      response = try await ask(token)
    }
    guard response.isSuccess else { throw refusal(response) }
    guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(response.body)) else {
      throw StorageError(
        .invalidAnswer, "The \(signOn.source): \(endpoint.text) answers, but with no credentials.",
        remedy: "Check AWS_ENDPOINT_URL_SSO and AWS_ENDPOINT_URL.")
    }
    let found = answer.roleCredentials
    return Credentials(
      accessKeyID: found.accessKeyId, secretKey: found.secretAccessKey, sessionToken: found.sessionToken,
      expiration: found.expiration.map { Date(timeIntervalSince1970: $0 / 1000) }, source: signOn.source,
      renewal: "Run: \(signOn.loginCommand)")
  }

  private func ask(_ token: Token) async throws -> HTTPResponse {
    let query = CanonicalQuery([("account_id", signOn.accountID), ("role_name", signOn.roleName)]).text
    let url = "\(endpoint.text)/federation/credentials?\(query)"
    return try await client.send(.get, url, to: endpoint, service: "Asking for the role \(signOn.roleName)") { _ in
      [("x-amz-sso_bearer_token", token.accessToken.value)]
    }
  }

  private func refusal(_ response: HTTPResponse) -> StorageError {
    let said = (try? JSONDecoder().decode(Refusal.self, from: Data(response.body)))?.message
    var error =
      switch response.status {
      case 401: expired
      case 403, 404:
        StorageError(
          .noCredentials,
          "The sign-on does not give the role \(signOn.roleName) in account \(signOn.accountID)"
            + (said.map { " (\($0))" } ?? "") + ".",
          remedy: "Check sso_role_name and sso_account_id of profile “\(signOn.profile)”, or ask for the permission.")
      default:
        StorageError(
          .refused,
          "The \(signOn.source): \(endpoint.text) answers \(response.status)"
            + (said.map { " (\($0))" } ?? "") + ".",
          remedy: "Run: \(signOn.loginCommand)")
      }
    error.requestID = response[header: "x-amzn-requestid"].nonEmpty
    return error
  }

  private var expired: StorageError {
    StorageError(
      .expiredCredentials, "The \(signOn.source) has expired.", remedy: "Run: \(signOn.loginCommand)")
  }

  // MARK: - The cached sign-on

  /// What the AWS command line keeps of a sign-on.
  private struct Token: Sendable {
    var accessToken: Secret
    var expiration: Date
    /// All of the file, to be written again with what has changed.
    var file: [String: String]
  }

  private func currentToken() async throws -> Token {
    let token = try await lane.run { _ in try readToken() }
    let left = token.expiration.timeIntervalSinceNow
    if left < Self.refreshSeconds {
      do {
        if let renewed = try await prolonged(token) { return renewed }
      } catch let error as StorageError {
        // Without a connection nobody can say that it has ended.
        guard left > 0 else { throw error }
      }
    }
    guard left > 0 else { throw expired }
    return token
  }

  private func readToken() throws(StorageError) -> Token {
    var bytes: [UInt8] = []
    do throws(SystemFailure) {
      let file = try FileDescriptor(Array(signOn.tokenFile.utf8), flags: O_RDONLY)
      while bytes.count < 1 << 20, try file.append(to: &bytes, atMost: 65_536) > 0 {}
    } catch {
      throw StorageError(
        .noCredentials,
        "The \(signOn.source) needs a sign-on in the browser first"
          + (error.code == ENOENT ? "." : " (\(signOn.tokenFile): \(error.reason))."),
        remedy: "Run: \(signOn.loginCommand)")
    }
    let values = (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any] ?? [:]
    let file = values.compactMapValues { $0 as? String }
    guard let accessToken = file["accessToken"], let text = file["expiresAt"],
      let expiration = Timestamp.date(anyISO8601: text)
    else {
      throw StorageError(
        .noCredentials, "The file \(signOn.tokenFile) of the \(signOn.source) is damaged.",
        remedy: "Run: \(signOn.loginCommand)")
    }
    return Token(accessToken: Secret(accessToken), expiration: expiration, file: file)
  }

  /// A sign-on with a refresh token lasts for days, in pieces of an hour.
  /// - Returns: nil where it cannot be prolonged.
  /// - Throws: `StorageError` where nobody answers; `CancellationError`.
  private func prolonged(_ token: Token) async throws -> Token? {
    guard let refreshToken = token.file["refreshToken"], let clientID = token.file["clientId"],
      let clientSecret = token.file["clientSecret"],
      let registered = token.file["registrationExpiresAt"].flatMap({ Timestamp.date(anyISO8601: $0) }),
      registered.timeIntervalSinceNow > 0
    else { return nil }
    let body = try JSONEncoder().encode([
      "grantType": "refresh_token", "clientId": clientID, "clientSecret": clientSecret, "refreshToken": refreshToken,
    ])
    let response = try await client.send(
      .post, "\(tokenEndpoint.text)/token", to: tokenEndpoint, service: "Prolonging the sign-on", body: Array(body)
    ) { _ in [("content-type", "application/json")] }
    guard response.isSuccess, let answer = try? JSONDecoder().decode(Prolonged.self, from: Data(response.body)) else {
      return nil
    }
    var renewed = token
    renewed.accessToken = Secret(answer.accessToken)
    renewed.expiration = Date(timeIntervalSinceNow: answer.expiresIn)
    renewed.file["accessToken"] = answer.accessToken
    renewed.file["expiresAt"] = renewed.expiration.formatted(.iso8601)
    if let next = answer.refreshToken { renewed.file["refreshToken"] = next }
    let kept = renewed
    try await lane.run { _ in write(kept) }
    return renewed
  }

  /// Back into the file of the AWS command line: the refresh token may have been exchanged, and the old one is then of no
  /// use to anybody.
  private func write(_ token: Token) {
    guard let bytes = try? JSONSerialization.data(withJSONObject: token.file, options: [.sortedKeys]) else { return }
    let temporary = signOn.tokenFile + ".\(UInt64.random(in: 0...UInt64.max))"
    do throws(SystemFailure) {
      let file = try FileDescriptor(Array(temporary.utf8), flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
      let body = Array(bytes)
      var written = 0
      while written < body.count {
        written += try SystemFailure.retrying {
          body.withUnsafeBytes { Foundation.write(file.number, $0.baseAddress! + written, body.count - written) }
        }
      }
      try SystemFailure.retrying { rename(temporary, signOn.tokenFile) }
    } catch {
      // A cache that cannot be written costs the next program a sign-on, and this one nothing.
      unlink(temporary)
    }
  }

  private struct Answer: Decodable {
    struct Role: Decodable {
      var accessKeyId: String
      var secretAccessKey: String
      var sessionToken: String?
      var expiration: Double?
    }
    var roleCredentials: Role
  }

  private struct Refusal: Decodable { var message: String }

  private struct Prolonged: Decodable {
    var accessToken: String
    var expiresIn: Double
    var refreshToken: String?
  }
}
