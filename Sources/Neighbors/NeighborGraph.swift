/// The k nearest other rows of every row.
public struct NeighborGraph: Sendable, Equatable {
  /// The number of rows.
  public let count: Int
  /// Neighbours a row.
  public let k: Int
  /// Row-major `count` × `k`: whom. Never the row itself.
  public let indices: [Int32]
  /// Row-major `count` × `k`: how far, by the metric (not squared), ascending in each row.
  public let distances: [Float]
  /// The share of true nearest neighbours found: 1 for an exact search.
  public let recall: Double

  /// Puts together a graph from its parts, as a search or a store made them.
  public init(count: Int, k: Int, indices: [Int32], distances: [Float], recall: Double) {
    precondition(indices.count == count * k && distances.count == count * k)
    self.count = count
    self.k = k
    self.indices = indices
    self.distances = distances
    self.recall = recall
  }

  /// Whether the distances tell rows apart. If all are equal (all rows identical, say) there is nothing to lay out, and a
  /// layout of this graph is its plain grid start.
  public var hasSpread: Bool {
    guard let first = distances.first else { return false }
    return distances.contains { $0 != first }
  }
}
