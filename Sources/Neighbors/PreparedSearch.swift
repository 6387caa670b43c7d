import Numerics

/// Rows in the form in which they are compared, and how: every distance comes down to one of three kinds of tile.
struct PreparedSearch {
  /// How a tile is computed.
  enum Kind {
    /// Squared euclidean distances by products.
    case products
    /// Sums or maxima of differences.
    case differences(TileMeasure)
    /// Counts of common ones.
    case bits(BitMeasure)
  }

  /// From what a tile gives to the distance.
  enum Conversion {
    case none
    /// From the squared euclidean distance of rows that were multiplied by a factor.
    case root(dividedBy: Float)
    case square(dividedBy: Float)
    /// The cosine distance of rows of length 1.
    case half

    func callAsFunction(_ value: Float) -> Float {
      switch self {
      case .none: value
      case .root(let factor): value.squareRoot() / factor
      case .square(let factor): value / factor / factor
      case .half: value / 2
      }
    }
  }

  var rows: any FeatureRows
  var kind: Kind
  var conversion = Conversion.none

  /// Searches the rows' neighbours, exactly or, for products, by an index where that is cheaper.
  func neighbors(k: Int, context: SearchContext) throws -> (indices: [Int32], distances: [Float], recall: Double) {
    switch kind {
    case .products:
      guard let matrix = rows as? RowMatrix else { return exactly(try products(rows, k: k, context: context)) }
      if let repeated = RepeatedRows(matrix, k: k, pool: context.pool) {
        let found = try nearest(matrix.rows(repeated.kept), k: k, context: context)
        let all = repeated.expand((found.indices, found.distances), count: matrix.rowCount, k: k)
        return (all.indices, all.distances, found.recall)
      }
      return try nearest(matrix, k: k, context: context)
    case .differences(let measure): return exactly(try context.exactNeighbors(of: rows, measure: measure, k: k))
    case .bits(let measure): return exactly(try context.exactNeighbors(of: rows, measure: measure, k: k))
    }
  }

  /// The distances of these rows from each other have spread.
  func hasSpread(among chosen: [Int], context: SearchContext) throws -> Bool {
    var sample = self
    sample.rows = choose(rows, chosen)
    let distances = try sample.neighbors(k: chosen.count - 1, context: context).distances
    return NeighborGraph.hasSpread(distances)
  }

  private func choose(_ rows: some FeatureRows, _ chosen: [Int]) -> any FeatureRows {
    ChosenRows(base: rows, chosen: chosen)
  }

  private func nearest(
    _ matrix: RowMatrix, k: Int, context: SearchContext
  ) throws -> (indices: [Int32], distances: [Float], recall: Double) {
    if let search = try CellSearch(matrix, k: k, context: context) { return try search.run { conversion($0) } }
    return exactly(try products(matrix, k: k, context: context))
  }

  private func products(
    _ rows: some FeatureRows, k: Int, context: SearchContext
  ) throws -> (indices: [Int32], distances: [Float]) {
    try context.exactNeighbors(of: rows, measure: .squaredEuclidean, k: k, progressBefore: 0.2) { conversion($0) }
  }

  private func exactly(
    _ found: (indices: [Int32], distances: [Float])
  ) -> (indices: [Int32], distances: [Float], recall: Double) { (found.indices, found.distances, 1) }
}
