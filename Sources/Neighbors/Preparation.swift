import Foundation
import Numerics

/// Brings rows into the form in which a distance compares them.
struct Preparation {
  let context: SearchContext
  let parameters: MetricParameters
  let reducedDimension: Int?

  /// The search, rows for the start of a layout, and sentences for a person.
  func prepare(_ rows: some FeatureRows) throws -> (search: PreparedSearch, start: any FeatureRows, notes: [String]) {
    let d = rows.dimension
    let metric = context.metric
    switch metric.canonical {
    case .euclidean: return try euclidean(rows)
    case .sqeuclidean: return try euclidean(rows, isSquared: true)
    case .seuclidean:
      let factors = try ColumnMoments(of: rows, context: context).variance.map {
        $0 > 0 ? Float(1 / $0.squareRoot()) : 0
      }
      return try euclidean(ScaledRows(base: rows, offsets: try center(of: rows), factors: factors))
    case .mahalanobis:
      let matrix = try Whitening.apply(rows, context: context)
      let limit = Whitening.directions(rows: rows.rowCount)
      let notes =
        d > limit
        ? [SearchSentences.mahalanobisDirections(matrix.dimension, of: d, subject: context.subject)] : []
      return (products(matrix, .root(dividedBy: 1)), matrix, notes)
    case .cosine: return try angular(PreparedRows(rows, .unitLength))
    case .correlation: return try angular(PreparedRows(rows, .centeredUnitLength))
    case .minkowski, .wminkowski:
      let p = parameters.minkowskiP
      guard let weights = parameters.weights else { return try minkowski(rows, p: p) }
      guard weights.count == d else {
        throw NeighborSearchError.badParameters(
          "There are \(weights.count) weights for \(d) columns; each column needs one.")
      }
      // Σ w|u−v|^p is the plain sum of columns multiplied by the p-th root of w.
      let factors = weights.map { weight -> Float in
        if metric == .wminkowski { return Float(weight) }
        return weight > 0 ? Float(pow(weight, 1 / p)) : 0
      }
      // Small differences of large numbers would lose digits if they were multiplied first.
      return try minkowski(ScaledRows(base: rows, offsets: try center(of: rows), factors: factors), p: p)
    case .manhattan: return try differences(rows, .manhattan)
    case .chebyshev: return try differences(rows, .chebyshev)
    case .canberra: return try differences(rows, .canberra)
    case .braycurtis: return try differences(rows, .brayCurtis)
    case .hamming: return try differences(rows, .hamming)
    case .dice: return try bits(rows, .dice)
    case .jaccard: return try bits(rows, .jaccard)
    case .kulsinski: return try bits(rows, .kulsinski)
    case .matching: return try bits(rows, .matching)
    case .rogerstanimoto, .sokalmichener: return try bits(rows, .rogersTanimoto)
    case .russellrao: return try bits(rows, .russellRao)
    case .sokalsneath: return try bits(rows, .sokalSneath)
    case .yule: return try bits(rows, .yule)
    case .l1, .l2, .cityblock: preconditionFailure("\(metric.canonical) is an alias")
    }
  }

  // MARK: Products

  private func products(_ rows: any FeatureRows, _ conversion: PreparedSearch.Conversion) -> PreparedSearch {
    PreparedSearch(rows: rows, kind: .products, conversion: conversion)
  }

  private func euclidean(
    _ rows: some FeatureRows, isSquared: Bool = false
  ) throws -> (search: PreparedSearch, start: any FeatureRows, notes: [String]) {
    let factor = try rows.squareSafeFactor(context: context)
    if factor == 1 { return try euclidean(rows, factor: 1, isSquared: isSquared) }
    return try euclidean(rows.multiplied(by: factor), factor: factor, isSquared: isSquared)
  }

  private func euclidean(
    _ rows: some FeatureRows, factor: Float, isSquared: Bool
  ) throws -> (search: PreparedSearch, start: any FeatureRows, notes: [String]) {
    let conversion: PreparedSearch.Conversion = isSquared ? .square(dividedBy: factor) : .root(dividedBy: factor)
    let form: any FeatureRows
    if let reduced = try reduce(rows, centered: true) {
      form = try RowMatrix(copying: centered(reduced), pool: context.pool, token: context.token)
    } else if isSmall(rows) {
      form = try RowMatrix(copying: centered(rows), pool: context.pool, token: context.token)
    } else {
      form = try centered(rows)
    }
    return (products(form, conversion), form, [])
  }

  /// From the middle, small differences lose fewer digits in the products of rows.
  private func centered<Rows: FeatureRows>(_ rows: Rows) throws(CancellationError) -> ScaledRows<Rows> {
    ScaledRows(base: rows, offsets: try center(of: rows), factors: [Float](repeating: 1, count: rows.dimension))
  }

