import Foundation
import TestSupport
import Testing

@testable import ObjectStorage

/// What is found where, without asking anybody.
@Suite struct CredentialPlanTests {
  private let home: TemporaryDirectory

  init() throws {
    home = try TemporaryDirectory("home")
    try home.write(
      Array(
        """
        [base]
        aws_access_key_id = BASEKEYID
        aws_secret_access_key = basesecret
        [selfmade]
        aws_access_key_id = SELFKEYID
        aws_secret_access_key = selfsecret
        [both]
        aws_access_key_id = BOTHKEYID
        aws_secret_access_key = bothsecret
        """.utf8), to: ".aws/credentials")
    try home.write(
      Array(
        """
        [profile one]
        role_arn = arn:aws:iam::111111111111:role/one
        source_profile = base
        external_id = hush-external
        role_session_name = ada
        duration_seconds = 1800
        [profile two]
        role_arn = arn:aws:iam::111111111111:role/two
        source_profile = one
        [profile selfmade]
        role_arn = arn:aws:iam::111111111111:role/own
        source_profile = selfmade
        [profile circle]
        role_arn = arn:aws:iam::111111111111:role/a
        source_profile = circle2
        [profile circle2]
        role_arn = arn:aws:iam::111111111111:role/b
        source_profile = circle
        [profile lost]
        role_arn = arn:aws:iam::111111111111:role/a
        source_profile = nowhere
        [profile sourceless]
        role_arn = arn:aws:iam::111111111111:role/a
        [profile twosources]
        role_arn = arn:aws:iam::111111111111:role/a
        source_profile = base
        credential_source = Environment
        [profile fromenvironment]
        role_arn = arn:aws:iam::111111111111:role/e
        credential_source = Environment
        [profile frominstance]
        role_arn = arn:aws:iam::111111111111:role/e
        credential_source = Ec2InstanceMetadata
        [profile fromcontainer]
        role_arn = arn:aws:iam::111111111111:role/e
        credential_source = EcsContainer
        [profile fromwhere]
        role_arn = arn:aws:iam::111111111111:role/e
        credential_source = Somewhere
        [profile long]
        role_arn = arn:aws:iam::111111111111:role/e
        source_profile = base
        duration_seconds = 10
        [profile web]
        role_arn = arn:aws:iam::111111111111:role/web
        web_identity_token_file = /run/token
        [profile viaweb]
        role_arn = arn:aws:iam::111111111111:role/next
        source_profile = web
        [profile sso]
        sso_session = corp
        sso_account_id = 222222222222
        sso_role_name = Reader
        [profile ssolegacy]
        sso_start_url = https://corp.awsapps.com/start
        sso_region = eu-west-1
        sso_account_id = 222222222222
        sso_role_name = Reader
        [profile ssolost]
        sso_session = nobody
        sso_account_id = 222222222222
        sso_role_name = Reader
        [sso-session corp]
        sso_start_url = https://corp.awsapps.com/start
        sso_region = eu-central-1
        sso_registration_scopes = sso:account:access
        [profile process]
        credential_process = /opt/bin/keys --password hush-password
        [profile both]
        credential_process = /opt/bin/keys
        [profile login]
        login_session = arn:aws:iam::1:user/x
        """.utf8), to: ".aws/config")
  }

  private func plan(_ environment: [String: String], profile: String? = nil) throws -> CredentialPlan {
    var options = StorageOptions(environment: environment.merging(["HOME": home.path]) { old, _ in old })
    options.profile = profile
    return try StorageSettings(options, locationEndpoint: nil).credentialPlan
  }

  private func keyID(_ plan: CredentialPlan) -> String? {
    if case .fixed(let credentials) = plan { credentials.accessKeyID } else { nil }
  }

  private static let keys = ["AWS_ACCESS_KEY_ID": "ENVKEYID", "AWS_SECRET_ACCESS_KEY": "envsecret"]

