import Numerics

/// Particle-particle particle-mesh repulsion (Hockney & Eastwood 1981; mesh part as in smooth particle mesh Ewald, Essmann
/// et al. 1995; a grid for t-SNE: Linderman et al. 2019).
///
/// The kernel 1/(1+r²) is split into a soft part, computed on a coarse grid by a convolution, and a near part that vanishes
/// beyond three spacings and is summed over the pairs of neighbouring cells. One charge is enough: with the potential
/// φᵢ = Σⱼ 1/(1+|yᵢ−yⱼ|²), Z = Σφᵢ − n, and the force is −½∇φ. Relative error of the forces below 0.01 (root mean square;
/// tested), of Z below 0.001.
final class GridRepulsion: Repulsion {
  /// Steps that one field serves. The field is soft (it varies over `nearRadius`) and is read at the points' present places,
  /// so only its change with time is missed; 3 changes the KL divergence of the end by less than another seed does.
  private static let fieldPeriod = 3

  /// The soft part of the potential, on the nodes of `convolution`.
  private struct Field {
    var choice: GridChoice
    var grid: GridGeometry
    var cellSide: Double
    /// Where it can be read.
    var reach: BoundingBox
    /// Steps taken since it was computed.
    var age: Int
  }

  private let count: Int
  private let kernels = SIMDKernels.chosen
  private let cells: CellList
  private let convolution = GridConvolution()
  private let sortedForces: WorkerScratch
  private var sources: WorkerScratch?
  private var sourceWorkers = 0
  /// The kernels used last, newest first: the box of a settled layout wanders around a few sizes.
  private var transformed: [(choice: GridChoice, kernel: ConvolutionKernel)] = []
  private var sums: [Double] = []
  private var field: Field?

  init(count: Int) {
    self.count = count
    cells = CellList(count: count)
    sortedForces = WorkerScratch(floats: 2 * count, workers: 1)
  }

  func compute(
    _ positions: UnsafePointer<Float>, bounds: BoundingBox, forces: UnsafeMutablePointer<Float>, pool: ThreadPool,
    token: CancellationToken
  ) throws(CancellationError) -> Double {
    let field: Field
    if let last = self.field, serves(last, bounds) {
      field = last
      cells.sort(positions, bounds: bounds, side: field.cellSide, pool: pool)
    } else {
      self.field = nil
      field = try computedField(positions, bounds: bounds, pool: pool, token: token)
    }
    let potential = gather(field.grid, field.choice, forces: forces, pool: pool, token: token)
    try token.check()
    self.field = field
    // A shifted potential lacks 1 a pair, self pairs included.
    return potential + (field.choice.isShifted ? Double(count) * Double(count - 1) : -Double(count))
  }

  func completeStep() { field?.age += 1 }

  func restart() { field = nil }

  /// Whether a field will do for points inside `bounds`.
  private func serves(_ field: Field, _ bounds: BoundingBox) -> Bool {
    // Without a near part the field is all, and the layout still grows fast.
    if field.age > 0, field.choice.nearRadius == 0 || field.age >= Self.fieldPeriod { return false }
    return bounds.minX >= field.reach.minX && bounds.maxX <= field.reach.maxX && bounds.minY >= field.reach.minY
      && bounds.maxY <= field.reach.maxY
  }

  /// Sorts the points and computes the soft part of their potential.
  private func computedField(
    _ positions: UnsafePointer<Float>, bounds: BoundingBox, pool: ThreadPool, token: CancellationToken
  ) throws(CancellationError) -> Field {
    let density = averageDensity(positions, count: count, bounds: bounds)
    let choice = GridChoice(bounds: bounds, count: count, density: density)
    let kernel = transformedKernel(choice)
    let cellSide = choice.nearRadius > 0 ? choice.nearRadius / 2 : 4 * choice.spacing
    cells.sort(positions, bounds: bounds, side: cellSide, pool: pool)
    try token.check()
    convolution.prepare(for: kernel, pool: pool)
    let margin = Float(choice.spacing) * Float(GridChoice.margin)
    let grid = GridGeometry(
      originX: bounds.minX - margin, originY: bounds.minY - margin, spacing: Float(choice.spacing),
      stride: convolution.stride)
    spread(grid, bandRows: max(1, Int((8 * choice.spacing / cellSide).rounded(.up))), pool: pool)
    convolution.convolve(kernel, pool: pool)
    try token.check()
    // The spline needs a node before each point and two after it; half a node for the rounding of coordinates.
    let spacing = Float(choice.spacing)
    var reach = BoundingBox()
    reach.minX = grid.originX + 1.5 * spacing
    reach.minY = grid.originY + 1.5 * spacing
    reach.maxX = grid.originX + (Float(kernel.columns) - 3.5) * spacing
    reach.maxY = grid.originY + (Float(kernel.rows) - 3.5) * spacing
    return Field(choice: choice, grid: grid, cellSide: cellSide, reach: reach, age: 0)
  }

