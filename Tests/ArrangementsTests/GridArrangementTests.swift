import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Arrangements

@Suite("Grid", .computing)
struct GridArrangementTests {
  /// Column and row of each picture, from its place.
  private func cells(_ arrangement: Arrangement) -> [SIMD2<Int>] {
    let positions = arrangement.positions
    let left = stride(from: 0, to: positions.count, by: 2).map { positions[$0] }.min() ?? 0
    let top = stride(from: 1, to: positions.count, by: 2).map { positions[$0] }.min() ?? 0
    return stride(from: 0, to: positions.count, by: 2).map {
      SIMD2(Int((positions[$0] - left).rounded()), Int((positions[$0 + 1] - top).rounded()))
    }
  }

  /// What is made small, up to a constant: minus the sum of the products of places in layout and grid.
  private func cost(_ points: [SIMD2<Float>], _ cellOfPoint: [Int32], _ grid: GridCells) -> Double {
    zip(points, cellOfPoint).reduce(0) { sum, pair in
      let (point, cell) = (pair.0, Int(pair.1))
      return sum - Double(point.x) * Double(cell % grid.columns) - Double(point.y) * Double(cell / grid.columns)
    }
  }

  @Test(
    "every picture gets a cell of its own, whole rows and one last row", arguments: [1, 2, 3, 4, 7, 36, 37, 1000, 4999])
  func everyPictureHasACell(count: Int) throws {
    for shape in [0.4, 1, 1.78] {
      let places = cells(try Arrangement.grid(clusteredLayout(count: count, seed: UInt64(count)), shape: shape))
      let grid = GridCells(count: count, shape: shape)
      #expect(Set(places).count == count)
      #expect(places.allSatisfy { grid.contains(column: $0.x, row: $0.y) })
    }
  }

  @Test("the grid has the shape that was asked for")
  func shape() throws {
    let wide = try Arrangement.grid(clusteredLayout(count: 3000, seed: 1), shape: 16 / 9)
    #expect(abs(wide.width / wide.height - 16 / 9) < 0.05)
    let tall = try Arrangement.grid(clusteredLayout(count: 3000, seed: 1), shape: 0.5)
    #expect(abs(tall.width / tall.height - 0.5) < 0.05)
  }

  @Test("a few pictures get the best of all possible places", arguments: 1...12 as ClosedRange<UInt64>)
  func exactForAFew(seed: UInt64) throws {
    let count = 7
    let points = arrangeable(clusteredLayout(count: count, seed: seed))
    let grid = GridCells(count: count, shape: 1)
    let found = cost(points, try Arrangement.assignCells(points, grid, isCancelled: { false }), grid)
    var best = Double.infinity
    func permute(_ order: inout [Int32], _ from: Int) {
      if from == count { best = min(best, cost(points, order, grid)) }
      for index in from..<max(from, count) {
        order.swapAt(from, index)
        permute(&order, from + 1)
        order.swapAt(from, index)
      }
    }
    var order = Array(0..<Int32(count))
    permute(&order, 0)
    #expect(found <= best + 1e-3 * abs(best))
  }

  @Test("hardly any two pictures within three cells would do better in each other's place")
  func fewSwapsWouldHelp() throws {
    let count = 5000
    let points = arrangeable(clusteredLayout(count: count, seed: 3))
    let grid = GridCells(count: count, shape: 1)
    let cellOfPoint = try Arrangement.assignCells(points, grid, isCancelled: { false })
    var pointOfCell = [Int](repeating: 0, count: count)
    for (point, cell) in cellOfPoint.enumerated() { pointOfCell[Int(cell)] = point }
    var pairs = 0
    var wouldGain = 0
    for cell in 0..<count {
      for (dx, dy) in [(1, 0), (3, 0), (0, 1), (0, 3), (2, 2)] {
        let (column, row) = (cell % grid.columns + dx, cell / grid.columns + dy)
        guard column < grid.columns, grid.contains(column: column, row: row) else { continue }
        let offset = points[pointOfCell[row * grid.columns + column]] - points[pointOfCell[cell]]
        pairs += 1
        // The gain of a swap is the product of the two differences, if it is negative.
        if offset.x * Float(dx) + offset.y * Float(dy) < 0 { wouldGain += 1 }
      }
    }
    #expect(Double(wouldGain) < 0.03 * Double(pairs))
  }

  @Test("neighbours stay neighbours, and better than by halving alone")
  func neighboursStay() throws {
    let layout = clusteredLayout(count: 6000, seed: 8)
    let arranged = try Arrangement.grid(layout)
    #expect(neighboursKept(layout, arranged.positions) > 0.7)
    let points = arrangeable(layout)
    let grid = GridCells(count: 6000, shape: 1)
    var halved = [Int32](repeating: 0, count: 6000)
    for (cell, point) in Arrangement.bisected(points, grid).enumerated() { halved[Int(point)] = Int32(cell) }
    #expect(
      cost(points, try Arrangement.assignCells(points, grid, isCancelled: { false }), grid) < cost(points, halved, grid)
    )
  }

  @Test("the same layout gives the same grid, wherever it lies and however large it is")
  func independentOfScale() throws {
    let layout = clusteredLayout(count: 2000, seed: 4)
    let first = try Arrangement.grid(layout)
    #expect(try Arrangement.grid(layout) == first)
    // Powers of two, which change no digit.
    #expect(try Arrangement.grid(layout.map { $0 * 1024 }) == first)
    #expect(try Arrangement.grid(layout.map { $0 / 4096 }) == first)
  }

  @Test("points that are equal, missing or far out give every picture a cell all the same")
  func oddLayouts() throws {
    let odd: [[Float]] = [
      [Float](repeating: 3, count: 2 * 500),
      (0..<1000).map { $0 % 2 == 0 ? Float($0) : 0 },
      clusteredLayout(count: 500, seed: 2) + [1e9, -1e9, .nan, .infinity, -.infinity, 0],
    ]
    for layout in odd {
      let places = cells(try Arrangement.grid(layout))
      #expect(Set(places).count == layout.count / 2)
    }
    #expect(try Arrangement.grid([]).positions.isEmpty)
    // One point far out takes a corner and leaves the others their order.
    let layout = clusteredLayout(count: 2000, seed: 6)
    let stray = try Arrangement.grid(layout + [1e7, 1e7])
    #expect(neighboursKept(layout, Array(stray.positions.dropLast(2))) > 0.65)
  }

  @Test("it ends when it is told to")
  func cancellation() throws {
    let asked = Mutex(0)
    #expect(throws: ArrangementCancelled.self) {
      _ = try Arrangement.grid(clusteredLayout(count: 20_000, seed: 1)) {
        asked.withLock { count in
          count += 1
          return count > 5
        }
      }
    }
  }
}
