import Foundation

/// Asks the services that platforms offer their programs.
struct MetadataClient: Sendable {
  var client: ServiceClient
  /// For files.
  var lane: BlockingLane

  private static let containerPatience = ServiceClient.Patience(seconds: 2, attempts: 3)

  /// The credentials of a container's role.
  func credentials(of container: ContainerCredentials, source: String) async throws -> Credentials {
    var token = container.token?.value
    if let file = container.tokenFile { token = try await lane.run { _ in try TokenFile(path: file).read() }.value }
    if token?.contains(where: \.isNewline) == true {
      throw StorageError(
        .configuration, "The container's authorization token has a line break in it.",
        remedy: "Check AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or AWS_CONTAINER_AUTHORIZATION_TOKEN.")
    }
    let server = try? EndpointAddress(parsing: String(container.address.prefix { $0 != "?" }))
    guard var server else { throw StorageError(.configuration, "\(container.shownAddress) is no address.") }
    server.path = ""
    let response = try await client.send(
      .get, container.address, to: server, service: "Asking \(source)", patience: Self.containerPatience, isDirect: true
    ) { [token] _ in
      [(name: "Accept", value: "application/json")] + (token.map { [(name: "Authorization", value: $0)] } ?? [])
    }
    guard response.isSuccess else {
      throw StorageError(
        .noCredentials, "No credentials from \(source): it answers \(response.status).",
        remedy: "Check that the task or the pod has a role, and its authorization token.")
    }
    return try credentials(in: response, source: source)
  }

  /// The credentials of an instance's role.
  func credentials(of instance: InstanceMetadata, source: String) async throws -> Credentials {
    let base = instance.endpoint.text
    let patience = ServiceClient.Patience(seconds: instance.timeoutSeconds, attempts: instance.attempts)
    let token: String
    do {
      let response = try await client.send(
        .put, base + "/latest/api/token", to: instance.endpoint, service: "Asking \(source)", patience: patience,
        isDirect: true
      ) { _ in [("x-aws-ec2-metadata-token-ttl-seconds", "21600")] }
      token = String(decoding: response.body, as: UTF8.self)
      guard response.isSuccess, !token.isEmpty, token.utf8.count < 4096, !token.contains(where: \.isNewline) else {
        throw CredentialLookup.noneFound(
          profile: instance.profile, "\(source) gives no token (it answers \(response.status))")
      }
    } catch let error as StorageError where error.kind != .noCredentials {
      // Nobody is there: this is no instance of EC2.
      throw CredentialLookup.noneFound(profile: instance.profile, "this computer is no EC2 instance with a role")
    }
    let path = base + "/latest/meta-data/iam/security-credentials/"
    @Sendable func headers(_: Double) -> [(name: String, value: String)] { [("x-aws-ec2-metadata-token", token)] }
    let names = try await client.send(
      .get, path, to: instance.endpoint, service: "Asking \(source)", patience: patience, isDirect: true,
      headers: headers)
    let role = String(decoding: names.body.prefix { $0 != 10 && $0 != 13 }, as: UTF8.self)
    guard names.isSuccess, !role.isEmpty else {
      throw CredentialLookup.noneFound(profile: instance.profile, "this EC2 instance has no role")
    }
    let encoded = String(decoding: PercentEncoding.encode(role.utf8, safe: PercentEncoding.querySafe), as: UTF8.self)
    let response = try await client.send(
      .get, path + encoded, to: instance.endpoint, service: "Asking \(source)", patience: patience, isDirect: true,
      headers: headers)
    guard response.isSuccess else {
      throw StorageError(
        .noCredentials, "No credentials from \(source): it answers \(response.status) for the role \(role).",
        remedy: "Check the role of this instance.")
    }
    return try credentials(in: response, source: "\(source), role \(role)")
  }

  private func credentials(in response: HTTPResponse, source: String) throws(StorageError) -> Credentials {
    guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(response.body)),
      let keyID = answer.accessKeyID.nonEmpty, let secret = answer.secretKey.nonEmpty
    else {
      throw StorageError(
        .noCredentials, "No credentials from \(source): its answer holds none.",
        remedy: "Check the role of this instance, task or pod.")
    }
    return Credentials(
      accessKeyID: keyID, secretKey: secret, sessionToken: answer.token.nonEmpty,
      expiration: answer.expiration.flatMap { Timestamp.date(anyISO8601: $0) }, source: source,
      renewal: "The platform has to give new ones; try again.")
  }

  private struct Answer: Decodable {
    var accessKeyID: String?
    var secretKey: String?
    var token: String?
    var expiration: String?

    enum CodingKeys: String, CodingKey {
      case accessKeyID = "AccessKeyId"
      case secretKey = "SecretAccessKey"
      case token = "Token"
      case expiration = "Expiration"
    }
  }
}

/// A file in which a platform keeps a token, and exchanges it now and then.
struct TokenFile: Sendable {
  var path: String

  private static let maximumBytes = 64 << 10

  func read() throws(StorageError) -> Secret {
    var bytes: [UInt8] = []
    do throws(SystemFailure) {
      let file = try FileDescriptor(Array(path.utf8), flags: O_RDONLY)
      while bytes.count < Self.maximumBytes, try file.append(to: &bytes, atMost: 16_384) > 0 {}
    } catch {
      throw StorageError(
        .noCredentials, "The token file \(path) cannot be read: \(error.reason).",
        remedy: "The platform has to write it; check its path and permissions.")
    }
    let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines)
    guard !text.isEmpty else {
      throw StorageError(.noCredentials, "The token file \(path) is empty.", remedy: "The platform has to write it.")
    }
    return Secret(text)
  }
}