  /// On rows of length 1, 1 − cosine is half the squared euclidean distance.
  private func angular(
    _ rows: some FeatureRows
  ) throws -> (search: PreparedSearch, start: any FeatureRows, notes: [String]) {
    let n = rows.rowCount
    if var matrix = try reduce(rows, centered: false)
      ?? (isSmall(rows) ? try RowMatrix(copying: rows, pool: context.pool, token: context.token) : nil)
    {
      let zeros = matrix.normalizeRows()
      // Differences of rows of length 1 do not change by this.
      matrix = try RowMatrix(copying: centered(matrix), pool: context.pool, token: context.token)
      return (products(matrix, .half), matrix, withoutDirection(zeros, of: n))
    }
    let flagged = FlaggedRows(base: rows)
    let zeros = try ColumnMoments(of: flagged, context: context).mean.last ?? 0
    return (products(flagged, .half), flagged, withoutDirection(Int((zeros * Double(n)).rounded()), of: n))
  }

  private func withoutDirection(_ zeros: Int, of count: Int) -> [String] {
    // If all are alike, another sentence says so.
    guard zeros > 0, zeros < count else { return [] }
    return [SearchSentences.withoutDirection(context.metric, zeros, of: count, subject: context.subject)]
  }

  /// The principal components' coordinates, nil where rows are short, are not to be reduced, or are all equally far from
  /// each other (then no directions are better than others, and the reduction would invent differences).
  private func reduce(_ rows: some FeatureRows, centered: Bool) throws -> RowMatrix? {
    guard let reducedDimension, rows.dimension > reducedDimension else { return nil }
    let n = rows.rowCount
    let sample = (0..<min(n, 48)).map { $0 * n / min(n, 48) }
    let search = PreparedSearch(rows: rows, kind: .products, conversion: .root(dividedBy: 1))
    guard try search.hasSpread(among: sample, context: context.silent) else { return nil }
    let components = try PrincipalComponents(
      of: rows, wanted: reducedDimension, centered: centered, pool: context.pool, seed: context.seed,
      token: context.token)
    let values = try components.project(rows, pool: context.pool, token: context.token)
    context.progress?(0.2)
    return RowMatrix(rowCount: n, dimension: components.count, values: values)
  }

  /// Whether rows are copied into memory: short ones always, as reduced ones are.
  private func isSmall(_ rows: some FeatureRows) -> Bool {
    let limit = context.memoryLimit
    return rows.rowCount * rows.dimension * 4 <= limit || (rows.dimension <= 50 && limit > 0)
  }

  /// The median of each column of up to 999 rows evenly chosen, which no outlier moves.
  private func center(of rows: some FeatureRows) throws(CancellationError) -> [Float] {
    let n = rows.rowCount
    let d = rows.dimension
    let count = min(n, max(1, min(999, (32 << 20) / (4 * d))))
    let sample = try RowMatrix(
      copying: ChosenRows(base: rows, chosen: (0..<count).map { $0 * n / count }), pool: context.pool,
      token: context.token)
    var result = [Float](repeating: 0, count: d)
    for column in 0..<d {
      var values = (0..<count).map { sample.values[$0 * d + column] }
      values.sort()
      result[column] = values[count / 2]
    }
    return result
  }

  // MARK: The others

  private func minkowski(
    _ rows: some FeatureRows, p: Double
  ) throws -> (search: PreparedSearch, start: any FeatureRows, notes: [String]) {
    switch p {
    case 1: try differences(rows, .manhattan)
    case 2: try euclidean(rows)
    case .infinity: try differences(rows, .chebyshev)
    default: try differences(rows, .minkowski(p: Float(p)))
    }
  }

  private func differences(
    _ rows: some FeatureRows, _ measure: TileMeasure
  ) throws -> (search: PreparedSearch, start: any FeatureRows, notes: [String]) {
    (PreparedSearch(rows: rows, kind: .differences(measure)), try startRows(rows), [])
  }

  private func bits(
    _ rows: some FeatureRows, _ measure: BitMeasure
  ) throws -> (search: PreparedSearch, start: any FeatureRows, notes: [String]) {
    (PreparedSearch(rows: rows, kind: .bits(measure)), try startRows(rows), [])
  }

  /// The rows whose principal components are the start of a layout.
  private func startRows(_ rows: some FeatureRows) throws -> any FeatureRows {
    let factor = try rows.squareSafeFactor(context: context)
    return factor == 1 ? rows : rows.multiplied(by: factor)
  }
}
