/// What options, environment and profile together say: the lookup of the AWS command line, done once when a store opens.
/// Nobody is asked for anything yet.
struct StorageSettings: Sendable {
  /// How credentials are to be had.
  let credentialPlan: CredentialPlan
  /// Who signs with which credentials.
  let credentialSource: CredentialSource
  private(set) var region: String
  /// What chose the region; nil where nobody did, and it is a guess.
  private(set) var regionSource: String?
  /// nil for AWS.
  private(set) var endpoint: EndpointAddress?
  /// What named the endpoint; nil where nobody did.
  private(set) var endpointSource: String?
  /// Which hosts of AWS.
  private(set) var variant: AmazonVariant
  private(set) var addressingStyle: StorageOptions.AddressingStyle
  /// A file of trusted certificates; nil for the system's.
  let certificateAuthorities: String?
  /// Which way leads to a server.
  let proxies: ProxySettings
  /// Whether the reader offers to pay for requests.
  let requesterPays: Bool
  /// Regions learnt before; nil for servers of one's own, and where none shall be kept.
  let regionMemory: RegionMemory?
  /// The profile whose values count, whether it exists or not.
  let profileName: String

  static let defaultRegion = "us-east-1"

  /// - Parameters:
  ///   - locationEndpoint: The server that the location itself names: it counts before all others.
  ///   - bucket: The bucket's name, or an access point's ARN, which names a region.
  init(_ options: StorageOptions, locationEndpoint: String?, bucket: String = "") throws(StorageError) {
    let environment = options.environment
    let configuration = try Configuration(environment: environment)
    let profile = try configuration.selectedProfile(explicit: options.profile, environment: environment)
    profileName = profile.name

    (endpoint, endpointSource) = try Self.endpoint(options, locationEndpoint, profile)
    let amazon = endpoint.flatMap { AmazonHost($0.host) }
    let chosen = try Self.region(options, profile)
    (region, regionSource) = try Self.region(
      chosen, options, profile, accessPoint: AccessPoint(bucket), endpointRegion: amazon?.region)
    variant = try Self.variant(environment, profile)
    // A host of AWS without a path is AWS: where its region proves wrong, the host follows.
    if let amazon, amazon.kind == .storage, amazon.bucket == nil, let named = endpoint,
      named == EndpointAddress(scheme: "https", host: named.host)
    {
      endpoint = nil
      variant.usesFIPS = variant.usesFIPS || amazon.variant.usesFIPS
      variant.usesDualStack = variant.usesDualStack || amazon.variant.usesDualStack
    }
    if let endpoint, AmazonHost(endpoint.host) == nil, variant != AmazonVariant() {
      throw StorageError(
        .configuration,
        "The endpoint \(endpoint.text) is not of AWS, but "
          + (variant.usesFIPS ? "FIPS hosts (AWS_USE_FIPS_ENDPOINT)" : "dual-stack hosts (AWS_USE_DUALSTACK_ENDPOINT)")
          + " are asked for, which AWS alone has.",
        remedy: "Set it to false, or leave the endpoint out.")
    }

    regionMemory =
      endpoint == nil && AccessPoint(bucket) == nil ? options.regionFile.map { RegionMemory(path: $0) } : nil
    if let known = regionMemory?.region(of: bucket, besides: region), known != region {
      region = known
      regionSource = "what the bucket answered before"
    }

    addressingStyle = options.addressingStyle
    if addressingStyle == .auto, let named = profile["s3.addressing_style"] {
      addressingStyle = StorageOptions.AddressingStyle(rawValue: named) ?? .auto
    }
    certificateAuthorities =
      options.certificateAuthorities.nonEmpty ?? environment["AWS_CA_BUNDLE"].nonEmpty ?? profile["ca_bundle"]
    requesterPays = options.requesterPays
    proxies = ProxySettings(environment: environment)

    credentialPlan =
      options.noSignRequest ? .anonymous : try CredentialLookup(options, configuration, profile).plan()
    let fetcher = CredentialFetcher(
      environment: environment, region: chosen?.name ?? region,
      endpoints: ServiceEndpoints(environment: environment, profile: profile, variant: variant),
      cache: CommandLineCache(directory: configuration.directory),
      client: ServiceClient(certificateAuthorities: certificateAuthorities, proxies: proxies))
    credentialSource = CredentialSource(plan: credentialPlan, fetcher: fetcher) {
      let configuration = try Configuration(environment: environment)
      let profile = try configuration.selectedProfile(explicit: options.profile, environment: environment)
      return try CredentialLookup(options, configuration, profile).plan()
    }
  }

