import Numerics

/// Rows made boolean (what is not 0 counts as 1), 64 columns a word, packed as columns of tiles: an eighth of the memory of
/// bytes.
// @unchecked: written in init, each piece by one worker, and read afterwards; the scratch memory is divided by workers.
final class BitTiles: @unchecked Sendable {
  /// The number of ones in each row; -1 behind the last row.
  private(set) var terms: [Float]
  let words: Int
  private let columns: Int
  private let panels: UnsafeMutablePointer<UInt64>
  private let blocks: UnsafeMutablePointer<UInt64>
  private let blockSize: Int
  private let kernels = SIMDKernels.chosen

  static let blockRows = 256
  static let tileColumns = 512

  init(_ rows: some FeatureRows, context: SearchContext) throws {
    let width = kernels.panelColumns
    let n = rows.rowCount
    let d = rows.dimension
    let words = (d + 63) / 64
    let padded = MatrixProduct.padded(n)
    self.words = words
    columns = d
    blockSize = Self.blockRows * words
    panels = .allocate(capacity: padded * words)
    panels.initialize(repeating: 0, count: padded * words)
    blocks = .allocate(capacity: blockSize * context.pool.threads)
    terms = [Float](repeating: -1, count: padded + Self.tileColumns)
    let staging = WorkerScratch(floats: d, workers: context.pool.threads)
    let panels = panels
    terms.withUnsafeMutableBufferPointer { terms in
      context.pool.run(over: n, pieces: width) { range, panel, worker in
        if context.token.isCancelled { return }
        let row = staging[worker]
        let target = panels + panel * words * width
        for (lane, index) in range.enumerated() {
          rows.copyRows(index..<index + 1, into: row)
          var ones = 0
          for w in 0..<words {
            var word: UInt64 = 0
            for t in w * 64..<min(d, w * 64 + 64) where row[t] != 0 { word |= 1 << UInt64(t & 63) }
            target[w * width + lane] = word
            ones += word.nonzeroBitCount
          }
          terms[index] = Float(ones)
        }
      }
    }
    try context.token.check()
  }

  deinit {
    panels.deallocate()
    blocks.deallocate()
  }

  /// Makes a block of rows the worker's slots.
  func load(_ block: Range<Int>, worker: Int) {
    let width = kernels.panelColumns
    let target = blocks + worker * blockSize
    for (slot, row) in block.enumerated() {
      let source = panels + row / width * words * width + row % width
      for w in 0..<words { target[slot * words + w] = source[w * width] }
    }
  }

  /// Adds what a tile has for the first slots, whose rows begin at `firstRow`.
  func seek(
    _ measure: BitMeasure, _ tile: Range<Int>, firstRow: Int, count: Int, into found: FoundColumns, worker: Int
  ) {
    let width = kernels.panelColumns
    terms.withUnsafeBufferPointer { terms in
      guard let terms = terms.baseAddress else { return }
      kernels.seek(
        measure, columns: columns,
        SeekingRows(values: UnsafePointer(blocks + worker * blockSize), stride: words, terms: terms + firstRow),
        slots: found.everySlot, count: count,
        panels: UnsafePointer(panels + tile.lowerBound / width * words * width),
        panelCount: (tile.count + width - 1) / width, words: words, terms: terms + tile.lowerBound,
        firstColumn: tile.lowerBound, into: found)
    }
  }
}

extension SearchContext {
  /// Exact neighbours of rows made boolean.
  func exactNeighbors(
    of rows: some FeatureRows, measure: BitMeasure, k: Int
  ) throws -> (indices: [Int32], distances: [Float]) {
    let n = rows.rowCount
    let tiles = try BitTiles(rows, context: self)
    let pairs = AllPairs(
      context: self, count: n, keep: min(n, k + 1), blockRows: BitTiles.blockRows, tileColumns: BitTiles.tileColumns)
    let firstRows = WorkerSlots(workers: pool.threads)
    return try GraphRows.make(count: n, k: k) { graph in
      try pairs.run(
        load: { block, worker in
          firstRows[worker] = block.lowerBound
          tiles.load(block, worker: worker)
        },
        seek: { tile, rows, found, worker in
          tiles.seek(measure, tile, firstRow: firstRows[worker], count: rows, into: found, worker: worker)
        },
        finish: { row, _, keys, _ in
          if let base = keys.baseAddress { DistanceKeys.sort(base, count: keys.count) }
          graph.write(row, keys) { $0 }
        })
    }
  }
}
