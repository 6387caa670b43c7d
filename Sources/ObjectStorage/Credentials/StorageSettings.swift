/// What options, environment and profile together say: the lookup of the AWS command line, done once when a store opens.
struct StorageSettings: Sendable {
  /// nil to ask anonymously.
  var credentials: Credentials?
  var region: String
  /// Whether somebody chose the region; where not, it is a guess.
  var regionIsExplicit: Bool
  /// nil for AWS.
  var endpoint: EndpointAddress?
  var addressingStyle: StorageOptions.AddressingStyle
  /// A file of trusted certificates; nil for the system's.
  var certificateAuthorities: String?

  static let defaultRegion = "us-east-1"

  /// - Parameter locationEndpoint: The server that the location itself names: it counts before all others.
  init(_ options: StorageOptions, locationEndpoint: String?) throws(StorageError) {
    let environment = options.environment
    let profile = try Profile(named: options.profile.nonEmpty, environment: environment)

    endpoint = try Self.endpoint(options, locationEndpoint, profile)
    let amazon = endpoint.flatMap { AmazonHost($0.host) }
    let named =
      options.region.nonEmpty ?? amazon?.region ?? environment["AWS_REGION"].nonEmpty
      ?? environment["AWS_DEFAULT_REGION"].nonEmpty ?? profile["region"]
    region = named ?? Self.defaultRegion
    regionIsExplicit = named != nil
    guard Self.isPlausible(region: region) else {
      throw StorageError(.configuration, "“\(region)” is no region.", remedy: "A region looks like us-east-1.")
    }
    // A host of AWS without a path is AWS: where its region proves wrong, the host follows.
    if amazon != nil, endpoint?.path == "", endpoint?.port == nil, endpoint?.scheme == "https",
      endpoint?.host == AmazonHost.name(region: region)
        || endpoint?.host == "s3.amazonaws.com"
    {
      endpoint = nil
    }

    addressingStyle = options.addressingStyle
    if addressingStyle == .auto, let named = profile["s3.addressing_style"] {
      addressingStyle = StorageOptions.AddressingStyle(rawValue: named) ?? .auto
    }
    certificateAuthorities = environment["AWS_CA_BUNDLE"].nonEmpty ?? profile["ca_bundle"]
    credentials = options.noSignRequest ? nil : try Self.credentials(options, profile)
  }

  /// Regions become part of host names, also those that a server names.
  static func isPlausible(region: String) -> Bool {
    (1...40).contains(region.utf8.count)
      && region.utf8.allSatisfy {
        PercentEncoding.isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
      }
  }

  private static func endpoint(
    _ options: StorageOptions, _ locationEndpoint: String?, _ profile: Profile
  ) throws(StorageError) -> EndpointAddress? {
    let environment = options.environment
    var candidates: [(text: String?, source: String)] = [
      (locationEndpoint, "the location"), (options.endpointURL, "--endpoint-url"),
    ]
    if environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.lowercased() != "true" {
      candidates += [
        (environment["AWS_ENDPOINT_URL_S3"], "AWS_ENDPOINT_URL_S3"),
        (environment["AWS_ENDPOINT_URL"], "AWS_ENDPOINT_URL"),
        (profile.endpointURL, "profile “\(profile.name)”"),
      ]
    }
    for (text, source) in candidates {
      guard let text = text.nonEmpty else { continue }
      do {
        return try EndpointAddress(parsing: text)
      } catch {
        throw StorageError(
          .configuration,
          "The endpoint “\(EndpointAddress.withoutUserInformation(text))” from \(source) cannot be used: \(error.reason).",
          remedy: "An endpoint looks like https://host:9000.")
      }
    }
    return nil
  }

  private static func credentials(_ options: StorageOptions, _ profile: Profile) throws(StorageError) -> Credentials {
    let environment = options.environment
    if options.profile.nonEmpty == nil {
      let keyID = environment["AWS_ACCESS_KEY_ID"].nonEmpty
      let secret = environment["AWS_SECRET_ACCESS_KEY"].nonEmpty
      if let keyID, let secret {
        return Credentials(
          accessKeyID: keyID, secretKey: secret, sessionToken: environment["AWS_SESSION_TOKEN"].nonEmpty,
          source: "the environment")
      }
      if keyID != nil || secret != nil {
        let (present, missing) =
          keyID != nil
          ? ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") : ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")
        throw StorageError(
          .configuration, "The environment has \(present) but no \(missing).", remedy: "Set both, or neither.")
      }
    }
    if let found = try profile.staticKeys() { return found }
    if let way = profile.indirection {
      throw StorageError(
        .noCredentials, "Profile “\(profile.name)” gets its credentials by \(way), which is not built in.",
        remedy: "Run: eval \"$(aws configure export-credentials --profile \(profile.name) --format env)\""
          + (options.profile == nil ? "" : " and leave --profile out") + ".")
    }
    throw StorageError(
      .noCredentials, "No credentials were found in the environment or in profile “\(profile.name)”.",
      remedy: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, run “aws configure”, "
        + "or ask anonymously with --no-sign-request if the bucket is public.")
  }
}
