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
    for offset in 0..<range.count {
      let row = UnsafeMutableBufferPointer(start: target + offset * d, count: d)
      // By the largest value first, so that no square overflows or vanishes.
      let largest = row.reduce(Float(0)) { max($0, abs($1)) }
      guard largest > 0 else { continue }
      var mean: Float = 0
      if preparation == .centeredUnitLength {
        mean = Float(row.reduce(0.0) { $0 + Double($1 / largest) } / Double(d))
      }
      var squares = 0.0
      for i in 0..<d {
        let value = row[i] / largest - mean
        row[i] = value
        squares += Double(value) * Double(value)
      }
      // What is left of a constant row is rounding.
      let isZero = preparation == .centeredUnitLength && squares <= 1e-12 * Double(d)
      let factor = isZero ? 0 : Float(1 / squares.squareRoot())
      for i in 0..<d { row[i] *= factor }
    }
  }
}
