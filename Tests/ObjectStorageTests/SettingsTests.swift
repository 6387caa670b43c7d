import Foundation
import TestSupport
import Testing

@testable import ObjectStorage

extension StorageSettings {
  /// The credentials that need no asking.
  var credentials: Credentials? {
    if case .fixed(let credentials) = credentialPlan { credentials } else { nil }
  }
}

@Suite struct SettingsTests {
  private let home: TemporaryDirectory

  init() throws {
    home = try TemporaryDirectory("home")
    try home.write(
      Array(
        """
        # the default has keys
        [default]
        aws_access_key_id = DEFAULTKEYID
        aws_secret_access_key = default#secret
        [work]
        aws_access_key_id=WORKKEYID
        aws_secret_access_key=worksecret   ; behind a space
        aws_session_token = worktoken
        [half]
        aws_access_key_id = HALFKEYID
        """.utf8), to: ".aws/credentials")
    try home.write(
      Array(
        """
        [default]
        region = eu-central-1
        [profile work]
        region = ap-south-1
        endpoint_url = https://minio.example:9000/base/
        s3 =
          addressing_style = path
        [profile inconfig]
        aws_access_key_id = CONFIGKEYID
        aws_secret_access_key = configsecret
        services = local
        [services local]
        s3 =
          endpoint_url = http://127.0.0.1:9000
        [profile sso]
        sso_session = corp
        [profile role]
        role_arn = arn:aws:iam::1:role/x
        source_profile = default
        [profile nothing]
        region = us-west-2
        """.utf8), to: ".aws/config")
  }

  private func settings(
    _ environment: [String: String] = [:], endpoint: String? = nil, _ change: (inout StorageOptions) -> Void = { _ in }
  ) throws -> StorageSettings {
    var options = StorageOptions(environment: environment.merging(["HOME": home.path]) { old, _ in old })
    change(&options)
    return try StorageSettings(options, locationEndpoint: endpoint)
  }

  private static let keys = ["AWS_ACCESS_KEY_ID": "ENVKEYID", "AWS_SECRET_ACCESS_KEY": "envsecret"]

  @Test("the environment's keys count before a profile's")
  func environment() throws {
    let found = try #require(try settings(Self.keys.merging(["AWS_SESSION_TOKEN": "t"]) { $1 }).credentials)
    #expect(found.accessKeyID == "ENVKEYID")
    #expect(found.secretKey.value == "envsecret")
    #expect(found.sessionToken?.value == "t")
  }

  @Test("a profile that is named makes the environment's keys count no more")
  func namedProfile() throws {
    let found = try settings(Self.keys) { $0.profile = "work" }
    #expect(found.credentials?.accessKeyID == "WORKKEYID")
    #expect(found.credentials?.secretKey.value == "worksecret")
    #expect(found.credentials?.sessionToken?.value == "worktoken")
    #expect(found.region == "ap-south-1")
    #expect(found.endpoint?.text == "https://minio.example:9000/base")
    #expect(found.addressingStyle == .path)
    #expect(try settings(["AWS_PROFILE": "inconfig"]).credentials?.accessKeyID == "CONFIGKEYID")
    #expect(try settings(Self.keys.merging(["AWS_PROFILE": "inconfig"]) { $1 }).credentials?.accessKeyID == "ENVKEYID")
  }

  @Test("the default profile is found without being named, a “#” inside a secret is no comment")
  func defaultProfile() throws {
    let found = try settings()
    #expect(found.credentials?.secretKey.value == "default#secret")
    #expect(found.region == "eu-central-1")
    #expect(found.endpoint == nil)
  }

  @Test("options count before the environment, and the environment before the profile")
  func regionAndEndpoint() throws {
    let environment = [
      "AWS_PROFILE": "work", "AWS_DEFAULT_REGION": "us-west-1", "AWS_ENDPOINT_URL": "http://general:1",
      "AWS_ENDPOINT_URL_S3": "http://special:2",
    ]
    #expect(try settings(environment).region == "us-west-1")
    #expect(try settings(environment.merging(["AWS_REGION": "us-west-2"]) { $1 }).region == "us-west-2")
    #expect(try settings(environment) { $0.region = "auto" }.region == "auto")
    #expect(try settings(environment).endpoint?.text == "http://special:2")
    #expect(try settings(environment) { $0.endpointURL = "http://option" }.endpoint?.text == "http://option")
    #expect(try settings(environment, endpoint: "http://location").endpoint?.text == "http://location")
    let ignored = environment.merging(["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"]) { $1 }
    #expect(try settings(ignored).endpoint == nil)
    #expect(try settings(["AWS_PROFILE": "inconfig"]).endpoint?.text == "http://127.0.0.1:9000")
  }

