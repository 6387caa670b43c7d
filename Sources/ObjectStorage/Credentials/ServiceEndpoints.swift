/// Where the services of AWS besides S3 answer, as environment, profile and region say.
struct ServiceEndpoints: Sendable {
  private let environment: [String: String]
  private let profile: Profile
  private let variant: AmazonVariant

  init(environment: [String: String], profile: Profile, variant: AmazonVariant) {
    self.environment = environment
    self.profile = profile
    self.variant = variant
  }

  enum Service: Sendable {
    case tokens
    case signOn
    case signOnTokens

    /// As configuration files spell it; the environment has it in capitals.
    fileprivate var key: String {
      switch self {
      case .tokens: "sts"
      case .signOn: "sso"
      case .signOnTokens: "sso_oidc"
      }
    }

    fileprivate func host(_ region: String, _ variant: AmazonVariant) -> String {
      let name =
        switch self {
        case .tokens: "sts"
        case .signOn: "portal.sso"
        case .signOnTokens: "oidc"
        }
      let partition = AmazonPartition.of(region: region)
      // FIPS hosts exist beside the usual ones; the government's regions have no others.
      let fips = variant.usesFIPS && !region.hasPrefix("us-gov-") ? "-fips" : ""
      return "\(name)\(fips).\(region).\(variant.usesDualStack ? partition.dualStackDomain : partition.domain)"
    }
  }

  /// - Throws: `StorageError` for a configured endpoint that is none.
  func endpoint(of service: Service, region: String) throws(StorageError) -> EndpointAddress {
    if let found = try Self.configured(service.key, environment: environment, profile: profile) {
      return found.endpoint
    }
    // Other servers' regions, such as “auto”, are none of AWS.
    let region = AmazonPartition.isRegion(region) ? region : StorageSettings.defaultRegion
    return EndpointAddress(scheme: "https", host: service.host(region, variant))
  }

  /// The endpoint that the environment or the profile names for a service, and which of them does.
  static func configured(
    _ key: String, environment: [String: String], profile: Profile
  ) throws(StorageError) -> (endpoint: EndpointAddress, source: String)? {
    guard environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.lowercased() != "true",
      profile["ignore_configured_endpoint_urls"]?.lowercased() != "true"
    else { return nil }
    let variable = "AWS_ENDPOINT_URL_" + key.uppercased()
    let candidates = [
      (environment[variable], variable), (environment["AWS_ENDPOINT_URL"], "AWS_ENDPOINT_URL"),
      (profile.endpointURL(of: key), "profile “\(profile.name)”"),
    ]
    for (text, source) in candidates {
      if let text = text.nonEmpty { return (try parse(text, from: source), source) }
    }
    return nil
  }

  static func parse(_ text: String, from source: String) throws(StorageError) -> EndpointAddress {
    do {
      return try EndpointAddress(parsing: text)
    } catch {
      throw StorageError(
        .configuration,
        "The endpoint “\(EndpointAddress.withoutUserInformation(text))” from \(source) cannot be used: \(error.reason).",
        remedy: "An endpoint looks like https://host:9000.")
    }
  }
}