  @Test("a role names its source, over several profiles")
  func roles() throws {
    guard case .role(let role, let source) = try plan(["AWS_PROFILE": "two"]) else {
      Issue.record("no role")
      return
    }
    #expect(role == AssumedRole(profile: "two", arn: "arn:aws:iam::111111111111:role/two"))
    guard case .role(let inner, let base) = source else {
      Issue.record("no inner role")
      return
    }
    #expect(inner.externalID?.value == "hush-external" && inner.sessionName == "ada" && inner.durationSeconds == 1800)
    #expect(keyID(base) == "BASEKEYID")
    guard case .role(_, let own) = try plan([:], profile: "selfmade") else {
      Issue.record("no role of its own")
      return
    }
    #expect(keyID(own) == "SELFKEYID")
  }

  @Test("the environment's keys count before a role, unless an option names the profile")
  func order() throws {
    #expect(keyID(try plan(Self.keys.merging(["AWS_PROFILE": "one"]) { $1 })) == "ENVKEYID")
    guard case .role = try plan(Self.keys, profile: "one") else {
      Issue.record("no role")
      return
    }
    // Keys of the credentials file before a process, and single sign-on before both.
    #expect(keyID(try plan(["AWS_PROFILE": "both"])) == "BOTHKEYID")
  }

  @Test("credential_source names the environment, the container or the instance")
  func credentialSource() throws {
    let container = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x"]
    for (name, environment) in [("fromenvironment", Self.keys), ("fromcontainer", container), ("frominstance", [:])] {
      guard case .role(_, let source) = try plan(environment, profile: name) else {
        Issue.record("no role of \(name)")
        continue
      }
      switch (name, source) {
      case ("fromenvironment", .fixed(let found)): #expect(found.accessKeyID == "ENVKEYID")
      case ("fromcontainer", .container(let found)): #expect(found.address == "http://169.254.170.2/v2/x")
      case ("frominstance", .instance(let found)): #expect(found.endpoint.text == "http://169.254.169.254")
      default: Issue.record("\(name): \(source)")
      }
    }
  }

