import Foundation
import Numerics

/// What was measured on one matrix.
struct TSNEBenchResult: Encodable {
  let name: String
  let n, d: Int
  let runs: [TSNEMeasurement]
  /// Of each stage over the runs.
  let medianSeconds: [String: Double]
  let milestones: [TSNEMilestone]

  enum CodingKeys: String, CodingKey {
    case name, n, d, runs, milestones
    case medianSeconds = "median_seconds"
  }

  init(_ matrix: BenchMatrix, benchmark: TSNEBenchmark, runs count: Int, every period: Int) throws {
    name = matrix.name
    n = matrix.rows.rowCount
    d = matrix.rows.dimension
    let runs = try (0..<count).map { _ in try benchmark.measure(matrix.rows) }
    self.runs = runs
    medianSeconds = Dictionary(
      uniqueKeysWithValues: ["neighbours", "affinities", "layout", "total"].map { stage in
        (stage, median(runs.map { $0.seconds[stage] ?? 0 }))
      })
    milestones = period > 0 ? try benchmark.milestones(matrix.rows, every: period) : []
  }

  static let heading =
    "matrix                     n     d  neighbours affinities   layout    total (least  most)   CPU s others  MB    KL      recall"

  /// One line of the first table.
  var row: String {
    let totals = runs.map { $0.seconds["total"] ?? 0 }
    let columns = [
      name.padding(toLength: 20, withPad: " ", startingAt: 0), text(Double(n), 8, 0), text(Double(d), 6, 0),
      text(medianSeconds["neighbours"], 11, 3), text(medianSeconds["affinities"], 11, 3),
      text(medianSeconds["layout"], 9, 3), text(medianSeconds["total"], 9, 3), text(totals.min(), 8, 3),
      text(totals.max(), 8, 3), text(median(runs.map(\.usage.cpu)), 7, 2),
      text(median(runs.map(\.usage.othersCPU)), 6, 2),
      text(median(runs.map(\.usage.memoryMB)), 6, 0), text(runs.last?.klDivergence, 8, 4),
      text(runs.last?.neighbourRecall, 7, 3),
    ]
    return columns.joined()
  }

  /// One line of the second table.
  var milestoneRow: String {
    let places = milestones.map { place in
      String(format: "%d: %.4f (%.2f s)", place.iteration, place.klDivergence, place.seconds)
    }
    return name + "  " + places.joined(separator: "  ")
  }

  private func text(_ value: Double?, _ width: Int, _ digits: Int) -> String {
    let text = value.map { String(format: "%.\(digits)f", $0) } ?? "-"
    return String(repeating: " ", count: max(1, width - text.count)) + text
  }
}

/// The middle one of the values; of two in the middle, their mean.
private func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  guard !sorted.isEmpty else { return 0 }
  return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
