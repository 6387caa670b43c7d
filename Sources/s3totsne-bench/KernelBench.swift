import ArgumentParser
import Foundation
import Numerics

/// `s3totsne-bench kernels`: the engine's leaf loops against what the processor and its memory can do at most.
struct KernelBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels", abstract: "Measures the leaf loops of t-SNE against the processor's limits.",
    discussion: """
      One thread. The limits are measured in the same run: multiply-adds of which none waits for another, and a sum over \
      memory much larger than the caches, or small enough for the first one. A loop's share is of the limit that binds it.

      EXAMPLES
        s3totsne-bench kernels
        S3TOTSNE_SIMD=avx2 s3totsne-bench kernels
      """)

  @Option(help: "Points of the layout.") var count = 70_000
  @Option(help: "Seconds for each loop.") var seconds = 0.4

  func validate() throws {
    if count < 1000 { throw ValidationError("--count is \(count); it must be at least 1000.") }
    if !(seconds > 0) { throw ValidationError("--seconds is \(seconds); it must be above 0.") }
  }

  func run() {
    let stage = KernelStage(count: count, seconds: seconds)
    print("\(SIMDLevel.chosen.rawValue), one thread, \(count) points")
    print(KernelStage.heading)
    for row in stage.rows() { print(row) }
  }
}

/// Made data for the loops, and the loops.
private struct KernelStage {
  static let heading = "loop                                unit      ns/unit   GFLOP/s  of peak     GB/s  of memory"

  let count: Int
  let seconds: Double
  private let kernels = SIMDKernels.chosen
  /// Multiply-adds and additions a nanosecond, twice for the multiply-adds; bytes a nanosecond.
  private let flops: Double
  private let bandwidth: Double
  private let positions: [Float]
  private let x: [Float]
  private let y: [Float]

  init(count: Int, seconds: Double) {
    self.count = count
    self.seconds = seconds
    let kernels = kernels
    var done = 0
    let round = Self.nanoseconds(for: seconds) {
      let (count, result) = kernels.multiplyAdds(rounds: 100_000)
      done = count
      consume(result)
    }
    flops = 2 * Double(done) / round
    let numbers = [Float](repeating: 1, count: 64 << 20)
    bandwidth =
      Double(4 * numbers.count)
      / Self.nanoseconds(for: seconds) { consume(kernels.readAll(numbers, count: numbers.count)) }
    // Along a curve that fills the plane, as the points of a layout are numbered: near numbers are near places.
    var random = SplitMix64(seed: 1)
    let side = Int(Double(count).squareRoot().rounded(.up))
    let spacing = Float(100 / Double(side))
    var points: [Float] = []
    for i in 0..<count {
      let (row, column) = (i / side, i / side % 2 == 0 ? i % side : side - 1 - i % side)
      points.append(Float(column) * spacing + 0.1 * Float(random.normal()))
      points.append(Float(row) * spacing + 0.1 * Float(random.normal()))
    }
    positions = points
    let padded = kernels.padded(count)
    x = (0..<padded).map { $0 < count ? points[2 * $0] : 1e15 }
    y = (0..<padded).map { $0 < count ? points[2 * $0 + 1] : 1e15 }
  }

  /// One line a loop.
  func rows() -> [String] {
    [
      row("limit: multiply-adds", "-", 2 / flops, flops: 2), row("limit: memory", "4 bytes", 4 / bandwidth, bytes: 4),
      repulsion(), nearPairs(), attraction(isNear: true), attraction(isNear: false), spreading(), interpolation(),
      update(), product(), calibration(),
    ]
  }

