import Foundation
import TestSupport
import Testing

@testable import ObjectStorage

/// Where buckets and access points are reached. The addresses of AWS are those that the AWS SDK for Python makes.
@Suite struct AddressTests {
  private static let accessPoint = "arn:aws:s3:us-west-2:123456789012:accesspoint/myap"
  private static let files = [
    "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
  ]

  private func address(
    _ text: String, _ environment: [String: String] = [:], style: StorageOptions.AddressingStyle = .auto
  ) throws -> BucketAddress {
    var options = StorageOptions(environment: Self.files.merging(environment) { $1 })
    options.addressingStyle = style
    let location = try Location(parsing: text, currentDirectory: "/")
    guard case .bucket(let endpoint, let name, _) = location.kind else { throw TestSupportError("no bucket") }
    let settings = try StorageSettings(options, locationEndpoint: endpoint, bucket: name)
    return try settings.address(of: name, region: settings.region)
  }

  struct Example: Sendable, CustomTestStringConvertible {
    var location: String
    var environment: [String: String] = [:]
    var style = StorageOptions.AddressingStyle.auto
    var address: String
    var testDescription: String { "\(location) \(environment) \(style)" }
  }

  private static let fips = ["AWS_USE_FIPS_ENDPOINT": "true"]
  private static let dual = ["AWS_USE_DUALSTACK_ENDPOINT": "true"]

  private static func region(_ name: String, _ more: [String: String] = [:]) -> [String: String] {
    more.merging(["AWS_REGION": name]) { $1 }
  }

