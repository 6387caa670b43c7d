import Foundation

/// One of the two files of the AWS command line: sections of `name = value`.
///
/// An indented line below a name without a value belongs to that name and is found as `name.inner`.
struct ConfigurationFile: Sendable {
  private(set) var sections: [String: [String: String]] = [:]

  /// Nothing, for a file that does not exist.
  init() {}

  init(parsing text: String) {
    var section: String?
    var outer = ""
    for rawLine in text.split(whereSeparator: \.isNewline) {
      let line = rawLine.trimmingCharacters(in: .whitespaces)
      guard !line.isEmpty, !line.hasPrefix("#"), !line.hasPrefix(";") else { continue }
      if line.hasPrefix("["), let close = line.firstIndex(of: "]") {
        let name = line[line.index(after: line.startIndex)..<close]
        let words = name.split(whereSeparator: \.isWhitespace).map {
          $0.trimmingCharacters(in: CharacterSet(charactersIn: "\"'"))
        }
        section = words.joined(separator: " ")
        sections[section ?? "", default: [:]].merge([:]) { old, _ in old }
        outer = ""
        continue
      }
      guard let section, let equals = line.firstIndex(of: "=") else { continue }
      let name = line[..<equals].trimmingCharacters(in: .whitespaces).lowercased()
      var value = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
      // A comment behind a value needs white space before it: secrets may hold a “#”.
      if let comment = value.range(of: #"\s[#;].*$"#, options: .regularExpression) {
        value = value[..<comment.lowerBound].trimmingCharacters(in: .whitespaces)
      }
      if rawLine.first?.isWhitespace == true, !outer.isEmpty {
        sections[section]?[outer + "." + name] = value
      } else {
        outer = value.isEmpty ? name : ""
        sections[section]?[name] = value
      }
    }
  }

  /// - Throws: `StorageError` for a file that is there and cannot be read. One that is missing is empty.
  init(path: String) throws(StorageError) {
    do throws(SystemFailure) {
      // Also from pipes and devices: `/dev/null` is the usual way to have none.
      let file = try FileDescriptor(Array(path.utf8), flags: O_RDONLY)
      var bytes: [UInt8] = []
      while try file.append(to: &bytes, atMost: 65_536) > 0 {
        guard bytes.count <= Self.maximumBytes else { throw SystemFailure(code: EFBIG) }
      }
      self.init(parsing: String(decoding: bytes, as: UTF8.self))
    } catch  where error.code == ENOENT || error.code == ENOTDIR {
      self.init()
    } catch {
      throw StorageError(
        .configuration, "The file \(path) cannot be read: \(error.reason).",
        remedy: "Check the file and its permissions.")
    }
  }

  private static let maximumBytes = 16 << 20
}

/// What both files say of one profile; where both say something, the credentials file counts.
struct Profile: Sendable {
  let name: String
  private let config: [String: String]
  private let credentials: [String: String]
  private let services: [String: String]

  /// - Throws: `StorageError` for a file that cannot be read, and for a profile that was named and does not exist.
  init(named explicit: String?, environment: [String: String]) throws(StorageError) {
    let home = environment["HOME"] ?? NSHomeDirectory()
    func expanded(_ path: String) -> String { path.hasPrefix("~/") ? home + path.dropFirst() : path }
    let credentialsPath = expanded(environment["AWS_SHARED_CREDENTIALS_FILE"].nonEmpty ?? "~/.aws/credentials")
    let configPath = expanded(environment["AWS_CONFIG_FILE"].nonEmpty ?? "~/.aws/config")
    let credentialsFile = try ConfigurationFile(path: credentialsPath)
    let configFile = try ConfigurationFile(path: configPath)

    let wanted = explicit ?? environment["AWS_PROFILE"].nonEmpty ?? environment["AWS_DEFAULT_PROFILE"].nonEmpty
    name = wanted ?? "default"
    let inConfig = configFile.sections["profile " + name] ?? (name == "default" ? configFile.sections["default"] : nil)
    let inCredentials = credentialsFile.sections[name]
    if wanted != nil, inConfig == nil, inCredentials == nil {
      let known = Set(credentialsFile.sections.keys).union(
        configFile.sections.keys.compactMap {
          $0 == "default" ? $0 : $0.hasPrefix("profile ") ? String($0.dropFirst(8)) : nil
        })
      throw StorageError(
        .configuration, "There is no profile “\(name)” in \(configPath) or \(credentialsPath).",
        remedy: known.isEmpty
          ? "Both define no profile." : "Known are: \(known.sorted().joined(separator: ", ")).")
    }
    config = inConfig ?? [:]
    credentials = inCredentials ?? [:]
    services = config["services"].flatMap { configFile.sections["services " + $0] } ?? [:]
  }

  subscript(name: String) -> String? { credentials[name].nonEmpty ?? config[name].nonEmpty }

  /// The endpoint, the one of S3 alone before that of all services.
  var endpointURL: String? { services["s3.endpoint_url"].nonEmpty ?? self["s3.endpoint_url"] ?? self["endpoint_url"] }

  /// Static keys, those of one file never mixed with those of the other.
  func staticKeys() throws(StorageError) -> Credentials? {
    for (values, file) in [(credentials, "credentials"), (config, "config")] {
      let keyID = values["aws_access_key_id"].nonEmpty
      let secret = values["aws_secret_access_key"].nonEmpty
      if let keyID, let secret {
        return Credentials(
          accessKeyID: keyID, secretKey: secret, sessionToken: values["aws_session_token"].nonEmpty,
          source: "profile “\(name)” of the \(file) file")
      }
      guard keyID == nil, secret == nil else {
        throw StorageError(
          .configuration,
          "Profile “\(name)” of the \(file) file has \(keyID == nil ? "a secret key but no aws_access_key_id" : "an access key but no aws_secret_access_key")."
        )
      }
    }
    return nil
  }

  /// How the profile gets credentials in a way that is not built in; nil if it has none.
  var indirection: String? {
    if self["sso_session"] != nil || self["sso_start_url"] != nil { return "single sign-on" }
    if self["web_identity_token_file"] != nil { return "a web identity" }
    if self["role_arn"] != nil { return "a role" }
    if self["credential_process"] != nil { return "a credential process" }
    return nil
  }
}

extension String? {
  /// nil for an empty text too: an empty variable counts as none.
  var nonEmpty: String? { self?.isEmpty == false ? self : nil }
}
