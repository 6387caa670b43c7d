import Foundation
import TestSupport
import Testing

/// `s3totsne check`, and what the program does with secrets.
@Suite(.timeLimit(.minutes(10))) struct CheckTests {
  var program: Program

  init() throws {
    program = try Program()
    for name in [
      "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "HTTPS_PROXY", "https_proxy", "http_proxy", "NO_PROXY",
    ] {
      program.environment[name] = .some(nil)
    }
  }

  @Test("offline, the object of --json says where a bucket is, and with whose keys")
  func offline() async throws {
    try program.home.write(
      Array("[profile work]\nregion = eu-central-1\naws_access_key_id = A\naws_secret_access_key = s\n".utf8),
      to: ".aws/config")
    let result = try await program("check", "s3://photos/a/b", "--profile", "work", "--offline", "--json")
    #expect(result.status == 0, "\(result.errorText)")
    let json = try result.json
    #expect(json["endpoint"] as? String == "https://s3.eu-central-1.amazonaws.com")
    #expect(json["url"] as? String == "https://photos.s3.eu-central-1.amazonaws.com")
    #expect(json["region"] as? String == "eu-central-1")
    #expect(json["addressing"] as? String == "virtual")
    #expect(json["credentials"] as? String == "profile “work” of the config file")
    #expect(json["error"] is NSNull)
    let point = try await program(
      "check", "arn:aws:s3:us-west-2:123456789012:accesspoint/myap/a", "--no-sign-request", "--offline", "--json")
    #expect(try point.json["url"] as? String == "https://myap-123456789012.s3-accesspoint.us-west-2.amazonaws.com")
    let path = try await program(
      "check", "http://[::1]:9000/photos/x", "--no-sign-request", "--offline", "--json", "--addressing-style", "path")
    #expect(try path.json["url"] as? String == "http://[::1]:9000/photos")
    #expect(try path.json["addressing"] as? String == "path")
  }

  @Test("exit codes are 0, 1 and 2, and what fails is in both kinds of output")
  func exitCodes() async throws {
    let none = try await program("check", "photos", "--offline", "--json")
    #expect(none.status == 1)
    #expect((try none.json["error"] as? String ?? "").contains("No credentials were found"))
    #expect(try none.json["error_kind"] as? String == "noCredentials")
    let text = try await program("check", "photos", "--offline")
    #expect(text.status == 1 && text.outputText.contains("FAILED  Credentials: No credentials"))
    for arguments in [
      ["ab"], ["photos", "--test-writing", "other", "--offline"], ["photos", "--addressing-style", "odd"],
    ] {
      let usage = try await run(
        try builtExecutable("s3totsne"), ["check"] + arguments + ["--json"], environment: program.environment)
      #expect(usage.status == 2)
      #expect(try usage.json["error_kind"] as? String == "usage")
    }
    let folder = try someSamples()
    let well = try await program("check", folder.path)
    #expect(well.status == 0 && well.outputText.contains("ok      Reading"), "\(well.outputText)")
    #expect(try await program("check", folder.path + "/none", "--json").status == 1)
  }

  @Test("a proxy of the environment is used, named when it fails, and left aside where it says so")
  func proxy() async throws {
    let server = try await RcloneServer.start()
    try await server.makeBucket("photos")
    var program = program
    for (name, value) in server.environment { program.environment[name] = value }
    program.environment["http_proxy"] = "http://ada:hush-proxy@127.0.0.1:1"
    let failed = try await program("check", "photos")
    #expect(failed.status == 1)
    #expect(failed.outputText.contains("http://…@127.0.0.1:1 from http_proxy"), "\(failed.outputText)")
    #expect(!failed.outputText.contains("hush-proxy"))
    program.environment["NO_PROXY"] = "127.0.0.1"
    let passed = try await program("check", "photos")
    #expect(passed.status == 0, "\(passed.outputText)")
  }

  @Test("the bucket that keeps the replica is named, listed, and written to where it was named for that")
  func replica() async throws {
    var program = program
    func step(_ arguments: String...) async throws -> (status: Int32, outcome: String, text: String) {
      let result = try await run(
        try builtExecutable("s3totsne"), ["check"] + arguments + ["--json"], environment: program.environment)
      let steps = try #require(try result.json["steps"] as? [[String: Any]])
      let step = try #require(steps.last { $0["name"] as? String == "Replica" })
      return (result.status, step["outcome"] as? String ?? "", step["text"] as? String ?? "")
    }
    let own = try await RcloneServer.start()
    try await own.makeBucket("photos")
    for (name, value) in own.environment { program.environment[name] = value }
    let none = try await step("photos")
    #expect(none.outcome == "skipped" && none.text.contains("tsnetooldata"))
    #expect(try await step("photos", "--replica", "none").outcome == "skipped")
    try await own.makeBucket("tsnetooldata")
    let listed = try await step("photos")
    #expect(listed.outcome == "passed" && listed.text.contains("tsnetooldata") && listed.text.contains("listed"))
    #expect(try await step("photos", "--no-sign-request").text.contains("anonymously"))

    let server = try await SeaweedServer.shared
    for bucket in ["checkphotos", "checkshared"] { try await server.makeBucket(bucket) }
    for (name, value) in server.environment { program.environment[name] = value }
    let written = try await step("checkphotos", "--replica", "checkshared")
    #expect(written.status == 0 && written.outcome == "passed" && written.text.contains("written"))
    program.environment["AWS_ACCESS_KEY_ID"] = server.readOnlyKey.access
    program.environment["AWS_SECRET_ACCESS_KEY"] = server.readOnlyKey.secret
    // Nothing is lost but the sharing, unless it was this that was to be tried.
    let readOnly = try await step("checkphotos", "--replica", "checkshared")
    #expect(readOnly.status == 0 && readOnly.outcome == "noted" && readOnly.text.contains("not shared"))
    let wanted = try await step("checkphotos", "--test-writing", "checkshared")
    #expect(wanted.status == 1 && wanted.outcome == "failed")
    let missing = try await step("checkphotos", "--replica", "there-is-none")
    #expect(missing.status == 1 && missing.outcome == "failed" && missing.text.contains("there-is-none"))
  }

  @Test("no secret is printed or kept, whatever goes well or wrong")
  func secrets() async throws {
    let server = try await RcloneServer.start()
    try await server.makeBucket("photos")
    try await server.upload(folder: sampleImages + "/frogs", to: "photos")
    let script = try program.home.write(
      Array(
        """
        #!/bin/sh
        echo hush-stderr >&2
        [ "$1" = ok ] || exit 1
        echo '{"Version": 1, "AccessKeyId": "\(server.accessKey)", "SecretAccessKey": "\(server.secretKey)"}'
        """.utf8), to: "keys.sh")
    try #require(chmod(script, 0o755) == 0)
    try program.home.write(
      Array(
        """
        [profile good]
        credential_process = \(script) ok --password hush-argument
        endpoint_url = \(server.endpoint)
        [profile bad]
        credential_process = \(script) no --password hush-argument
        endpoint_url = \(server.endpoint)
        [profile wrong]
        aws_access_key_id = \(server.accessKey)
        aws_secret_access_key = hush-wrong
        aws_session_token = hush-token
        endpoint_url = \(server.endpoint)
        """.utf8), to: ".aws/config")
    var printed = ""
    let picture = program.home.file("map.png")
    let manifest = program.home.file("manifest.json")
    for (arguments, status) in [
      (["check", "photos", "--profile", "good"], Int32(0)), (["check", "photos", "--profile", "good", "--json"], 0),
      (["map", "photos", "--profile", "good", "--json", "--picture", picture, "--manifest", manifest], 0),
      (["check", "photos", "--profile", "bad", "--json"], 1), (["map", "photos", "--profile", "bad", "--json"], 1),
      (["check", "photos", "--profile", "wrong"], 1), (["map", "photos", "--profile", "wrong", "--json"], 1),
      (["check", "photos", "--profile", "good", "--endpoint-url", "http://ada:hush-user@127.0.0.1:1"], 1),
    ] {
      let result = try await run(
        try builtExecutable("s3totsne"), arguments, environment: program.environment)
      #expect(result.status == status, "\(arguments): \(result.outputText) \(result.errorText)")
      printed += result.outputText + result.errorText
    }
    let secrets = [server.secretKey, "hush-stderr", "hush-argument", "hush-wrong", "hush-token", "hush-user"]
    for secret in secrets { #expect(!printed.contains(secret), "\(secret)") }
    var kept = 0
    for name in FileManager.default.enumerator(atPath: program.home.path)?.allObjects as? [String] ?? [] {
      guard !name.hasPrefix(".aws"), name != "keys.sh",
        let data = FileManager.default.contents(atPath: program.home.file(name))
      else { continue }
      kept += 1
      for secret in secrets { #expect(data.firstRange(of: Data(secret.utf8)) == nil, "\(secret) in \(name)") }
    }
    // The map's own files and the local store's.
    #expect(kept > 3)
  }
}