  @Test("an endpoint of AWS itself is AWS, and names the region")
  func amazonEndpoint() throws {
    let found = try settings(endpoint: "https://s3.eu-west-1.amazonaws.com")
    #expect(found.endpoint == nil)
    #expect(found.region == "eu-west-1")
  }

  @Test("without a word about the region it is us-east-1")
  func defaultRegion() throws {
    #expect(try settings(["AWS_PROFILE": "inconfig"]).region == "us-east-1")
  }

  @Test(
    "what is incomplete or wrong is named",
    arguments: [
      (["AWS_ACCESS_KEY_ID": "x"], "AWS_SECRET_ACCESS_KEY"),
      (["AWS_SECRET_ACCESS_KEY": "topsecret"], "AWS_ACCESS_KEY_ID"),
      (["AWS_PROFILE": "half"], "aws_secret_access_key"),
      (["AWS_PROFILE": "missing"], "inconfig, nothing, role, sso, work"),
      (["AWS_PROFILE": "sso"], "sso_account_id and sso_role_name"),
      (["AWS_PROFILE": "nothing", "AWS_EC2_METADATA_DISABLED": "true"], "--no-sign-request"),
      (["AWS_ENDPOINT_URL": "minio:9000"], "AWS_ENDPOINT_URL"),
      (["AWS_REGION": "no region/"], "no region"),
    ])
  func errors(_ environment: [String: String], expected: String) throws {
    let error = #expect(throws: StorageError.self) { _ = try settings(environment) }
    let text = try #require(error).description
    #expect(text.contains(expected), "\(text)")
    #expect(!text.contains("topsecret"))
  }

  @Test("an anonymous store looks for no credentials")
  func anonymous() throws {
    #expect(try settings(["AWS_PROFILE": "sso"]) { $0.noSignRequest = true }.credentialPlan == .anonymous)
  }

  @Test("no secret is described, reflected or dumped")
  func secrets() throws {
    let environment = [
      "AWS_ACCESS_KEY_ID": "AKIAABCDEFGHIJKL", "AWS_SECRET_ACCESS_KEY": "hush-hush", "AWS_SESSION_TOKEN": "psst-token",
      "HOME": home.path,
    ]
    var options = StorageOptions(environment: environment)
    options.endpointURL = "https://ada:hush-hush@host"
    let settings = try self.settings(environment)
    let values: [Any] = [
      options, settings, settings.credentials as Any, RequestSigner(credentials: settings.credentials!, region: "r"),
    ]
    for value in values {
      var dumped = ""
      dump(value, to: &dumped)
      for text in [dumped, String(describing: value), String(reflecting: value)] {
        #expect(!text.contains("hush-hush") && !text.contains("psst-token"), "\(text)")
      }
    }
  }

  @Test(
    "the bucket's name goes where its server wants it",
    arguments: [
      ("photos", nil, .auto, "https://photos.s3.us-east-1.amazonaws.com/a%20b"),
      ("my.photos", nil, .auto, "https://s3.us-east-1.amazonaws.com/my.photos/a%20b"),
      ("Old_Photos", nil, .auto, "https://s3.us-east-1.amazonaws.com/Old_Photos/a%20b"),
      ("photos", nil, .path, "https://s3.us-east-1.amazonaws.com/photos/a%20b"),
      ("photos", "http://127.0.0.1:9000", .auto, "http://127.0.0.1:9000/photos/a%20b"),
      ("photos", "https://[::1]/base", .auto, "https://[::1]/base/photos/a%20b"),
      ("photos", "https://minio.example/base/", .virtual, "https://photos.minio.example/base/a%20b"),
    ] as [(String, String?, StorageOptions.AddressingStyle, String)])
  func addressing(
    bucket: String, endpoint: String?, style: StorageOptions.AddressingStyle, url: String
  ) throws {
    let address = try BucketAddress(
      bucket: bucket, region: "us-east-1", endpoint: try endpoint.map { try EndpointAddress(parsing: $0) }, style: style
    )
    #expect(address.url(path: address.path(of: ObjectKey("a b")), query: "") == url)
  }

  @Test("an address cannot carry the bucket's name")
  func virtualAddress() {
    #expect(throws: StorageError.self) {
      _ = try BucketAddress(
        bucket: "photos", region: "r", endpoint: try EndpointAddress(parsing: "http://10.0.0.1"), style: .virtual)
    }
  }
}
