public import Numerics

/// Why neighbours cannot be searched.
public enum NeighborSearchError: Error, Equatable, Sendable, CustomStringConvertible {
  /// More rows than a 32-bit number counts.
  case tooManyRows(Int)
  /// The distance's own parameters will not do.
  case badParameters(String)

  /// The sentence for a person.
  public var description: String {
    switch self {
    case .tooManyRows(let count): "\(count) rows are more than a layout can hold (2147483647)."
    case .badParameters(let message): message
    }
  }
}

/// Finds the k nearest neighbours of every row, and a start for the layout.
///
/// Rows of more than 50 columns are first reduced to their 50 principal components where the distance is kin to the
/// euclidean: about the mean for euclidean, sqeuclidean, seuclidean (after dividing by the deviations) and minkowski with p
/// of 2; for cosine on rows of length 1 and for correlation on rows centred and of length 1, both about the origin, because
/// centring the columns would change the angles. Mahalanobis is measured in at most min(50, n/10) principal directions. The
/// other distances see the rows as they are, and compare all pairs.
///
/// Up to some 12,000 rows the search is exact. Above, where the distance comes down to a euclidean one and an index costs
/// less than all pairs, the index finds at least 0.98 of the neighbours, usually 0.99; the graph says how many.
///
/// Where SciPy divides 0 by 0: a zero vector has cosine distance 1 to every other vector and 0 to another zero vector, a
/// constant row likewise under correlation; constant columns are left out by seuclidean; two zero vectors are at 0 by
/// braycurtis, dice, jaccard and sokalsneath, and yule is 0 where nothing is one-sided. An infinite distance is the largest
/// float.
public struct NeighborSearch: Sendable {
  /// The distance.
  public let metric: Metric
  /// Neighbours a row; lowered to n − 1.
  public let k: Int
  /// How many threads compute. The result does not depend on it.
  public let threads: Int
  /// Decides everything random.
  public let seed: UInt64
  /// To how many principal components longer rows are reduced, nil for not at all.
  public let reducedDimension: Int?
  /// What the distance needs beside the vectors.
  public let parameters: MetricParameters
  /// What the rows are called in sentences.
  public let subject: RowSubject
  /// See `SearchContext`; set by tests.
  var memoryLimit = 256 << 20

  /// A search, to be run on any rows.
  public init(
    metric: Metric, k: Int, threads: Int, seed: UInt64, reducedDimension: Int? = 50,
    parameters: MetricParameters = MetricParameters(), subject: RowSubject = .rows
  ) {
    precondition(reducedDimension.map { (2...100).contains($0) } ?? true, "2 to 100 components, or nil")
    self.metric = metric
    self.k = k
    self.threads = threads
    self.seed = seed
    self.reducedDimension = reducedDimension
    self.parameters = parameters
    self.subject = subject
  }

  /// Searches. Blocks its thread and uses `threads` of its priority: call it on a queue, not on Swift's cooperative pool.
  /// - Parameters:
  ///   - rows: The vectors; every value finite.
  ///   - token: Ends the search within 100 ms.
  ///   - progress: Is told the share that is done, from any thread.
  ///   - announce: Is told beforehand, in a sentence, when the search will take long.
  /// - Returns: The graph; the start, 2 × n, x and y of each point, along the first two principal components and of
  ///   standard deviation 1e-4 (Kobak & Berens 2019), or a plain grid with points 1 apart if no two distances differ; and
  ///   sentences for a person about what was special.
  /// - Throws: `NeighborSearchError`, `FeatureRowsError`, `CancellationError`.
  public func run(
    _ rows: some FeatureRows, token: CancellationToken, progress: (@Sendable (Double) -> Void)?,
    announce: (@Sendable (String) -> Void)? = nil
  ) throws -> (graph: NeighborGraph, start: [Float], notes: [String]) {
    if let problem = parameters.problem(for: metric) { throw NeighborSearchError.badParameters(problem) }
    let n = rows.rowCount
    guard n <= Int(Int32.max) else { throw NeighborSearchError.tooManyRows(n) }
    guard n > 1 else {
      let graph = NeighborGraph(count: n, k: 0, indices: [], distances: [], recall: 1)
      return (graph, [Float](repeating: 0, count: 2 * n), [])
    }
    guard rows.dimension > 0 else { throw FeatureRowsError.noColumns(rows: n) }
    let k = min(max(1, k), n - 1)
    let context = SearchContext(
      metric: metric, subject: subject, pool: ThreadPool(threads: threads), seed: seed, token: token,
      progress: progress, announce: announce, memoryLimit: memoryLimit)
    let preparation = Preparation(context: context, parameters: parameters, reducedDimension: reducedDimension)
    var (search, startRows, notes) = try preparation.prepare(rows)
    let found = try search.neighbors(k: k, context: context)
    var hasSpread = NeighborGraph.hasSpread(found.distances)
    if !hasSpread, k < n - 1 {
      // All neighbours are equally near: are others farther?
      let sample = min(n, 200)
      hasSpread = try search.hasSpread(among: (0..<sample).map { $0 * n / sample }, context: context.silent)
    }
    let graph = NeighborGraph(
      count: n, k: k, indices: found.indices, distances: found.distances, recall: found.recall, hasSpread: hasSpread)
    try token.check()
    progress?(1)
    if !hasSpread || n == 2 {
      notes = n > 2 ? [SearchSentences.withoutSpread(metric, count: n, subject: subject)] : []
      return (graph, LayoutStart.grid(count: n), notes)
    }
    return (
      graph, try LayoutStart.principal(startRows, pool: context.pool, seed: seed, token: token), notes
    )
  }
}