  private func row(
    _ name: String, _ unit: String, _ nanoseconds: Double, flops operations: Double = 0, bytes: Double = 0
  ) -> String {
    func cell(_ value: Double, _ width: Int, _ format: String) -> String {
      let text = value > 0 ? String(format: format, value) : "-"
      return String(repeating: " ", count: max(1, width - text.count)) + text
    }
    return name.padding(toLength: 34, withPad: " ", startingAt: 0) + "  "
      + unit.padding(toLength: 8, withPad: " ", startingAt: 0) + cell(nanoseconds, 9, "%.3f")
      + cell(operations / nanoseconds, 10, "%.1f") + cell(100 * operations / nanoseconds / flops, 8, "%.0f %%")
      + cell(bytes / nanoseconds, 9, "%.1f") + cell(100 * bytes / nanoseconds / bandwidth, 9, "%.0f %%")
  }

  // MARK: The loops

  /// 3 multiply-adds for the force's two coordinates and the square, the difference, the reciprocal with its step.
  private func repulsion() -> String {
    let n = min(2000, count)
    let padded = kernels.padded(n)
    var forces = [Float](repeating: 0, count: 2 * n)
    let (px, py) = (Self.first(n, of: x, padded), Self.first(n, of: y, padded))
    let time = Self.nanoseconds(for: seconds) {
      consume(Float(kernels.repulsion(x: px, y: py, padded: padded, targets: 0..<n, into: &forces)))
    }
    return row("repulsion, all pairs of \(n)", "pair", time / Double(n * padded), flops: 16)
  }

  private func nearPairs() -> String {
    let n = min(512, count)
    let padded = kernels.padded(n)
    var forces = [Float](repeating: 0, count: 2 * n)
    let (px, py) = (Self.first(n, of: x, padded), Self.first(n, of: y, padded))
    let time = Self.nanoseconds(for: seconds) {
      consume(
        Float(
          kernels.nearPairs(
            squaredRadius: 9, targetX: px, targetY: py, targets: n, sourceX: px, sourceY: py, padded: padded,
            into: &forces)))
    }
    return row("repulsion, near part", "pair", time / Double(n * padded), flops: 23)
  }

  private func attraction(isNear: Bool) -> String {
    let degree = 120
    var random = SplitMix64(seed: 2)
    func number(_ bound: Int) -> Int { min(bound - 1, Int(random.uniform() * Double(bound))) }
    let rows = isNear ? count : min(count, 20_000)
    var wordStart: [UInt64] = [0]
    var words: [UInt32] = []
    var farStart: [UInt64] = [0]
    var columns: [UInt32] = []
    for i in 0..<rows {
      for _ in 0..<degree {
        if isNear {
          let j = max(0, min(count - 1, i + number(401) - 200))
          words.append(EdgeWord.pack(from: i, to: j, 0.01))
        } else {
          columns.append(UInt32(number(count)))
        }
      }
      wordStart.append(UInt64(words.count))
      farStart.append(UInt64(columns.count))
    }
    words += [UInt32](repeating: 0, count: kernels.lanes)
    columns += [UInt32](repeating: 0, count: kernels.lanes)
    let values = [Float](repeating: 0.01, count: columns.count)
    var forces = [Float](repeating: 0, count: 2 * count)
    let time = wordStart.withUnsafeBufferPointer { wordStart in
      words.withUnsafeBufferPointer { words in
        farStart.withUnsafeBufferPointer { farStart in
          columns.withUnsafeBufferPointer { columns in
            values.withUnsafeBufferPointer { values in
              let edges = EdgePointers(
                wordStart: wordStart.baseAddress!, words: words.baseAddress!, farStart: farStart.baseAddress!,
                farColumns: columns.baseAddress!, farValues: values.baseAddress!)
              return Self.nanoseconds(for: seconds) {
                kernels.attraction(edges, rows: 0..<rows, positions: positions, into: &forces)
                consume(forces[0])
              }
            }
          }
        }
      }
    }
    return row(
      isNear ? "attraction, near numbers" : "attraction, far numbers", "edge", time / Double(rows * degree), flops: 12,
      bytes: isNear ? 4 : 16)
  }

