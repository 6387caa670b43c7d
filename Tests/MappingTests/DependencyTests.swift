import Collection
import Foundation
import Imaging
import Neighbors
import ObjectStorage
import Replica
import TSNE
import TestSupport
import Testing

@testable import Mapping

/// The table of the README that says what runs again, row by row.
@Suite("What depends on what", .timeLimit(.minutes(10)))
struct DependencyTests {
  private static func table() throws -> [String: [String]] {
    let text = try String(contentsOfFile: packageRoot + "/README.md", encoding: .utf8)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex { $0.hasPrefix("| what changes |") })
    var rows: [String: [String]] = [:]
    for line in lines[(start + 2)...].prefix(while: { $0.hasPrefix("|") }) {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      rows[cells[0]] = Array(cells.dropFirst())
    }
    return rows
  }

  /// What is done for each row. Ninety neighbours are searched for every perplexity up to 30.
  private static let changes: [String: @Sendable (inout MappingRequest, TemporaryDirectory) throws -> Void] = [
    "`--iterations`": { request, _ in request.parameters.tsne.iterations = 70 },
    "`--early-exaggeration`": { request, _ in request.parameters.tsne.earlyExaggeration = 8 },
    "`--early-iterations`": { request, _ in request.parameters.tsne.earlyIterations = 30 },
    "`--late-exaggeration`": { request, _ in request.parameters.tsne.lateExaggeration = 2 },
    "`--learning-rate`": { request, _ in request.parameters.tsne.learningRate = .value(100) },
    "`--momentum`": { request, _ in request.parameters.tsne.momentum = 0.7 },
    "`--minkowski-p`, with a distance that has it": { request, _ in
      request.parameters.metricParameters = MetricParameters(minkowskiP: 3)
    },
    "`--pca`": { request, _ in request.parameters.reducedDimension = 20 },
    "`--max-bytes`": { request, _ in request.storage.maximumBytes = 1_000_000 },
    "`--perplexity` up to 30": { request, _ in request.parameters.tsne.perplexity = 30 },
    "`--perplexity` beyond 30, 60, 120, …": { request, _ in request.parameters.tsne.perplexity = 31 },
    "`--metric`": { request, _ in request.parameters.metric = .euclidean },
    "`--metric`, another name for the same distance": { request, _ in request.parameters.metric = .l2 },
    "`--seed`": { request, _ in request.parameters.tsne.seed = 9 },
    "`--feature-side`": { request, _ in request.parameters.featureSide = 20 },
    "`--sample`": { request, _ in request.sample = 50 },
    "`--threads`": { request, _ in request.threads = 1 },
    "`--max-megapixels`": { request, _ in request.limits.maximumMegapixels = 200 },
    "images are added or changed": { _, folder in
      try addPicture(1, to: folder, seed: 1_000)
      try addPicture(100, to: folder)
    },
    "images are removed": { _, folder in try FileManager.default.removeItem(atPath: folder.file("red/00.bmp")) },
  ]

  /// Options of the README's other table that change neither images nor positions: how to reach them, where to keep what
  /// came from them, what may be fetched and shared.
  private static let neutral: Set<String> = [
    "--endpoint-url", "--region", "--profile", "--no-sign-request", "--request-payer", "--ca-bundle",
    "--addressing-style", "--patience", "--cache-dir", "--cache-size", "--replica", "--ask-above", "--yes",
    "--colour-by", "--color-by",
  ]

  @Test("every option of the README has a row, or is known to change nothing")
  func options() throws {
    let text = try String(contentsOfFile: packageRoot + "/README.md", encoding: .utf8)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex { $0.hasPrefix("| option |") })
    func names(_ text: some StringProtocol) -> Set<String> {
      let letters = Set("-abcdefghijklmnopqrstuvwxyz")
      let words = String(text).split(whereSeparator: { !letters.contains($0) })
      return Set(words.map(String.init).filter { $0.hasPrefix("--") })
    }
    var options: Set<String> = []
    for line in lines[(start + 2)...].prefix(while: { $0.hasPrefix("|") }) {
      let found = names(line.dropFirst().prefix { $0 != "|" })
      #expect(!found.isEmpty, "\(line)")
      // Two names for one thing need one row.
      options.formUnion(found == ["--early-exaggeration", "--exaggeration"] ? ["--early-exaggeration"] : found)
    }
    let rows = Set(try Self.table().keys.flatMap(names))
    #expect(options.count > 25)
    #expect(options == rows.union(Self.neutral))
    #expect(rows.isDisjoint(with: Self.neutral))
  }

  @Test("every row of the README's table is so, and every change has a row")
  func rows() async throws {
    let table = try Self.table()
    #expect(Set(table.keys) == Set(Self.changes.keys))
    for (name, cells) in table {
      let change = try #require(Self.changes[name], "\(name)")
      let folder = try pictureFolder(100)
      try folder.write([1, 2, 3], to: "broken.bmp")
      let cache = try TemporaryDirectory("cache")
      var request = try request(folder.path, cache: cache)
      if name.contains("another name") { request.parameters.metric = .euclidean }
      if name.contains("--minkowski-p") { request.parameters.metric = .minkowski }
      if name == "`--max-bytes`" {
        try folder.write([UInt8](repeating: 7, count: 20_000), to: "large.bmp")
        request.storage.maximumBytes = 10_000
      }
      if name == "`--sample`" { request.sample = 40 }
      let first = try #require(await run(request).report)
      try change(&request, folder)
      let second = try #require(await run(request).report)
      let expected = try #require(cells.count == 3 ? cells : nil, "\(name)")
      let fetched = second.requests.get
      switch expected[0] {
      case "kept": #expect(fetched == 0 && second.reused.thumbnails && second.reused.features, "\(name)")
      case "again": #expect(fetched == first.images, "\(name)")
      case "new ones only": #expect(fetched > 0 && fetched <= 10 && !second.reused.thumbnails, "\(name): \(fetched)")
      case "left-out ones only":
        #expect((1...first.leftOut.count).contains(fetched) && second.reused.thumbnails, "\(name): \(fetched)")
      default: Issue.record("\(name): “\(expected[0])” is no word of this table")
      }
      #expect(second.reused.neighbours == (expected[1] == "kept"), "\(name)")
      #expect(second.reused.layout == (expected[2] == "kept"), "\(name)")
    }
  }

  @Test("ten layouts are kept, with what they were made of, and open to the bit")
  func history() async throws {
    let folder = try pictureFolder(40)
    let cache = try TemporaryDirectory("cache")
    var finals: [UInt64: LayoutSnapshot] = [:]
    var collection: Outcome?
    for seed in 0..<12 as Range<UInt64> {
      let outcome = await run(try request(folder.path, cache: cache) { $0.tsne.seed = seed })
      finals[seed] = outcome.final
      collection = outcome
    }
    let images = try #require(collection?.collection)
    let kept = images.keptLayouts()
    #expect(kept.map(\.parameters.tsne.seed) == (2..<12).reversed().map { UInt64($0) })
    for layout in kept {
      let final = try #require(finals[layout.parameters.tsne.seed])
      #expect(images.snapshot(of: layout) == final)
      #expect(layout.isComplete && layout.iteration == 60 && layout.klDivergence == final.klDivergence)
    }
    #expect(Set(kept.map(\.id)).count == 10 && kept.allSatisfy { abs($0.date.timeIntervalSinceNow) < 600 })
  }

  @Test("a look at a layout is no use of it, and its picture has a dot for each image where the layout has it")
  func previews() async throws {
    let folder = try pictureFolder(40)
    let cache = try TemporaryDirectory("cache")
    _ = await run(try request(folder.path, cache: cache) { $0.tsne.seed = 1 })
    let outcome = await run(try request(folder.path, cache: cache) { $0.tsne.seed = 2 })
    let images = try #require(outcome.collection)
    let kept = images.keptLayouts()
    #expect(kept.map(\.parameters.tsne.seed) == [2, 1] && outcome.final?.layoutID == kept[0].id)
    let old = try #require(images.snapshot(of: kept[1], isUse: false))
    #expect(images.keptLayouts().map(\.id) == kept.map(\.id) && old.layoutID == kept[1].id)
    #expect(images.snapshot(of: kept[1]) == old)
    #expect(images.keptLayouts().map(\.id) == kept.reversed().map(\.id))

    let preview = images.preview(of: old.slots, at: old.positions, width: 48, height: 32)
    let dots = preview.pixels.filter { $0 != 0 }
    // Three pixels a side for so few of them.
    #expect(preview.width == 48 && preview.height == 32 && dots.count > 100 && dots.count <= 40 * 9)
    #expect(dots.allSatisfy { $0 >> 24 == 255 })
    #expect(images.preview(of: old.slots, at: old.positions, width: 1, height: 1).pixels.count == 1)
    // The outermost images touch the edges of one direction.
    let columns = (0..<48).filter { column in (0..<32).contains { preview.pixels[$0 * 48 + column] != 0 } }
    let rows = (0..<32).filter { row in preview.pixels[row * 48..<row * 48 + 48].contains { $0 != 0 } }
    #expect((columns.first == 0 && columns.last == 47) || (rows.first == 0 && rows.last == 31))
  }

  @Test("the README's ten lines of Python read a replica")
  func python() async throws {
    let text = try String(contentsOfFile: packageRoot + "/README.md", encoding: .utf8)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex { $0.hasPrefix("    import glob") })
    let code = lines[start...].prefix { $0.hasPrefix("    ") }.map { String($0.dropFirst(4)) }
    #expect(code.count == 10)
    let server = try await RcloneServer.start()
    let pictures = try pictureFolder(20)
    try await server.makeBucket("python")
    try await server.makeBucket("shared")
    try await server.upload(folder: pictures.path, to: "python")
    var request = try request("python", cache: try TemporaryDirectory("cache"), environment: server.environment)
    request.replica = .bucket("shared")
    #expect(await MappingTests.run(request).report?.replica?.images == 20)
    let root = server.directory + "/shared/s3totsne-1/"
    let folder = try #require(try FileManager.default.contentsOfDirectory(atPath: root).first)
    let script = try pictures.write(Array(code.joined(separator: "\n").utf8), to: "read.py")
    let output = try await TestSupport.run("python3", [script, root + folder], checked: true).outputText
    let rows = output.split(separator: "\n").map { $0.split(separator: " ") }
    #expect(rows.count == 20 && rows.allSatisfy { $0.count == 3 && Int($0[1]) ?? 0 > 200 && Double($0[2]) ?? 0 > 1 })
    #expect(rows.first?.first == "blue/02.bmp")
  }
}
