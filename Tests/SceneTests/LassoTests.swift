import Geometry
import TestSupport
import Testing

@testable import Scene

@Suite("A lasso", .computing) struct LassoTests {
  @Test("looked up by rows holds exactly what its corners enclose, however often it crosses itself", arguments: 0..<30)
  func rows(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    func coordinate() -> Double {
      // Whole pixels, as a mouse gives them, and others.
      let value = Double.random(in: -20...120, using: &random)
      return seed % 2 == 0 ? value.rounded() : value
    }
    var lasso = Marquee(.lasso, takesAway: false, from: Point(x: coordinate(), y: coordinate()))
    for _ in 0..<Int.random(in: 0...40, using: &random) { lasso.extend(to: Point(x: coordinate(), y: coordinate())) }
    let rows = LassoRows(lasso)
    for y in -25...125 {
      for x in -25...125 where rows.contains(x: x, y: y) != lasso.contains(Point(x: Double(x), y: Double(y))) {
        Issue.record("\(x), \(y)")
      }
    }
  }
}
