/// What some distances need beside the vectors.
public struct MetricParameters: Hashable, Codable, Sendable {
  /// The exponent of `minkowski` and `wminkowski`, above 0: 1 is `manhattan`, 2 `euclidean`, infinity `chebyshev`.
  public var minkowskiP: Double
  /// A weight of at least 0 for each column, for `minkowski` (Σ w|u−v|^p)^(1/p) and `wminkowski` (Σ (w|u−v|)^p)^(1/p);
  /// nil for 1 throughout.
  public var weights: [Double]?

  /// The defaults of the distances, unless said otherwise.
  public init(minkowskiP: Double = 2, weights: [Double]? = nil) {
    self.minkowskiP = minkowskiP
    self.weights = weights
  }

  /// JSON has no infinity: an absent p stands for it.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    if minkowskiP.isFinite { try container.encode(minkowskiP, forKey: .minkowskiP) }
    try container.encodeIfPresent(weights, forKey: .weights)
  }

  /// Reads what `encode` wrote.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    minkowskiP = try container.decodeIfPresent(Double.self, forKey: .minkowskiP) ?? .infinity
    weights = try container.decodeIfPresent([Double].self, forKey: .weights)
  }

  private enum CodingKeys: String, CodingKey {
    case minkowskiP, weights
  }

  /// Those that make a difference to this distance; the others are set back to their defaults.
  public func relevant(to metric: Metric) -> MetricParameters { metric.hasParameters ? self : MetricParameters() }

  /// What keeps them from being used with this distance, in one sentence, or nil.
  public func problem(for metric: Metric) -> String? {
    guard metric.hasParameters else {
      if weights != nil {
        return "Weights were given for the distance “\(metric)”, which has none; minkowski and wminkowski have."
      }
      return nil
    }
    if !(minkowskiP > 0) { return "Minkowski's p is \(minkowskiP); it must be a number above 0." }
    guard let weights else { return nil }
    if weights.isEmpty { return "The list of weights is empty; it needs a number for each column." }
    if let bad = weights.firstIndex(where: { !($0.isFinite && $0 >= 0) }) {
      return "The weight of column \(bad) (counted from 0) is \(weights[bad]); it must be a number of at least 0."
    }
    if !weights.contains(where: { $0 > 0 }) { return "All weights are 0; at least one must be above." }
    return nil
  }
}

extension Metric {
  /// Whether `MetricParameters` make a difference.
  public var hasParameters: Bool { self == .minkowski || self == .wminkowski }
}