  @Test(
    "every partition, FIPS, dual-stack, access points and servers of one's own are reached where they are",
    arguments: [
      Example(location: "photos", address: "https://photos.s3.us-east-1.amazonaws.com"),
      Example(
        location: "photos", environment: region("aws-global"), address: "https://photos.s3.us-east-1.amazonaws.com"),
      Example(
        location: "photos", environment: region("us-west-2", fips),
        address: "https://photos.s3-fips.us-west-2.amazonaws.com"),
      Example(
        location: "photos", environment: region("us-west-2", dual),
        address: "https://photos.s3.dualstack.us-west-2.amazonaws.com"),
      Example(
        location: "photos", environment: region("us-west-2", fips.merging(dual) { $1 }),
        address: "https://photos.s3-fips.dualstack.us-west-2.amazonaws.com"),
      Example(
        location: "my.photos", environment: region("us-west-2", dual),
        address: "https://s3.dualstack.us-west-2.amazonaws.com/my.photos"),
      Example(
        location: "photos", environment: region("us-west-2"), style: .path,
        address: "https://s3.us-west-2.amazonaws.com/photos"),
      Example(
        location: "photos", environment: region("cn-north-1"), address: "https://photos.s3.cn-north-1.amazonaws.com.cn"),
      Example(
        location: "photos", environment: region("cn-north-1", dual),
        address: "https://photos.s3.dualstack.cn-north-1.amazonaws.com.cn"),
      Example(
        location: "photos", environment: region("us-gov-west-1", fips),
        address: "https://photos.s3-fips.us-gov-west-1.amazonaws.com"),
      Example(
        location: "photos", environment: region("us-iso-east-1"), address: "https://photos.s3.us-iso-east-1.c2s.ic.gov"),
      Example(
        location: "photos", environment: region("us-isob-east-1"),
        address: "https://photos.s3.us-isob-east-1.sc2s.sgov.gov"),
      Example(
        location: "photos", environment: region("eu-isoe-west-1"),
        address: "https://photos.s3.eu-isoe-west-1.cloud.adc-e.uk"),
      Example(
        location: "photos", environment: region("us-isof-south-1"),
        address: "https://photos.s3.us-isof-south-1.csp.hci.ic.gov"),
      Example(
        location: "photos", environment: region("eusc-de-east-1"),
        address: "https://photos.s3.eusc-de-east-1.amazonaws.eu"),
      Example(
        location: accessPoint, environment: region("us-east-1"),
        address: "https://myap-123456789012.s3-accesspoint.us-west-2.amazonaws.com"),
      Example(
        location: "s3://" + accessPoint + "/a/b", style: .path,
        address: "https://myap-123456789012.s3-accesspoint.us-west-2.amazonaws.com"),
      Example(
        location: accessPoint.replacing("accesspoint/", with: "accesspoint:") + "/a", environment: fips,
        address: "https://myap-123456789012.s3-accesspoint-fips.us-west-2.amazonaws.com"),
      Example(
        location: accessPoint, environment: dual,
        address: "https://myap-123456789012.s3-accesspoint.dualstack.us-west-2.amazonaws.com"),
      Example(
        location: "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/myap",
        address: "https://myap-123456789012.s3-accesspoint.cn-north-1.amazonaws.com.cn"),
      Example(
        location: accessPoint, environment: ["AWS_ENDPOINT_URL_S3": "https://beta.example.com"],
        address: "https://myap-123456789012.beta.example.com"),
      Example(
        location: "myap-abcdefghij1234567890s3alias-s3alias", environment: region("us-west-2"),
        address: "https://myap-abcdefghij1234567890s3alias-s3alias.s3.us-west-2.amazonaws.com"),
      Example(
        location: "https://s3.dualstack.eu-west-1.amazonaws.com/photos/a",
        address: "https://photos.s3.dualstack.eu-west-1.amazonaws.com"),
      Example(
        location: "https://photos.s3-eu-west-1.amazonaws.com/a", address: "https://photos.s3.eu-west-1.amazonaws.com"),
      Example(
        location: "http://photos.s3-website-us-west-2.amazonaws.com/a",
        address: "https://photos.s3.us-west-2.amazonaws.com"),
      Example(
        location: "http://my.photos.s3-website.eu-central-1.amazonaws.com",
        address: "https://s3.eu-central-1.amazonaws.com/my.photos"),
      Example(
        location: "https://photos.s3-accelerate.amazonaws.com/a", address: "https://photos.s3.us-east-1.amazonaws.com"),
      Example(
        location:
          "https://eu-west-3.console.aws.amazon.com/s3/buckets/photos?region=eu-west-3&prefix=a%20b/&tab=objects",
        address: "https://photos.s3.eu-west-3.amazonaws.com"),
      Example(
        location: "https://myap-123456789012.s3-accesspoint.us-west-2.amazonaws.com/a",
        address: "https://myap-123456789012.s3-accesspoint.us-west-2.amazonaws.com"),
      Example(
        location: "photos", environment: ["AWS_ENDPOINT_URL": "http://127.0.0.1:9000/base/"],
        address: "http://127.0.0.1:9000/base/photos"),
      Example(
        location: "photos", environment: ["AWS_ENDPOINT_URL": "https://minio.example/base"], style: .virtual,
        address: "https://photos.minio.example/base"),
      Example(
        location: "my.photos", environment: ["AWS_ENDPOINT_URL": "http://[::1]:9000"],
        address: "http://[::1]:9000/my.photos"),
      Example(
        location: "photos--x-s3", environment: ["AWS_ENDPOINT_URL": "http://minio:9000"],
        address: "http://minio:9000/photos--x-s3"),
    ])
  func addresses(_ example: Example) throws {
    #expect(try address(example.location, example.environment, style: example.style).text == example.address)
  }

  @Test("an access point is signed for in its own region")
  func accessPointRegion() throws {
    let options = StorageOptions(environment: Self.files.merging(["AWS_REGION": "eu-west-1"]) { $1 })
    let settings = try StorageSettings(options, locationEndpoint: nil, bucket: Self.accessPoint)
    #expect(settings.region == "us-west-2")
  }

  @Test(
    "what cannot be opened is refused with what can",
    arguments: [
      ("photos--usw2-az1--x-s3", [:], "S3 Express"),
      ("ap--usw2-az1--xa-s3", [:], "aws s3 sync"),
      ("arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap", [:], "access point of one region"),
      ("arn:aws:s3-object-lambda:us-east-1:123456789012:accesspoint/lambda", [:], "Object Lambda"),
      (accessPoint, ["AWS_ENDPOINT_URL": "http://127.0.0.1:9000"], "host name"),
      ("photos", fips.merging(["AWS_ENDPOINT_URL": "http://minio:9000"]) { $1 }, "AWS_USE_FIPS_ENDPOINT"),
      ("photos", ["AWS_USE_DUALSTACK_ENDPOINT": "perhaps"], "true or false"),
    ] as [(String, [String: String], String)])
  func refusals(_ location: String, _ environment: [String: String], expected: String) throws {
    let error = #expect(throws: StorageError.self) { _ = try address(location, environment) }
    #expect(try #require(error).description.contains(expected), "\(String(describing: error))")
  }

