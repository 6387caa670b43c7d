import Foundation

/// The service of AWS that exchanges credentials for those of a role.
///
/// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
struct SecurityTokenService: Sendable {
  var client: ServiceClient
  var endpoint: EndpointAddress
  var region: String

  func assume(_ role: AssumedRole, with credentials: Credentials, source: String) async throws -> Credentials {
    var form = [
      ("Action", "AssumeRole"), ("Version", "2011-06-15"), ("RoleArn", role.arn),
      ("RoleSessionName", role.sessionName ?? Self.sessionName()),
    ]
    if let externalID = role.externalID { form.append(("ExternalId", externalID.value)) }
    if let seconds = role.durationSeconds { form.append(("DurationSeconds", String(seconds))) }
    return try await ask(form, signedWith: credentials, role: role.arn, source: source)
  }

  /// - Parameter token: What the platform vouches with.
  func assume(_ role: WebIdentityRole, token: Secret, source: String) async throws -> Credentials {
    let form = [
      ("Action", "AssumeRoleWithWebIdentity"), ("Version", "2011-06-15"), ("RoleArn", role.arn),
      ("RoleSessionName", role.sessionName ?? Self.sessionName()), ("WebIdentityToken", token.value),
    ]
    return try await ask(form, signedWith: nil, role: role.arn, source: source)
  }

  private static func sessionName() -> String { "s3totsne-\(Int(Date().timeIntervalSince1970))" }

  private func ask(
    _ form: [(String, String)], signedWith credentials: Credentials?, role: String, source: String
  ) async throws -> Credentials {
    let body = Array(CanonicalQuery(form.map { (name: $0.0, value: $0.1) }).text.utf8)
    let path = endpoint.path + "/"
    let signer = credentials.map {
      RequestSigner(
        credentials: $0, region: AmazonPartition.isRegion(region) ? region : StorageSettings.defaultRegion,
        service: "sts")
    }
    let host = endpoint.hostAndPort
    let response = try await client.send(
      .post, "\(endpoint.scheme)://\(host)\(path)", to: endpoint, service: "Assuming the role \(role)", body: body
    ) { clockCorrection in
      var headers = [(name: "content-type", value: "application/x-www-form-urlencoded; charset=utf-8")]
      guard let signer else { return headers }
      let date = SigningDate(Date(timeIntervalSinceNow: clockCorrection))
      headers.append(("x-amz-date", date.timestamp))
      if let token = signer.credentials.sessionToken { headers.append(("x-amz-security-token", token.value)) }
      let request = SignableRequest(
        method: "POST", path: path, query: "", headers: headers + [(name: "host", value: host)],
        payloadHash: Digest.hexadecimal(Digest.sha256(body)))
      headers.append(("Authorization", signer.authorization(for: request, at: date)))
      return headers
    }
    guard response.isSuccess else { throw refusal(response, role: role, credentials) }
    let fields = Self.credentialFields(response.body)
    guard let keyID = fields["AccessKeyId"], let secret = fields["SecretAccessKey"] else {
      throw StorageError(
        .invalidAnswer, "Assuming the role \(role) failed: \(endpoint.text) answers, but with no credentials.",
        remedy: "Check AWS_ENDPOINT_URL_STS and AWS_ENDPOINT_URL: the answer is not that of a Security Token Service.")
    }
    return Credentials(
      accessKeyID: keyID, secretKey: secret, sessionToken: fields["SessionToken"],
      expiration: fields["Expiration"].flatMap { Timestamp.date(anyISO8601: $0) }, source: source,
      renewal: "Try again: the role is assumed anew.")
  }

  private func refusal(_ response: HTTPResponse, role: String, _ credentials: Credentials?) -> StorageError {
    let reply = ServiceReply(parsing: response.body)
    let said =
      reply.map { $0.message.isEmpty ? $0.code : "\($0.code): \($0.message)" }
      ?? "it answers \(response.status) with \(FailureReading.summary(of: response))"
    let start = "The role \(role) could not be assumed"
    var error: StorageError
    switch reply?.code {
    case "AccessDenied", "AccessDeniedException":
      error = StorageError(
        .noCredentials, "\(start) with \(credentials.map { "the \($0)" } ?? "the web identity") (\(said)).",
        remedy: credentials == nil
          ? "The role's trust policy must name this identity provider and subject."
          : "The key needs sts:AssumeRole for the role, and the role's trust policy must name the key's owner; "
            + "where the policy wants an external_id, the profile must have it.")
    case "ExpiredToken", "ExpiredTokenException":
      error = StorageError(
        .expiredCredentials, "\(start): the \(credentials?.description ?? "web identity token") has expired.",
        remedy: credentials?.renewal ?? "The platform has to write a new token file.")
    case "InvalidIdentityToken", "IDPCommunicationError":
      error = StorageError(
        .noCredentials, "\(start): the web identity is not accepted (\(said)).",
        remedy: "Check the token file and the role's identity provider.")
    case "InvalidClientTokenId", "UnrecognizedClientException":
      error = StorageError(
        .unknownAccessKey,
        "\(start): \(endpoint.text) does not know the \(credentials?.description ?? "web identity").",
        remedy: "Check the keys of the source profile.")
    case "SignatureDoesNotMatch":
      error = StorageError(
        .wrongSecret, "\(start): the secret key does not belong to the \(credentials?.description ?? "access key").",
        remedy: "Check the secret key of the source profile.")
    case "ValidationError":
      error = StorageError(
        .configuration, "\(start) (\(said)).", remedy: "Check role_arn, role_session_name and duration_seconds.")
    default:
      error = StorageError(
        .noCredentials, "\(start): \(endpoint.text) refuses (\(said)).", remedy: "Check the profile and its role.")
    }
    error.requestID = (reply?.requestID).nonEmpty ?? response[header: "x-amzn-requestid"].nonEmpty
    return error
  }

  /// The children of the first `Credentials` element.
  private static func credentialFields(_ body: [UInt8]) -> [String: String] {
    var scanner = XMLScanner(body)
    var path: [String] = []
    var fields: [String: String] = [:]
    do {
      while let token = try scanner.next() {
        switch token {
        case .start(let name): path.append(name)
        case .end: path.removeLast()
        case .text(let bytes):
          guard path.count >= 2, path[path.count - 2] == "Credentials", let name = path.last else { continue }
          fields[name, default: ""] += String(decoding: bytes, as: UTF8.self)
        }
      }
    } catch { return [:] }
    return fields
  }
}
