public import Foundation
public import Neighbors
public import Numerics

/// Places new points into a finished layout without moving it, as openTSNE does (Poličar, Stražar & Zupan, "Embedding to
/// reference t-SNE space addresses batch effects in single-cell classification", 2021).
///
/// Each new point attends to its nearest neighbours among the points of the layout, by a small perplexity; it begins at their
/// median and then descends its own KL divergence, attracted by them and repelled by every point of the layout, whose places
/// are fixed. New points do not see each other, so where one comes to lie depends on nothing but itself and the layout: not on
/// the others, their order, or the number of threads.
public struct TSNEPlacement: Sendable {
  /// How points are placed. The defaults are openTSNE's.
  public struct Parameters: Hashable, Codable, Sendable {
    /// About how many points of the layout each new one attends to. Small: a new point has one place.
    public var perplexity = 5.0
    /// Of how many neighbours the median is the start.
    public var startNeighbors = 25
    /// The factor on attraction.
    public var exaggeration = 1.5
    /// How far a point moves for a given force.
    public var learningRate = 0.1
    /// The share of the previous step that is kept.
    public var momentum = 0.8
    /// Steps of each point.
    public var iterations = 250

    /// The defaults.
    public init() {}

    /// What keeps these parameters from being used, or nil.
    public var problem: TSNEError? {
      func bad(_ name: String, _ value: some CustomStringConvertible, _ allowed: String) -> TSNEError {
        .badParameter("The \(name) for placing is \(value); it must be \(allowed).")
      }
      if !(perplexity.isFinite && perplexity >= 1) { return bad("perplexity", perplexity, "a number of at least 1") }
      if startNeighbors < 1 { return bad("number of neighbours of the start", startNeighbors, "1 or more") }
      if !(exaggeration.isFinite && exaggeration > 0) { return bad("exaggeration", exaggeration, "a number above 0") }
      if !(learningRate.isFinite && learningRate > 0) { return bad("learning rate", learningRate, "a number above 0") }
      if !(momentum >= 0 && momentum < 1) { return bad("momentum", momentum, "at least 0 and below 1") }
      if iterations < 0 { return bad("number of iterations", iterations, "0 or more") }
      return nil
    }
  }

  /// As given.
  public let parameters: Parameters
  /// How many neighbours of each new point `place` wants; all points of the layout if there are fewer.
  public let neighborCount: Int

  private let reference: [Float]
  private let threads: Int
  private let perplexity: Double
  private let attended: Int
  private let field: ReferenceField

  /// New points are held inside a box that exceeds the layout's by a quarter and this much on each side.
  private static let rim: Float = 10

  /// Prepares the layout's repulsion.
  /// - Parameters:
  ///   - reference: 2 × n, x and y of each point of the finished layout.
  ///   - parameters: How points are placed.
  ///   - threads: How many threads compute.
  ///   - token: Ends it within 100 ms.
  /// - Throws: `TSNEError` for impossible parameters or places that are not finite; `CancellationError`.
  public init(
    reference: [Float], parameters: Parameters = Parameters(),
    threads: Int = ProcessInfo.processInfo.activeProcessorCount,
    token: CancellationToken
  ) throws {
    if let problem = parameters.problem { throw problem }
    guard reference.count % 2 == 0, !reference.isEmpty else {
      throw TSNEError.badRows("The layout has \(reference.count) numbers; it needs x and y of at least one point.")
    }
    if let bad = reference.firstIndex(where: { !$0.isFinite }) {
      throw TSNEError.badStart("The place of point \(bad / 2) is \(reference[bad]); every coordinate must be finite.")
    }
    let n = reference.count / 2
    self.reference = reference
    self.parameters = parameters
    self.threads = max(1, threads)
    attended = min(n, max(1, Int((3 * parameters.perplexity).rounded(.down))))
    perplexity = max(1, min(parameters.perplexity, Double(n) / 3))
    neighborCount = min(n, max(attended, parameters.startNeighbors))
    var box = BoundingBox(reference, count: n)
    let (rimX, rimY) = ((box.maxX - box.minX) / 4 + Self.rim, (box.maxY - box.minY) / 4 + Self.rim)
    (box.minX, box.maxX, box.minY, box.maxY) = (box.minX - rimX, box.maxX + rimX, box.minY - rimY, box.maxY + rimY)
    field = ReferenceField(reference, box: box, pool: ThreadPool(threads: self.threads))
    try token.check()
  }