  @Test(
    "ARNs that name neither bucket nor access point are no locations",
    arguments: [
      "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-1/accesspoint/x", "arn:aws:iam::123456789012:role/x",
      "arn:aws:s3:us-west-2:123456789012:bucket/x", "arn:aws:s3:::", "arn:aws:s3",
      "arn:other:s3:us-west-2:123456789012:accesspoint/x",
      "arn:aws:s3:us-west-2/:123456789012:accesspoint/myap", "arn:aws:s3:us-west-2:123456789012:accesspoint/my_ap",
    ])
  func otherARNs(_ text: String) {
    #expect(throws: LocationError.self) { _ = try Location(parsing: text, currentDirectory: "/") }
  }

  @Test(
    "ARNs and pages of the console become locations that read back",
    arguments: [
      ("arn:aws:s3:::photos/a b/c", "photos/a b/c"), ("arn:aws-cn:s3:::photos", "photos"),
      ("s3://" + accessPoint + "/a/", accessPoint + "/a"),
      (accessPoint.replacing("accesspoint/", with: "accesspoint:"), accessPoint),
      (
        "https://s3.console.aws.amazon.com/s3/buckets/photos?prefix=a%2Bb+c/&region=us-east-2",
        "https://s3.us-east-2.amazonaws.com/photos/a+b%20c"
      ),
      ("https://console.aws.amazon.com/s3/buckets/photos", "photos"),
      ("photos/a://b", "photos/a://b"),
    ])
  func readBack(_ typed: String, text: String) throws {
    let location = try Location(parsing: typed, currentDirectory: "/")
    #expect(location.text == text)
    #expect(try Location(parsing: location.text, currentDirectory: "/") == location)
  }

