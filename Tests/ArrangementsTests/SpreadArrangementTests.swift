import TestSupport
import Testing

@testable import Arrangements

@Suite("Spread", .computing)
struct SpreadArrangementTests {
  /// Pairs of pictures that cover one another.
  private func overlaps(_ arrangement: Arrangement, _ aspects: [Float]) -> Int {
    let side = Float(arrangement.pictureSide)
    let rects = aspects.enumerated().map { index, aspect in
      (
        x: arrangement.positions[2 * index], y: arrangement.positions[2 * index + 1],
        width: aspect < 1 ? side * aspect : side, height: aspect > 1 ? side / aspect : side
      )
    }.sorted { $0.x < $1.x }
    var count = 0
    for (index, rect) in rects.enumerated() {
      for other in rects[(index + 1)...] {
        if other.x - rect.x >= side { break }
        if other.x - rect.x < (rect.width + other.width) / 2, abs(other.y - rect.y) < (rect.height + other.height) / 2 {
          count += 1
        }
      }
    }
    return count
  }

  private func aspects(_ count: Int, seed: UInt64) -> [Float] {
    var numbers = SeededNumbers(seed: seed)
    return (0..<count).map { _ in Float.random(in: 0.3...3, using: &numbers) }
  }

  @Test("no picture covers another", arguments: [1, 2, 3, 10, 300, 3000, 12_000])
  func nothingIsCovered(count: Int) throws {
    let shapes = aspects(count, seed: UInt64(count))
    let arrangement = try Arrangement.spread(clusteredLayout(count: count, seed: UInt64(count) + 1), aspects: shapes)
    #expect(arrangement.positions.count == 2 * count)
    #expect(arrangement.positions.allSatisfy { $0.isFinite })
    #expect(overlaps(arrangement, shapes) == 0)
  }

  @Test("neighbourhoods are kept, better than a grid keeps them, and little room is wasted")
  func neighboursStay() throws {
    let layout = clusteredLayout(count: 4000, seed: 9)
    let square = [Float](repeating: 1, count: 4000)
    let spread = try Arrangement.spread(layout, aspects: square)
    let grid = try Arrangement.grid(layout)
    #expect(neighboursKept(layout, spread.positions) > neighboursKept(layout, grid.positions))
    #expect(spread.width * spread.height < 3 * 4000)
  }

  @Test("pictures in one place, on one line or far out are spread as well")
  func oddLayouts() throws {
    let odd: [[Float]] = [
      [Float](repeating: 7, count: 2 * 400),
      (0..<800).map { $0 % 2 == 0 ? Float($0) * 0.001 : 0 },
      clusteredLayout(count: 397, seed: 2) + [1e9, -1e9, .nan, .infinity, -.infinity, 0],
    ]
    for layout in odd {
      let shapes = aspects(layout.count / 2, seed: 5)
      let arrangement = try Arrangement.spread(layout, aspects: shapes)
      #expect(arrangement.positions.allSatisfy { $0.isFinite })
      #expect(overlaps(arrangement, shapes) == 0)
    }
    let unknown = try Arrangement.spread([0, 0, 0, 0], aspects: [.nan, 0])
    #expect(overlaps(unknown, [1, 1]) == 0)
  }

  @Test("the same layout gives the same places")
  func deterministic() throws {
    let layout = clusteredLayout(count: 3000, seed: 4)
    let shapes = aspects(3000, seed: 4)
    #expect(try Arrangement.spread(layout, aspects: shapes) == Arrangement.spread(layout, aspects: shapes))
  }

  @Test("it ends when it is told to")
  func cancellation() throws {
    #expect(throws: ArrangementCancelled.self) {
      _ = try Arrangement.spread(
        clusteredLayout(count: 100, seed: 1), aspects: aspects(100, seed: 1), isCancelled: { true })
    }
  }
}
