import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ObjectStorage

/// What `s3totsne check` says.
@Suite(.timeLimit(.minutes(10))) struct StorageCheckTests {
  private func check(
    _ bucket: String, _ environment: [String: String], prefix: String = "", isOffline: Bool = false,
    replica: StorageCheck.Replica = .none("none", remedy: nil), _ change: (inout StorageOptions) -> Void = { _ in }
  ) async throws -> StorageCheck.Report {
    var options = StorageOptions(environment: environment)
    change(&options)
    return try await StorageCheck(
      Location(.bucket(endpoint: nil, name: bucket, prefix: Array(prefix.utf8))), options: options,
      isOffline: isOffline, replica: replica
    ).run()
  }

  private func outcome(_ report: StorageCheck.Report, _ name: String) -> StorageCheck.Step.Outcome? {
    report.steps.last { $0.name == name }?.outcome
  }

  @Test("a server that is well is said to be, and the replica is written to on request alone, without a trace")
  func well() async throws {
    let server = try await SeaweedServer.shared
    try await server.makeBucket("checked")
    try await server.makeBucket("checkedreplica")
    try await server.put([1, 2, 3], to: "a b/ö.jpg", in: "checked")
    let report = try await check("checked", server.environment, prefix: "a b/")
    #expect(report.error == nil)
    for name in ["Credentials", "Region", "Endpoint", "Connection", "Clock", "Listing", "Reading"] {
      #expect(outcome(report, name) == .passed, "\(name): \(report.steps)")
    }
    #expect(outcome(report, "Replica") == .skipped)
    #expect(report.endpoint == server.endpoint && report.url == server.endpoint + "/checked")
    #expect(report.addressing == "path" && report.region == "us-east-1")
    #expect(abs(report.clockOffset ?? 100) < 60)
    let written = try await check("checked", server.environment, replica: .mustBeWritable("checkedreplica"))
    #expect(outcome(written, "Replica") == .passed, "\(written.steps)")
    let replica = try openStore(
      Location(.bucket(endpoint: nil, name: "checkedreplica", prefix: [])),
      options: StorageOptions(environment: server.environment))
    #expect(try await replica.allObjects().isEmpty)
    let readOnly = try await check("checked", server.environment, replica: .mustBeWritable("checkedreplica")) {
      $0.environment["AWS_ACCESS_KEY_ID"] = server.readOnlyKey.access
      $0.environment["AWS_SECRET_ACCESS_KEY"] = server.readOnlyKey.secret
    }
    #expect(outcome(readOnly, "Reading") == .passed && outcome(readOnly, "Replica") == .failed)
    #expect(readOnly.error?.kind == .accessDenied)
    #expect(readOnly.error?.remedy?.contains("s3:PutObject") == true)
  }

  @Test("rclone's server, which knows fewer headers, is left without a trace too")
  func rclone() async throws {
    let server = try await RcloneServer.start()
    try await server.makeBucket("photos")
    try await server.put([1, 2, 3], to: "x.jpg", in: "photos")
    let report = try await check("photos", server.environment, replica: .mustBeWritable("photos"))
    #expect(report.error == nil && outcome(report, "Replica") == .passed, "\(report.steps)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: server.directory + "/photos") == ["x.jpg"])
  }

  @Test("what fails is named with its remedy, and no secret is in it")
  func failures() async throws {
    let server = try await SeaweedServer.shared
    try await server.makeBucket("refusing")
    let wrong = try await check("refusing", server.environment) {
      $0.environment["AWS_SECRET_ACCESS_KEY"] = "hush-wrong"
    }
    #expect(wrong.error?.kind == .wrongSecret && outcome(wrong, "Listing") == .failed)
    #expect(!"\(wrong)".contains("hush"))
    let missing = try await check("there-is-none", server.environment)
    #expect(missing.error?.kind == .noSuchBucket)
    let empty = try await check("refusing", server.environment, prefix: "nothing/")
    #expect(empty.error == nil && outcome(empty, "Listing") == .noted && outcome(empty, "Reading") == .skipped)
    let gone = try await check("refusing", server.environment) {
      $0.environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1"
    }
    #expect(gone.error?.kind == .unreachable)
  }

  @Test("a wrong region is said, and the address that the answer led to")
  func region() async throws {
    let server = try FaultServer { request in
      request.headers["authorization"]?.contains("/eu-west-3/") == true
        ? .answer(200, body: "<ListBucketResult></ListBucketResult>")
        : .answer(301, headers: ["x-amz-bucket-region": "eu-west-3"])
    }
    let report = try await check("photos", Self.keys.merging(["AWS_ENDPOINT_URL": server.endpoint]) { $1 })
    #expect(report.error == nil && report.region == "eu-west-3")
    let step = try #require(report.steps.last { $0.name == "Region" })
    #expect(step.text == "the bucket answers in eu-west-3; the request was signed for us-west-1, from AWS_REGION")
  }

  @Test("a wrong clock is noted")
  func clock() async throws {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "GMT")
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    let server = try FaultServer { request in
      let text = formatter.string(from: Date(timeIntervalSinceNow: 7200))
      return request.number == 0
        ? .answer(403, headers: ["Date": text], body: "<Error><Code>RequestTimeTooSkewed</Code></Error>")
        : .answer(200, headers: ["Date": text], body: "<ListBucketResult></ListBucketResult>")
    }
    let report = try await check("photos", Self.keys.merging(["AWS_ENDPOINT_URL": server.endpoint]) { $1 })
    #expect(report.error == nil && outcome(report, "Clock") == .noted)
    #expect(abs((report.clockOffset ?? 0) - 7200) < 60)
  }

  private static let keys = [
    "AWS_ACCESS_KEY_ID": "AKIAKEYKEYKEY", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_REGION": "us-west-1",
    "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
  ]

  @Test("offline, all is resolved and nobody is asked")
  func offline() async throws {
    let server = try FaultServer { _ in .answer(500) }
    let report = try await check(
      "photos", Self.keys.merging(["AWS_ENDPOINT_URL": server.endpoint]) { $1 }, prefix: "a/", isOffline: true)
    #expect(report.error == nil && report.url == server.endpoint + "/photos")
    #expect(report.credentials == "the environment")
    let amazon = try await check("photos", Self.keys, isOffline: true)
    #expect(amazon.url == "https://photos.s3.us-west-1.amazonaws.com")
    #expect(amazon.endpoint == "https://s3.us-west-1.amazonaws.com" && amazon.addressing == "virtual")
    let anonymous = try await check("photos", [:], isOffline: true) { $0.noSignRequest = true }
    #expect(anonymous.error == nil && anonymous.credentials?.contains("anonymous") == true)
    #expect(server.requests.isEmpty)
  }

  @Test("without credentials the rest is still resolved")
  func noCredentials() async throws {
    let report = try await check(
      "photos",
      [
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
      ], isOffline: true)
    #expect(report.error?.kind == .noCredentials && report.credentials == nil)
    #expect(report.url == "https://photos.s3.us-east-1.amazonaws.com")
    let express = try await check("photos--use1-az4--x-s3", Self.keys, isOffline: true)
    #expect(express.error?.message.contains("S3 Express") == true && express.url == nil)
  }

  @Test("folders are checked too")
  func folder() async throws {
    let folder = try TemporaryDirectory("folder")
    func check(_ path: String) async throws -> StorageCheck.Report {
      try await StorageCheck(
        Location(.folder(path: Array(path.utf8))), options: StorageOptions(environment: [:])
      ).run()
    }
    let empty = try await check(folder.path)
    #expect(empty.error == nil && outcome(empty, "Listing") == .noted)
    try folder.write([1], to: "sub/x y.jpg")
    let report = try await check(folder.path)
    #expect(report.error == nil && outcome(report, "Reading") == .passed)
    #expect(report.url == "file://" + folder.path && report.endpoint == nil && report.credentials == nil)
    #expect(try await check(folder.path + "/missing").error?.kind == .noSuchFolder)
  }
}
