import Foundation
import NPY
import TSNE
import TestSupport
import Testing

/// `s3totsne embed`, run as a person runs it.
@Suite(.timeLimit(.minutes(10))) struct EmbedTests {
  let program: Program
  let folder: TemporaryDirectory

  init() throws {
    program = try Program()
    folder = try TemporaryDirectory("embed")
  }

  /// Clusters of whole numbers from 0 to 255, row after row.
  private func clusters(_ rows: Int, _ columns: Int, seed: UInt64 = 1) -> [Float] {
    var random = TestSupport.SplitMix64(seed: seed)
    let centers = (0..<5 * columns).map { _ in Int.random(in: 40...215, using: &random) }
    return (0..<rows).flatMap { row in
      (0..<columns).map { Float(centers[row % 5 * columns + $0] + Int.random(in: -30...30, using: &random)) }
    }
  }

  private func write(_ values: [Float], _ rows: Int, _ columns: Int, to name: String = "features.npy") throws -> String
  {
    try folder.write(NPYArray(values, shape: [rows, columns]).fileBytes, to: name)
  }

  private func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

  @Test("the layout has a row for each row, and the object printed by --json has every key")
  func report() async throws {
    let features = try write(clusters(400, 12), 400, 12)
    let layout = folder.file("layout.npy")
    let result = try await program(
      "embed", features, layout, "--json", "--metric", "euclidean", "--iterations", "300", "--seed", "7", "--threads",
      "2")
    #expect(result.status == 0, "\(result.errorText)")
    let report = try result.json
    #expect(
      Set(report.keys) == [
        "n", "d", "seconds", "kl_divergence", "iterations", "neighbour_recall", "simd", "metric", "perplexity", "seed",
        "threads", "notes", "version",
      ])
    #expect(report["n"] as? Int == 400)
    #expect(report["d"] as? Int == 12)
    #expect(report["iterations"] as? Int == 300)
    #expect(report["seed"] as? Int == 7)
    #expect(report["perplexity"] as? Double == 30)
    #expect(report["neighbour_recall"] as? Double == 1)
    let divergence = try #require(report["kl_divergence"] as? Double)
    #expect((0.05...3).contains(divergence))
    let seconds = try #require(report["seconds"] as? [String: Double])
    #expect(Set(seconds.keys) == ["read", "neighbours", "affinities", "layout", "write", "total"])
    let sum = seconds.filter { $0.key != "total" }.values.reduce(0, +)
    #expect(abs(sum - (seconds["total"] ?? 0)) < 1e-6)
    for stage in ["Reading", "Searching neighbours of 400 rows", "Weighing", "Laying out: iteration 0 of 300", "KL"] {
      #expect(result.errorText.contains(stage), "\(result.errorText)")
    }
    #expect(!result.errorText.contains("\u{1b}"))

    let matrix = try NPYMatrix(path: layout)
    #expect(matrix.header.element == .float32 && matrix.rowCount == 400 && matrix.columnCount == 2)
    let positions = matrix.floats()
    // The five clusters lie apart: a row's nearest in the layout is of its own cluster, nearly always.
    var kept = 0
    for i in 0..<400 {
      func distance(_ j: Int) -> Float {
        let (x, y) = (positions[2 * i] - positions[2 * j], positions[2 * i + 1] - positions[2 * j + 1])
        return x * x + y * y
      }
      let nearest = (0..<400).filter { $0 != i }.min { distance($0) < distance($1) } ?? 0
      if nearest % 5 == i % 5 { kept += 1 }
    }
    #expect(kept > 390)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(Set(names) == ["features.npy", "layout.npy"])
  }

  @Test("the layout has the same bits at any number of threads, few points or many", arguments: [350, 3_600])
  func threads(_ rows: Int) async throws {
    let features = try write(clusters(rows, 8), rows, 8)
    let layouts = try await ["1", "2", "3", "8"].asyncMap { threads in
      let path = folder.file(threads + ".npy")
      let result = try await program(
        "embed", features, path, "--threads", threads, "--iterations", "120", "--early-iterations", "60", "--quiet")
      #expect(result.status == 0 && result.errorText.isEmpty && result.output.isEmpty, "\(result.errorText)")
      return try bytes(path)
    }
    #expect(layouts.allSatisfy { $0 == layouts[0] })
  }

  @Test("the same numbers make the same layout in every type")
  func types() async throws {
    let (rows, columns) = (120, 60)
    let values = clusters(rows, columns)
    let plain = try write(values, rows, columns)
    let expected = folder.file("expected.npy")
    let options = ["--iterations", "60", "--quiet"]
    #expect(try await run(["embed", plain, expected] + options).status == 0)
    for element in [NPYElement.uint8, .int16, .float64] {
      let data = values.flatMap { value in
        let bits = element == .float64 ? Double(value).bitPattern : UInt64(value)
        return (0..<element.size).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
      }
      let header = try NPYHeader(element: element, shape: [rows, columns]).encoded
      let features = try folder.write(header + data, to: "\(element).npy")
      let layout = folder.file("\(element)-layout.npy")
      #expect(try await run(["embed", features, layout] + options).status == 0)
      #expect(try bytes(layout) == bytes(expected), "\(element)")
    }
  }

  private func run(_ arguments: [String]) async throws -> ProcessResult {
    try await TestSupport.run(try builtExecutable("s3totsne"), arguments, environment: program.environment)
  }

  @Test("standard input and standard output do as well as files")
  func streams() async throws {
    let features = try write(clusters(100, 10), 100, 10)
    let layout = folder.file("layout.npy")
    #expect(try await program("embed", features, layout, "--iterations", "50").status == 0)
    let expected = try bytes(layout)
    for command in ["cat \(features) | $0 embed - - --iterations 50", "$0 embed - - --iterations 50 <\(features)"] {
      let result = try await TestSupport.run(
        "bash", ["-c", command, try builtExecutable("s3totsne")], environment: program.environment)
      #expect(result.status == 0, "\(result.errorText)")
      #expect(result.output == expected)
    }
    let both = try await program("embed", features, "-", "--json")
    #expect(both.status == 2 && both.errorText.contains("standard output"))
  }

  @Test(
    "wrong usage has exit code 2 and names the parameter",
    arguments: [
      (["--perplexity", "0.5"], "perplexity is 0.5"),
      (["--early-exaggeration", "-1"], "exaggeration is -1"),
      (["--early-iterations", "-1"], "exaggerated iterations is -1"),
      (["--momentum", "1"], "momentum is 1"),
      (["--learning-rate", "0"], "learning rate is 0"),
      (["--iterations", "-5"], "iterations is -5"),
      (["--threads", "0"], "threads is 0"),
      (["--metric", "kosine"], "--metric"),
      (["--start", "middle"], "--start"),
      (["--pca", "1"], "--pca"),
      (["--minkowski-p", "3"], "--minkowski-p"),
      (["--weights", "1,2"], "Weights"),
      (["--weights", "1,x", "--metric", "euclidean"], "--weights"),
      (["--features", "pixels"], "--features"),
    ])
  func wrongUsage(_ options: [String], _ said: String) async throws {
    let features = try write(clusters(20, 3), 20, 3)
    let result = try await run(["embed", features, folder.file("layout.npy"), "--json"] + options)
    #expect(result.status == 2)
    #expect(result.errorText.contains(said), "\(result.errorText)")
    #expect(try result.json["error_kind"] as? String == "usage")
    #expect(!FileManager.default.fileExists(atPath: folder.file("layout.npy")))
  }

  @Test("what is wrong with the data is said with its place, before any work")
  func wrongData() async throws {
    var values = clusters(50, 4)
    values[4 * 17 + 2] = .nan
    let bad = try write(values, 50, 4, to: "bad.npy")
    let good = try write(clusters(50, 4), 50, 4)
    let cut = try folder.write(Array(try bytes(good).prefix(500)), to: "cut.npy")
    let vector = try folder.write(NPYArray([Float](repeating: 0, count: 9), shape: [9]).fileBytes, to: "vector.npy")
    let start = try write(clusters(49, 2), 49, 2, to: "start.npy")
    for (arguments, said) in [
      ([bad], "row 17, column 2 (counted from 0) holds nan"),
      ([cut], "500 of the 928 bytes"),
      ([vector], "(9,)"),
      ([folder.file("none.npy")], "No such file"),
      ([folder.path], "folder"),
      ([good, "--start", start], "49 rows of 2; 50 of 2 are needed"),
      ([good, "--start", bad], "row 17, column 2"),
    ] {
      let result = try await run(
        ["embed", arguments[0], folder.file("layout.npy"), "--json"] + arguments.dropFirst())
      #expect(result.status == 1)
      #expect(result.errorText.contains(said), "\(result.errorText)")
      #expect(result.errorText.contains((arguments.last ?? "") + " cannot be"))
      #expect(try result.json["error_kind"] as? String == "input")
      #expect(!result.errorText.contains("Searching"))
    }
    let same = try await program("embed", good, good)
    #expect(same.status == 2 && same.errorText.contains("another name"))
    let unwritable = try await program("embed", good, "/proc/layout.npy")
    #expect(unwritable.status == 1 && unwritable.errorText.contains("/proc/layout.npy cannot be written"))
  }

  @Test("a layout begins where it is told")
  func start() async throws {
    let features = try write(clusters(30, 5), 30, 5)
    var places = (0..<60).map { Float($0 * $0 % 17) }
    for axis in 0..<2 {
      let mean = stride(from: axis, to: 60, by: 2).reduce(Float(0)) { $0 + places[$1] } / 30
      for i in stride(from: axis, to: 60, by: 2) { places[i] -= mean }
    }
    let start = try write(places, 30, 2, to: "start.npy")
    let kept = folder.file("kept.npy")
    #expect(try await program("embed", features, kept, "--start", start, "--iterations", "0").status == 0)
    let found = try NPYMatrix(path: kept).floats()
    #expect(zip(found, places).allSatisfy { abs($0 - $1) < 1e-5 })

    func layout(_ options: String...) async throws -> [UInt8] {
      let path = folder.file("layout.npy")
      #expect(try await run(["embed", features, path, "--iterations", "20", "--quiet"] + options).status == 0)
      return try bytes(path)
    }
    let random = try await layout("--start", "random", "--seed", "1")
    #expect(try await layout("--start", "random", "--seed", "1") == random)
    #expect(try await layout("--start", "random", "--seed", "2") != random)
    #expect(try await layout("--seed", "1") != random)
  }

  @Test("the library makes the same layout, from each start", arguments: ["pca", "random"])
  func library(_ start: String) async throws {
    let values = clusters(500, 9)
    let features = try write(values, 500, 9)
    let layout = folder.file("layout.npy")
    let result = try await program(
      "embed", features, layout, "--start", start, "--iterations", "80", "--seed", "3", "--metric", "euclidean",
      "--perplexity", "20", "--early-iterations", "40")
    #expect(result.status == 0, "\(result.errorText)")
    var parameters = TSNEParameters(threads: 2)
    parameters.start = start == "random" ? .random : .principalComponents
    parameters.iterations = 80
    parameters.earlyIterations = 40
    parameters.perplexity = 20
    parameters.seed = 3
    let run = try TSNERun(try FloatRows(values, dimension: 9), metric: .euclidean, parameters: parameters)
    #expect(try await run.layout().positions == NPYMatrix(path: layout).floats())
  }

  @Test("one, two, three points, equal points and a perplexity too large are laid out, and what is special is said")
  func small() async throws {
    for rows in 1...5 {
      let features = try write(clusters(rows, 3), rows, 3)
      let layout = folder.file("layout.npy")
      let result = try await program("embed", features, layout, "--json", "--iterations", "50")
      #expect(result.status == 0, "\(result.errorText)")
      let matrix = try NPYMatrix(path: layout)
      #expect(matrix.rowCount == rows)
      try matrix.checkFinite(threads: 1)
      if rows > 1 { #expect(result.errorText.contains("perplexity")) }
    }
    let equal = try write([Float](repeating: 3, count: 60), 20, 3)
    let result = try await program("embed", equal, folder.file("equal.npy"), "--metric", "euclidean")
    #expect(result.status == 0)
    #expect(result.errorText.contains("grid"))
    try NPYMatrix(path: folder.file("equal.npy")).checkFinite(threads: 1)
  }

  @Test("Ctrl+C writes the layout as it stands and exits with 130")
  func interruption() async throws {
    let features = try write(clusters(200, 6), 200, 6)
    let layout = folder.file("layout.npy")
    let child = try program.start("embed", features, layout, "--json", "--iterations", "100000000")
    try await eventually("the layout has begun", within: 240) { child.errorText.contains("iteration") }
    child.send(signal: SIGINT)
    #expect(try await child.waitUntilExit(within: 240) == 130)
    let report = try #require(try JSONSerialization.jsonObject(with: Data(child.output)) as? [String: Any])
    #expect(report["error_kind"] as? String == "interrupted")
    let iterations = try #require(report["iterations"] as? Int)
    #expect(iterations < 100_000_000)
    #expect(child.errorText.contains("Interrupted at iteration \(iterations) of 100000000"))
    let matrix = try NPYMatrix(path: layout)
    #expect(matrix.rowCount == 200 && matrix.columnCount == 2)
    try matrix.checkFinite(threads: 1)
  }

  @Test("Ctrl+C before there is a layout writes nothing and exits with 130")
  func earlyInterruption() async throws {
    let rows = 40_000
    var random = TestSupport.SplitMix64(seed: 9)
    let data = (0..<rows * 64).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let features = try folder.write(
      NPYHeader(element: .uint8, shape: [rows, 64]).encoded + data, to: "features.npy")
    let layout = folder.file("layout.npy")
    let child = try program.start("embed", features, layout, "--json", "--metric", "minkowski", "--minkowski-p", "3.5")
    try await eventually("the search has begun", within: 240) { child.errorText.contains("Searching") }
    child.send(signal: SIGTERM)
    #expect(try await child.waitUntilExit(within: 240) == 128 + SIGTERM)
    #expect(child.errorText.contains("nothing was written"))
    #expect(!FileManager.default.fileExists(atPath: layout))
  }

  @Test("a terminal shows a bar, which is gone at the end")
  func bar() async throws {
    let features = try write(clusters(300, 6), 300, 6)
    let command = "\(try builtExecutable("s3totsne")) embed \(features) \(folder.file("layout.npy")) --iterations 3000"
    let result = try await TestSupport.run(
      "script", ["-qec", command, "/dev/null"],
      environment: program.environment.merging(["TERM": "xterm"]) { $1 })
    #expect(result.status == 0, "\(result.errorText)")
    #expect(result.outputText.contains("\r\u{1b}[2K[####"))
    #expect(result.outputText.contains("of 3000"))
    let last = result.outputText.components(separatedBy: "\u{1b}[2K").last ?? ""
    #expect(last.contains("KL divergence") && !last.contains("["))
  }
}

extension Array where Element: Sendable {
  /// One after the other.
  fileprivate func asyncMap<Value>(_ transform: (Element) async throws -> Value) async rethrows -> [Value] {
    var values: [Value] = []
    for element in self { values.append(try await transform(element)) }
    return values
  }
}
