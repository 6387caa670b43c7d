import Numerics

/// The forces that push all points apart: for each i the sum over j of (yᵢ−yⱼ)/(1+|yᵢ−yⱼ|²)², and Z, the sum over all
/// i ≠ j of 1/(1+|yᵢ−yⱼ|²).
protocol Repulsion: AnyObject {
  /// Writes 2 × count forces, x and y of each point, and returns Z.
  func compute(
    _ positions: UnsafePointer<Float>, bounds: BoundingBox, forces: UnsafeMutablePointer<Float>, pool: ThreadPool,
    token: CancellationToken
  ) throws(CancellationError) -> Double
  /// The step that `compute` was called for is done: what was computed grows older. Calls of `compute` between two steps, of the
  /// same positions, give the same.
  func completeStep()
  /// Forgets what was computed: the points are elsewhere.
  func restart()
}

extension Repulsion {
  func completeStep() {}
  func restart() {}
}

/// All pairs, tile by tile: exact, and the quickest for up to a thousand points.
final class ExactRepulsion: Repulsion {
  private let count: Int
  private let kernels = SIMDKernels.chosen
  private let padded: Int
  private let x: WorkerScratch
  private let y: WorkerScratch
  private var sums: [Double]
  private static let pieceRows = 64

  init(count: Int) {
    self.count = count
    padded = kernels.padded(count)
    x = WorkerScratch(floats: padded, workers: 1)
    y = WorkerScratch(floats: padded, workers: 1)
    sums = [Double](repeating: 0, count: (count + Self.pieceRows - 1) / Self.pieceRows)
    // So far away that 1/(1+r²) squared is 0.
    for i in count..<padded {
      x[0][i] = 1e15
      y[0][i] = 1e15
    }
  }

  func compute(
    _ positions: UnsafePointer<Float>, bounds: BoundingBox, forces: UnsafeMutablePointer<Float>, pool: ThreadPool,
    token: CancellationToken
  ) throws(CancellationError) -> Double {
    let px = x[0]
    let py = y[0]
    for i in 0..<count {
      px[i] = positions[2 * i]
      py[i] = positions[2 * i + 1]
    }
    sums.withUnsafeMutableBufferPointer { sums in
      pool.run(over: count, pieces: Self.pieceRows) { rows, piece, _ in
        if token.isCancelled { return }
        sums[piece] = kernels.repulsion(x: px, y: py, padded: padded, targets: rows, into: forces)
      }
    }
    try token.check()
    return sums.reduce(0, +) - Double(count)
  }
}
