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

  /// Whether a search by this distance can be run.
  public var isSupported: Bool {
    switch canonical {
    case .cosine, .euclidean, .manhattan, .correlation, .sqeuclidean: true
    default: false
    }
  }

  /// One line that says what it measures.
  public var summary: String {
    switch canonical {
    case .cosine: "1 − cosine of the angle; a zero vector is at 1 from all others"
    case .euclidean: "length of the straight line"
    case .sqeuclidean: "square of the euclidean distance"
    case .manhattan: "sum of absolute differences"
    case .correlation: "cosine after subtracting each row's mean"
    case .chebyshev: "largest absolute difference"
    case .minkowski: "p-th root of the sum of p-th powers"
    case .wminkowski: "Minkowski with a weight for each column"
    case .braycurtis: "sum of differences over sum of sums"
    case .canberra: "sum of differences relative to size"
    case .seuclidean: "euclidean, each column divided by its variance"
    case .mahalanobis: "euclidean after removing correlations between columns"
    case .hamming: "share of columns that differ"
    case .matching: "share of 0/1 columns that differ"
    case .jaccard: "0/1: share of differing columns among those set in either"
    case .dice: "0/1: like Jaccard, agreement counted twice"
    case .kulsinski: "0/1: Kulsinski dissimilarity"
    case .rogerstanimoto: "0/1: differences counted twice"
    case .russellrao: "0/1: share of columns not set in both"
    case .sokalmichener: "0/1: Sokal-Michener dissimilarity"
    case .sokalsneath: "0/1: Jaccard, differences counted twice"
    case .yule: "0/1: Yule's dissimilarity of association"
    case .l1, .l2, .cityblock: ""  // canonical is none of these
    }
  }
}