  /// Places points. Blocks its thread and uses `threads` of its priority.
  /// - Parameters:
  ///   - neighbors: For each new point, its `neighborCount` nearest points of the layout (or fewer), ascending.
  ///   - token: Ends it within 100 ms.
  /// - Returns: 2 × new points, x and y of each.
  /// - Throws: `TSNEError` for neighbours that the layout does not have; `CancellationError`.
  public func place(neighbors: NeighborGraph, token: CancellationToken) throws -> [Float] {
    let m = neighbors.count
    guard m > 0 else { return [] }
    guard neighbors.k > 0 else { throw TSNEError.badRows("The new points have no neighbours in the layout.") }
    if let bad = neighbors.indices.firstIndex(where: { $0 < 0 || Int($0) >= reference.count / 2 }) {
      throw TSNEError.badRows(
        "New point \(bad / neighbors.k) has the neighbour \(neighbors.indices[bad]); the layout has points 0 to \(reference.count / 2 - 1)."
      )
    }
    let pool = ThreadPool(threads: threads)
    let k = min(attended, neighbors.k)
    let conditional = try Affinities.calibrate(
      neighbors.nearest(k), perplexity: min(perplexity, max(1, Double(k) / 3)), pool: pool, token: token)
    var result = [Float](repeating: 0, count: 2 * m)
    result.withUnsafeMutableBufferPointer { result in
      pool.run(m) { point, _ in
        let placed = place(
          indices: neighbors.indices[point * neighbors.k..<(point + 1) * neighbors.k],
          weights: conditional[point * k..<(point + 1) * k], token: token)
        result[2 * point] = placed.x
        result[2 * point + 1] = placed.y
      }
    }
    try token.check()
    return result
  }

  /// One point's descent.
  private func place(indices: ArraySlice<Int32>, weights: ArraySlice<Float>, token: CancellationToken) -> SIMD2<Float> {
    func place(_ index: Int32) -> SIMD2<Float> { SIMD2(reference[2 * Int(index)], reference[2 * Int(index) + 1]) }
    let first = indices.prefix(parameters.startNeighbors).map(place)
    var point = SIMD2(Self.median(first.map(\.x)), Self.median(first.map(\.y)))
    let attended = zip(indices, weights).map { (place: place($0), weight: $1) }
    var velocity = SIMD2<Float>.zero
    var gain = SIMD2<Float>.one
    let exaggeration = Float(parameters.exaggeration)
    for _ in 0..<parameters.iterations {
      if token.isCancelled { break }
      let (repulsion, z) = field.at(point)
      var gradient = -repulsion / max(z, 1e-20)
      for neighbor in attended {
        let difference = point - neighbor.place
        gradient += exaggeration * neighbor.weight / (1 + (difference * difference).sum()) * difference
      }
      // openTSNE's bound on the gradient, which keeps an outlier from leaving the map in one step.
      let length = (gradient * gradient).sum().squareRoot()
      if length > 0.25 { gradient *= 0.25 / length }
      let continues = (gradient .> 0) .!= (velocity .> 0)
      gain = (gain * 0.8).replacing(with: gain + 0.2, where: continues)
      gain = pointwiseMax(gain, SIMD2(repeating: 0.01))
      velocity = Float(parameters.momentum) * velocity - Float(parameters.learningRate) * gain * gradient
      point = field.held(point + velocity)
    }
    return point
  }

  /// The middle value, or the mean of the middle two.
  private static func median(_ values: [Float]) -> Float {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}

extension NeighborGraph {
  /// The graph of each row's `wanted` nearest neighbours.
  fileprivate func nearest(_ wanted: Int) -> NeighborGraph {
    func columns<Element>(_ all: [Element]) -> [Element] {
      (0..<count).flatMap { all[$0 * k..<$0 * k + wanted] }
    }
    return NeighborGraph(
      count: count, k: wanted, indices: columns(indices), distances: columns(distances), recall: recall)
  }
}