  /// Where a bucket is reached, as far as it is known which region it lies in.
  func address(of bucket: String, region: String) throws(StorageError) -> BucketAddress {
    try BucketAddress(bucket: bucket, region: region, endpoint: endpoint, style: addressingStyle, variant: variant)
  }

  /// Regions become part of host names, also those that a server names.
  static func isPlausible(region: String) -> Bool {
    (1...40).contains(region.utf8.count)
      && region.utf8.allSatisfy {
        PercentEncoding.isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
      }
  }

  private typealias NamedRegion = (name: String, source: String)

  /// The region that is asked for, wherever the bucket lies: that of the services that hand credentials out.
  private static func region(
    _ options: StorageOptions, _ profile: Profile
  ) throws(StorageError) -> NamedRegion? {
    let environment = options.environment
    return try plausible([
      (options.region, "--region"), (environment["AWS_REGION"], "AWS_REGION"),
      (environment["AWS_DEFAULT_REGION"], "AWS_DEFAULT_REGION"), (profile["region"], "profile “\(profile.name)”"),
    ])
  }

  /// The region of the bucket, before its server is asked: that of the access point, of --region, of the endpoint's name,
  /// or whatever else is asked for.
  private static func region(
    _ chosen: NamedRegion?, _ options: StorageOptions, _ profile: Profile, accessPoint: AccessPoint?,
    endpointRegion: String?
  ) throws(StorageError) -> (String, source: String?) {
    if let accessPoint, let chosen, chosen.name != accessPoint.region, !accessPoint.isMultiRegion {
      let usesARN =
        try flag("AWS_S3_USE_ARN_REGION", ["s3.use_arn_region", "s3_use_arn_region"], options.environment, profile)
      guard usesARN ?? true else {
        throw StorageError(
          .configuration,
          "The access point “\(accessPoint.name)” lies in \(accessPoint.region), but \(chosen.source) is \(chosen.name), "
            + "and regions of ARNs are not to be used (AWS_S3_USE_ARN_REGION).",
          remedy: "Use --region \(accessPoint.region), or set AWS_S3_USE_ARN_REGION to true.")
      }
    }
    if let found = try plausible([(accessPoint?.region, "the access point's ARN"), (options.region, "--region")]) {
      return found
    }
    return try plausible([(endpointRegion, "the endpoint")]) ?? chosen ?? (defaultRegion, nil)
  }

  /// The first that is there.
  private static func plausible(
    _ candidates: [(name: String?, source: String)]
  ) throws(StorageError) -> NamedRegion? {
    guard let (name, source) = candidates.first(where: { $0.name.nonEmpty != nil }), let name else { return nil }
    guard isPlausible(region: name) else {
      throw StorageError(
        .configuration, "“\(name)” from \(source) is no region.", remedy: "A region looks like us-east-1.")
    }
    return (name == "aws-global" ? defaultRegion : name, source)
  }

  /// A setting that is true or false; nil where nobody says anything.
  private static func flag(
    _ variable: String, _ names: [String], _ environment: [String: String], _ profile: Profile
  ) throws(StorageError) -> Bool? {
    let candidates = [(environment[variable].nonEmpty, variable)] + names.map { (profile[$0], "\($0) of the profile") }
    guard let (value, source) = candidates.first(where: { $0.0 != nil }), let value else { return nil }
    switch value.lowercased() {
    case "true": return true
    case "false": return false
    default:
      throw StorageError(.configuration, "\(source) is “\(value)”.", remedy: "It must be true or false.")
    }
  }

  private static func variant(
    _ environment: [String: String], _ profile: Profile
  ) throws(StorageError) -> AmazonVariant {
    let usesFIPS = try flag("AWS_USE_FIPS_ENDPOINT", ["use_fips_endpoint"], environment, profile)
    let usesDualStack = try flag(
      "AWS_USE_DUALSTACK_ENDPOINT", ["s3.use_dualstack_endpoint", "use_dualstack_endpoint"], environment, profile)
    return AmazonVariant(usesFIPS: usesFIPS ?? false, usesDualStack: usesDualStack ?? false)
  }

  private static func endpoint(
    _ options: StorageOptions, _ locationEndpoint: String?, _ profile: Profile
  ) throws(StorageError) -> (EndpointAddress?, source: String?) {
    if let text = locationEndpoint.nonEmpty {
      return (try ServiceEndpoints.parse(text, from: "the location"), "the location")
    }
    if let text = options.endpointURL.nonEmpty {
      return (try ServiceEndpoints.parse(text, from: "--endpoint-url"), "--endpoint-url")
    }
    let found = try ServiceEndpoints.configured("s3", environment: options.environment, profile: profile)
    return (found?.endpoint, found?.source)
  }
}
