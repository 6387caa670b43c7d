import Numerics

/// The points and how they move: gradient descent with momentum and a gain for each coordinate (Jacobs 1988; van der Maaten &
/// Hinton 2008), no step longer than 5 (openTSNE).
///
/// A gain grows by 0.2 while the last step and the gradient agree and shrinks to 0.8 of itself when they do not, never below
/// 0.01.
struct Descent {
  /// x and y of each point.
  private(set) var positions: [Float]
  /// The box around the points.
  private(set) var bounds: BoundingBox
  private var velocity: [Float]
  private var gain: [Float]
  private let kernels = SIMDKernels.chosen

  private static let maximumStep: Float = 5
  private static let piecePoints = 2048

  /// Points at rest: point i is at place `order[i]` of `start`.
  init(_ start: [Float], order: [Int32]) {
    positions = Self.permuted(start, order)
    bounds = BoundingBox(positions, count: positions.count / 2)
    velocity = [Float](repeating: 0, count: positions.count)
    gain = [Float](repeating: 1, count: positions.count)
  }

  /// One step along −(`attractionScale` · attraction − `repulsionScale` · repulsion).
  mutating func step(
    attraction: UnsafePointer<Float>, attractionScale: Float, repulsion: UnsafePointer<Float>, repulsionScale: Float,
    rate: Float, momentum: Float, pool: ThreadPool
  ) {
    let count = positions.count / 2
    let kernels = kernels
    var boxes = [BoundingBox](
      repeating: BoundingBox(), count: (count + Self.piecePoints - 1) / Self.piecePoints)
    boxes.withUnsafeMutableBufferPointer { boxes in
      positions.withUnsafeMutableBufferPointer { positions in
        velocity.withUnsafeMutableBufferPointer { velocity in
          gain.withUnsafeMutableBufferPointer { gain in
            guard let y = positions.baseAddress, let v = velocity.baseAddress, let g = gain.baseAddress else { return }
            pool.run(over: count, pieces: Self.piecePoints) { points, piece, _ in
              let first = 2 * points.lowerBound
              boxes[piece] = kernels.update(
                positions: y + first, velocity: v + first, gain: g + first, attraction: attraction + first,
                repulsion: repulsion + first, count: points.count, attractionScale: attractionScale,
                repulsionScale: repulsionScale, learningRate: rate, momentum: momentum, maximumStep: Self.maximumStep)
            }
          }
        }
      }
    }
    bounds = BoundingBox()
    for box in boxes { bounds.formUnion(box) }
  }

  /// Numbers the points anew: new point i was `order[i]`.
  mutating func renumber(_ order: [Int32]) {
    positions = Self.permuted(positions, order)
    velocity = Self.permuted(velocity, order)
    gain = Self.permuted(gain, order)
  }

  private static func permuted(_ pairs: [Float], _ order: [Int32]) -> [Float] {
    var result = [Float](repeating: 0, count: pairs.count)
    for (i, old) in order.enumerated() {
      result[2 * i] = pairs[2 * Int(old)]
      result[2 * i + 1] = pairs[2 * Int(old) + 1]
    }
    return result
  }
}
