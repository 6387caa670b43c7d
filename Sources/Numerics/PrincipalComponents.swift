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
      let sums = try Self.accumulate(rows, center: mean, size: d, pool: pool, token: token) { block, _, _, total in
        for r in 0..<Self.blockRows { for c in 0..<d { total[c] += block[r * d + c] } }
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
      let padded = MatrixProduct.padded(d)
      let squares = try Self.accumulate(rows, center: mean, size: d * padded, packing: true, pool: pool, token: token) {
        block, packed, _, total in
        guard let packed else { return }
        MatrixProduct.add(
          block, aRow: 1, aStep: d, rows: d, times: packed, panels: 0..<packed.panels, to: total, cStride: padded)
      }
      let packedSquares = PackedMatrix(depth: d, columns: d)
      (0..<d).flatMap { row in squares[row * padded..<row * padded + d].map(Float.init) }.withUnsafeBufferPointer {
        if let base = $0.baseAddress { packedSquares.setRows(base, rows: d, columns: d) }
      }
      for pass in 0..<30 {
        try token.check()
        if pass > 0 {
          basis = image
          Self.orthonormalize(&basis, count: width, dimension: d)
        }
        image = Self.product(basis.map(Float.init), packedSquares, rows: width, dimension: d)
      }
    } else {
      for pass in 0..<6 {
        if pass > 0 {
          basis = image
          Self.orthonormalize(&basis, count: width, dimension: d)
        }
        let directions = PackedMatrix(depth: d, columns: width)
        basis.map(Float.init).withUnsafeBufferPointer {
          if let base = $0.baseAddress { directions.setColumns(from: 0, transposing: base, rows: width) }
        }
        let padded = MatrixProduct.padded(d)
        let paddedWidth = MatrixProduct.padded(width)
        let sums = try Self.accumulate(
          rows, center: mean, size: width * padded, packing: true, pool: pool, token: token
        ) { block, packed, scratch, total in
          guard let packed else { return }
          scratch.update(repeating: 0, count: Self.blockRows * paddedWidth)
          MatrixProduct.add(
            block, aRow: d, aStep: 1, rows: Self.blockRows, times: directions, panels: 0..<directions.panels,
            to: scratch, cStride: paddedWidth)
          MatrixProduct.add(
            scratch, aRow: 1, aStep: paddedWidth, rows: width, times: packed, panels: 0..<packed.panels, to: total,
            cStride: padded)
        }
        image = (0..<width).flatMap { sums[$0 * padded..<$0 * padded + d] }
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
    let directions = PackedMatrix(depth: d, columns: m)
    components.withUnsafeBufferPointer {
      if let base = $0.baseAddress { directions.setColumns(from: 0, transposing: base, rows: m) }
    }
    let padded = MatrixProduct.padded(m)
    let blockScratch = WorkerScratch(floats: Self.blockRows * d, workers: pool.threads)
    let products = WorkerScratch(floats: Self.blockRows * padded, workers: pool.threads)
    var result = [Float](repeating: 0, count: rows.rowCount * m)
    result.withUnsafeMutableBufferPointer { result in
      pool.run(over: rows.rowCount, pieces: Self.blockRows) { range, _, worker in
        if token.isCancelled { return }
        let block = blockScratch[worker]
        let product = products[worker]
        Self.load(rows, range, center, into: block)
        product.update(repeating: 0, count: range.count * padded)
        MatrixProduct.add(
          block, aRow: d, aStep: 1, rows: range.count, times: directions, panels: 0..<directions.panels, to: product,
          cStride: padded)
        for r in 0..<range.count {
          for c in 0..<m { result[(range.lowerBound + r) * m + c] = product[r * padded + c] }
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

  /// Adds up `add(block, the block packed for products if asked for, scratch, sum)` over all blocks of rows, the last one
  /// filled with zeros: in floats within one of `groups` fixed groups, in doubles over the groups.
  private static func accumulate(
    _ rows: some FeatureRows, center: [Float], size: Int, packing: Bool = false, pool: ThreadPool,
    token: CancellationToken,
    _ add: (
      _ block: UnsafeMutablePointer<Float>, _ packed: PackedMatrix?, _ scratch: UnsafeMutablePointer<Float>,
      _ sum: UnsafeMutablePointer<Float>
    ) -> Void
  ) throws(CancellationError) -> [Double] {
    let n = rows.rowCount
    let d = rows.dimension
    let blocks = (n + blockRows - 1) / blockRows
    let groups = min(Self.groups, blocks)
    let blockScratch = WorkerScratch(floats: blockRows * d, workers: pool.threads)
    let scratch = WorkerScratch(floats: blockRows * 160, workers: pool.threads)
    let packed = packing ? (0..<pool.threads).map { _ in PackedMatrix(depth: blockRows, columns: d) } : []
    let sums = WorkerScratch(floats: size, workers: groups)
    pool.run(groups) { group, worker in
      for index in blocks * group / groups..<blocks * (group + 1) / groups {
        if token.isCancelled { return }
        let range = index * blockRows..<min(n, (index + 1) * blockRows)
        let block = blockScratch[worker]
        load(rows, range, center, into: block)
        (block + range.count * d).update(repeating: 0, count: (blockRows - range.count) * d)
        if packing { packed[worker].setRows(block, rows: blockRows, columns: d) }
        add(block, packing ? packed[worker] : nil, scratch[worker], sums[group])
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

  /// basis · XᵀX.
  private static func product(_ basis: [Float], _ squares: PackedMatrix, rows: Int, dimension d: Int) -> [Double] {
    let padded = MatrixProduct.padded(d)
    var result = [Float](repeating: 0, count: rows * padded)
    basis.withUnsafeBufferPointer { basis in
      result.withUnsafeMutableBufferPointer { result in
        guard let basis = basis.baseAddress, let target = result.baseAddress else { return }
        MatrixProduct.add(
          basis, aRow: d, aStep: 1, rows: rows, times: squares, panels: 0..<squares.panels, to: target,
          cStride: padded)
      }
    }
    return (0..<rows).flatMap { result[$0 * padded..<$0 * padded + d].map(Double.init) }
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
