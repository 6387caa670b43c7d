import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Mapping

/// What bad weather costs, printed as a table: `S3TOTSNE_MEASURE_WEATHER=400 swift test --filter WeatherMeasurements`;
/// `400:stall` measures only what has that in its name.
private let asked = ProcessInfo.processInfo.environment["S3TOTSNE_MEASURE_WEATHER"]?.split(separator: ":")
private let measured = asked?.first.flatMap { Int($0) }

@Suite("WeatherMeasurements", .serialized, .enabled(if: measured != nil))
struct WeatherMeasurements {
  private typealias Fault = @Sendable (FaultProxy.Request, inout TestSupport.SplitMix64) -> FaultProxy.Fault?

  /// One kind of bad weather, and what the job needs to go through it.
  private struct Case: Sendable {
    var name: String
    var environment: [String: String] = [:]
    var fault: Fault
  }

  @Test("objects, faults, what is lost or comes twice, and seconds with and without")
  func table() async throws {
    let count = try #require(measured)
    let server = try await SeaweedServer.shared
    let pictures = try TemporaryDirectory("measured")
    for number in 0..<count {
      let color = [(220, 40, 40), (40, 200, 60), (50, 60, 210)][number % 3]
      try pictures.write(bitmap(width: 120, height: 90, color: color, seed: UInt64(number)), to: "a/\(number).bmp")
    }
    try await server.makeBucket("measured")
    try await server.upload(folder: pictures.path, to: "measured")
    var environment = server.environment
    environment["PATH"] = "/usr/bin:/bin"
    let home = try TemporaryDirectory("home")
    let cases = try cases(server, home)
    let calm = try await run(environment, FaultProxy(upstream: server.endpoint))
    let positions = calm.outcome.positions
    #expect(positions.count == count)
    print("| fault | objects | faults | lost | twice | same map | requests tried again | seconds | without |")
    print("|---|---|---|---|---|---|---|---|---|")
    for each in cases where asked?.dropFirst().first.map({ each.name.contains($0) }) ?? true {
      // Side by side: the machine may be busy.
      let before = try await run(environment, FaultProxy(upstream: server.endpoint))
      let proxy = try FaultProxy(upstream: server.endpoint, seed: 7, fault: each.fault)
      let made = try await run(environment.merging(each.environment) { $1 }, proxy)
      let report = made.outcome.report
      let ready = made.outcome.ready
      let lost = count - Set(ready).count
      let twice = ready.count - Set(ready).count
      let isSame = made.outcome.positions == positions
      #expect(lost == 0 && twice == 0 && isSame && proxy.faultCount > 0, "\(each.name)")
      for problem in report?.leftOut ?? [] { print("\(problem.key): \(problem.reason)") }
      print(
        "| \(each.name) | \(count) | \(proxy.faultCount) | \(lost) | \(twice) | \(isSame ? "yes" : "no") "
          + "| \(report.map { String($0.requests.retries) } ?? "failed") "
          + "| \(String(format: "%.1f", made.seconds)) | \(String(format: "%.1f", before.seconds)) |")
    }
  }

  private func run(
    _ environment: [String: String], _ proxy: FaultProxy
  ) async throws -> (outcome: Outcome, seconds: Double) {
    let job = try WeatherTests.job(environment, bucket: "measured", endpoint: proxy.endpoint)
    let start = ContinuousClock.now
    let outcome = await MappingTests.run(job)
    return (outcome, (ContinuousClock.now - start) / .seconds(1))
  }

  private func cases(_ server: SeaweedServer, _ home: TemporaryDirectory) throws -> [Case] {
    let names: [(WeatherTests.Weather, String)] = [
      (.internalError, "500, 3 of 10 requests"), (.badGateway, "502 with a web page, 3 of 10"),
      (.slowDown, "503 SlowDown, Retry-After 120, 1 of 9"), (.reset, "reset in the middle, 3 of 10"),
      (.truncation, "truncated body, 3 of 10"), (.shortLength, "Content-Length too small, 3 of 10"),
      (.longLength, "Content-Length too large, 3 of 10"), (.stall, "stall (noticed after 1 s), 1 of 10"),
      (.damagedListing, "listing cut short, 3 times"), (.garbageListing, "garbage for XML, once"),
      (.everything, "all of these in turn"),
    ]
    var cases = names.map { weather, name in Case(name: name) { weather.fault($0, &$1) } }
    cases.append(
      Case(name: "redirect to another region") { request, _ in
        request.headers["authorization"]?.contains("/eu-west-3/") == true
          ? nil : .answer(301, headers: ["x-amz-bucket-region": "eu-west-3"])
      })
    cases.append(try clock())
    cases.append(try expiredToken(server, home))
    return cases
  }

  /// This computer's clock is ten minutes slow.
  private func clock() throws -> Case {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "GMT")
    let ahead = 600.0
    let date = Mutex(formatter)
    return Case(name: "clock skewed by 10 minutes") { request, _ in
      let stamp = request.headers["x-amz-date", default: ""]
      let (text, earliest) = date.withLock { formatter in
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let text = formatter.string(from: Date(timeIntervalSinceNow: ahead))
        formatter.dateFormat = "yyyyMMdd'T'HHmmss'Z'"
        return (text, formatter.string(from: Date(timeIntervalSinceNow: ahead / 2)))
      }
      return stamp > earliest
        ? nil : .answer(403, headers: ["Date": text], body: WeatherTests.error("RequestTimeTooSkewed"))
    }
  }

  /// The keys that a program prints end after a while; asked again, it prints others.
  private func expiredToken(_ server: SeaweedServer, _ home: TemporaryDirectory) throws -> Case {
    func answer(_ key: String, _ secret: String) -> String {
      "echo '{\"Version\": 1, \"AccessKeyId\": \"\(key)\", \"SecretAccessKey\": \"\(secret)\"}'"
    }
    let marker = home.file("asked")
    let script = try home.write(
      Array(
        """
        #!/bin/sh
        if [ -e '\(marker)' ]; then \(answer(server.readOnlyKey.access, server.readOnlyKey.secret)); exit; fi
        touch '\(marker)'; \(answer(server.accessKey, server.secretKey))

        """.utf8), to: "keys")
    try #require(chmod(script, 0o755) == 0)
    try home.write(Array("[profile p]\ncredential_process = \(script)\n".utf8), to: "config")
    let old = server.accessKey
    return Case(
      name: "token expired in the middle",
      environment: [
        "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "p",
        "AWS_CONFIG_FILE": home.file("config"),
      ]
    ) { request, _ in
      guard request.number >= 20, request.headers["authorization"]?.contains(old) == true else { return nil }
      return .answer(400, body: WeatherTests.error("ExpiredToken"))
    }
  }
}
