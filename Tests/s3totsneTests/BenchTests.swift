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

  @Test(
    "wrong usage is said", arguments: [["--sizes", "many"], ["--runs", "0"], ["--metric", "kosine"], ["none.npy"]])
  func wrongUsage(_ options: [String]) async throws {
    let result = try await run(try builtExecutable("s3totsne-bench"), ["tsne"] + options)
    #expect(result.status != 0)
    #expect(result.errorText.contains(options.last ?? ""))
  }
}
