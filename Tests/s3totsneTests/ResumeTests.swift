import Foundation
import TestSupport
import Testing

/// What becomes of the store when a program is ended in the middle, or a disk does not keep what it was given.
///
/// `S3TOTSNE_KILLS=50` makes it the full measurement.
@Suite("Carrying on", .serialized, .timeLimit(.minutes(10))) struct ResumeTests {
  private let program: Program
  private let pictures: TemporaryDirectory
  private let whole: WholeRun
  private static let measured = ProcessInfo.processInfo.environment["S3TOTSNE_KILLS"].flatMap { Int($0) }
  private static let copies = measured != nil ? 12 : 5

  init() throws {
    program = try Program()
    pictures = try TemporaryDirectory("pictures")
    for copy in 0..<Self.copies {
      for subject in ["balloons", "signs"] { try pictures.copy(sampleImages + "/" + subject, to: "\(copy)/\(subject)") }
    }
    whole = WholeRun(program: program, location: pictures.path)
  }

  @Test("after a SIGKILL at any moment, the next run ends with the bytes of an undisturbed one")
  func kills() async throws {
    let first = try TemporaryDirectory("store")
    let (undisturbed, seconds) = try await whole.timed(first.path)
    var random = SplitMix64(seed: 42)
    var carriedOn = 0
    for number in 0..<(Self.measured ?? 6) {
      let store = try TemporaryDirectory("store")
      // Some are killed more than once before they may finish.
      for _ in 0...number % 3 { try await whole.killed(store.path, within: seconds, random: &random) }
      let next = try await whole.result(store.path)
      #expect(next.layout == undisturbed.layout, "kill \(number)")
      #expect(next.picture == undisturbed.picture, "kill \(number)")
      if next.fetched < Self.copies * 26 { carriedOn += 1 }
    }
    #expect(carriedOn > 0, "nothing was ever kept")
  }

  @Test(
    "so it is with a bucket, and with a replica that was being written: whoever comes next reads it or makes it anew")
  func killsWithReplica() async throws {
    let server = try await RcloneServer.start()
    try await server.makeBucket("photos")
    try await server.upload(folder: pictures.path, to: "photos", prefix: "set")
    var bucket = WholeRun(program: program, location: "photos/set", options: ["--replica", "shared"])
    for (name, value) in server.environment { bucket.program.environment[name] = value }
    try await server.makeBucket("shared")
    let first = try TemporaryDirectory("store")
    let (undisturbed, seconds) = try await bucket.timed(first.path)
    var random = SplitMix64(seed: 43)
    var found = 0
    for number in 0..<(Self.measured.map { ($0 + 1) / 2 } ?? 3) {
      try await server.empty("shared")
      let store = try TemporaryDirectory("store")
      for _ in 0...number % 3 { try await bucket.killed(store.path, within: seconds, random: &random) }
      // Somebody else's machine, in between.
      let other = try TemporaryDirectory("store")
      let second = try await bucket.result(other.path)
      #expect(second.layout == undisturbed.layout && second.notes == [], "kill \(number): \(second.notes)")
      if second.fetched < Self.copies * 26 { found += 1 }
      let next = try await bucket.result(store.path)
      #expect(next.layout == undisturbed.layout && next.notes == [], "kill \(number): \(next.notes)")
      let third = try TemporaryDirectory("store")
      let last = try await bucket.result(third.path)
      #expect(last.layout == undisturbed.layout && last.fetched == 0, "kill \(number)")
    }
    if Self.measured != nil { #expect(found > 0, "no kill ever left a whole replica") }
  }

  @Test("a bit flipped at any place of the store changes nothing of what comes out")
  func flippedBits() async throws {
    let original = try TemporaryDirectory("store")
    let undisturbed = try await whole.result(original.path)
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
      let next = try await whole.result(store.file("store"))
      #expect(next.layout == undisturbed.layout, "flip \(flips)")
      #expect(next.picture == undisturbed.picture, "flip \(flips)")
      let fetched = next.fetched
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
