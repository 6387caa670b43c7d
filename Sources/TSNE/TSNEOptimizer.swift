import Foundation
public import Numerics

/// Moves the points of a layout, one iteration a call: gradient descent on the KL divergence between affinities and the
/// layout's own similarities 1/(1+d²)/Z (van der Maaten & Hinton 2008).
///
/// Each iteration adds `Attraction`, exaggerated at first, and repulsion, exact up to `exactLimit` points and by
/// `GridRepulsion` above, and takes one step of `Descent`.
///
/// Same input and seed give the same bits at any number of threads on the same instruction set; everything depends on the
/// completed iterations alone, so a cancelled step can be taken again.
///
/// Use it from one queue at a time; `step` blocks its thread and uses `threads` of that priority, so not from Swift's
/// cooperative pool.
public final class TSNEOptimizer {
  /// Up to so many points all pairs are summed, which is then the quickest too.
  public static let exactLimit = 1000

  /// A layout so much smaller than its start has collapsed.
  private static let collapse: Float = 1e-3

  /// Completed iterations.
  public private(set) var iteration: Int
  /// The number of points.
  public let count: Int
  /// As given, or changed since.
  public private(set) var parameters: TSNEParameters

  private let token: CancellationToken
  private var pool: ThreadPool
  private let negativeEntropy: Double
  private let isFixed: Bool
  private let attraction: Attraction
  private let repulsion: any Repulsion
  private var descent: Descent
  /// Where the points began, in the order given.
  private var start: [Float]
  /// The given number of each point of the present numbering.
  private var order: [Int32]
  private var repelling: [Float]
  private var attracting: [Float]

  /// Prepares a layout.
  /// - Parameters:
  ///   - affinities: Of the points.
  ///   - start: 2 × count, x and y of each point: `NeighborSearch`'s start, or any positions to go on from.
  ///   - parameters: The perplexity and the start in it are not read: the one is in the affinities, the other given.
  ///   - token: Ends a step within 100 ms.
  ///   - iteration: How many iterations the start has behind it.
  /// - Throws: `TSNEError` for impossible parameters and a start that does not fit or is not finite; `CancellationError`.
  public init(
    affinities: Affinities, start: [Float], parameters: TSNEParameters, token: CancellationToken, iteration: Int = 0
  ) throws {
    if let problem = parameters.problem { throw problem }
    let n = affinities.count
    try Self.check(start, count: n)
    count = n
    self.iteration = iteration
    self.parameters = parameters
    self.token = token
    isFixed = n < 2 || !affinities.hasSpread
    pool = ThreadPool(threads: parameters.threads)
    negativeEntropy = affinities.negativeEntropy
    // Along a curve from the beginning, so that neither bits nor quality depend on the order of the rows.
    order = mortonOrder(start)
    attraction = try Attraction(affinities, order: order, pool: pool, token: token)
    repulsion = n <= Self.exactLimit ? ExactRepulsion(count: n) : GridRepulsion(count: n)
    descent = Descent(start, order: order)
    self.start = start
    attracting = [Float](repeating: 0, count: 2 * n)
    repelling = attracting
  }

  private static func check(_ start: [Float], count n: Int) throws(TSNEError) {
    guard start.count == 2 * n else {
      throw TSNEError.badStart("The start has \(start.count) numbers; \(n) points need \(2 * n), x and y of each.")
    }
    if let bad = start.firstIndex(where: { !$0.isFinite }) {
      throw TSNEError.badStart("The start of point \(bad / 2) is \(start[bad]); every coordinate must be finite.")
    }
  }

  /// Goes on with other parameters from where the points stand; the count of iterations, their speed and gains stay. The
  /// perplexity, the start and the seed have no effect any more.
  /// - Throws: `TSNEError` for impossible parameters.
  public func change(to parameters: TSNEParameters) throws(TSNEError) {
    if let problem = parameters.problem { throw problem }
    if parameters.threads != self.parameters.threads { pool = ThreadPool(threads: parameters.threads) }
    self.parameters = parameters
  }

  /// Puts the points elsewhere, at rest.
  /// - Parameter start: 2 × count, x and y of each point in the order given.
  /// - Throws: `TSNEError` for a start that does not fit or is not finite.
  public func move(to start: [Float]) throws(TSNEError) {
    try Self.check(start, count: count)
    if isFixed { return }
    descent = Descent(start, order: order)
    self.start = start
    repulsion.restart()
  }

  /// Whether all iterations are done. At once, if there is nothing to arrange by: fewer than two points, or distances that
  /// are all equal; the layout is then the start.
  public var isFinished: Bool { isFixed || iteration >= parameters.iterations }

