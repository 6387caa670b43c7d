import Foundation
import TestSupport
import Testing

/// `s3totsne map`, run as a person runs it.
@Suite(.timeLimit(.minutes(10))) struct MapTests {
  let program: Program
  let pictures: TemporaryDirectory

  init() throws {
    program = try Program()
    pictures = try someSamples()
  }

  @Test("the object printed by --json has every key, and the second run takes everything from the store")
  func report() async throws {
    let first = try await program("map", pictures.path, "--json", "--iterations", "300", "--seed", "7")
    #expect(first.status == 0, "\(first.errorText)")
    let report = try first.json
    #expect(
      Set(report.keys) == [
        "images", "other_files", "left_out", "seconds", "requests", "bytes_fetched", "reused", "kl_divergence",
        "neighbour_recall",
        "iterations", "seed", "version", "notes", "sample", "replica",
      ])
    #expect(report["images"] as? Int == 26)
    #expect(report["other_files"] as? Int == 0)
    #expect(report["iterations"] as? Int == 300)
    #expect(report["seed"] as? Int == 7)
    #expect((report["kl_divergence"] as? Double ?? -1) > 0)
    let seconds = try #require(report["seconds"] as? [String: Double])
    #expect(
      Set(seconds.keys) == ["list", "fetch", "decode", "features", "neighbours", "affinities", "layout", "total"])
    let requests = try #require(report["requests"] as? [String: Int])
    #expect(Set(requests.keys) == ["list", "get", "put", "head"])
    #expect(requests["get"] == 26)
    #expect(report["reused"] as? [String: Bool] == reused(false))

    let second = try await program("map", pictures.path, "--json", "--iterations", "300", "--seed", "7").json
    #expect(second["reused"] as? [String: Bool] == reused(true))
    #expect(second["bytes_fetched"] as? Int == 0)
    #expect(second["kl_divergence"] as? Double == report["kl_divergence"] as? Double)
  }

  private func reused(_ value: Bool) -> [String: Bool] {
    ["thumbnails": value, "features": value, "neighbours": value, "layout": value]
  }

  @Test("the layout has a row an image with its original size, and is the same to the bit without the store")
  func layout() async throws {
    let first = program.home.file("first.csv")
    let second = program.home.file("second.csv")
    #expect(try await program("map", pictures.path, "--layout", first).status == 0)
    #expect(try await program("map", pictures.path, "--layout", second, "--no-cache", "--threads", "1").status == 0)
    let text = try String(contentsOfFile: first, encoding: .utf8)
    #expect(text == (try String(contentsOfFile: second, encoding: .utf8)))
    let rows = text.components(separatedBy: "\r\n").filter { !$0.isEmpty }
    #expect(rows.first == "key,x,y,width,height")
    #expect(rows.count == 27)
    let keys = rows.dropFirst().map { String($0.prefix { $0 != "," }) }
    #expect(keys == keys.sorted())
    for row in rows.dropFirst() {
      let fields = row.split(separator: ",")
      try #require(fields.count == 5)
      #expect(fields[1...2].allSatisfy { Double($0)?.isFinite == true })
      #expect(max(Int(fields[3]) ?? 0, Int(fields[4]) ?? 0) > 100)
    }
    let other = program.home.file("other.csv")
    #expect(try await program("map", pictures.path, "--layout", other, "--seed", "8").status == 0)
    #expect(text != (try String(contentsOfFile: other, encoding: .utf8)))
  }

  @Test("arranged in a grid, every image has a cell of its own; spread, none is nearer to another than its size")
  func arranged() async throws {
    func places(_ mode: String) async throws -> [(x: Double, y: Double, aspect: Double)] {
      let file = program.home.file("\(mode).csv")
      let answer = try await program("map", pictures.path, "--layout", file, "--layout-mode", mode)
      #expect(answer.status == 0)
      let rows = try String(contentsOfFile: file, encoding: .utf8).components(separatedBy: "\r\n").dropFirst()
      return rows.filter { !$0.isEmpty }.map { row in
        let numbers = row.split(separator: ",").dropFirst().map { Double($0) ?? .nan }
        return (numbers[0], numbers[1], numbers[2] / numbers[3])
      }
    }
    let grid = try await places("grid")
    #expect(grid.count == 26 && Set(grid.map { "\(($0.x * 2).rounded()) \(($0.y * 2).rounded())" }).count == 26)
    #expect(grid.allSatisfy { ($0.x - grid[0].x).truncatingRemainder(dividingBy: 1) == 0 })
    let spread = try await places("spread")
    for (index, one) in spread.enumerated() {
      for other in spread[(index + 1)...] {
        let width = (min(1, one.aspect) + min(1, other.aspect)) / 2 * 0.94
        let height = (min(1, 1 / one.aspect) + min(1, 1 / other.aspect)) / 2 * 0.94
        #expect(abs(one.x - other.x) > width - 0.01 || abs(one.y - other.y) > height - 0.01)
      }
    }
    #expect(try await program("map", pictures.path, "--layout-mode", "circle").status == 2)
  }

  @Test("pictures come in all four formats, at the size asked for, without a display")
  func formats() async throws {
    for (name, magic) in [
      ("a.png", "\u{89}PNG"), ("a.jpg", "\u{ff}\u{d8}\u{ff}"), ("a.svg", "<?xml"), ("a.pdf", "%PDF"),
    ] {
      let path = program.home.file(name)
      let result = try await program(
        "map", pictures.path, "--picture", path, "--size", "400x300", "--perplexity", "5", "--quiet")
      #expect(result.status == 0, "\(result.errorText)")
      #expect(result.errorText.isEmpty && result.output.isEmpty)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      #expect(bytes.starts(with: magic.unicodeScalars.map { UInt8($0.value) }), "\(name)")
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: program.home.path)
    #expect(!names.contains { $0.hasPrefix(".s3totsne") })
    let extents = try await run(
      "identify", ["-format", "%w %h ", program.home.file("a.png"), program.home.file("a.jpg")])
    #expect(extents.outputText == "400 300 400 300 ")

    // The page shows the same pictures in the same places, resampled by somebody else.
    _ = try await run(
      "pdftocairo", ["-png", "-r", "72", "-singlefile", program.home.file("a.pdf"), program.home.file("page")],
      checked: true)
    for (name, tolerance) in [("a.jpg", 0.03), ("page.png", 0.08)] {
      let comparison = try await run(
        "compare", ["-metric", "RMSE", program.home.file("a.png"), program.home.file(name), "null:"])
      let difference = comparison.errorText.firstMatch(of: /\(([0-9.e-]+)\)/).flatMap { Double($0.1) }
      #expect((difference ?? 1) < tolerance, "\(name): \(comparison.errorText)")
    }
    let colors = try await run("identify", ["-format", "%k", program.home.file("a.png")])
    #expect((Int(colors.outputText) ?? 0) > 200)
  }

  @Test("images that cannot be shown are listed, and the exit code is 3")
  func leftOut() async throws {
    try pictures.write(Array("nothing of the kind".utf8), to: "broken.jpg")
    try pictures.write(Array("notes".utf8), to: "notes.txt")
    let manifest = program.home.file("manifest.json")
    let result = try await program("map", pictures.path, "--json", "--manifest", manifest)
    #expect(result.status == 3)
    let leftOut = try #require(try result.json["left_out"] as? [[String: String]])
    #expect(leftOut.map { $0["key"] } == ["broken.jpg"])
    #expect(try result.json["other_files"] as? Int == 1)
    #expect(result.errorText.contains("Left out: broken.jpg: "))
    let written = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: manifest))) as? [String: Any])
    #expect((written["objects"] as? [Any])?.count == 26)
    #expect((written["problems"] as? [[String: String]])?.first?["key"] == "broken.jpg")
    let parameters = try #require(written["parameters"] as? [String: Any])
    #expect(parameters["metric"] as? String == "cosine")
    #expect(parameters["learning_rate"] as? String == "auto")
  }

  @Test("a job that fails says why on both streams, and the exit code is 1")
  func failures() async throws {
    let empty = try TemporaryDirectory("empty")
    for location in [empty.path, empty.path + "/missing"] {
      let result = try await program("map", location, "--json")
      #expect(result.status == 1)
      let message = try #require(try result.json["error"] as? String)
      #expect(message.contains(location))
      #expect(result.errorText.contains("Error: " + message))
      #expect(try result.json["version"] as? String != nil)
    }
  }

  @Test("an output that cannot be written is told before the work begins")
  func unwritable() async throws {
    let result = try await program("map", pictures.path, "--layout", "/proc/layout.csv", "--json")
    #expect(result.status == 1)
    #expect(try result.json["error_kind"] as? String == "output")
    #expect(result.errorText.contains("/proc/layout.csv cannot be written"))
    #expect(!result.errorText.contains("Listing"))
    #expect(!FileManager.default.fileExists(atPath: program.home.file(".cache/s3totsne")))
  }

  @Test("Ctrl+C ends a job with 130, and what it had done is kept")
  func interruption() async throws {
    // Ten million iterations last until somebody interrupts them.
    let child = try program.start("map", pictures.path, "--json", "--iterations", "10000000")
    try await eventually("the layout has begun", within: 240) { child.errorText.contains("iteration") }
    child.send(signal: SIGINT)
    #expect(try await child.waitUntilExit(within: 240) == 130)
    #expect(child.errorText.contains("Interrupted"))
    let object = try JSONSerialization.jsonObject(with: Data(child.output)) as? [String: Any]
    #expect(object?["error_kind"] as? String == "interrupted")
    let next = try await program("map", pictures.path, "--json").json
    #expect((next["reused"] as? [String: Bool])?["thumbnails"] == true)
    #expect((next["reused"] as? [String: Bool])?["neighbours"] == true)
  }

  @Test("a bucket makes the same map as the folder it was filled from, and no secret is printed")
  func bucket() async throws {
    let server = try await SeaweedServer.shared
    try await server.makeBucket("command-line")
    try await server.upload(folder: pictures.path, to: "command-line", prefix: "sam ples/ä")
    var onBucket = program
    for (name, value) in server.environment { onBucket.environment[name] = value }
    let fromBucket = program.home.file("bucket.csv")
    let fromFolder = program.home.file("folder.csv")
    let result = try await onBucket("map", "s3://command-line/sam ples/ä", "--layout", fromBucket, "--json")
    #expect(result.status == 0, "\(result.errorText)")
    #expect(!(result.outputText + result.errorText).contains(server.secretKey))
    #expect(try await program("map", pictures.path, "--layout", fromFolder).status == 0)
    let text = try String(contentsOfFile: fromBucket, encoding: .utf8)
    #expect(text.replacing("sam ples/ä/", with: "") == (try String(contentsOfFile: fromFolder, encoding: .utf8)))

    var wrong = onBucket
    wrong.environment["AWS_SECRET_ACCESS_KEY"] = "another-secret-altogether"
    let refused = try await wrong("map", "command-line", "--json")
    #expect(refused.status == 1)
    #expect(!(refused.outputText + refused.errorText).contains("another-secret-altogether"))
    #expect(!(try refused.json["error"] as? String ?? "").isEmpty)
  }
}
