import Numerics

/// The rows divided into cells around centroids (Lloyd 1982), stored cell after cell, each packed for products: an inverted
/// file as of Sivic & Zisserman 2003. What is near to a row lies in the cells whose centroids are nearest to it.
///
/// Seeded, the same bits at any number of threads.
// @unchecked: not changed after init.
final class CellIndex: @unchecked Sendable {
  /// Rows of the matrix.
  let count: Int
  let dimension: Int
  let cells: Int
  /// The first position of each cell, and one more at the end. A position counts the rows in the order of cells.
  private(set) var start: [Int]
  /// Which row stands at each position.
  private(set) var order: [Int32]
  /// The rows by position.
  let values: WorkerScratch
  /// Their squared lengths.
  let squares: WorkerScratch
  /// The centroids, packed.
  private let centroids: PackedMatrix
  private let centroidTerms: [Float]
  private let panelStart: [Int]
  private let panels: WorkerScratch
  private let panelTerms: WorkerScratch
  private let kernels = SIMDKernels.chosen

  /// Columns that are looked through between two calls of `narrow`.
  static let tileColumns = 512

  private static let trainingRowsPerCell = 24
  private static let trainingRounds = 5

  /// Rows in a cell, on average: small ones are followed more closely, but centroids cost too.
  static func cellSize(_ count: Int) -> Int { max(128, Int((Double(count) / 16).squareRoot())) }

  init(_ matrix: RowMatrix, seed: UInt64, pool: ThreadPool, token: CancellationToken) throws {
    let n = matrix.rowCount
    let d = matrix.dimension
    let cells = max(1, n / Self.cellSize(n))
    count = n
    dimension = d
    self.cells = cells
    var random = SplitMix64(seed: seed ^ 0x4345_4c4c_5300)
    let trainingRows = Self.spread(min(n, cells * Self.trainingRowsPerCell), over: n, &random)
    var training = [Float](repeating: 0, count: trainingRows.count * d)
    matrix.values.withUnsafeBufferPointer { values in
      for (i, row) in trainingRows.enumerated() {
        for c in 0..<d { training[i * d + c] = values[row * d + c] }
      }
    }
    var centers: [Float] = []
    centers.reserveCapacity(cells * d)
    for i in Self.spread(cells, over: trainingRows.count, &random) { centers += training[i * d..<(i + 1) * d] }
    for _ in 0..<Self.trainingRounds {
      let nearest = try Self.nearest(training, d, to: centers, pool: pool, token: token)
      Self.moveCenters(&centers, to: training, d, nearest, pool: pool)
    }
    let nearest = try Self.nearest(matrix.values, d, to: centers, pool: pool, token: token)
    var start = [Int](repeating: 0, count: cells + 1)
    for cell in nearest { start[Int(cell) + 1] += 1 }
    for cell in 0..<cells { start[cell + 1] += start[cell] }
    var next = start
    var order = [Int32](repeating: 0, count: n)
    for row in 0..<n {
      let cell = Int(nearest[row])
      order[next[cell]] = Int32(row)
      next[cell] += 1
    }
    let width = kernels.panelColumns
    var panelStart = [Int](repeating: 0, count: cells + 1)
    for cell in 0..<cells {
      panelStart[cell + 1] = panelStart[cell] + (start[cell + 1] - start[cell] + width - 1) / width
    }
    let values = WorkerScratch(floats: n * d, workers: 1)
    let squares = WorkerScratch(floats: n, workers: 1)
    let panels = WorkerScratch(floats: panelStart[cells] * width * d, workers: 1)
    let panelTerms = WorkerScratch(floats: panelStart[cells] * width, workers: 1)
    (panelTerms[0]).update(repeating: .infinity, count: panelStart[cells] * width)
    matrix.values.withUnsafeBufferPointer { source in
      guard let source = source.baseAddress else { return }
      pool.run(cells) { cell, _ in
        for (offset, position) in (start[cell]..<start[cell + 1]).enumerated() {
          let row = values[0] + position * d
          row.update(from: source + Int(order[position]) * d, count: d)
          var sum = 0.0
          for c in 0..<d { sum += Double(row[c]) * Double(row[c]) }
          squares[0][position] = Float(sum)
          let panel = panelStart[cell] + offset / width
          panelTerms[0][panel * width + offset % width] = Float(sum)
          let target = panels[0] + panel * width * d + offset % width
          for c in 0..<d { target[c * width] = row[c] }
        }
      }
    }
    (self.start, self.order, self.panelStart) = (start, order, panelStart)
    (self.values, self.squares, self.panels, self.panelTerms) = (values, squares, panels, panelTerms)
    (centroids, centroidTerms) = Self.pack(centers, d)
    try token.check()
  }

  /// Adds the centroids near to some slots to `found`, a column being a cell.
  func seekCells(_ rows: SeekingRows<Float>, count: Int, into found: FoundColumns) {
    Self.seek(centroids, centroidTerms, rows, count: count, into: found)
  }

