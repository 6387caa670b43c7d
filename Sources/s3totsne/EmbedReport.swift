import Foundation
import Mapping
import NPY
import Neighbors
import Numerics
import TSNE

/// What `embed --json` prints.
struct EmbedReport: Encodable {
  /// Rows and columns of the features.
  var n, d: Int
  /// By stage: read, neighbours, affinities, layout, write, total.
  var seconds: [String: Double]
  /// Nil when it is no number.
  var klDivergence: Double?
  var iterations: Int
  var neighbourRecall: Double
  var simd: String
  var metric: String
  /// The one used, after lowering.
  var perplexity: Double
  var seed: UInt64
  var threads: Int
  var notes: [String]
  var version = s3totsneVersion
  /// Why it is not complete, and `interrupted`.
  var error: String?
  var errorKind: String?

  enum CodingKeys: String, CodingKey {
    case n, d, seconds, iterations, simd, metric, perplexity, seed, threads, notes, version, error
    case klDivergence = "kl_divergence"
    case neighbourRecall = "neighbour_recall"
    case errorKind = "error_kind"
  }

  init(
    matrix: NPYMatrix, options: TSNEOptions, result: Embedding.Result, seconds: [String: Double], interruption: String?
  ) {
    n = matrix.rowCount
    d = matrix.columnCount
    self.seconds = seconds
    klDivergence = result.klDivergence.isFinite ? result.klDivergence : nil
    iterations = result.iterations
    neighbourRecall = result.recall
    simd = SIMDLevel.chosen.rawValue
    metric = options.metric.value.rawValue
    perplexity = result.perplexity
    seed = options.seed.value
    threads = options.effectiveThreads
    notes = result.notes
    error = interruption
    errorKind = interruption.map { _ in "interrupted" }
  }

  /// One line for a person.
  var summary: String {
    var parts = ["\(n) rows of \(d) by \(metric) distance in \(secondsText(seconds["total"] ?? 0))"]
    if let klDivergence { parts.append("KL divergence " + String(format: "%.4f", klDivergence)) }
    if neighbourRecall < 1 { parts.append(String(format: "%.1f %% of the neighbours found", 100 * neighbourRecall)) }
    return parts.joined(separator: ", ") + "."
  }
}
