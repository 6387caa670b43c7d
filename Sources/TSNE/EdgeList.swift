import Numerics

/// The affinities in the order in which the optimiser keeps its points.
struct EdgeList {
  private(set) var rowStart: [UInt64]
  private(set) var columns: [UInt32]
  private(set) var values: [Float]
  /// First rows of pieces of about equally many entries; one more at the end.
  private(set) var pieces: [Int]

  init(_ affinities: Affinities) {
    rowStart = affinities.rowStart
    columns = affinities.columns
    values = affinities.values
    pieces = []
    divide()
  }

  /// Numbers the points anew: new point i was `order[i]`.
  mutating func renumber(_ order: [Int32], pool: ThreadPool) {
    let n = order.count
    var rank = [UInt32](repeating: 0, count: n)
    for (i, old) in order.enumerated() { rank[Int(old)] = UInt32(i) }
    var starts = [UInt64](repeating: 0, count: n + 1)
    for i in 0..<n {
      let old = Int(order[i])
      starts[i + 1] = starts[i] + rowStart[old + 1] - rowStart[old]
    }
    var newColumns = [UInt32](repeating: 0, count: columns.count)
    var newValues = [Float](repeating: 0, count: values.count)
    newColumns.withUnsafeMutableBufferPointer { newColumns in
      newValues.withUnsafeMutableBufferPointer { newValues in
        columns.withUnsafeBufferPointer { columns in
          values.withUnsafeBufferPointer { values in
            pool.run(over: n, pieces: 1024) { rows, _, _ in
              for row in rows {
                var place = Int(starts[row])
                let old = Int(order[row])
                for entry in Int(rowStart[old])..<Int(rowStart[old + 1]) {
                  newColumns[place] = rank[Int(columns[entry])]
                  newValues[place] = values[entry]
                  place += 1
                }
              }
            }
          }
        }
      }
    }
    rowStart = starts
    columns = newColumns
    values = newValues
    divide()
  }

  private mutating func divide() {
    let n = rowStart.count - 1
    let target = max(4096, UInt64(columns.count / 64))
    pieces = [0]
    for row in 0..<n where rowStart[row + 1] - rowStart[pieces[pieces.count - 1]] >= target { pieces.append(row + 1) }
    if pieces[pieces.count - 1] < n { pieces.append(n) }
  }
}
