import Foundation
import TestSupport
import Testing

/// Everything on the command line that is no job.
@Suite(.timeLimit(.minutes(10))) struct CommandLineTests {
  let program: Program

  init() throws { program = try Program() }

  @Test("help and version go to standard output, with exit code 0")
  func help() async throws {
    let version = try await program("--version")
    #expect(version.status == 0)
    #expect(version.outputText.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    for arguments in [["--help"], ["map", "--help"], ["help", "map"], ["embed", "--help"]] {
      let help = try await run(
        try builtExecutable("s3totsne"), arguments, environment: program.environment)
      #expect(help.status == 0)
      #expect(help.outputText.contains("EXAMPLES"))
      #expect(help.errorText.isEmpty)
    }
  }

  /// Options that say what is written, and how: of the map they change nothing but its look. There is one kind of
  /// features.
  private static let outputs: Set<String> = [
    "--picture", "--size", "--theme", "--layout", "--layout-mode", "--manifest", "--json", "--quiet", "--no-cache",
    "--help", "--version", "--features",
  ]

  @Test("every option of a job is in the README's table of options")
  func documented() async throws {
    let help = try await program("map", "--help").outputText
    func options(_ text: String) -> Set<String> {
      Set(text.matches(of: /--[a-z][a-z-]+/).map { String($0.output) })
    }
    let readme = try String(contentsOfFile: packageRoot + "/README.md", encoding: .utf8)
    let table = try #require(readme.components(separatedBy: "| option |").dropFirst().first)
    let rows = table.components(separatedBy: "\n\n")[0]
    let own = options(help)
    #expect(own.count > 20)
    #expect(own.subtracting(Self.outputs).subtracting(options(rows)) == [])
  }

  @Test(
    "wrong usage has exit code 2 and says what is wrong",
    arguments: [
      (["map"], "location"),
      (["map", "./x", "--perplexity", "many"], "--perplexity"),
      (["map", "./x", "--perplexity", "-3"], "perplexity is -3"),
      (["map", "./x", "--exaggeration", "0"], "exaggeration is 0"),
      (["map", "./x", "--learning-rate", "fast"], "--learning-rate"),
      (["map", "./x", "--learning-rate", "-1"], "learning rate is -1"),
      (["map", "./x", "--metric", "minkowski", "--minkowski-p", "0"], "p is 0"),
      (["map", "./x", "--minkowski-p", "3"], "--minkowski-p is for"),
      (["map", "./x", "--pca", "1"], "--pca"),
      (["map", "./x", "--metric", "kosine"], "--metric"),
      (["map", "./x", "--size", "12"], "--size"),
      (["map", "./x", "--picture", "map.bmp"], "map.bmp"),
      (["map", "./x", "--layout", "layout.xls"], "layout.xls"),
      (["map", "./x", "--picture", "a.png", "--manifest", "a.png"], "same"),
      (["map", "s3://"], "bucket"),
      (["--theme", "grey"], "--theme"),
      (["--scale", "100"], "scale"),
      (["--geometry", "big"], "big"),
      (["one", "two"], "two"),
    ])
  func wrongUsage(_ arguments: [String], _ said: String) async throws {
    let result = try await run(
      try builtExecutable("s3totsne"), arguments + ["--json"].filter { _ in arguments.first == "map" },
      environment: program.environment)
    #expect(result.status == 2)
    #expect(result.errorText.contains(said), "\(result.errorText)")
    if arguments.first == "map" {
      #expect(try result.json["error_kind"] as? String == "usage")
      #expect((try result.json["error"] as? String ?? "").contains(said))
    } else {
      #expect(result.output.isEmpty)
    }
  }

  @Test("without a display the window says so, and names what works without one")
  func noDisplay() async throws {
    let result = try await program()
    #expect(result.status == 1)
    #expect(result.errorText.contains("display"))
    #expect(result.errorText.contains("s3totsne map"))
  }

  @Test("cache list, path and clear show and empty the store")
  func cache() async throws {
    let folder = try someSamples()
    let path = try await program("cache", "path")
    #expect(path.outputText == program.home.path + "/.cache/s3totsne\n")
    #expect(try await program("cache", "list").outputText.isEmpty)
    #expect(try await program("map", folder.path).status == 0)
    let list = try await program("cache", "list")
    #expect(list.outputText.contains("26 images"))
    #expect(list.outputText.contains(folder.path))
    let collections = try #require(try await program("cache", "list", "--json").json["collections"] as? [[String: Any]])
    #expect(collections.count == 1)
    #expect(collections.first?["images"] as? Int == 26)
    #expect(collections.first?["location"] as? String == folder.path)
    #expect(try await program("cache", "clear").outputText.hasPrefix("Removed 1 "))
    #expect(try await program("cache", "list").outputText.isEmpty)
  }

  @Test("a folder typed without ./ is taken for a bucket, and the slip is pointed out")
  func folderHint() async throws {
    let folder = try TemporaryDirectory("slip")
    try folder.copy(sampleImages + "/frogs", to: "frogs")
    let slip = try await program("map", "frogs", directory: folder.path)
    #expect(slip.status == 1)
    #expect(slip.errorText.contains("./frogs"))
    #expect(try await program("map", "./frogs", directory: folder.path).status == 0)
  }
}
