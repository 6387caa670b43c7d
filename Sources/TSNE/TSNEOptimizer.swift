import Foundation
public import Numerics

/// Moves the points of a layout, one iteration a call: gradient descent on the KL divergence between affinities and the
/// layout's own similarities 1/(1+d²)/Z, with momentum and a gain for each coordinate (van der Maaten & Hinton 2008).
///
/// Attraction is exaggerated during the first iterations. Repulsion is exact up to `exactLimit` points and by
/// `GridRepulsion` above. Same input and seed give the same bits at any number of threads on the same instruction set;
/// everything depends on the last complete iteration alone, so a cancelled step can be taken again.
///
/// Use it from one queue at a time; `step` blocks its thread and uses `threads` of that priority, so not from Swift's
/// cooperative pool.
public final class TSNEOptimizer {
  /// Up to so many points all pairs are summed, which is then the quickest too.
  public static let exactLimit = 3000
  /// No point moves farther in one iteration.
  private static let maximumStep: Float = 5

  /// Completed iterations.
  public private(set) var iteration = 0
  /// The number of points.
  public let count: Int
  /// As given, or changed since.
  public private(set) var parameters: TSNEParameters

  private let token: CancellationToken
  private var pool: ThreadPool
  private let kernels = SIMDKernels.chosen
  private let repulsion: any Repulsion
  private let negativeEntropy: Double
  private let isFixed: Bool
  private var edges: EdgeList
  /// The given number of each point of the present numbering.
  private var order: [Int32]
  private var y: [Float]
  private var velocity: [Float]
  private var gain: [Float]
  private var attraction: [Float]
  private var repelling: [Float]
  private var bounds: BoundingBox

  /// Prepares a layout.
  /// - Parameters:
  ///   - affinities: Of the points.
  ///   - start: 2 × count, x and y of each point: `NeighborSearch`'s start, or any positions to go on from.
  ///   - parameters: The perplexity in it is not read: it is in the affinities.
  ///   - token: Ends a step within 100 ms.
  ///   - iteration: How many iterations the start has behind it.
  /// - Throws: `TSNEError` for impossible parameters and a start that does not fit or is not finite.
  public init(
    affinities: Affinities, start: [Float], parameters: TSNEParameters, token: CancellationToken,
    iteration: Int = 0
  ) throws(TSNEError) {
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
    repulsion = n <= Self.exactLimit ? ExactRepulsion(count: n) : GridRepulsion(count: n)
    edges = EdgeList(affinities)
    order = (0..<Int32(n)).map { $0 }
    y = start
    velocity = [Float](repeating: 0, count: 2 * n)
    gain = [Float](repeating: 1, count: 2 * n)
    attraction = velocity
    repelling = velocity
    bounds = BoundingBox(start, count: n)
    if n > Self.exactLimit { renumber() }
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
    for i in 0..<count {
      let given = Int(order[i])
      y[2 * i] = start[2 * given]
      y[2 * i + 1] = start[2 * given + 1]
    }
    velocity = [Float](repeating: 0, count: 2 * count)
    gain = [Float](repeating: 1, count: 2 * count)
    bounds = BoundingBox(y, count: count)
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
    if count > Self.exactLimit, iteration == 50 || (iteration > 0 && iteration % 250 == 0) { renumber() }
    attract()
    let z = try repel()
    let exaggeration = exaggeration
    let rate =
      switch parameters.learningRate {
      case .automatic: Double(count) / exaggeration
      case .value(let rate): rate
      }
    update(exaggeration: Float(exaggeration), z: z, rate: Float(rate))
    iteration += 1
  }

  /// The layout, 2 × count, x and y of each point in the order given, centred.
  public var positions: [Float] {
    guard !isFixed else { return y }
    var mean = (0.0, 0.0)
    for i in 0..<count { mean = (mean.0 + Double(y[2 * i]), mean.1 + Double(y[2 * i + 1])) }
    let (x0, y0) = (Float(mean.0 / Double(count)), Float(mean.1 / Double(count)))
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
    guard count > 1, !edges.columns.isEmpty else { return 0 }
    var sums = [Double](repeating: 0, count: edges.pieces.count - 1)
    sums.withUnsafeMutableBufferPointer { sums in
      withEdges { pointers, y in
        pool.run(sums.count) { piece, _ in
          let rows = edges.pieces[piece]..<edges.pieces[piece + 1]
          sums[piece] = kernels.attractionCost(pointers, rows: rows, positions: y)
        }
      }
    }
    guard let z = try? repel(), z > 0 else { return .nan }
    return negativeEntropy + sums.reduce(0, +) + log(z)
  }