  private func transformedKernel(_ choice: GridChoice) -> ConvolutionKernel {
    // Grids of the same transform share a kernel, so nodes are rounded up to what the transform's length allows.
    var rounded = choice
    rounded.columns = ConvolutionKernel.transformLength(2 * choice.columns) / 2
    rounded.rows = ConvolutionKernel.transformLength(2 * choice.rows) / 2
    if let found = transformed.firstIndex(where: { $0.choice == rounded }) {
      let entry = transformed.remove(at: found)
      transformed.insert(entry, at: 0)
      return entry.kernel
    }
    if transformed.count == 4 { transformed.removeLast() }
    let kernel = ConvolutionKernel(columns: rounded.columns, rows: rounded.rows, spacing: rounded.spacing) {
      rounded.softKernel($0)
    }
    transformed.insert((rounded, kernel), at: 0)
    return kernel
  }

  /// Bands of cell rows at least eight nodes high: even ones at once, then odd ones, so that no two threads meet in a node
  /// and each node is added to in the same order always.
  private func spread(_ grid: GridGeometry, bandRows: Int, pool: ThreadPool) {
    let bands = (cells.rows + bandRows - 1) / bandRows
    let nodes = convolution.nodes
    let (px, py) = (cells.x[0], cells.y[0])
    cells.start.withUnsafeBufferPointer { start in
      for parity in 0..<2 {
        pool.run((bands + 1 - parity) / 2) { index, _ in
          let band = 2 * index + parity
          let first = Int(start[band * bandRows * cells.columns])
          let last = Int(start[min(cells.rows, (band + 1) * bandRows) * cells.columns])
          kernels.spread(grid, x: px + first, y: py + first, count: last - first, to: nodes)
        }
      }
    }
  }

  /// Potential and forces of each row of cells: from the grid, and from the points in the cells around.
  private func gather(
    _ grid: GridGeometry, _ choice: GridChoice, forces: UnsafeMutablePointer<Float>, pool: ThreadPool,
    token: CancellationToken
  ) -> Double {
    let (columns, rows) = (cells.columns, cells.rows)
    let nodes = convolution.nodes
    let (px, py) = (cells.x[0], cells.y[0])
    let sorted = sortedForces[0]
    let squaredRadius = Float(choice.nearRadius * choice.nearRadius)
    let half = count + 32
    if choice.nearRadius > 0, sources == nil || sourceWorkers < pool.threads {
      sources = WorkerScratch(floats: 2 * half, workers: pool.threads)
      sourceWorkers = pool.threads
    }
    let sources = sources
    if sums.count < rows { sums = [Double](repeating: 0, count: rows) }
    sums.withUnsafeMutableBufferPointer { sums in
      cells.start.withUnsafeBufferPointer { start in
        cells.order.withUnsafeBufferPointer { order in
          pool.run(rows) { row, worker in
            if token.isCancelled { return }
            let first = Int(start[row * columns])
            let last = Int(start[(row + 1) * columns])
            (sorted + 2 * first).update(repeating: 0, count: 2 * (last - first))
            var total = kernels.interpolate(
              grid, x: px + first, y: py + first, count: last - first, nodes: nodes, into: sorted + 2 * first)
            if squaredRadius > 0, let sources {
              let sx = sources[worker]
              let sy = sx + half
              for column in 0..<columns {
                let targets = Int(start[row * columns + column])..<Int(start[row * columns + column + 1])
                if targets.isEmpty { continue }
                var found = 0
                for r in max(0, row - 2)...min(rows - 1, row + 2) {
                  let a = Int(start[r * columns + max(0, column - 2)])
                  let b = Int(start[r * columns + min(columns - 1, column + 2) + 1])
                  (sx + found).update(from: px + a, count: b - a)
                  (sy + found).update(from: py + a, count: b - a)
                  found += b - a
                }
                let padded = kernels.padded(found)
                for i in found..<padded {
                  sx[i] = 1e15
                  sy[i] = 1e15
                }
                for part in stride(from: targets.lowerBound, to: targets.upperBound, by: 256) {
                  if token.isCancelled { return }
                  total += kernels.nearPairs(
                    squaredRadius: squaredRadius, targetX: px + part, targetY: py + part,
                    targets: min(256, targets.upperBound - part), sourceX: sx, sourceY: sy, padded: padded,
                    into: sorted + 2 * part)
                }
              }
            }
            for s in first..<last {
              let i = Int(order[s])
              forces[2 * i] = sorted[2 * s]
              forces[2 * i + 1] = sorted[2 * s + 1]
            }
            sums[row] = total
          }
        }
      }
    }
    return sums[0..<rows].reduce(0, +)
  }
}
