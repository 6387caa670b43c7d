import Foundation

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers from the same seed.
struct SeededNumbers: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Discs of several densities in one plane, as a layout has clusters: x and y interleaved.
func clusteredLayout(count: Int, seed: UInt64) -> [Float] {
  var numbers = SeededNumbers(seed: seed)
  let clusters = (0..<9).map { _ in
    (
      x: Float.random(in: -50...50, using: &numbers), y: Float.random(in: -50...50, using: &numbers),
      radius: Float.random(in: 2...15, using: &numbers)
    )
  }
  var positions: [Float] = []
  for index in 0..<count {
    let cluster = clusters[index % clusters.count]
    let angle = Float.random(in: 0..<2 * .pi, using: &numbers)
    let radius = cluster.radius * Float.random(in: 0..<1, using: &numbers).squareRoot()
    positions.append(cluster.x + radius * Float(cos(Double(angle))))
    positions.append(cluster.y + radius * Float(sin(Double(angle))))
  }
  return positions
}

/// The `k` nearest of a point, itself not among them.
func nearest(_ k: Int, of point: Int, in positions: [Float]) -> Set<Int> {
  let distances = (0..<positions.count / 2).filter { $0 != point }.map { other in
    let dx = positions[2 * other] - positions[2 * point]
    let dy = positions[2 * other + 1] - positions[2 * point + 1]
    return (distance: dx * dx + dy * dy, index: other)
  }
  return Set(distances.sorted { $0 < $1 }.prefix(k).map(\.index))
}

/// The mean share of the ten nearest of a point that are among its twenty nearest afterwards.
func neighboursKept(_ before: [Float], _ after: [Float]) -> Double {
  let count = before.count / 2
  let sample = stride(from: 0, to: count, by: max(1, count / 60))
  var kept = 0
  var all = 0
  for point in sample {
    let old = nearest(10, of: point, in: before)
    kept += old.intersection(nearest(20, of: point, in: after)).count
    all += old.count
  }
  return Double(kept) / Double(all)
}