  /// What the next step descends, in the order given: exaggerated attraction less repulsion.
  func gradient() throws(CancellationError) -> [Float] {
    attract()
    let z = try repel()
    let factor = Float(exaggeration)
    var result = [Float](repeating: 0, count: 2 * count)
    for i in 0..<count {
      for c in 0..<2 {
        result[2 * Int(order[i]) + c] = factor * attraction[2 * i + c] - repelling[2 * i + c] / Float(max(z, 1e-30))
      }
    }
    return result
  }

  private func withEdges(_ body: (_ edges: EdgePointers, _ positions: UnsafePointer<Float>) -> Void) {
    edges.rowStart.withUnsafeBufferPointer { start in
      edges.columns.withUnsafeBufferPointer { columns in
        edges.values.withUnsafeBufferPointer { values in
          y.withUnsafeBufferPointer { y in
            guard let start = start.baseAddress, let columns = columns.baseAddress, let values = values.baseAddress,
              let y = y.baseAddress
            else { return }
            body(EdgePointers(rowStart: start, columns: columns, values: values), y)
          }
        }
      }
    }
  }

  private func attract() {
    let pieces = edges.pieces
    attraction.withUnsafeMutableBufferPointer { attraction in
      guard let target = attraction.baseAddress else { return }
      withEdges { pointers, y in
        pool.run(pieces.count - 1) { piece, _ in
          kernels.attraction(pointers, rows: pieces[piece]..<pieces[piece + 1], positions: y, into: target)
        }
      }
    }
  }

  private func repel() throws(CancellationError) -> Double {
    let (pool, token, repulsion, bounds) = (pool, token, repulsion, bounds)
    // Typed throws do not pass through the buffers' closures.
    let result = y.withUnsafeBufferPointer { y in
      repelling.withUnsafeMutableBufferPointer { forces -> Result<Double, CancellationError> in
        guard let y = y.baseAddress, let forces = forces.baseAddress else { return .success(0) }
        do throws(CancellationError) {
          return .success(try repulsion.compute(y, bounds: bounds, forces: forces, pool: pool, token: token))
        } catch {
          return .failure(error)
        }
      }
    }
    return try result.get()
  }

  private func update(exaggeration: Float, z: Double, rate: Float) {
    let size = 2048
    var boxes = [BoundingBox](repeating: BoundingBox(), count: (count + size - 1) / size)
    let repulsionScale = Float(1 / max(z, 1e-30))
    let momentum = Float(parameters.momentum)
    boxes.withUnsafeMutableBufferPointer { boxes in
      y.withUnsafeMutableBufferPointer { y in
        velocity.withUnsafeMutableBufferPointer { velocity in
          gain.withUnsafeMutableBufferPointer { gain in
            attraction.withUnsafeBufferPointer { attraction in
              repelling.withUnsafeBufferPointer { repelling in
                guard let y = y.baseAddress, let velocity = velocity.baseAddress, let gain = gain.baseAddress,
                  let attraction = attraction.baseAddress, let repelling = repelling.baseAddress
                else { return }
                pool.run(over: count, pieces: size) { points, piece, _ in
                  let first = 2 * points.lowerBound
                  boxes[piece] = kernels.update(
                    positions: y + first, velocity: velocity + first, gain: gain + first,
                    attraction: attraction + first, repulsion: repelling + first, count: points.count,
                    attractionScale: exaggeration, repulsionScale: repulsionScale, learningRate: rate,
                    momentum: momentum, maximumStep: Self.maximumStep)
                }
              }
            }
          }
        }
      }
    }
    bounds = BoundingBox()
    for box in boxes { bounds.formUnion(box) }
  }

  /// Sorts the points along a space-filling curve, so that attraction finds a point's neighbours in the near cache.
  private func renumber() {
    let permutation = mortonOrder(y)
    edges.renumber(permutation, pool: pool)
    order = permutation.map { order[Int($0)] }
    y = permuted(y, permutation)
    velocity = permuted(velocity, permutation)
    gain = permuted(gain, permutation)
  }

  private func permuted(_ pairs: [Float], _ permutation: [Int32]) -> [Float] {
    var result = [Float](repeating: 0, count: pairs.count)
    for (i, old) in permutation.enumerated() {
      result[2 * i] = pairs[2 * Int(old)]
      result[2 * i + 1] = pairs[2 * Int(old) + 1]
    }
    return result
  }
}
