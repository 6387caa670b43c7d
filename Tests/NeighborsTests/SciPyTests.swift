import Foundation
import Neighbors
import Numerics
import Testing

import struct TestSupport.Computing

/// One line of the table: distances of the first rows of a matrix to all its rows.
private struct Reference: Sendable, CustomTestStringConvertible {
  var metric: Metric
  var label: String
  var parameters: MetricParameters
  var distances: [Double]

  var testDescription: String {
    "\(metric) on \(label), p \(parameters.minkowskiP)\(parameters.weights == nil ? "" : ", weighted")"
  }
}

/// What scipy_distances.py wrote.
private struct SciPyTable {
  var references: [Reference] = []
  var matrices: [String: FloatRows] = [:]

  static let shared = SciPyTable()

  init() {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
      path: "Fixtures/scipy_distances.txt"
    ).path
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let fields = line.split(separator: " ")
      if fields[0] == "data" {
        matrices[String(fields[1])] = try? FloatRows(
          fields[3...].compactMap { Float($0) }, dimension: Int(fields[2]) ?? 0)
      } else if let metric = Metric(rawValue: String(fields[0])) {
        let weights = fields[4] == "-" ? nil : fields[4].split(separator: ",").compactMap { Double($0) }
        references.append(
          Reference(
            metric: metric, label: String(fields[1]),
            parameters: MetricParameters(minkowskiP: Double(fields[3]) ?? .nan, weights: weights),
            distances: fields[5...].compactMap { Double($0) }))
      }
    }
  }
}

@Test("the table knows all 25 names", .computing)
func tableIsComplete() {
  #expect(Set(SciPyTable.shared.references.map(\.metric)) == Set(Metric.allCases))
}

@Test(
  "distances equal SciPy's within 1e-5 relative or 1e-6 absolute", .computing, arguments: SciPyTable.shared.references)
private func distancesEqualSciPy(reference: Reference) throws { try check(reference) }

private func check(_ reference: Reference) throws {
  let rows = try #require(SciPyTable.shared.matrices[reference.label])
  let n = rows.rowCount
  let graph = try NeighborSearch(
    metric: reference.metric, k: n - 1, threads: 2, seed: 0, reducedDimension: nil, parameters: reference.parameters
  ).run(rows, token: CancellationToken(), progress: nil).graph
  #expect(reference.distances.count == 2 * n)
  for row in 0..<2 {
    #expect(Set(graph.indices[row * (n - 1)..<(row + 1) * (n - 1)]).count == n - 1)
    for j in row * (n - 1)..<(row + 1) * (n - 1) {
      let expected = reference.distances[row * n + Int(graph.indices[j])]
      let found = Double(graph.distances[j])
      #expect(
        abs(found - expected) <= max(1e-6, 1e-5 * abs(expected)), "row \(row) to \(graph.indices[j])")
    }
  }
}

/// Run by a process of its own, in which the level is forced.
private func checkLevel(_ level: SIMDLevel) throws {
  setenv("S3TOTSNE_SIMD", level.rawValue, 1)
  #expect(SIMDLevel.chosen == level)
  #expect(!SciPyTable.shared.references.isEmpty)
  for reference in SciPyTable.shared.references { try check(reference) }
  var random = SplitMix64(seed: 70)
  let rows = try FloatRows((0..<12_100 * 6).map { _ in Float(random.normal()) }, dimension: 6)
  let one = try NeighborSearch(metric: .euclidean, k: 10, threads: 1, seed: 0).run(
    rows, token: CancellationToken(), progress: nil
  ).graph
  let three = try NeighborSearch(metric: .euclidean, k: 10, threads: 3, seed: 0).run(
    rows, token: CancellationToken(), progress: nil
  ).graph
  #expect(one == three)
  #expect(one.recall < 1 && one.recall >= 0.98)
}

@Test("the baseline instruction set: SciPy's distances, and the index", .computing)
func baselineDistances() async {
  await #expect(processExitsWith: .success) { try checkLevel(.baseline) }
}

@Test(
  "AVX2: SciPy's distances, and the index", .computing,
  .enabled(if: SIMDLevel.avx2.isAvailable, "this processor has no AVX2"))
func avx2Distances() async {
  await #expect(processExitsWith: .success) { try checkLevel(.avx2) }
}

@Test(
  "AVX-512: SciPy's distances, and the index", .computing,
  .enabled(if: SIMDLevel.avx512.isAvailable, "this processor has no AVX-512"))
func avx512Distances() async {
  await #expect(processExitsWith: .success) { try checkLevel(.avx512) }
}