  private var grid: (geometry: GridGeometry, nodes: Int) {
    let stride = 128
    return (GridGeometry(originX: -4, originY: -4, spacing: 1, stride: stride), stride * 128)
  }

  private func spreading() -> String {
    let grid = grid
    var nodes = [Float](repeating: 0, count: grid.nodes)
    let time = Self.nanoseconds(for: seconds) {
      kernels.spread(grid.geometry, x: x, y: y, count: count, to: &nodes)
      consume(nodes[0])
    }
    return row("charges to the grid", "point", time / Double(count), flops: 60, bytes: 8)
  }

  private func interpolation() -> String {
    let grid = grid
    let nodes = [Float](repeating: 0.5, count: grid.nodes)
    var forces = [Float](repeating: 0, count: 2 * count)
    let time = Self.nanoseconds(for: seconds) {
      consume(
        Float(kernels.interpolate(grid.geometry, x: x, y: y, count: count, nodes: nodes, into: &forces)))
    }
    return row("the potential and its gradient", "point", time / Double(count), flops: 130, bytes: 24)
  }

  private func update() -> String {
    var (places, velocity) = (positions, [Float](repeating: 0, count: 2 * count))
    var gains = [Float](repeating: 1, count: 2 * count)
    let forces = [Float](repeating: 1e-6, count: 2 * count)
    let time = Self.nanoseconds(for: seconds) {
      let box = kernels.update(
        positions: &places, velocity: &velocity, gain: &gains, attraction: forces, repulsion: forces, count: count,
        attractionScale: 1, repulsionScale: 0.5, learningRate: 1, momentum: 0.8, maximumStep: 5)
      consume(box.minX)
    }
    return row("update", "point", time / Double(count), flops: 36, bytes: 64)
  }

  private func product() -> String {
    let (rows, columns, depth) = (512, 2048, 50)
    let right = PackedMatrix(depth: depth, columns: columns)
    let left = [Float](repeating: 0.5, count: rows * depth)
    right.setColumns(from: 0, transposing: [Float](repeating: 0.25, count: columns * depth), rows: columns)
    let width = MatrixProduct.padded(columns)
    var target = [Float](repeating: 0, count: rows * width)
    let time = Self.nanoseconds(for: seconds) {
      MatrixProduct.add(
        left, aRow: depth, aStep: 1, rows: rows, times: right, panels: 0..<right.panels, to: &target, cStride: width)
      consume(target[0])
    }
    return row("product of matrices, depth \(depth)", "pair", time / Double(rows * columns), flops: Double(2 * depth))
  }

  private func calibration() -> String {
    var random = SplitMix64(seed: 3)
    let distances = (0..<96).map { _ in Float(1 + random.uniform()) }.sorted()
    var probabilities = [Float](repeating: 0, count: 128)
    let time = Self.nanoseconds(for: seconds) {
      for _ in 0..<1000 {
        kernels.calibrate(
          squaredDistances: distances + [Float](repeating: 0, count: 32), count: 90, logPerplexity: log(30),
          into: &probabilities)
      }
      consume(probabilities[0])
    }
    return row("calibration to the perplexity", "entry", time / 90_000)
  }

  // MARK: Time

  private static func first(_ n: Int, of values: [Float], _ padded: Int) -> [Float] {
    (0..<padded).map { $0 < n ? values[$0] : 1e15 }
  }

  /// The least of the times that one call took.
  private static func nanoseconds(for seconds: Double, _ body: () -> Void) -> Double {
    let clock = ContinuousClock()
    let begin = clock.now
    var best = Double.infinity
    repeat {
      let start = clock.now
      body()
      best = min(best, (clock.now - start) / .nanoseconds(1))
    } while (clock.now - begin) / .seconds(1) < seconds
    return best
  }
}

/// Keeps a result from being left out by the compiler.
@inline(never) private func consume(_ value: Float) { if value == 0x1.23456p-99 { print(value) } }
