import Foundation
import NPY
import TestSupport
import Testing

/// `s3totsne-bench`, run as a person runs it.
@Suite(.timeLimit(.minutes(10))) struct BenchTests {
  @Test("tsne measures its own clusters: the same numbers in every run, with stages, memory and milestones")
  func clusters() async throws {
    let folder = try TemporaryDirectory("bench")
    let layout = folder.file("layout.npy")
    let arguments = [
      "tsne", "--clusters", "--sizes", "300", "--runs", "2", "--iterations", "150", "--every", "50", "--perplexity",
      "10",
    ]
    let bench = try builtExecutable("s3totsne-bench")
    let result = try await run(bench, arguments + ["--json", "--layout", layout])
    #expect(result.status == 0, "\(result.errorText)")
    let matrices = try #require(try result.json["matrices"] as? [[String: Any]])
    let matrix = try #require(matrices.first)
    #expect(matrices.count == 1 && matrix["n"] as? Int == 300 && matrix["d"] as? Int == 50)
    let runs = try #require(matrix["runs"] as? [[String: Any]])
    let divergences = runs.compactMap { $0["kl_divergence"] as? Double }
    #expect(divergences.count == 2 && divergences[0] == divergences[1])
    for run in runs {
      #expect(
        Set(try #require(run["seconds"] as? [String: Double]).keys) == ["neighbours", "affinities", "layout", "total"])
      #expect(Set(try #require(run["usage"] as? [String: Double]).keys) == ["wall", "cpu", "others_cpu", "memory_mb"])
    }
    let milestones = try #require(matrix["milestones"] as? [[String: Any]])
    #expect(milestones.compactMap { $0["iteration"] as? Int } == [50, 100, 150])
    // Looking on the way changes nothing.
    #expect(milestones.last?["kl_divergence"] as? Double == divergences[0])
    #expect(try NPYMatrix(path: layout).rowCount == 300)

    let tables = try await run(bench, arguments)
    #expect(tables.status == 0)
    #expect(tables.outputText.contains("clusters_300"))
    #expect(tables.outputText.contains("150: "))
  }

  @Test("load goes as far as it is asked to, and says what that took", arguments: ["list", "fetch", "thumbnails"])
  func load(extent: String) async throws {
    let server = try await RcloneServer.start()
    try await server.makeBucket("photos")
    try await server.upload(folder: sampleImages + "/frogs", to: "photos")
    let count = try FileManager.default.contentsOfDirectory(atPath: sampleImages + "/frogs").count
    let result = try await run(
      try builtExecutable("s3totsne-bench"), ["load", "photos", "--until", extent, "--json"],
      environment: server.environment)
    #expect(result.status == 0, "\(result.errorText)")
    let report = try result.json
    #expect(report["objects"] as? Int == count && report["list_requests"] as? Int == 1)
    #expect(report["get_requests"] as? Int == (extent == "list" ? 0 : count))
    #expect(report["images"] as? Int == (extent == "thumbnails" ? count : nil))
    #expect((report["peak_megabytes"] as? Double ?? 0) > 1 && (report["cpu_seconds"] as? Double ?? 0) > 0)
  }

  @Test("a listed object takes at most 300 bytes of a job's memory, the catalogue, its key and the peak included")
  func memory() async throws {
    let count = 300_000
    // Names as data sets have them, of 41 bytes.
    let proxy = try FaultProxy(upstream: "http://127.0.0.1:1") { request, _ in
      let start =
        request.target.split(separator: "continuation-token=").dropFirst().first
        .flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
      var body = "<ListBucketResult>"
      for number in start..<min(count, start + 1000) {
        let digits = String(1_000_000 + number)
        body += "<Contents><Key>train-images/class_\(digits.prefix(4))/photo-\(digits).jpg</Key><Size>100000</Size>"
        body += "<ETag>&quot;0123456789abcdef0123456789\(number % 10)bcdef&quot;</ETag></Contents>"
      }
      if start + 1000 < count {
        body += "<IsTruncated>true</IsTruncated><NextContinuationToken>\(start + 1000)</NextContinuationToken>"
      }
      return .answer(200, body: body + "</ListBucketResult>")
    }
    let result = try await run(
      try builtExecutable("s3totsne-bench"),
      ["load", "photos", "--until", "collection", "--json", "--no-sign-request", "--endpoint-url", proxy.endpoint])
    #expect(result.status == 0, "\(result.errorText)")
    #expect(try result.json["objects"] as? Int == count)
    let bytes = try #require(try result.json["bytes_an_object"] as? Double)
    // Some 16 MB do not depend on their number: of a million, each takes 200.
    #expect(bytes > 60 && bytes <= 300, "\(bytes)")
  }

  @Test("a delay before a server delays, and changes nothing else")
  func delay() async throws {
    let server = try await RcloneServer.start()
    try await server.makeBucket("photos")
    try await server.upload(folder: sampleImages + "/frogs", to: "photos")
    let port = try #require(server.endpoint.split(separator: ":").last)
    let bench = try builtExecutable("s3totsne-bench")
    let line = try ChildProcess(bench, ["delay", "--to", "\(port)", "--milliseconds", "120"])
    try await eventually("it says where it listens") { line.outputText.hasSuffix("\n") }
    let endpoint = line.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
    let result = try await run(
      bench, ["load", "photos", "--until", "fetch", "--json", "--endpoint-url", endpoint],
      environment: server.environment)
    #expect(result.status == 0, "\(result.errorText)")
    let count = try FileManager.default.contentsOfDirectory(atPath: sampleImages + "/frogs").count
    #expect(try result.json["objects"] as? Int == count && result.json["retries"] as? Int == 0)
    // The listing, and then the objects.
    #expect(try (result.json["seconds"] as? Double ?? 0) >= 0.24)
  }

  @Test(
    "wrong usage is said", arguments: [["--sizes", "many"], ["--runs", "0"], ["--metric", "kosine"], ["none.npy"]])
  func wrongUsage(_ options: [String]) async throws {
    let result = try await run(try builtExecutable("s3totsne-bench"), ["tsne"] + options)
    #expect(result.status != 0)
    #expect(result.errorText.contains(options.last ?? ""))
  }

  @Test("render moves the map of its own pictures by a script, and times every frame until the display has it")
  func rendering() async throws {
    let folder = try TemporaryDirectory("bench")
    let display = try await VirtualDisplay.start(width: 700, height: 560)
    let result = try await TestSupport.run(
      try builtExecutable("s3totsne-bench"),
      ["render", "--count", "1500", "--seconds", "2", "--size", "640x480", "--directory", folder.path, "--json"],
      environment: display.environment)
    #expect(result.status == 0, "\(result.errorText)")
    let report = try result.json
    #expect(report["count"] as? Int == 1500)
    #expect(try #require(report["frames"] as? Int) > 10)
    let phases = try #require(report["phases"] as? [String: [String: Double]])
    #expect(Set(phases.keys) == ["pan", "zoom", "pan_near", "selected", "arrangement", "layout"])
    for name in ["frame_ms", "latency_ms", "drawing_ms", "processor_ms", "pictures_drawn"] {
      let times = try #require(report[name] as? [String: Double])
      let (p50, p99, most) = (times["p50"] ?? 0, times["p99"] ?? 0, times["max"] ?? 0)
      #expect(0 < p50 && p50 <= p99 && p99 <= most, "\(name)")
    }
    #expect(try #require(report["memory_mb"] as? Double) > 10)
  }
}
