import Numerics

/// Rows of which there are more equal ones than a row has neighbours. They are neighbours to each other in a ring, and
/// only a few of them take part in the search: a thousand black images would otherwise all point at the same few, and a
/// search would compare each with each.
struct RepeatedRows {
  /// The rows that take part.
  let kept: [Int32]
  /// Equal rows, ascending; more than k + 1 each.
  let groups: [[Int32]]

  /// Groups of more than k + 1 equal rows; nil if there are none.
  init?(_ matrix: RowMatrix, k: Int, pool: ThreadPool) {
    let (n, d) = (matrix.rowCount, matrix.dimension)
    guard n > k + 1 else { return nil }
    var hashes = [UInt64](repeating: 0, count: n)
    let same = matrix.values.withUnsafeBufferPointer { values in
      hashes.withUnsafeMutableBufferPointer { hashes in
        pool.run(over: n, pieces: 1024) { range, _, _ in
          for row in range {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for i in row * d..<(row + 1) * d {
              // Minus zero equals zero.
              hash = (hash ^ UInt64((values[i] == 0 ? 0 : values[i]).bitPattern)) &* 0x9e37_79b9_7f4a_7c15
              hash ^= hash >> 29
            }
            hashes[row] = hash
          }
        }
      }
      var candidates: [UInt64: [Int32]] = [:]
      var counts: [UInt64: Int] = [:]
      var sorted = hashes
      sorted.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { DistanceKeys.sort(base, count: n) } }
      var i = 0
      while i < n {
        var j = i
        while j < n, sorted[j] == sorted[i] { j += 1 }
        if j - i > k + 1 { counts[sorted[i]] = j - i }
        i = j
      }
      guard !counts.isEmpty else { return [[Int32]]() }
      for row in 0..<n where counts[hashes[row]] != nil { candidates[hashes[row], default: []].append(Int32(row)) }
      // Two rows of one hash may differ after all.
      return candidates.values.map { rows in
        let first = Int(rows[0]) * d
        return rows.filter { row in (0..<d).allSatisfy { values[Int(row) * d + $0] == values[first + $0] } }
      }.filter { $0.count > k + 1 }.sorted { $0[0] < $1[0] }
    }
    guard !same.isEmpty else { return nil }
    groups = same
    var isKept = [Bool](repeating: true, count: n)
    for group in same { for row in group.dropFirst(k + 1) { isKept[Int(row)] = false } }
    kept = (0..<Int32(n)).filter { isKept[Int($0)] }
  }

  /// The graph of all rows from that of the kept ones.
  func expand(_ found: (indices: [Int32], distances: [Float]), count: Int, k: Int) -> (
    indices: [Int32], distances: [Float]
  ) {
    var indices = [Int32](repeating: 0, count: count * k)
    var distances = [Float](repeating: 0, count: count * k)
    for (i, row) in kept.enumerated() {
      for j in 0..<k {
        indices[Int(row) * k + j] = kept[Int(found.indices[i * k + j])]
        distances[Int(row) * k + j] = found.distances[i * k + j]
      }
    }
    for group in groups {
      for (place, row) in group.enumerated() {
        for j in 0..<k {
          indices[Int(row) * k + j] = group[(place + 1 + j) % group.count]
          distances[Int(row) * k + j] = 0
        }
      }
    }
    return (indices, distances)
  }
}
