/// The k nearest other rows of every row.
public struct NeighborGraph: Sendable, Equatable {
  /// The number of rows.
  public let count: Int
  /// Neighbours a row.
  public let k: Int
  /// Row-major `count` × `k`: whom. Never the row itself.
  public let indices: [Int32]
  /// Row-major `count` × `k`: how far, by the metric (not squared), ascending in each row, finite.
  public let distances: [Float]
  /// The share of true nearest neighbours found: 1 for an exact search, else measured on a sample of rows.
  public let recall: Double
  /// Whether the distances tell rows apart. If all are equal (all rows identical, say) there is nothing to lay out, and a
  /// layout of this graph is its plain grid start.
  public let hasSpread: Bool

  /// Puts together a graph from its parts, as a search or a store made them.
  /// - Parameter hasSpread: What the search found out from all distances, as far as it differs from what the graph's own
  ///   say: all neighbours may be equally near (0, say, among many duplicates) and other rows farther.
  public init(
    count: Int, k: Int, indices: [Int32], distances: [Float], recall: Double, hasSpread: Bool? = nil
  ) {
    precondition(indices.count == count * k && distances.count == count * k)
    self.count = count
    self.k = k
    self.indices = indices
    self.distances = distances
    self.recall = recall
    self.hasSpread = hasSpread ?? Self.hasSpread(distances)
  }

  /// Whether any two differ by more than rounding.
  static func hasSpread(_ distances: [Float]) -> Bool {
    guard var least = distances.first else { return false }
    var most = least
    for distance in distances {
      least = min(least, distance)
      most = max(most, distance)
      if most - least > 1e-5 * most { return true }
    }
    return false
  }
}
