/// The service that a container's platform (ECS, EKS Pod Identity) offers its programs.
struct ContainerCredentials: Hashable, Sendable {
  /// Asked as it is.
  var address: String
  /// Read anew for every request, as the platform exchanges it.
  var tokenFile: String?
  var token: Secret?

  /// The address without a query, which might hold a secret.
  var shownAddress: String { EndpointAddress.withoutUserInformation(String(address.prefix { $0 != "?" })) }

  /// Hosts that may be asked without encryption besides the loopback interface.
  private static let trustedHosts: Set<String> = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "localhost"]

  /// nil outside of a container.
  /// - Throws: `StorageError` for an address that keys must not be fetched from.
  init?(environment: [String: String]) throws(StorageError) {
    tokenFile = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"].nonEmpty
    token = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"].nonEmpty.map { Secret($0) }
    if let relative = environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"].nonEmpty {
      address = "http://169.254.170.2" + (relative.hasPrefix("/") ? "" : "/") + relative
      return
    }
    guard let full = environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"].nonEmpty else { return nil }
    address = full
    let beforeQuery = String(full.prefix { $0 != "?" })
    do throws(EndpointAddress.Flaw) {
      let server = try EndpointAddress(parsing: beforeQuery)
      let isLoopback = server.host.hasPrefix("127.") || server.host == "[::1]"
      guard server.scheme == "https" || isLoopback || Self.trustedHosts.contains(server.host) else {
        throw EndpointAddress.Flaw(reason: "without https, credentials are asked for on this computer only")
      }
    } catch {
      throw StorageError(
        .configuration, "AWS_CONTAINER_CREDENTIALS_FULL_URI cannot be used: \(error.reason).",
        remedy: "Correct it, or unset it.")
    }
  }
}

/// The service that an EC2 instance finds at an address of its own; version 2, which asks for a token first.
struct InstanceMetadata: Hashable, Sendable {
  var endpoint: EndpointAddress
  var profile: String
  var timeoutSeconds: Double
  var attempts: Int

  /// nil where it is switched off.
  /// - Throws: `StorageError` for an endpoint that is none.
  init?(environment: [String: String], profile: Profile) throws(StorageError) {
    guard environment["AWS_EC2_METADATA_DISABLED"]?.lowercased() != "true" else { return nil }
    self.profile = profile.name
    // One second, one try: elsewhere than on EC2 nobody answers.
    timeoutSeconds = environment["AWS_METADATA_SERVICE_TIMEOUT"].flatMap { Double($0) } ?? 1
    timeoutSeconds = min(max(timeoutSeconds, 0.1), 60)
    attempts = environment["AWS_METADATA_SERVICE_NUM_ATTEMPTS"].flatMap { Int($0) } ?? 1
    attempts = min(max(attempts, 1), 10)
    let mode =
      environment["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"].nonEmpty ?? profile["ec2_metadata_service_endpoint_mode"]
    let usual = mode?.lowercased() == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254"
    let text =
      environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"].nonEmpty ?? profile["ec2_metadata_service_endpoint"] ?? usual
    do {
      endpoint = try EndpointAddress(parsing: text)
    } catch {
      throw StorageError(
        .configuration,
        "The endpoint “\(EndpointAddress.withoutUserInformation(text))” of the instance metadata service cannot be used: \(error.reason).",
        remedy: "Correct AWS_EC2_METADATA_SERVICE_ENDPOINT, or unset it.")
    }
  }
}
