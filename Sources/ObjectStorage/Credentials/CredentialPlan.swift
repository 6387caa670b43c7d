/// How credentials are to be had: what the lookup found, before anybody is asked.
indirect enum CredentialPlan: Hashable, Sendable {
  /// No signature at all, because somebody asked for that.
  case anonymous
  case fixed(Credentials)
  case role(AssumedRole, source: CredentialPlan)
  case webIdentity(WebIdentityRole)
  case singleSignOn(SingleSignOn)
  case process(CredentialProcess)
  case container(ContainerCredentials)
  /// The last resort: this computer may be one of EC2.
  case instance(InstanceMetadata)

  /// Where the credentials come from, as the end of “the access key from …”. No secrets.
  var source: String {
    switch self {
    case .anonymous: "nobody: anonymous (--no-sign-request)"
    case .fixed(let credentials): credentials.source
    case .role(let role, let source): "role \(role.arn), assumed with \(source.source)"
    case .webIdentity(let role): "role \(role.arn), assumed with the web identity in \(role.tokenFile)"
    case .singleSignOn(let signOn): signOn.source
    case .process(let process): process.source
    case .container(let container): "the container's metadata service (\(container.shownAddress))"
    case .instance(let instance): "the instance metadata service of EC2 (\(instance.endpoint.text))"
    }
  }

  /// Whether somebody else is asked for the credentials.
  var needsAsking: Bool {
    switch self {
    case .anonymous, .fixed: false
    default: true
    }
  }
}

/// A role to assume by the Security Token Service.
struct AssumedRole: Hashable, Sendable {
  var profile: String
  var arn: String
  var externalID: Secret?
  var sessionName: String?
  var durationSeconds: Int?
  /// The device that a person would have to read a number from.
  var deviceSerial: String?
}

/// A role to assume with a token that the platform writes into a file.
struct WebIdentityRole: Hashable, Sendable {
  var arn: String
  var tokenFile: String
  var sessionName: String?
}

/// The lookup of the AWS command line, in its order:
/// environment, assumed role, web identity, single sign-on, credentials file, credential process, config file, container,
/// instance. Asks nobody.
struct CredentialLookup {
  private let environment: [String: String]
  private let configuration: Configuration
  private let profile: Profile
  /// Whether an option names the profile: the environment's keys then count no more.
  private let profileIsExplicit: Bool

  init(_ options: StorageOptions, _ configuration: Configuration, _ profile: Profile) {
    environment = options.environment
    self.configuration = configuration
    self.profile = profile
    profileIsExplicit = options.profile.nonEmpty != nil
  }

  /// - Throws: `StorageError` for what is incomplete or contradicts itself, and where nothing is left to be asked.
  func plan() throws(StorageError) -> CredentialPlan {
    if !profileIsExplicit, let found = try fromEnvironment() { return .fixed(found) }
    if let found = try roleOf(profile, visited: []) { return found }
    if let found = try ofProfile(profile, usesEnvironment: !profileIsExplicit) { return found }
    if let found = try container() { return found }
    if let found = try instance() { return found }
    throw noneFound(
      "the instance metadata service is switched off (AWS_EC2_METADATA_DISABLED)")
  }

  /// Nothing was found.
  func noneFound(_ last: String) -> StorageError { Self.noneFound(profile: profile.name, last) }

  static func noneFound(profile: String, _ last: String) -> StorageError {
    StorageError(
      .noCredentials,
      "No credentials were found: none in the environment, none in profile “\(profile)”, and \(last).",
      remedy: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, run “aws configure” or “aws sso login”, "
        + "or ask anonymously with --no-sign-request if the bucket is public.")
  }

