public import Numerics

/// Why neighbours cannot be searched.
public enum NeighborSearchError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The distance is known by name only.
  case unsupportedMetric(Metric)
  /// More rows than a 32-bit number counts.
  case tooManyRows(Int)
  /// The distance's own parameters will not do.
  case badParameters(String)

  /// The sentence for a person.
  public var description: String {
    switch self {
    case .unsupportedMetric(let metric):
      "The distance “\(metric)” cannot be computed yet. Choose one of "
        + Metric.allCases.filter(\.isSupported).map(\.rawValue).joined(separator: ", ") + "."
    case .tooManyRows(let count): "\(count) rows are more than a layout can hold (2147483647)."
    case .badParameters(let message): message
    }
  }
}

/// Finds the k nearest neighbours of every row, and a start for the layout.
///
/// Rows of more than 50 columns are first reduced to their 50 principal components where the distance is kin to the
/// euclidean: about the mean for euclidean and sqeuclidean; for cosine on rows of length 1 and for correlation on rows
/// centred and of length 1, both about the origin, because centring the columns would change the angles. The other
/// distances see the rows as they are. The search is exact.
///
/// A zero vector has cosine distance 1 to every other vector and 0 to another zero vector; a constant row likewise under
/// correlation.
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

  /// A search, to be run on any rows.
  public init(
    metric: Metric, k: Int, threads: Int, seed: UInt64, reducedDimension: Int? = 50,
    parameters: MetricParameters = MetricParameters()
  ) {
    precondition(reducedDimension.map { (2...100).contains($0) } ?? true, "2 to 100 components, or nil")
    self.metric = metric
    self.k = k
    self.threads = threads
    self.seed = seed
    self.reducedDimension = reducedDimension
    self.parameters = parameters
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
    guard metric.isSupported else { throw NeighborSearchError.unsupportedMetric(metric) }
    if let problem = parameters.problem(for: metric) { throw NeighborSearchError.badParameters(problem) }
    let n = rows.rowCount
    guard n <= Int(Int32.max) else { throw NeighborSearchError.tooManyRows(n) }
    guard n > 1 else {
      let graph = NeighborGraph(count: n, k: 0, indices: [], distances: [], recall: 1)
      return (graph, [Float](repeating: 0, count: 2 * n), [])
    }
    guard rows.dimension > 0 else { throw FeatureRowsError.noColumns(rows: n) }
    let k = min(max(1, k), n - 1)
    let pool = ThreadPool(threads: threads)
    var notes: [String] = []
    let graph: NeighborGraph
    var matrix: RowMatrix
    switch metric.canonical {
    case .manhattan:
      graph = try manhattanNeighbors(of: rows, k: k, pool: pool, token: token, progress: progress)
      matrix = try reduce(rows, centered: true, to: 50, pool: pool, token: token)
    case .cosine, .correlation:
      let preparation: RowPreparation = metric.canonical == .cosine ? .unitLength : .centeredUnitLength
      matrix = try reduce(
        PreparedRows(rows, preparation), centered: false, to: reducedDimension, pool: pool, token: token)
      let zeros = matrix.normalizeRows()
      if zeros > 0 {
        // A row of zeros is a black image, a constant one an image of one grey.
        let what = metric.canonical == .cosine ? "zero" : "constant"
        let verb = zeros == 1 ? "is" : "are"
        notes.append(
          "\(zeros) of \(n) rows \(verb) \(what), as of an image that is black or of one grey: their place says nothing."
        )
      }
      progress?(0.2)
      graph = try angularNeighbors(of: matrix, k: k, pool: pool, token: token, progress: progress)
    default:
      matrix = try reduce(rows, centered: true, to: reducedDimension, pool: pool, token: token)
      progress?(0.2)
      graph = try euclideanNeighbors(
        of: matrix, k: k, squared: metric.canonical == .sqeuclidean, pool: pool, token: token, progress: progress)
    }
    try token.check()
    progress?(1)
    guard graph.hasSpread || n == 2 else {
      notes.append(
        "All \(n) vectors are equally far from each other: there is nothing to arrange by, so they stand in a grid.")
      return (graph, LayoutStart.grid(count: n), notes)
    }
    if n == 2 { return (graph, LayoutStart.grid(count: n), notes) }
    return (graph, try LayoutStart.principal(matrix, pool: pool, seed: seed, token: token), notes)
  }

  /// The rows as a matrix of floats: as they are, or in the coordinates of their principal components.
  private func reduce(
    _ rows: some FeatureRows, centered: Bool, to limit: Int?, pool: ThreadPool, token: CancellationToken
  ) throws -> RowMatrix {
    let n = rows.rowCount
    let d = rows.dimension
    if let limit, d > limit {
      let components = try PrincipalComponents(
        of: rows, wanted: limit, centered: centered, pool: pool, seed: seed, token: token)
      let values = try components.project(rows, pool: pool, token: token)
      return RowMatrix(rowCount: n, dimension: components.count, values: values)
    }
    var values = [Float](repeating: 0, count: n * d)
    values.withUnsafeMutableBufferPointer { values in
      guard let target = values.baseAddress else { return }
      pool.run(over: n, pieces: 256) { range, _, _ in
        if !token.isCancelled { rows.copyRows(range, into: target + range.lowerBound * d) }
      }
    }
    try token.check()
    return RowMatrix(rowCount: n, dimension: d, values: values)
  }
}
