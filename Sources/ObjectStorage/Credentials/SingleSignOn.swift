/// Credentials of IAM Identity Center: a sign-on in the browser, done by the AWS command line and kept in its cache, stands
/// for the person.
struct SingleSignOn: Hashable, Sendable {
  var profile: String
  /// nil where the profile itself says everything, as was usual before 2022.
  var session: String?
  var startURL: String
  var region: String
  var accountID: String
  var roleName: String
  /// The file in which the AWS command line keeps the sign-on.
  var tokenFile: String

  var source: String {
    (session.map { "single sign-on session “\($0)”" } ?? "single sign-on at \(startURL)")
      + " (profile “\(profile)”, role \(roleName) in account \(accountID))"
  }

  /// What a person has to run when the sign-on has ended.
  var loginCommand: String { "aws sso login --profile \(profile)" }

  /// nil for a profile without single sign-on.
  /// - Throws: `StorageError` for one that lacks something.
  init?(_ profile: Profile, _ configuration: Configuration) throws(StorageError) {
    guard profile["sso_account_id"] != nil || profile["sso_role_name"] != nil else {
      guard profile["sso_start_url"] != nil || profile["sso_session"] != nil, !profile.hasStaticKeys else { return nil }
      throw Self.incomplete(profile, ["sso_account_id", "sso_role_name"], configuration)
    }
    var section: [String: String] = [:]
    session = profile["sso_session"]
    if let session {
      guard let found = configuration.signOnSession(session) else {
        throw StorageError(
          .configuration,
          "Profile “\(profile.name)” names the sso_session “\(session)”, which \(configuration.configPath) does not define.",
          remedy: "Run: aws configure sso --profile \(profile.name)")
      }
      section = found
    }
    func value(_ name: String) -> String? { section[name].nonEmpty ?? profile[name] }
    guard let startURL = value("sso_start_url"), let region = value("sso_region"),
      let accountID = profile["sso_account_id"], let roleName = profile["sso_role_name"]
    else {
      let needed = ["sso_start_url", "sso_region", "sso_account_id", "sso_role_name"]
      throw Self.incomplete(profile, needed.filter { value($0) == nil }, configuration)
    }
    guard StorageSettings.isPlausible(region: region) else {
      throw StorageError(
        .configuration, "“\(region)” is no region; profile “\(profile.name)” has it as sso_region.",
        remedy: "Correct it in \(configuration.configPath).")
    }
    self.profile = profile.name
    self.startURL = startURL
    self.region = region
    self.accountID = accountID
    self.roleName = roleName
    tokenFile =
      configuration.directory + "/sso/cache/" + Digest.hexadecimal(Digest.sha1(Array((session ?? startURL).utf8)))
      + ".json"
  }

  private static func incomplete(
    _ profile: Profile, _ missing: [String], _ configuration: Configuration
  ) -> StorageError {
    StorageError(
      .configuration,
      "Profile “\(profile.name)” uses single sign-on, but lacks \(missing.joined(separator: " and ")).",
      remedy: "Run: aws configure sso --profile \(profile.name)")
  }
}
