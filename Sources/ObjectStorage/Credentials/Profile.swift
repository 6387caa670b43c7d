import Foundation

/// Both files of the AWS command line, as far as they are there.
struct Configuration: Sendable {
  let configPath: String
  let credentialsPath: String
  private let config: ConfigurationFile
  private let credentials: ConfigurationFile
  /// Where the AWS command line keeps its own state: `~/.aws`, whatever the two files are.
  let directory: String

  /// - Throws: `StorageError` for a file that is there and cannot be read.
  init(environment: [String: String]) throws(StorageError) {
    let home = environment["HOME"] ?? NSHomeDirectory()
    func expanded(_ path: String) -> String { path.hasPrefix("~/") ? home + path.dropFirst() : path }
    directory = home + "/.aws"
    credentialsPath = expanded(environment["AWS_SHARED_CREDENTIALS_FILE"].nonEmpty ?? "~/.aws/credentials")
    configPath = expanded(environment["AWS_CONFIG_FILE"].nonEmpty ?? "~/.aws/config")
    credentials = try ConfigurationFile(path: credentialsPath)
    config = try ConfigurationFile(path: configPath)
  }

  /// What both files say of a profile; nil where neither knows it.
  func profile(_ name: String) -> Profile? {
    let inConfig = config.sections["profile " + name] ?? (name == "default" ? config.sections["default"] : nil)
    let inCredentials = credentials.sections[name]
    guard inConfig != nil || inCredentials != nil else { return nil }
    let values = inConfig ?? [:]
    return Profile(
      name: name, config: values, credentials: inCredentials ?? [:],
      services: values["services"].flatMap { config.sections["services " + $0] } ?? [:])
  }

  /// The section of a single sign-on session.
  func signOnSession(_ name: String) -> [String: String]? { config.sections["sso-session " + name] }

  /// The profile that somebody named, or the default one, which need not exist.
  /// - Throws: `StorageError` for a profile that was named and does not exist.
  func selectedProfile(explicit: String?, environment: [String: String]) throws(StorageError) -> Profile {
    let wanted =
      explicit.nonEmpty ?? environment["AWS_PROFILE"].nonEmpty ?? environment["AWS_DEFAULT_PROFILE"].nonEmpty
    if let found = profile(wanted ?? "default") { return found }
    guard let wanted else { return Profile(name: "default", config: [:], credentials: [:], services: [:]) }
    throw StorageError(
      .configuration, "There is no profile “\(wanted)” in \(configPath) or \(credentialsPath).",
      remedy: profileNames.isEmpty
        ? "Both define no profile." : "Known are: \(profileNames.joined(separator: ", ")).")
  }

  private var profileNames: [String] {
    let inConfig = config.sections.keys.compactMap {
      $0 == "default" ? $0 : $0.hasPrefix("profile ") ? String($0.dropFirst(8)) : nil
    }
    return Set(credentials.sections.keys).union(inConfig).sorted()
  }
}

/// What both files say of one profile; where both say something, the credentials file counts.
struct Profile: Sendable {
  let name: String
  fileprivate let config: [String: String]
  fileprivate let credentials: [String: String]
  fileprivate let services: [String: String]

  fileprivate init(
    name: String, config: [String: String], credentials: [String: String], services: [String: String]
  ) {
    self.name = name
    self.config = config
    self.credentials = credentials
    self.services = services
  }

  subscript(name: String) -> String? { credentials[name].nonEmpty ?? config[name].nonEmpty }

  /// An endpoint that is configured: the one of a service alone before that of all services.
  /// - Parameter service: As the configuration files spell it: `s3`, `sts`, `sso`, `sso_oidc`.
  func endpointURL(of service: String) -> String? {
    services[service + ".endpoint_url"].nonEmpty ?? self[service + ".endpoint_url"] ?? self["endpoint_url"]
  }

  /// Whether there are static keys, whole or half.
  var hasStaticKeys: Bool { self["aws_access_key_id"] != nil || self["aws_secret_access_key"] != nil }

  enum File: String, Sendable {
    case credentials, config
  }

  /// Static keys of one file: those of one are never mixed with those of the other.
  /// - Throws: `StorageError` where the file has half of them.
  func staticKeys(in file: File) throws(StorageError) -> Credentials? {
    let values = file == .credentials ? credentials : config
    let keyID = values["aws_access_key_id"].nonEmpty
    let secret = values["aws_secret_access_key"].nonEmpty
    if let keyID, let secret {
      return Credentials(
        accessKeyID: keyID, secretKey: secret,
        sessionToken: values["aws_session_token"].nonEmpty ?? values["aws_security_token"].nonEmpty,
        source: "profile “\(name)” of the \(file.rawValue) file",
        renewal: "Put new keys into profile “\(name)”, in the way you got these.")
    }
    guard keyID == nil, secret == nil else {
      throw StorageError(
        .configuration,
        "Profile “\(name)” of the \(file.rawValue) file has "
          + (keyID == nil
            ? "a secret key but no aws_access_key_id." : "an access key but no aws_secret_access_key."),
        remedy: "Complete it, for instance with: aws configure --profile \(name)")
    }
    return nil
  }
}

extension String? {
  /// nil for an empty text too: an empty variable counts as none.
  var nonEmpty: String? { self?.isEmpty == false ? self : nil }
}
