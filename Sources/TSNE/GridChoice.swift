import Foundation
import Numerics

/// How the repulsion is divided between a grid and near pairs, for one placing of the points: a function of the positions
/// alone.
struct GridChoice: Hashable {
  /// Distance of the nodes.
  var spacing: Double
  /// Pairs nearer than this are computed one by one; 0 for none.
  var nearRadius: Double
  /// Nodes that can be reached.
  var columns: Int
  var rows: Int

  /// Whether the layout is so small that 1 is taken from the kernel: then what remains, not the common 1, fills the digits.
  var isShifted: Bool { spacing < 1.0 / 3 - 1e-9 }

  /// Nodes before the first point and after the last: the spline reaches one to the left and two to the right; one more
  /// for the rounding of coordinates.
  static let margin = 2
  /// Without near pairs a spacing of 1/3 resolves 1/(1+r²); a layout smaller than 24 of these gets a finer grid.
  private static let finest = 1.0 / 3
  private static let minimumNodes = 24.0
  /// No grid gets more nodes than this.
  private static let maximumNodes = 1 << 22

  // Measured costs on one thread, in nanoseconds; they decide speed only, and are constants so that all threads and
  // machines choose alike.
  private static let costPerNode = 0.9
  private static let costPerPair = 0.2

  /// The cheapest way for `count` points in `bounds`, whose density (points a unit of area around a point) is `density`.
  init(bounds: BoundingBox, count: Int, density: Double) {
    let width = Double(bounds.maxX) - Double(bounds.minX)
    let height = Double(bounds.maxY) - Double(bounds.minY)
    let extent = max(width, height, 1e-30)
    func choice(_ spacing: Double, _ radius: Double) -> GridChoice {
      GridChoice(
        spacing: spacing, nearRadius: radius,
        columns: Int(width / spacing) + 2 * Self.margin + 3,
        rows: Int(height / spacing) + 2 * Self.margin + 3)
    }
    if extent < Self.finest * Self.minimumNodes {
      let halvings = (log2(Self.finest * Self.minimumNodes / extent)).rounded(.up)
      self = choice(Self.finest * exp2(-halvings), 0)
      return
    }
    var best = choice(exp2(20), 3 * exp2(20))
    var bestCost = Double.infinity
    for (spacing, radius) in [(Self.finest, 0)] + (-1...20).map({ (exp2(Double($0)), 3 * exp2(Double($0))) }) {
      if width / spacing * height / spacing > Double(Self.maximumNodes) || extent / spacing > 16384 { continue }
      let candidate = choice(spacing, radius)
      let pairs = Double(count) * min(Double(count), density * 6.25 * radius * radius)
      let cost = Double(4 * candidate.columns * candidate.rows) * Self.costPerNode + pairs * Self.costPerPair
      if cost < bestCost {
        best = candidate
        bestCost = cost
      }
    }
    self = best
  }

  private init(spacing: Double, nearRadius: Double, columns: Int, rows: Int) {
    self.spacing = spacing
    self.nearRadius = nearRadius
    self.columns = columns
    self.rows = rows
  }

  /// The part of 1/(1+r²) that the grid computes: all, or, inside the near radius, the first three terms of its geometric
  /// series in u = (R²−r²)/(1+R²) (see repulsion.inc).
  func softKernel(_ squaredDistance: Double) -> Double {
    if isShifted { return -squaredDistance / (1 + squaredDistance) }
    let limit = nearRadius * nearRadius
    if squaredDistance >= limit { return 1 / (1 + squaredDistance) }
    let u = (limit - squaredDistance) / (1 + limit)
    return (1 + u + u * u) / (1 + limit)
  }
}

/// The density around a point, averaged over points: from a sample counted in cells.
func averageDensity(_ positions: UnsafePointer<Float>, count: Int, bounds: BoundingBox) -> Double {
  let samples = min(count, 4096)
  guard samples > 1 else { return 0 }
  let side = 128
  let width = max(Double(bounds.maxX) - Double(bounds.minX), 1e-30)
  let height = max(Double(bounds.maxY) - Double(bounds.minY), 1e-30)
  var cells = [Int32](repeating: 0, count: side * side)
  for s in 0..<samples {
    let i = s * count / samples
    let column = min(side - 1, Int((Double(positions[2 * i]) - Double(bounds.minX)) / width * Double(side)))
    let row = min(side - 1, Int((Double(positions[2 * i + 1]) - Double(bounds.minY)) / height * Double(side)))
    cells[row * side + column] += 1
  }
  let pairs = cells.reduce(0.0) { $0 + Double($1) * Double($1 - 1) }
  let probability = pairs / (Double(samples) * Double(samples - 1))
  return Double(count) * probability / (width / Double(side) * height / Double(side))
}