  private func fromEnvironment() throws(StorageError) -> Credentials? {
    let keyID = environment["AWS_ACCESS_KEY_ID"].nonEmpty
    let secret = environment["AWS_SECRET_ACCESS_KEY"].nonEmpty
    if let keyID, let secret {
      return Credentials(
        accessKeyID: keyID, secretKey: secret, sessionToken: environment["AWS_SESSION_TOKEN"].nonEmpty,
        source: "the environment",
        renewal: "Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN anew, and start again.")
    }
    guard keyID != nil || secret != nil else { return nil }
    let (present, missing) =
      keyID != nil
      ? ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") : ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")
    throw StorageError(
      .configuration, "The environment has \(present) but no \(missing).", remedy: "Set both, or neither.")
  }

  // MARK: - Profiles

  /// The role of a profile, and where the credentials to assume it come from.
  private func roleOf(_ profile: Profile, visited: [String]) throws(StorageError) -> CredentialPlan? {
    guard let arn = profile["role_arn"], profile["web_identity_token_file"] == nil else { return nil }
    let visited = visited + [profile.name]
    var role = AssumedRole(profile: profile.name, arn: arn)
    role.externalID = profile["external_id"].map { Secret($0) }
    role.sessionName = profile["role_session_name"]
    role.deviceSerial = profile["mfa_serial"]
    if let duration = profile["duration_seconds"] {
      guard let seconds = Int(duration), (900...43_200).contains(seconds) else {
        throw StorageError(
          .configuration, "Profile “\(profile.name)” has duration_seconds = \(duration).",
          remedy: "It must be a number from 900 to 43200.")
      }
      role.durationSeconds = seconds
    }
    switch (profile["source_profile"], profile["credential_source"]) {
    case (.some, .some):
      throw StorageError(
        .configuration, "Profile “\(profile.name)” has both source_profile and credential_source.",
        remedy: "Remove one of them from \(configuration.configPath).")
    case (nil, nil):
      throw StorageError(
        .configuration,
        "Profile “\(profile.name)” has a role_arn, but does not say whose credentials may assume the role.",
        remedy: "Add source_profile or credential_source to it in \(configuration.configPath).")
    case (nil, .some(let source)): return .role(role, source: try named(source, in: profile))
    case (.some(let name), nil):
      guard let source = configuration.profile(name) else {
        throw StorageError(
          .configuration, "Profile “\(profile.name)” names the source_profile “\(name)”, which does not exist.",
          remedy: "Correct it in \(configuration.configPath).")
      }
      // A profile may be its own source where it has keys of its own.
      if visited.contains(name), name != profile.name || !source.hasStaticKeys {
        throw StorageError(
          .configuration,
          "The source_profile of these profiles leads round in a circle: "
            + (visited + [name]).joined(separator: ", ") + ".",
          remedy: "Correct it in \(configuration.configPath).")
      }
      if !source.hasStaticKeys, let found = try roleOf(source, visited: visited) {
        return .role(role, source: found)
      }
      guard let found = try ofProfile(source, usesEnvironment: false) else {
        throw StorageError(
          .noCredentials, "The source_profile “\(name)” of profile “\(profile.name)” has no credentials.",
          remedy: "Run: aws configure --profile \(name)")
      }
      return .role(role, source: found)
    }
  }

  /// What `credential_source` names.
  private func named(_ source: String, in profile: Profile) throws(StorageError) -> CredentialPlan {
    let found: CredentialPlan?
    switch source.lowercased() {
    case "environment": found = try fromEnvironment().map { .fixed($0) }
    case "ecscontainer": found = try container()
    case "ec2instancemetadata": found = try instance()
    default:
      throw StorageError(
        .configuration, "Profile “\(profile.name)” names the credential_source “\(source)”.",
        remedy: "It must be Environment, EcsContainer or Ec2InstanceMetadata.")
    }
    guard let found else {
      throw StorageError(
        .noCredentials, "The credential_source “\(source)” of profile “\(profile.name)” has no credentials.",
        remedy: source.lowercased() == "environment" ? "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY." : nil)
    }
    return found
  }

  /// All that one profile may hold besides a role.
  private func ofProfile(_ profile: Profile, usesEnvironment: Bool) throws(StorageError) -> CredentialPlan? {
    if let found = try webIdentity(profile, usesEnvironment: usesEnvironment) { return .webIdentity(found) }
    if let found = try SingleSignOn(profile, configuration) { return .singleSignOn(found) }
    if let found = try profile.staticKeys(in: .credentials) { return .fixed(found) }
    if profile["login_session"] != nil {
      throw StorageError(
        .noCredentials, "Profile “\(profile.name)” gets its credentials by “aws login”, which is not built in.",
        remedy: "Add this to it: credential_process = aws configure export-credentials "
          + "--profile \(profile.name) --format process, in a profile of another name.")
    }
    if let command = profile["credential_process"] {
      return .process(CredentialProcess(profile: profile.name, command: Secret(command)))
    }
    return try profile.staticKeys(in: .config).map { .fixed($0) }
  }

  private func webIdentity(_ profile: Profile, usesEnvironment: Bool) throws(StorageError) -> WebIdentityRole? {
    func value(_ name: String, _ variable: String) -> String? {
      (usesEnvironment ? environment[variable].nonEmpty : nil) ?? profile[name]
    }
    guard let file = value("web_identity_token_file", "AWS_WEB_IDENTITY_TOKEN_FILE") else { return nil }
    guard let arn = value("role_arn", "AWS_ROLE_ARN") else {
      throw StorageError(
        .configuration, "There is a web identity in \(file), but no role to assume with it.",
        remedy: "Set AWS_ROLE_ARN, or role_arn in profile “\(profile.name)”.")
    }
    return WebIdentityRole(
      arn: arn, tokenFile: file, sessionName: value("role_session_name", "AWS_ROLE_SESSION_NAME"))
  }

  // MARK: - Machines

  private func container() throws(StorageError) -> CredentialPlan? {
    try ContainerCredentials(environment: environment).map { .container($0) }
  }

  private func instance() throws(StorageError) -> CredentialPlan? {
    try InstanceMetadata(environment: environment, profile: profile).map { .instance($0) }
  }
}
