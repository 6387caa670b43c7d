import Numerics

/// Rows of floats as columns of tiles: packed once if they fit into memory, else tile by tile whenever they are needed, so
/// that rows that lie elsewhere (bytes of a mapped file) need never be in memory as floats.
// @unchecked: the scratch memory is divided by workers, the rest is not changed after init.
final class FloatTiles<Rows: FeatureRows>: @unchecked Sendable {
  let rows: Rows
  let blockRows: Int
  let tileColumns: Int
  /// Squared lengths for products, else 0; infinite behind the last column.
  private(set) var terms: [Float]
  private let measure: TileMeasure
  private let depth: Int
  private let packed: PackedMatrix?
  private let tiles: [PackedMatrix]
  private let blocks: WorkerScratch
  private let staging: WorkerScratch
  private let kernels = SIMDKernels.chosen

  /// A worker's block of rows, and its tile of columns.
  private static var blockLimit: Int { 12 << 20 }
  private static var tileLimit: Int { 4 << 20 }

  init(_ rows: Rows, measure: TileMeasure, context: SearchContext) throws {
    let panel = kernels.panelColumns
    let n = rows.rowCount
    let d = rows.dimension
    self.rows = rows
    self.measure = measure
    depth = d
    blockRows = max(32, min(256, Self.blockLimit / (4 * d) / 8 * 8))
    tileColumns = max(panel, min(512, Self.tileLimit / (4 * d) / panel * panel))
    let workers = context.pool.threads
    blocks = WorkerScratch(floats: blockRows * d, workers: workers)
    staging = WorkerScratch(floats: panel * d, workers: workers)
    let padded = MatrixProduct.padded(n)
    terms = [Float](repeating: 0, count: padded + tileColumns)
    for i in n..<terms.count { terms[i] = .infinity }
    let fits = padded * d * 4 <= context.memoryLimit
    let whole = fits ? PackedMatrix(depth: d, columns: n) : nil
    packed = whole
    let columns = tileColumns
    tiles = fits ? [] : (0..<workers).map { _ in PackedMatrix(depth: d, columns: columns) }
    let needsSquares = measure == .squaredEuclidean
    guard fits || needsSquares else { return }
    let staging = staging
    terms.withUnsafeMutableBufferPointer { terms in
      context.pool.run(over: n, pieces: panel) { range, _, worker in
        if context.token.isCancelled { return }
        let source = staging[worker]
        rows.copyRows(range, into: source)
        whole?.setColumns(from: range.lowerBound, transposing: source, rows: range.count)
        guard needsSquares else { return }
        for (offset, row) in range.enumerated() {
          var squares = 0.0
          for i in offset * d..<(offset + 1) * d { squares += Double(source[i]) * Double(source[i]) }
          terms[row] = Float(squares)
        }
      }
    }
    try context.token.check()
  }

  /// Makes a block of rows the worker's slots.
  func load(_ block: Range<Int>, worker: Int) { rows.copyRows(block, into: blocks[worker]) }

  /// The values of a slot.
  func slot(_ slot: Int, worker: Int) -> UnsafePointer<Float> { UnsafePointer(blocks[worker] + slot * depth) }

  /// Any row, in memory that stays until the next call.
  func row(_ index: Int, worker: Int) -> UnsafePointer<Float> {
    rows.copyRows(index..<index + 1, into: staging[worker])
    return UnsafePointer(staging[worker])
  }

  /// Adds what a tile has for the first slots, whose rows begin at `firstRow`.
  func seek(_ tile: Range<Int>, firstRow: Int, count: Int, into found: FoundColumns, worker: Int) {
    let panel = kernels.panelColumns
    let panels: UnsafePointer<Float>
    if let packed {
      panels = UnsafePointer(packed.panel(tile.lowerBound / panel))
    } else {
      let target = tiles[worker]
      for first in stride(from: tile.lowerBound, to: tile.upperBound, by: panel) {
        let range = first..<min(tile.upperBound, first + panel)
        rows.copyRows(range, into: staging[worker])
        target.setColumns(from: first - tile.lowerBound, transposing: staging[worker], rows: range.count)
      }
      panels = UnsafePointer(target.panel(0))
    }
    terms.withUnsafeBufferPointer { terms in
      guard let terms = terms.baseAddress else { return }
      kernels.seek(
        measure, SeekingRows(values: UnsafePointer(blocks[worker]), stride: depth, terms: terms + firstRow),
        slots: found.everySlot, count: count, panels: panels, panelCount: (tile.count + panel - 1) / panel,
        depth: depth, terms: terms + tile.lowerBound, firstColumn: tile.lowerBound, into: found)
    }
  }
}

extension SearchContext {
  /// Exact neighbours by tiles of floats. Products are followed by a second measurement of those that are near, by
  /// differences, because they lose digits where two rows are close.
  func exactNeighbors(
    of rows: some FeatureRows, measure: TileMeasure, k: Int, progressBefore: Double = 0,
    distance: (Float) -> Float = { $0 }
  ) throws -> (indices: [Int32], distances: [Float]) {
    let n = rows.rowCount
    let d = rows.dimension
    let tiles = try FloatTiles(rows, measure: measure, context: self)
    let pairs = AllPairs(
      context: self, count: n, keep: min(n, k + spareCandidates), blockRows: tiles.blockRows,
      tileColumns: tiles.tileColumns, progressBefore: progressBefore)
    let kernels = SIMDKernels.chosen
    // Where each worker's block begins.
    let firstRows = WorkerSlots(workers: pool.threads)
    return try GraphRows.make(count: n, k: k) { graph in
      try pairs.run(
        load: { block, worker in
          firstRows[worker] = block.lowerBound
          tiles.load(block, worker: worker)
        },
        seek: { tile, rows, found, worker in
          tiles.seek(tile, firstRow: firstRows[worker], count: rows, into: found, worker: worker)
        },
        finish: { row, slot, keys, worker in
          if measure == .squaredEuclidean {
            let mine = tiles.slot(slot, worker: worker)
            for i in 0..<keys.count {
              let index = DistanceKeys.index(keys[i])
              let other = tiles.row(index, worker: worker)
              keys[i] = DistanceKeys.key(kernels.squaredDistance(mine, other, dimension: d), index)
            }
          }
          if let base = keys.baseAddress { DistanceKeys.sort(base, count: keys.count) }
          graph.write(row, keys, distance: distance)
        })
    }
  }
}

/// A number for each worker.
// @unchecked: each worker touches only its own.
final class WorkerSlots: @unchecked Sendable {
  private let numbers: UnsafeMutablePointer<Int>

  init(workers: Int) {
    numbers = .allocate(capacity: workers * 16)
    numbers.initialize(repeating: 0, count: workers * 16)
  }

  deinit { numbers.deallocate() }

  subscript(worker: Int) -> Int {
    get { numbers[worker * 16] }
    set { numbers[worker * 16] = newValue }
  }
}