  @Test("a web identity comes from the environment or the profile, and may be the source of another role")
  func webIdentity() throws {
    let environment = [
      "AWS_WEB_IDENTITY_TOKEN_FILE": "/env/token", "AWS_ROLE_ARN": "arn:r", "AWS_ROLE_SESSION_NAME": "s",
    ]
    #expect(
      try plan(environment)
        == .webIdentity(WebIdentityRole(arn: "arn:r", tokenFile: "/env/token", sessionName: "s")))
    let fromProfile = CredentialPlan.webIdentity(
      WebIdentityRole(arn: "arn:aws:iam::111111111111:role/web", tokenFile: "/run/token"))
    #expect(try plan(environment, profile: "web") == fromProfile)
    guard case .role(_, let source) = try plan([:], profile: "viaweb") else {
      Issue.record("no role")
      return
    }
    #expect(source == fromProfile)
  }

  @Test("a sign-on is looked for in the file that the AWS command line keeps it in")
  func signOn() throws {
    guard case .singleSignOn(let new) = try plan([:], profile: "sso"),
      case .singleSignOn(let old) = try plan([:], profile: "ssolegacy")
    else {
      Issue.record("no single sign-on")
      return
    }
    #expect(new.region == "eu-central-1" && new.startURL == "https://corp.awsapps.com/start")
    // sha1("corp") and sha1("https://corp.awsapps.com/start")
    #expect(new.tokenFile == home.path + "/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json")
    #expect(old.tokenFile == home.path + "/.aws/sso/cache/a51746d4aa793ae07b25e90c3a5db96fc7832bd7.json")
    #expect(old.region == "eu-west-1" && old.session == nil)
  }

  @Test("a container, then the instance, are the last to be asked")
  func machines() throws {
    guard case .instance(let instance) = try plan([:]) else {
      Issue.record("no instance")
      return
    }
    #expect(instance.timeoutSeconds == 1 && instance.attempts == 1)
    guard
      case .container(let container) = try plan([
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/x?token=hush",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "hush-token",
      ])
    else {
      Issue.record("no container")
      return
    }
    #expect(container.token?.value == "hush-token")
    #expect(!CredentialPlan.container(container).source.contains("hush"))
    guard case .instance(let six) = try plan(["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"]) else {
      Issue.record("no instance")
      return
    }
    #expect(six.endpoint.text == "http://[fd00:ec2::254]")
  }

  @Test(
    "what is incomplete or contradicts itself is named, with what to do",
    arguments: [
      ("circle", "circle, circle2, circle"), ("lost", "“nowhere”"),
      ("sourceless", "source_profile or credential_source"),
      ("twosources", "both source_profile and credential_source"), ("fromenvironment", "AWS_ACCESS_KEY_ID"),
      ("fromcontainer", "EcsContainer"), ("fromwhere", "Ec2InstanceMetadata"), ("long", "900 to 43200"),
      ("ssolost", "aws configure sso --profile ssolost"), ("login", "credential_process ="),
    ])
  func errors(_ profile: String, expected: String) throws {
    let error = #expect(throws: StorageError.self) { _ = try plan([:], profile: profile) }
    #expect(try #require(error).description.contains(expected), "\(String(describing: error))")
  }

  @Test(
    "keys are never fetched in the clear from other computers",
    arguments: ["http://evil.example/x", "http://169.254.169.254/x", "ftp://127.0.0.1/x", "http://[fd00::1]/x"])
  func foreignContainer(_ address: String) throws {
    let error = #expect(throws: StorageError.self) { _ = try plan(["AWS_CONTAINER_CREDENTIALS_FULL_URI": address]) }
    #expect(try #require(error).message.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
  }

  @Test("no plan describes or dumps a secret", arguments: ["one", "two", "process", "sso", "web", "both"])
  func secrets(_ profile: String) throws {
    let plan = try plan([:], profile: profile)
    var dumped = ""
    dump(plan, to: &dumped)
    for text in [dumped, plan.source, "\(plan)"] {
      for secret in ["hush", "basesecret", "bothsecret"] { #expect(!text.contains(secret), "\(text)") }
    }
  }

  @Test(
    "a command line is split as a shell splits it, and nothing more",
    arguments: [
      ("a b  c", ["a", "b", "c"]), ("\"a b\" 'c \"d\"'", ["a b", "c \"d\""]),
      (#"a\ b "c\"d" "e\f" 'g\h'"#, ["a b", "c\"d", #"e\f"#, #"g\h"#]),
      ("x '' \"\"", ["x", "", ""]), ("a\"b\"'c'd", ["abcd"]),
      ("echo $HOME `id` | cat; ~ * #x", ["echo", "$HOME", "`id`", "|", "cat;", "~", "*", "#x"]),
      ("\"open", nil), ("trailing\\", nil),
    ] as [(String, [String]?)])
  func words(_ line: String, words: [String]?) {
    #expect(CredentialProcess.words(of: line) == words)
  }

  @Test("the cache of the AWS command line is found by the name that it gives its files")
  func commandLineCache() {
    let cache = CommandLineCache(directory: "/h/.aws")
    var role = AssumedRole(profile: "x", arn: "arn:aws:iam::111111111111:role/x")
    role.deviceSerial = "arn:aws:iam::111111111111:mfa/ada"
    #expect(cache.path(of: role) == "/h/.aws/cli/cache/225b07e15bd47d9c395375ee893c95e5343c4480.json")
    role.sessionName = "naïve \"😀\""
    role.durationSeconds = 3600
    #expect(cache.path(of: role) == "/h/.aws/cli/cache/573f0431da1386ffcc205a0c008daad225b24c57.json")
  }
}