  /// Adds what a cell has for these slots to `found`, a column being a position.
  func seek(_ cell: Int, _ rows: SeekingRows<Float>, slots: UnsafePointer<UInt32>, count: Int, into found: FoundColumns)
  {
    let width = kernels.panelColumns
    let step = Self.tileColumns / width
    for panel in stride(from: panelStart[cell], to: panelStart[cell + 1], by: step) {
      kernels.seek(
        .squaredEuclidean, rows, slots: slots, count: count, panels: panels[0] + panel * width * dimension,
        panelCount: min(step, panelStart[cell + 1] - panel), depth: dimension, terms: panelTerms[0] + panel * width,
        firstColumn: start[cell] + (panel - panelStart[cell]) * width, into: found)
      found.narrow(slots, count: count)
    }
  }

  /// `wanted` numbers below `count`, spread evenly with a random offset each: distinct and ascending.
  static func spread(_ wanted: Int, over count: Int, _ random: inout SplitMix64) -> [Int] {
    (0..<wanted).map { i in
      let low = i * count / wanted
      let high = max(low + 1, (i + 1) * count / wanted)
      return low + Int(random.uniform() * Double(high - low))
    }
  }

  private static func pack(_ centers: [Float], _ d: Int) -> (PackedMatrix, [Float]) {
    let count = centers.count / d
    let packed = PackedMatrix(depth: d, columns: count)
    centers.withUnsafeBufferPointer {
      if let base = $0.baseAddress { packed.setColumns(from: 0, transposing: base, rows: count) }
    }
    var terms = [Float](repeating: .infinity, count: MatrixProduct.padded(count))
    for cell in 0..<count {
      var sum = 0.0
      for c in 0..<d { sum += Double(centers[cell * d + c]) * Double(centers[cell * d + c]) }
      terms[cell] = Float(sum)
    }
    return (packed, terms)
  }

  private static func seek(
    _ centroids: PackedMatrix, _ terms: [Float], _ rows: SeekingRows<Float>, count: Int, into found: FoundColumns
  ) {
    let kernels = SIMDKernels.chosen
    let width = kernels.panelColumns
    let step = found.keep == 1 ? 4 : tileColumns / width
    terms.withUnsafeBufferPointer { terms in
      guard let terms = terms.baseAddress else { return }
      for panel in stride(from: 0, to: centroids.panels, by: step) {
        kernels.seek(
          .squaredEuclidean, rows, slots: found.everySlot, count: count, panels: centroids.panel(panel),
          panelCount: min(step, centroids.panels - panel), depth: centroids.depth, terms: terms + panel * width,
          firstColumn: panel * width, into: found)
        found.narrow(found.everySlot, count: count)
      }
    }
  }

  /// The nearest centre of each row.
  private static func nearest(
    _ rows: [Float], _ d: Int, to centers: [Float], pool: ThreadPool, token: CancellationToken
  ) throws(CancellationError) -> [UInt32] {
    let (packed, terms) = pack(centers, d)
    let count = rows.count / d
    let block = 256
    let found = (0..<pool.threads).map { _ in FoundColumns(slots: block, keep: 1, columns: tileColumns) }
    var result = [UInt32](repeating: 0, count: count)
    result.withUnsafeMutableBufferPointer { result in
      rows.withUnsafeBufferPointer { rows in
        guard let rows = rows.baseAddress else { return }
        pool.run(over: count, pieces: block) { range, _, worker in
          if token.isCancelled { return }
          let found = found[worker]
          found.reset()
          var squares = [Float](repeating: 0, count: range.count)
          for (slot, row) in range.enumerated() {
            var sum: Float = 0
            for c in row * d..<(row + 1) * d { sum += rows[c] * rows[c] }
            squares[slot] = sum
          }
          squares.withUnsafeBufferPointer { squares in
            guard let squares = squares.baseAddress else { return }
            seek(
              packed, terms, SeekingRows(values: rows + range.lowerBound * d, stride: d, terms: squares),
              count: range.count, into: found)
          }
          for (slot, row) in range.enumerated() {
            result[row] = found.nearest(slot).first.map { UInt32(DistanceKeys.index($0)) } ?? 0
          }
        }
      }
    }
    try token.check()
    return result
  }

  /// Each centre to the mean of the rows nearest to it; one without rows stays.
  private static func moveCenters(
    _ centers: inout [Float], to rows: [Float], _ d: Int, _ nearest: [UInt32], pool: ThreadPool
  ) {
    let cells = centers.count / d
    var start = [Int](repeating: 0, count: cells + 1)
    for cell in nearest { start[Int(cell) + 1] += 1 }
    for cell in 0..<cells { start[cell + 1] += start[cell] }
    var order = [Int](repeating: 0, count: nearest.count)
    var next = start
    for (row, cell) in nearest.enumerated() {
      order[next[Int(cell)]] = row
      next[Int(cell)] += 1
    }
    centers.withUnsafeMutableBufferPointer { centers in
      rows.withUnsafeBufferPointer { rows in
        pool.run(over: cells, pieces: 16) { range, _, _ in
          var sums = [Double](repeating: 0, count: d)
          for cell in range where start[cell + 1] > start[cell] {
            for c in 0..<d { sums[c] = 0 }
            for i in start[cell]..<start[cell + 1] {
              let row = order[i] * d
              for c in 0..<d { sums[c] += Double(rows[row + c]) }
            }
            let members = Double(start[cell + 1] - start[cell])
            for c in 0..<d { centers[cell * d + c] = Float(sums[c] / members) }
          }
        }
      }
    }
  }
}
