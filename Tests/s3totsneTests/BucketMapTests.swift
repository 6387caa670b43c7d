import Foundation
import TestSupport
import Testing

/// `s3totsne map` on a bucket, in bad weather and with little room.
@Suite(.timeLimit(.minutes(10))) struct BucketMapTests {
  var program: Program

  init() throws { program = try Program() }

  private mutating func take(_ environment: [String: String], endpoint: String? = nil) {
    for (name, value) in environment { program.environment[name] = value }
    if let endpoint { program.environment["AWS_ENDPOINT_URL"] = endpoint }
  }

  @Test("a connection that does not come back ends it with 1, after the countdown, also where everything is known")
  mutating func patience() async throws {
    let server = try await RcloneServer.start()
    try await server.makeBucket("photos")
    try await server.upload(folder: sampleImages + "/frogs", to: "photos")
    let proxy = try FaultProxy(upstream: server.endpoint)
    take(server.environment, endpoint: proxy.endpoint)
    let well = try await program("map", "photos", "--json")
    #expect(well.status == 0, "\(well.errorText)")
    proxy.disconnect()
    let failed = try await program("map", "photos", "--json", "--patience", "0.25")
    #expect(failed.status == 1)
    #expect(failed.errorText.contains("No connection to") && failed.errorText.contains("next try in"))
    #expect(try failed.json["error_kind"] as? String == "network")
    #expect(try (failed.json["error"] as? String ?? "").contains("15 seconds"))
    try proxy.reconnect()
    #expect(try await program("map", "photos", "--json").status == 0)
  }

  @Test("the object of --json names the request that the server refused")
  mutating func requestID() async throws {
    let proxy = try FaultProxy(upstream: "http://127.0.0.1:1") { _, _ in
      .answer(
        403, body: "<Error><Code>AccessDenied</Code><Message>No.</Message><RequestId>4242ABCD</RequestId></Error>")
    }
    take(["AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"], endpoint: proxy.endpoint)
    let result = try await program("map", "photos", "--json")
    #expect(result.status == 1)
    #expect(try result.json["request_id"] as? String == "4242ABCD")
    #expect(try (result.json["error"] as? String ?? "").contains("4242ABCD"))
  }

  @Test("few open files allowed, soft or hard, are enough", arguments: ["-n", "-Sn"])
  mutating func descriptors(limit: String) async throws {
    let server = try await SeaweedServer.shared
    let bucket = "descriptors\(limit == "-n" ? "" : "-soft")"
    try await server.makeBucket(bucket)
    for subject in ["balloons", "signs", "frogs"] {
      try await server.upload(folder: sampleImages + "/" + subject, to: bucket, prefix: subject)
    }
    take(server.environment)
    let result = try await run(
      "/bin/sh",
      [
        "-c", "ulimit \(limit) 96; exec \"$0\" map \(bucket) --json --replica \(bucket)-shared",
        try builtExecutable("s3totsne"),
      ],
      environment: program.environment)
    #expect(result.status == 0, "\(result.errorText)")
    #expect(try result.json["left_out"] as? [String] == [])
  }
}