  /// The factor on attraction in the next iteration.
  public var exaggeration: Double {
    iteration < parameters.earlyIterations ? parameters.earlyExaggeration : parameters.lateExaggeration
  }

  /// One iteration. Does nothing once finished.
  /// - Throws: `CancellationError`, the layout being that of the last complete iteration.
  public func step() throws(CancellationError) {
    if isFinished { return }
    try token.check()
    if count > Self.exactLimit, iteration == 50 || (iteration > 0 && iteration % 250 == 0) { try renumber() }
    let z = try repel()
    try attract()
    let exaggeration = exaggeration
    let rate =
      switch parameters.learningRate {
      case .automatic: Double(count) / exaggeration
      case .value(let rate): rate
      }
    descent.step(
      attraction: attracting, attractionScale: Float(exaggeration / attraction.weightSum), repulsion: repelling,
      repulsionScale: Float(1 / max(z, 1e-30)), rate: Float(rate), momentum: Float(parameters.momentum),
      pool: pool)
    repulsion.completeStep()
    iteration += 1
    if iteration == parameters.earlyIterations { recoverFromCollapse() }
  }

  /// Begins again where exaggeration has drawn all points onto one place. It does so where no structure holds against it: in
  /// a few points, each of which is a neighbour of every other, and in noise. What is left there is rounding.
  private func recoverFromCollapse() {
    let begun = BoundingBox(start, count: count)
    guard descent.bounds.extent < Self.collapse * begun.extent else { return }
    descent = Descent(start, order: order)
    repulsion.restart()
  }

  /// The layout, 2 × count, x and y of each point in the order given, centred.
  public var positions: [Float] {
    let y = descent.positions
    var mean = (0.0, 0.0)
    for i in 0..<count { mean = (mean.0 + Double(y[2 * i]), mean.1 + Double(y[2 * i + 1])) }
    // What does not move is not moved.
    let (x0, y0) = isFixed ? (0, 0) : (Float(mean.0 / Double(count)), Float(mean.1 / Double(count)))
    var result = [Float](repeating: 0, count: 2 * count)
    for i in 0..<count {
      let given = Int(order[i])
      result[2 * given] = y[2 * i] - x0
      result[2 * given + 1] = y[2 * i + 1] - y0
    }
    return result
  }

  /// The KL divergence of the present layout, in nats, exaggeration left aside: it costs about as much as an iteration. 0 if
  /// there are no pairs; NaN if cancelled meanwhile.
  public func klDivergence() -> Double {
    guard count > 1, !attraction.isEmpty else { return 0 }
    guard let z = try? repel(), z > 0 else { return .nan }
    return negativeEntropy + attraction.cost(descent.positions, pool: pool) / attraction.weightSum + log(z)
  }

  /// What the next iteration descends, in the order given: exaggerated attraction less repulsion.
  func gradient() throws(CancellationError) -> [Float] {
    try attract()
    let z = try repel()
    let factor = Float(exaggeration / attraction.weightSum)
    var result = repelling
    for i in 0..<count {
      for c in 0..<2 {
        result[2 * Int(order[i]) + c] = factor * attracting[2 * i + c] - repelling[2 * i + c] / Float(max(z, 1e-30))
      }
    }
    return result
  }

  private func attract() throws(CancellationError) {
    let (attraction, descent, pool, token) = (attraction, descent, pool, token)
    // Typed throws do not pass through the buffers' closures.
    let result = attracting.withUnsafeMutableBufferPointer { forces -> Result<Void, CancellationError> in
      guard let forces = forces.baseAddress else { return .success(()) }
      return Result { () throws(CancellationError) in
        try attraction.compute(descent.positions, forces: forces, pool: pool, token: token)
      }
    }
    try result.get()
  }

  /// Repulsion into `repelling`; returns Z.
  private func repel() throws(CancellationError) -> Double {
    let (repulsion, descent, pool, token) = (repulsion, descent, pool, token)
    let result = repelling.withUnsafeMutableBufferPointer { forces -> Result<Double, CancellationError> in
      guard let forces = forces.baseAddress else { return .success(0) }
      return Result { () throws(CancellationError) in
        try repulsion.compute(
          descent.positions, bounds: descent.bounds, forces: forces, pool: pool, token: token)
      }
    }
    return try result.get()
  }

  /// Sorts the points along a space-filling curve, so that attraction finds a point's neighbours in the near cache.
  private func renumber() throws(CancellationError) {
    let permutation = mortonOrder(descent.positions)
    try attraction.renumber(permutation, pool: pool, token: token)
    descent.renumber(permutation)
    order = permutation.map { order[Int($0)] }
    repulsion.restart()
  }
}