  @Test("services beside S3 are found as the configuration says")
  func services() throws {
    let home = try TemporaryDirectory("home")
    try home.write(
      Array(
        """
        [profile local]
        services = all
        endpoint_url = http://general:1
        [services all]
        sts =
          endpoint_url = http://tokens:2
        s3 =
          endpoint_url = http://storage:3
        """.utf8), to: "config")
    let environment = ["AWS_CONFIG_FILE": home.file("config"), "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"]
    let configuration = try Configuration(environment: environment)
    func endpoint(
      _ service: ServiceEndpoints.Service, _ more: [String: String] = [:], profile: String? = nil,
      region: String = "eu-west-1", variant: AmazonVariant = AmazonVariant()
    ) throws -> String {
      let selected = try configuration.selectedProfile(explicit: profile, environment: more)
      return try ServiceEndpoints(environment: more, profile: selected, variant: variant)
        .endpoint(of: service, region: region).text
    }
    #expect(try endpoint(.tokens) == "https://sts.eu-west-1.amazonaws.com")
    #expect(try endpoint(.tokens, region: "auto") == "https://sts.us-east-1.amazonaws.com")
    #expect(try endpoint(.signOn, region: "cn-north-1") == "https://portal.sso.cn-north-1.amazonaws.com.cn")
    #expect(
      try endpoint(.signOnTokens, variant: AmazonVariant(usesDualStack: true)) == "https://oidc.eu-west-1.api.aws")
    #expect(
      try endpoint(.tokens, variant: AmazonVariant(usesFIPS: true)) == "https://sts-fips.eu-west-1.amazonaws.com")
    #expect(try endpoint(.tokens, profile: "local") == "http://tokens:2")
    #expect(try endpoint(.signOn, profile: "local") == "http://general:1")
    let variables = ["AWS_ENDPOINT_URL_STS": "http://a:1", "AWS_ENDPOINT_URL": "http://b:2"]
    #expect(try endpoint(.tokens, variables, profile: "local") == "http://a:1")
    #expect(try endpoint(.signOnTokens, variables, profile: "local") == "http://b:2")
    let ignored = variables.merging(["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"]) { $1 }
    #expect(try endpoint(.tokens, ignored, profile: "local") == "https://sts.eu-west-1.amazonaws.com")
  }

  @Test("where regions of ARNs are not to be used, another region is refused with what to do")
  func regionOfARN() throws {
    let arn = "arn:aws:s3:us-west-2:123456789012:accesspoint/myap"
    func settings(_ more: [String: String], region: String? = nil) throws -> StorageSettings {
      var options = StorageOptions(environment: Self.files.merging(more) { $1 })
      options.region = region
      options.noSignRequest = true
      return try StorageSettings(options, locationEndpoint: nil, bucket: arn)
    }
    #expect(try settings(["AWS_REGION": "eu-west-1"]).region == "us-west-2")
    #expect(try settings(["AWS_REGION": "eu-west-1", "AWS_S3_USE_ARN_REGION": "true"]).region == "us-west-2")
    let off = ["AWS_S3_USE_ARN_REGION": "false"]
    #expect(try settings(off).region == "us-west-2")
    #expect(try settings(off, region: "us-west-2").region == "us-west-2")
    let error = #expect(throws: StorageError.self) { _ = try settings(off, region: "eu-west-1") }
    #expect(error?.kind == .configuration && error?.remedy?.contains("--region us-west-2") == true)
    #expect(error?.message.contains("--region is eu-west-1") == true)
    let home = try TemporaryDirectory("config")
    try home.write(Array("[default]\nregion = eu-west-1\ns3 =\n  use_arn_region = false\n".utf8), to: "config")
    #expect(throws: StorageError.self) { _ = try settings(["AWS_CONFIG_FILE": home.file("config")]) }
    #expect(throws: StorageError.self) {
      _ = try settings(["AWS_REGION": "eu-west-1", "AWS_S3_USE_ARN_REGION": "maybe"])
    }
  }

  @Test("credentials are asked for in the region that was chosen, wherever the bucket lies")
  func regionOfTokens() throws {
    let home = try TemporaryDirectory("state")
    RegionMemory(path: home.file("regions")).remember("eu-west-3", of: "photos")
    for (bucket, region) in [
      ("photos", "eu-west-3"), ("arn:aws:s3:us-west-2:123456789012:accesspoint/myap", "us-west-2"),
    ] {
      var options = StorageOptions(environment: Self.files.merging(["AWS_REGION": "eu-central-1"]) { $1 })
      options.regionFile = home.file("regions")
      let settings = try StorageSettings(options, locationEndpoint: nil, bucket: bucket)
      #expect(settings.region == region && settings.credentialSource.fetcher.region == "eu-central-1")
    }
  }

  @Test("a region that was learnt is asked first the next time, in its own partition alone")
  func regionMemory() throws {
    let home = try TemporaryDirectory("state")
    let memory = RegionMemory(path: home.file("deep/regions"))
    #expect(memory.region(of: "photos", besides: "us-east-1") == nil)
    memory.remember("eu-west-3", of: "photos")
    memory.remember("ap-south-1", of: "other")
    memory.remember("eu-west-2", of: "photos")
    memory.remember("cn-north-1", of: "photos")
    #expect(memory.region(of: "photos", besides: "us-east-1") == "eu-west-2")
    #expect(memory.region(of: "photos", besides: "cn-northwest-1") == "cn-north-1")
    #expect(memory.region(of: "other", besides: "us-gov-west-1") == nil)
    for index in 0..<600 { memory.remember("us-west-2", of: "bucket\(index)") }
    #expect(memory.region(of: "photos", besides: "us-east-1") == nil)
    #expect(memory.region(of: "bucket599", besides: "us-east-1") == "us-west-2")
    var options = StorageOptions(environment: Self.files)
    options.regionFile = memory.path
    let settings = try StorageSettings(options, locationEndpoint: nil, bucket: "bucket599")
    #expect(settings.region == "us-west-2")
    #expect(
      try settings.address(of: "bucket599", region: settings.region).host == "bucket599.s3.us-west-2.amazonaws.com")
    options.endpointURL = "http://127.0.0.1:9000"
    #expect(try StorageSettings(options, locationEndpoint: nil, bucket: "bucket599").region == "us-east-1")
    try home.write([0xFF, 0x0A, 0x20], to: "deep/regions")
    #expect(memory.region(of: "bucket599", besides: "us-east-1") == nil)
  }
}
