import Foundation
import TestSupport
import Testing

/// What becomes of the store when a program is ended in the middle, or a disk does not keep what it was given.
///
/// `S3TOTSNE_KILLS=50` makes it the full measurement.
@Suite("Carrying on", .serialized, .timeLimit(.minutes(10))) struct ResumeTests {
  private let program: Program
  private let pictures: TemporaryDirectory
  private static let kills = ProcessInfo.processInfo.environment["S3TOTSNE_KILLS"].flatMap { Int($0) } ?? 6
  private static let copies = Self.kills > 6 ? 12 : 5

  init() throws {
    program = try Program()
    pictures = try TemporaryDirectory("pictures")
    for copy in 0..<Self.copies {
      for subject in ["balloons", "signs"] { try pictures.copy(sampleImages + "/" + subject, to: "\(copy)/\(subject)") }
    }
  }

  /// Everything that a run gives, as bytes: positions, and a picture of all thumbnails.
  private func result(_ store: String) async throws -> (layout: Data, picture: Data, report: [String: Any]) {
    let outputs = try TemporaryDirectory("outputs")
    let ended = try await program(
      "map", pictures.path, "--cache-dir", store, "--json", "--iterations", "300", "--perplexity", "10", "--layout",
      outputs.file("layout.csv"), "--picture", outputs.file("map.png"), "--size", "640x480")
    try #require(ended.status == 0, "\(ended.errorText)")
    return (
      try Data(contentsOf: URL(fileURLWithPath: outputs.file("layout.csv"))),
      try Data(contentsOf: URL(fileURLWithPath: outputs.file("map.png"))), try ended.json
    )
  }

  @Test("after a SIGKILL at any moment, the next run ends with the bytes of an undisturbed one")
  func kills() async throws {
    let whole = try TemporaryDirectory("store")
    let clock = ContinuousClock()
    let begin = clock.now
    let undisturbed = try await result(whole.path)
    let duration =
      Double((clock.now - begin).components.seconds) + Double((clock.now - begin).components.attoseconds) * 1e-18
    var random = SplitMix64(seed: 42)
    var carriedOn = 0
    for number in 0..<Self.kills {
      let store = try TemporaryDirectory("store")
      // Some are killed more than once before they may finish.
      for _ in 0...number % 3 {
        let child = try program.start(
          "map", pictures.path, "--cache-dir", store.path, "--quiet", "--iterations", "300", "--perplexity", "10")
        try await Task.sleep(for: .seconds(Double.random(in: 0...duration, using: &random)))
        child.send(signal: SIGKILL)
        _ = try await child.waitUntilExit(within: 240)
      }
      let next = try await result(store.path)
      #expect(next.layout == undisturbed.layout, "kill \(number)")
      #expect(next.picture == undisturbed.picture, "kill \(number)")
      let fetched = try #require((next.report["requests"] as? [String: Int])?["get"])
      if fetched < Self.copies * 26 { carriedOn += 1 }
    }
    #expect(carriedOn > 0, "nothing was ever kept")
  }

  @Test("a bit flipped at any place of the store changes nothing of what comes out")
  func flippedBits() async throws {
    let original = try TemporaryDirectory("store")
    let undisturbed = try await result(original.path)
    let files = (FileManager.default.enumerator(atPath: original.path)?.compactMap { $0 as? String } ?? []).filter {
      name in
      var status = stat()
      return lstat(original.file(name), &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_size > 0
    }.sorted()
    try #require(files.count > 10)
    var random = SplitMix64(seed: 4)
    var flips = 0
    while flips < 100 {
      let store = try TemporaryDirectory("stores")
      try store.copy(original.path, to: "store")
      var damaged: Set<Substring> = []
      for _ in 0..<10 {
        let file = try #require(files.randomElement(using: &random))
        if let name = file.split(separator: "/").last { damaged.insert(name) }
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: store.file("store/" + file)))
        // Levels are mostly holes: half of the places are near the beginning, where something is.
        let end = try handle.seekToEnd()
        let at = UInt64.random(in: 0..<(Bool.random(using: &random) ? end : min(end, 200_000)), using: &random)
        try handle.seek(toOffset: at)
        let byte = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: at)
        try handle.write(contentsOf: Data([byte ^ 1 << UInt8.random(in: 0..<8, using: &random)]))
        try handle.close()
        flips += 1
      }
      let next = try await result(store.file("store"))
      #expect(next.layout == undisturbed.layout, "flip \(flips)")
      #expect(next.picture == undisturbed.picture, "flip \(flips)")
      let fetched = try #require((next.report["requests"] as? [String: Int])?["get"])
      // What is known of the images is there twice.
      if damaged.isSuperset(of: ["catalogue.sqlite", "catalogue.snapshot"]) { continue }
      #expect(fetched <= 20, "what is damaged is fetched alone, not \(fetched) images: \(damaged)")
    }
  }

  @Test("what the options promise is checked when they are read")
  func options() async throws {
    for (option, value) in [("--cache-size", "much"), ("--replica", "a b"), ("--sample", "0")] {
      #expect(try await program("map", pictures.path, option, value).status == 2, "\(option)")
    }
    let sampled = try await program("map", pictures.path, "--sample", "20", "--json", "--cache-size", "1GB").json
    #expect(sampled["images"] as? Int == 20)
    #expect((sampled["sample"] as? [String: Int]) == ["size": 20, "of": Self.copies * 26])
    let folder = try await program("replica", "check", pictures.path)
    #expect(folder.status == 2 && folder.errorText.contains("folder"))
  }
}
