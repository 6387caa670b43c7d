/// The distances a map can be made with, by SciPy's definitions.
public enum Metric: String, CaseIterable, Codable, Sendable, CustomStringConvertible {
  case cosine, euclidean, l2, l1, manhattan, cityblock, braycurtis, canberra, chebyshev, correlation, dice, hamming
  case jaccard, kulsinski, mahalanobis, matching, minkowski, rogerstanimoto, russellrao, seuclidean, sokalmichener
  case sokalsneath, sqeuclidean, yule, wminkowski

  /// How a list of distances is divided for a person.
  public enum Group: String, CaseIterable, Sendable {
    /// Angles between vectors: brightness of an image does not count.
    case angles = "Angles"
    /// Differences of the values themselves.
    case differences = "Differences"
    /// Differences weighted by the spread or size of the values.
    case weighted = "Weighted differences"
    /// For data of zeros and ones: every value that is not 0 counts as 1.
    case boolean = "For 0/1 data"
  }

  /// The name, as it is typed.
  public var description: String { rawValue }

  /// The distance of which this is another name, or itself.
  public var canonical: Metric {
    switch self {
    case .l2: .euclidean
    case .l1, .cityblock: .manhattan
    default: self
    }
  }

  /// The other names of this distance.
  public var aliases: [Metric] { Metric.allCases.filter { $0 != self && $0.canonical == canonical } }

  /// Where a list shows it.
  public var group: Group {
    switch self {
    case .cosine, .correlation: .angles
    case .euclidean, .l2, .sqeuclidean, .l1, .manhattan, .cityblock, .chebyshev, .minkowski: .differences
    case .braycurtis, .canberra, .hamming, .mahalanobis, .seuclidean, .wminkowski: .weighted
    case .dice, .jaccard, .kulsinski, .matching, .rogerstanimoto, .russellrao, .sokalmichener, .sokalsneath, .yule:
      .boolean
    }
  }

  /// One line that says what it measures.
  public var summary: String {
    switch canonical {
    case .cosine: "1 − cosine of the angle; a zero vector is at 1 from all others, at 0 from another"
    case .euclidean: "length of the straight line"
    case .sqeuclidean: "square of the euclidean distance"
    case .manhattan: "sum of absolute differences"
    case .correlation: "cosine after subtracting each row's mean; a constant row counts as a zero vector"
    case .chebyshev: "largest absolute difference"
    case .minkowski: "p-th root of the sum of p-th powers"
    case .wminkowski: "Minkowski on columns multiplied by a weight each (1 by default)"
    case .braycurtis: "sum of |u − v| over sum of |u + v|; 0 for two zero vectors"
    case .canberra: "sum of |u − v| / (|u| + |v|), where 0/0 is 0"
    case .seuclidean:
      "euclidean, each squared difference divided by its column's variance; constant columns are left out"
    case .mahalanobis: "euclidean after removing correlations between columns, in at most min(50, n/10) main directions"
    case .hamming: "share of columns that differ"
    case .matching: "share of 0/1 columns that differ"
    case .jaccard: "0/1: share of differing columns among those set in either; 0 for two empty rows"
    case .dice: "0/1: Jaccard, common ones counted twice; 0 for two empty rows"
    case .kulsinski: "0/1: (differing − common + columns) / (differing + columns)"
    case .rogerstanimoto: "0/1: share of differing columns, differences counted twice"
    case .russellrao: "0/1: share of columns not set in both"
    case .sokalmichener: "0/1: the same number as rogerstanimoto"
    case .sokalsneath: "0/1: Jaccard, differences counted twice; 0 for two empty rows"
    case .yule: "0/1: 2 × one-sided products over the sum of both products; 0 where nothing is one-sided"
    case .l1, .l2, .cityblock: ""  // canonical is none of these
    }
  }
}
