import Foundation

/// Sessions of roles that the AWS command line keeps in `~/.aws/cli/cache`. Roles that want a number from a person's device
/// can be had from there alone.
struct CommandLineCache: Sendable {
  var directory: String

  /// What the file of a role is called: the SHA-1 of the request's parameters as Python writes JSON.
  func path(of role: AssumedRole) -> String {
    var parameters = ["RoleArn": role.arn]
    parameters["ExternalId"] = role.externalID?.value
    parameters["RoleSessionName"] = role.sessionName
    parameters["SerialNumber"] = role.deviceSerial
    var members = parameters.mapValues { Self.quoted($0) }
    members["DurationSeconds"] = role.durationSeconds.map { String($0) }
    let text =
      "{" + members.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
    return "\(directory)/cli/cache/\(Digest.hexadecimal(Digest.sha1(Array(text.utf8)))).json"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for unit in text.utf16 {
      switch unit {
      case 0x22: result += "\\\""
      case 0x5C: result += "\\\\"
      case 0x20..<0x7F: result.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
      default:
        let digits = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return result + "\""
  }

  /// The session, if it still lasts.
  func credentials(of role: AssumedRole, source: String) -> Credentials? {
    guard let data = FileManager.default.contents(atPath: path(of: role)),
      let found = try? JSONDecoder().decode(Session.self, from: data).credentials,
      let expiration = Timestamp.date(anyISO8601: found.expiration), expiration.timeIntervalSinceNow > 60
    else { return nil }
    return Credentials(
      accessKeyID: found.accessKeyID, secretKey: found.secretKey, sessionToken: found.token, expiration: expiration,
      source: source, renewal: Self.advice(role))
  }

  static func advice(_ role: AssumedRole) -> String {
    "Run: aws sts get-caller-identity --profile \(role.profile)"
  }

  /// What to say where there is none.
  static func deviceNeeded(_ role: AssumedRole) -> StorageError {
    StorageError(
      .noCredentials,
      "The role \(role.arn) of profile “\(role.profile)” wants a number from the device \(role.deviceSerial ?? "").",
      remedy: advice(role) + " and type it there; the session that this makes is then used here too.")
  }

  private struct Session: Decodable {
    struct Keys: Decodable {
      var accessKeyID: String
      var secretKey: String
      var token: String?
      var expiration: String

      enum CodingKeys: String, CodingKey {
        case accessKeyID = "AccessKeyId"
        case secretKey = "SecretAccessKey"
        case token = "SessionToken"
        case expiration = "Expiration"
      }
    }
    var credentials: Keys

    enum CodingKeys: String, CodingKey { case credentials = "Credentials" }
  }
}
