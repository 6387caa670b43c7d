/// The directions in which rows vary most: subspace iteration on XᵀX, X read by blocks and never held as a whole (Halko,
/// Martinsson & Tropp 2011). Seeded, signs fixed, the same bits at any number of threads.
package struct PrincipalComponents: Sendable {
  /// Columns of the rows.
  package let dimension: Int
  /// How many components there are: as asked for, or as many as rows and columns allow.
  package let count: Int
  /// `count` × `dimension`, orthonormal rows, the largest value of each positive, the most important first.
  package let components: [Float]
  /// What is subtracted from each row first: the mean, or zeros where the origin must stay.
  package let center: [Float]

  private static let blockRows = 256
  /// Partial sums that are added in order at the end. A constant, so that it is the same at any number of threads.
  private static let groups = 8
  /// Up to this many columns XᵀX itself is formed, which makes a pass nearly free.
  private static let directLimit = 1024

  /// Finds up to `wanted` components of `rows`, about their mean if `centered`, else about the origin.
  package init(
    of rows: some FeatureRows, wanted: Int, centered: Bool, pool: ThreadPool, seed: UInt64, token: CancellationToken
  ) throws(CancellationError) {
    let d = rows.dimension
    let n = rows.rowCount
    dimension = d
    var mean = [Float](repeating: 0, count: d)
    if centered {
      let sums = try Self.accumulate(rows, center: mean, size: d, pool: pool, token: token) { block, count, _, total in
        for r in 0..<count { for c in 0..<d { total[c] += block[r * d + c] } }
      }
      for c in 0..<d { mean[c] = Float(sums[c] / Double(n)) }
    }
    center = mean
    let width = min(wanted + 10, d, n)
    var random = SplitMix64(seed: seed ^ 0x5043_4100)
    var basis = (0..<width * d).map { _ in random.normal() }
    Self.orthonormalize(&basis, count: width, dimension: d)
    var image: [Double] = []
    if d <= Self.directLimit {
      let squares = try Self.accumulate(rows, center: mean, size: d * d, pool: pool, token: token) {
        block, count, _, total in
        MatrixProduct.addTransposedTimes(block, block, into: total, m: d, n: d, k: count)
      }.map(Float.init)
      for pass in 0..<30 {
        try token.check()
        if pass > 0 {
          basis = image
          Self.orthonormalize(&basis, count: width, dimension: d)
        }
        image = Self.product(basis.map(Float.init), squares, rows: width, dimension: d)
      }
    } else {
      for pass in 0..<6 {
        if pass > 0 {
          basis = image
          Self.orthonormalize(&basis, count: width, dimension: d)
        }
        let directions = basis.map(Float.init)
        image = try Self.accumulate(rows, center: mean, size: width * d, pool: pool, token: token) {
          block, count, scratch, total in
          directions.withUnsafeBufferPointer { directions in
            guard let directions = directions.baseAddress else { return }
            MatrixProduct.timesTransposed(block, directions, into: scratch, m: count, n: width, k: d)
            MatrixProduct.addTransposedTimes(scratch, block, into: total, m: width, n: d, k: count)
          }
        }
      }
    }
    // Rayleigh and Ritz: the eigenvectors inside the subspace.
    var small = [Double](repeating: 0, count: width * width)
    for i in 0..<width {
      for j in 0...i {
        var dot = 0.0
        for c in 0..<d { dot += basis[i * d + c] * image[j * d + c] + basis[j * d + c] * image[i * d + c] }
        small[i * width + j] = dot / 2
        small[j * width + i] = dot / 2
      }
    }
    let vectors = symmetricEigenvalues(small, size: width).vectors
    count = min(wanted, width)
    var found = [Float](repeating: 0, count: count * d)
    for i in 0..<count {
      var direction = [Double](repeating: 0, count: d)
      for j in 0..<width {
        let share = vectors[i * width + j]
        for c in 0..<d { direction[c] += share * basis[j * d + c] }
      }
      let extreme = direction.max { abs($0) < abs($1) } ?? 1
      for c in 0..<d { found[i * d + c] = Float(extreme < 0 ? -direction[c] : direction[c]) }
    }
    components = found
  }

  /// The rows in the components' coordinates: `rows.rowCount` × `count`.
  package func project(
    _ rows: some FeatureRows, pool: ThreadPool, token: CancellationToken
  ) throws(CancellationError) -> [Float] {
    let d = dimension
    let m = count
    var result = [Float](repeating: 0, count: rows.rowCount * m)
    result.withUnsafeMutableBufferPointer { result in
      nonisolated(unsafe) let target = result.baseAddress  // each block writes its own rows
      let scratch = WorkerScratch(floats: Self.blockRows * d, workers: pool.threads)
      pool.run(over: rows.rowCount, pieces: Self.blockRows) { range, _, worker in
        guard let target, !token.isCancelled else { return }
        let block = scratch[worker]
        Self.load(rows, range, center, into: block)
        components.withUnsafeBufferPointer { components in
          guard let components = components.baseAddress else { return }
          MatrixProduct.timesTransposed(
            block, components, into: target + range.lowerBound * m, m: range.count, n: m, k: d)
        }
      }
    }
    try token.check()
    return result
  }

  private static func load(
    _ rows: some FeatureRows, _ range: Range<Int>, _ center: [Float], into block: UnsafeMutablePointer<Float>
  ) {
    rows.copyRows(range, into: block)
    center.withUnsafeBufferPointer { center in
      for r in 0..<range.count {
        let row = block + r * center.count
        for c in 0..<center.count { row[c] -= center[c] }
      }
    }
  }

  /// Adds up `add(block, rows in the block, scratch, sum)` over all blocks of rows: in floats within one of `groups` fixed
  /// groups, in doubles over the groups.
  private static func accumulate(
    _ rows: some FeatureRows, center: [Float], size: Int, pool: ThreadPool, token: CancellationToken,
    _ add: (UnsafeMutablePointer<Float>, Int, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) throws(CancellationError) -> [Double] {
    let n = rows.rowCount
    let blocks = (n + blockRows - 1) / blockRows
    let groups = min(Self.groups, blocks)
    let blockScratch = WorkerScratch(floats: blockRows * rows.dimension, workers: pool.threads)
    let scratch = WorkerScratch(floats: blockRows * 128, workers: pool.threads)
    let sums = WorkerScratch(floats: size, workers: groups)
    pool.run(groups) { group, worker in
      for block in blocks * group / groups..<blocks * (group + 1) / groups {
        if token.isCancelled { return }
        let range = block * blockRows..<min(n, (block + 1) * blockRows)
        load(rows, range, center, into: blockScratch[worker])
        add(blockScratch[worker], range.count, scratch[worker], sums[group])
      }
    }
    try token.check()
    var total = [Double](repeating: 0, count: size)
    for group in 0..<groups {
      let partial = sums[group]
      for i in 0..<size { total[i] += Double(partial[i]) }
    }
    return total
  }

  private static func product(_ basis: [Float], _ squares: [Float], rows: Int, dimension: Int) -> [Double] {
    var result = [Float](repeating: 0, count: rows * dimension)
    basis.withUnsafeBufferPointer { basis in
      squares.withUnsafeBufferPointer { squares in
        result.withUnsafeMutableBufferPointer { result in
          guard let basis = basis.baseAddress, let squares = squares.baseAddress, let target = result.baseAddress
          else { return }
          // XᵀX equals its transpose.
          MatrixProduct.timesTransposed(basis, squares, into: target, m: rows, n: dimension, k: dimension)
        }
      }
    }
    return result.map(Double.init)
  }

  /// Gram and Schmidt, twice; a vector that depends on those before becomes zero.
  private static func orthonormalize(_ basis: inout [Double], count: Int, dimension d: Int) {
    basis.withUnsafeMutableBufferPointer { basis in
      for i in 0..<count {
        let row = i * d
        var before = 0.0
        for c in 0..<d { before += basis[row + c] * basis[row + c] }
        for _ in 0..<2 {
          for j in 0..<i {
            var dot = 0.0
            for c in 0..<d { dot += basis[row + c] * basis[j * d + c] }
            for c in 0..<d { basis[row + c] -= dot * basis[j * d + c] }
          }
        }
        var squares = 0.0
        for c in 0..<d { squares += basis[row + c] * basis[row + c] }
        let factor = squares > 1e-20 * before && squares > 0 ? 1 / squares.squareRoot() : 0
        for c in 0..<d { basis[row + c] *= factor }
      }
    }
  }
}

/// Zeroed memory, one piece for each worker.
// @unchecked: each worker touches only its own piece.
package final class WorkerScratch: @unchecked Sendable {
  private let memory: UnsafeMutablePointer<Float>
  private let size: Int

  package init(floats: Int, workers: Int) {
    size = (max(1, floats) + 31) / 32 * 32
    memory = .allocate(capacity: size * workers)
    memory.initialize(repeating: 0, count: size * workers)
  }

  deinit { memory.deallocate() }

  package subscript(worker: Int) -> UnsafeMutablePointer<Float> { memory + worker * size }
}
