import Numerics

/// The repulsion of fixed points at any place: (Σⱼ (y−yⱼ)/(1+|y−yⱼ|²)², Σⱼ 1/(1+|y−yⱼ|²)). Up to `exactLimit` points it is
/// summed; above, it is read from a grid that is fine enough to need no near pairs (see `GridRepulsion`), relative error of the
/// force about 0.01. A layout too wide for such a grid is summed too.
// @unchecked: nothing is written after `init`.
final class ReferenceField: @unchecked Sendable {
  private static let exactLimit = 2000
  private static let spacing = 1.0 / 3
  private static let maximumNodes = 1 << 22

  private let kernels = SIMDKernels.chosen
  private let box: BoundingBox
  /// All x, then all y, each padded by points far away.
  private let points: WorkerScratch
  private let padded: Int
  private let mesh: (convolution: GridConvolution, grid: GridGeometry)?

  /// - Parameter box: Where the field is asked for; the points lie inside.
  init(_ reference: [Float], box: BoundingBox, pool: ThreadPool) {
    let n = reference.count / 2
    self.box = box
    padded = kernels.padded(n)
    points = WorkerScratch(floats: 2 * padded, workers: 1)
    let x = points[0]
    let y = x + padded
    for i in 0..<padded {
      x[i] = i < n ? reference[2 * i] : 1e15
      y[i] = i < n ? reference[2 * i + 1] : 1e15
    }
    let margin = GridChoice.margin
    let columns = Double(box.maxX - box.minX) / Self.spacing + Double(2 * margin + 3)
    let rows = Double(box.maxY - box.minY) / Self.spacing + Double(2 * margin + 3)
    guard n > Self.exactLimit, columns * rows < Double(Self.maximumNodes), max(columns, rows) < 16384 else {
      mesh = nil
      return
    }
    let kernel = ConvolutionKernel(
      columns: ConvolutionKernel.transformLength(2 * Int(columns)) / 2,
      rows: ConvolutionKernel.transformLength(2 * Int(rows)) / 2, spacing: Self.spacing
    ) { 1 / (1 + $0) }
    let convolution = GridConvolution()
    convolution.prepare(for: kernel, pool: pool)
    let offset = Float(Self.spacing) * Float(margin)
    let grid = GridGeometry(
      originX: box.minX - offset, originY: box.minY - offset, spacing: Float(Self.spacing), stride: convolution.stride)
    kernels.spread(grid, x: x, y: y, count: n, to: convolution.nodes)
    convolution.convolve(kernel, pool: pool)
    mesh = (convolution, grid)
  }

  /// The nearest place inside the box.
  func held(_ place: SIMD2<Float>) -> SIMD2<Float> {
    place.clamped(lowerBound: SIMD2(box.minX, box.minY), upperBound: SIMD2(box.maxX, box.maxY))
  }

  /// The field at a place inside the box.
  func at(_ place: SIMD2<Float>) -> (force: SIMD2<Float>, z: Float) {
    var force = SIMD2<Float>.zero
    let z = withUnsafeMutableBytes(of: &force) { raw in
      let target = raw.assumingMemoryBound(to: Float.self)
      guard let base = target.baseAddress else { return 0.0 }
      var (x, y) = (place.x, place.y)
      guard let mesh else {
        return kernels.repulsionOnOne(
          x: x, y: y, sourceX: points[0], sourceY: points[0] + padded, padded: padded, into: base)
      }
      return kernels.interpolate(mesh.grid, x: &x, y: &y, count: 1, nodes: mesh.convolution.nodes, into: base)
    }
    return (force, Float(z))
  }
}
