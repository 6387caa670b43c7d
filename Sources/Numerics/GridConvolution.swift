import CKernels
import Foundation

/// The transformed kernel of a convolution on a grid of `columns` × `rows` nodes.
package final class ConvolutionKernel {
  package let columns: Int
  package let rows: Int
  fileprivate let planX: OpaquePointer
  fileprivate let planY: OpaquePointer
  fileprivate let lengthX: Int
  fileprivate let lengthY: Int
  /// For each batch of `lanes` frequencies along y: all frequencies along x, each for the whole batch.
  fileprivate let values: WorkerScratch

  /// The shortest even length of the form 2^a 3^b 5^c that is at least `minimum`.
  package static func transformLength(_ minimum: Int) -> Int {
    var length = max(2, minimum + minimum % 2)
    while true {
      var rest = length
      for factor in [2, 3, 5] { while rest % factor == 0 { rest /= factor } }
      if rest == 1 { return length }
      length += 2
    }
  }

  /// Transforms a kernel that depends on the squared distance, `value(r²)` with nodes `spacing` apart, for a grid with
  /// zeros around it so that nothing wraps. Charges spread by cubic B-splines and potentials read by them pass through
  /// the splines twice, which the division by their squared transforms undoes at the nodes.
  package init(columns: Int, rows: Int, spacing: Double, value: (Double) -> Double) {
    let kernels = SIMDKernels.chosen
    let lanes = kernels.lanes
    let lengthX = Self.transformLength(2 * columns)
    let lengthY = Self.transformLength(2 * rows)
    guard let planX = ck_fft_plan_create(lengthX), let planY = ck_fft_plan_create(lengthY) else {
      preconditionFailure("no memory for a transform of \(lengthX) × \(lengthY)")
    }
    self.columns = columns
    self.rows = rows
    self.lengthX = lengthX
    self.lengthY = lengthY
    self.planX = planX
    self.planY = planY
    let halfX = lengthX / 2 + 1
    let halfY = lengthY / 2 + 1
    let paddedX = kernels.padded(halfX)
    let paddedY = kernels.padded(halfY)
    values = WorkerScratch(floats: paddedY * lengthX, workers: 1)
    let block = max(lengthX, lengthY) * lanes
    let work = WorkerScratch(floats: block, workers: 4)
    let re = work[0]
    let im = work[1]
    let transform = kernels.table.pointee.fft!
    // The kernel is even in x and y, so each transform is real and even too. Along y first, for the columns up to the middle.
    let columnSpectra = WorkerScratch(floats: halfY * paddedX, workers: 1)
    let spectra = columnSpectra[0]
    for first in stride(from: 0, to: halfX, by: lanes) {
      for t in 0..<halfY {
        let dy = Double(t) * spacing
        for lane in 0..<lanes {
          let dx = Double(first + lane) * spacing
          let sample = Float(value(dx * dx + dy * dy))
          re[t * lanes + lane] = sample
          if t > 0 { re[(lengthY - t) * lanes + lane] = sample }
        }
      }
      im.update(repeating: 0, count: lengthY * lanes)
      transform(planY, re, im, work[2], work[3])
      for t in 0..<halfY { for lane in 0..<lanes { spectra[t * paddedX + first + lane] = re[t * lanes + lane] } }
    }
    let scale = 1 / (Double(lengthX) * Double(lengthY))
    for first in stride(from: 0, to: halfY, by: lanes) {
      for lane in 0..<lanes {
        for t in 0..<halfX {
          let sample = first + lane < halfY ? spectra[(first + lane) * paddedX + t] : 0
          re[t * lanes + lane] = sample
          if t > 0 { re[(lengthX - t) * lanes + lane] = sample }
        }
      }
      im.update(repeating: 0, count: lengthX * lanes)
      transform(planX, re, im, work[2], work[3])
      let target = values[0] + first * lengthX
      for t in 0..<lengthX {
        let splineX = (2 + cos(2 * .pi * Double(t) / Double(lengthX))) / 3
        for lane in 0..<lanes {
          let splineY = (2 + cos(2 * .pi * Double(first + lane) / Double(lengthY))) / 3
          let spline = splineX * splineY
          target[t * lanes + lane] = Float(Double(re[t * lanes + lane]) * scale / (spline * spline))
        }
      }
    }
    withExtendedLifetime((work, columnSpectra)) {}
  }

  deinit {
    ck_fft_plan_destroy(planX)
    ck_fft_plan_destroy(planY)
  }
}

/// Convolves a grid of charges with a kernel, by real transforms along y and complex ones along x, each pass cut over the
/// threads. Memory grows to the largest grid seen and stays.
package final class GridConvolution {
  /// Floats from one row of nodes to the next.
  package private(set) var stride = 0
  /// The charges before `convolve`, the potential after it.
  package private(set) var nodes: UnsafeMutablePointer<Float>
  private let kernels = SIMDKernels.chosen
  private var memory = WorkerScratch(floats: 0, workers: 1)
  private var capacity = 0
  private var spectrumSize = 0
  private var work = WorkerScratch(floats: 0, workers: 1)
  private var workSize = 0
  private var workers = 0

  package init() { nodes = memory[0] }

  /// Sets up a grid for `kernel`, all charges 0.
  package func prepare(for kernel: ConvolutionKernel, pool: ThreadPool) {
    let group = 2 * kernels.lanes
    stride = (kernel.columns + group - 1) / group * group
    spectrumSize = kernels.padded(kernel.lengthY / 2 + 1) * stride
    let nodeSize = (kernel.rows * stride + 31) / 32 * 32
    let wanted = nodeSize + 2 * spectrumSize
    if wanted > capacity {
      capacity = wanted + wanted / 4
      memory = WorkerScratch(floats: capacity, workers: 1)
    }
    let workWanted = 4 * max(kernel.lengthX, kernel.lengthY) * kernels.lanes
    if workWanted > workSize || pool.threads > workers {
      workSize = max(workSize, workWanted + workWanted / 4)
      workers = pool.threads
      work = WorkerScratch(floats: workSize, workers: pool.threads)
    }
    nodes = memory[0]
    nodes.update(repeating: 0, count: nodeSize)
  }

  /// Replaces the charges by their convolution with the kernel that the grid was prepared for.
  package func convolve(_ kernel: ConvolutionKernel, pool: ThreadPool) {
    let lanes = kernels.lanes
    let table = kernels.table.pointee
    let nodes = nodes
    let stride = stride
    let re = nodes + (kernel.rows * stride + 31) / 32 * 32
    let im = re + spectrumSize
    let groups = stride / (2 * lanes)
    pool.run(groups) { group, worker in
      let first = group * 2 * lanes
      table.columns_forward(kernel.planY, nodes + first, stride, kernel.rows, re + first, im + first, work[worker])
    }
    pool.run((kernel.lengthY / 2 + lanes) / lanes) { batch, worker in
      let first = batch * lanes
      table.rows_convolve(
        kernel.planX, re + first * stride, im + first * stride, stride, kernel.columns,
        kernel.values[0] + first * kernel.lengthX, work[worker])
    }
    pool.run(groups) { group, worker in
      let first = group * 2 * lanes
      table.columns_backward(kernel.planY, re + first, im + first, stride, kernel.rows, nodes + first, work[worker])
    }
  }
}
