/// What is done to each row by itself before rows are compared.
package enum RowPreparation: Sendable {
  /// Nothing.
  case none
  /// Length 1; a zero row stays zero.
  case unitLength
  /// The row's own mean subtracted, then length 1; a constant row becomes zero.
  case centeredUnitLength
}

/// Rows as they are compared.
package struct PreparedRows<Base: FeatureRows>: FeatureRows {
  private let base: Base
  private let preparation: RowPreparation

  package init(_ base: Base, _ preparation: RowPreparation) {
    self.base = base
    self.preparation = preparation
  }

  package var rowCount: Int { base.rowCount }
  package var dimension: Int { base.dimension }

  package func copyRows(_ range: Range<Int>, into target: UnsafeMutablePointer<Float>) {
    base.copyRows(range, into: target)
    guard preparation != .none else { return }
    let d = dimension
    for offset in 0..<range.count { prepare(target + offset * d, d) }
  }

  private func prepare(_ row: UnsafeMutablePointer<Float>, _ d: Int) {
    // By the largest value first, so that no square overflows or vanishes.
    var most: Float = 0
    for i in 0..<d {
      let size = abs(row[i])
      most = size > most ? size : most
    }
    let largest = Double(most)
    guard largest > 0 else { return }
    let mean = preparation == .centeredUnitLength ? Self.sum(d) { Double(row[$0]) } / Double(d) : 0
    let inverse = 1 / largest
    let squares = Self.sum(d) {
      let value = (Double(row[$0]) - mean) * inverse
      return value * value
    }
    // What is left of a constant row is rounding.
    let isZero = preparation == .centeredUnitLength && squares <= 1e-24 * Double(d)
    let factor = isZero ? 0 : 1 / (largest * squares.squareRoot())
    for i in 0..<d { row[i] = Float((Double(row[i]) - mean) * factor) }
  }

  /// In four parts, which do not wait for each other.
  private static func sum(_ count: Int, _ term: (Int) -> Double) -> Double {
    var (a, b, c, d) = (0.0, 0.0, 0.0, 0.0)
    var i = 0
    while i + 4 <= count {
      a += term(i)
      b += term(i + 1)
      c += term(i + 2)
      d += term(i + 3)
      i += 4
    }
    while i < count {
      a += term(i)
      i += 1
    }
    return (a + b) + (c + d)
  }
}
