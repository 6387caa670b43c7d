import Numerics
import Synchronization

/// Neighbours by an index of cells: each row is compared with the rows of the nearest cells only, exactly and by whole tiles.
///
/// How many cells are needed is measured beforehand: a sample of rows is compared with all others, and the neighbours found
/// say in the how manieth cell they lie. The recall that is reported is measured afterwards on the same sample.
struct CellSearch {
  private let context: SearchContext
  private let index: CellIndex
  private let k: Int
  private let sample: [SampleRow]
  /// Cells looked through for each row.
  private let probes: Int

  /// A row of the sample: where it stands, how far its k nearest are, and in the how manieth nearest cell each of them is.
  private struct SampleRow {
    var position: Int
    var nearest: [UInt64]
    var ranks: [Int]
    /// Rows in the nearest cell, the two nearest, ...
    var sizes: [Int32]
  }

  /// The share of the sample's neighbours that must be found in the cells looked through.
  private static let wantedRecall = 0.99
  private static let sampleRows = 1000
  private static let blockRows = 256
  /// Below so many rows all pairs are compared.
  static let smallest = 12_000

  /// Prepares a search, or nothing where comparing all pairs costs less.
  init?(_ matrix: RowMatrix, k: Int, context: SearchContext) throws {
    let n = matrix.rowCount
    guard n >= Self.smallest, k * 8 < n else { return nil }
    let index = try CellIndex(matrix, seed: context.seed, pool: context.pool, token: context.token)
    context.progress?(0.3)
    let sample = try Self.measureSample(index, k: k, context: context)
    context.progress?(0.4)
    var perRank = [Int](repeating: 0, count: index.cells)
    for row in sample { for rank in row.ranks { perRank[rank] += 1 } }
    let wanted = Int((Self.wantedRecall * Double(sample.count * k)).rounded(.up))
    var probes = 0
    var covered = 0
    while probes < index.cells, covered < wanted {
      covered += perRank[probes]
      probes += 1
    }
    let compared = sample.reduce(0) { $0 + Int($1.sizes[probes - 1]) } / sample.count + 2 * index.cells
    // A rank is kept in 16 bits.
    guard Double(compared) < 0.7 * Double(n), probes < 1 << 16 else { return nil }
    self.context = context
    self.index = index
    self.k = k
    self.sample = sample
    self.probes = probes
  }

  /// The sample's true neighbours.
  private static func measureSample(
    _ index: CellIndex, k: Int, context: SearchContext
  ) throws(CancellationError) -> [SampleRow] {
    var random = SplitMix64(seed: context.seed ^ 0x5341_4d50_4c45)
    let positions = CellIndex.spread(min(sampleRows, index.count / 20), over: index.count, &random)
    let block = 64
    let d = index.dimension
    let workers = context.pool.threads
    let found = (0..<workers).map { _ in
      FoundColumns(slots: block, keep: k + spareCandidates, columns: CellIndex.tileColumns)
    }
    let foundCells = (0..<workers).map { _ in
      FoundColumns(slots: block, keep: index.cells, columns: CellIndex.tileColumns)
    }
    let rowScratch = WorkerScratch(floats: block * d, workers: workers)
    let termScratch = WorkerScratch(floats: block, workers: workers)
    var result = [SampleRow](
      repeating: SampleRow(position: 0, nearest: [], ranks: [], sizes: []), count: positions.count)
    result.withUnsafeMutableBufferPointer { result in
      context.pool.run(over: positions.count, pieces: block) { range, _, worker in
        let found = found[worker]
        let foundCells = foundCells[worker]
        found.reset()
        foundCells.reset()
        let rows = SeekingRows(
          values: UnsafePointer(rowScratch[worker]), stride: d, terms: UnsafePointer(termScratch[worker]))
        for (slot, i) in range.enumerated() {
          (rowScratch[worker] + slot * d).update(from: index.values[0] + positions[i] * d, count: d)
          termScratch[worker][slot] = index.squares[0][positions[i]]
        }
        for cell in 0..<index.cells {
          if context.token.isCancelled { return }
          index.seek(cell, rows, slots: found.everySlot, count: range.count, into: found)
        }
        index.seekCells(rows, count: range.count, into: foundCells)
        for (slot, i) in range.enumerated() {
          let keys = found.nearest(slot)
          refine(keys, position: positions[i], index)
          if let base = keys.baseAddress { DistanceKeys.sort(base, count: keys.count) }
          let cells = foundCells.nearest(slot)
          if let base = cells.baseAddress { DistanceKeys.sort(base, count: cells.count) }
          var rank = [Int](repeating: index.cells - 1, count: index.cells)
          var sizes = [Int32](repeating: Int32(index.count), count: index.cells)
          var size = 0
          for (place, key) in cells.enumerated() {
            let cell = DistanceKeys.index(key)
            rank[cell] = place
            size += index.start[cell + 1] - index.start[cell]
            sizes[place] = Int32(size)
          }
          let nearest = Array(keys.lazy.filter { DistanceKeys.index($0) != positions[i] }.prefix(k))
          result[i] = SampleRow(
            position: positions[i], nearest: nearest,
            ranks: nearest.map { rank[index.cell(of: DistanceKeys.index($0))] }, sizes: sizes)
        }
      }
    }
    try context.token.check()
    return result
  }

  /// Measures again by differences; columns are positions.
  private static func refine(
    _ keys: UnsafeMutableBufferPointer<UInt64>, position: Int, _ index: CellIndex
  ) {
    let kernels = SIMDKernels.chosen
    let d = index.dimension
    let mine = index.values[0] + position * d
    for i in 0..<keys.count {
      let other = DistanceKeys.index(keys[i])
      keys[i] = DistanceKeys.key(
        kernels.squaredDistance(mine, index.values[0] + other * d, dimension: d), other)
    }
  }

  /// Searches; `distance` turns a squared euclidean distance into the one wanted.
  func run(distance: (Float) -> Float) throws -> (indices: [Int32], distances: [Float], recall: Double) {
    var pieces: [Range<Int>] = []
    for cell in 0..<index.cells {
      for first in stride(from: index.start[cell], to: index.start[cell + 1], by: Self.blockRows) {
        pieces.append(first..<min(index.start[cell + 1], first + Self.blockRows))
      }
    }
    let workers = (0..<context.pool.threads).map { _ in Worker(keep: k + spareCandidates, probes: probes) }
    let finished = Atomic(0)
    let (indices, distances) = try GraphRows.make(count: index.count, k: k) { graph in
      context.pool.run(pieces.count) { piece, worker in
        if context.token.isCancelled { return }
        search(pieces[piece], workers[worker], graph, distance)
        let done = finished.add(1, ordering: .relaxed).newValue
        context.progress?(0.4 + 0.55 * Double(done) / Double(pieces.count))
      }
      try context.token.check()
    }
    return (indices, distances, recall(distances, distance))
  }

  /// The memory of one worker.
  private final class Worker {
    let found: FoundColumns
    let cells: FoundColumns
    var pairs: [UInt64] = []
    var slots: [UInt32] = []

    init(keep: Int, probes: Int) {
      found = FoundColumns(slots: blockRows, keep: keep, columns: CellIndex.tileColumns)
      cells = FoundColumns(slots: blockRows, keep: probes, columns: CellIndex.tileColumns)
    }
  }

  private func search(_ positions: Range<Int>, _ worker: Worker, _ graph: GraphRows, _ distance: (Float) -> Float) {
    let d = index.dimension
    let rows = SeekingRows(
      values: UnsafePointer(index.values[0] + positions.lowerBound * d), stride: d,
      terms: UnsafePointer(index.squares[0] + positions.lowerBound))
    worker.cells.reset()
    worker.found.reset()
    index.seekCells(rows, count: positions.count, into: worker.cells)
    // Which rows look into which cell, those cells first that are nearest to any row: they bring the thresholds down.
    worker.pairs.removeAll(keepingCapacity: true)
    for slot in 0..<positions.count {
      let cells = worker.cells.nearest(slot)
      if let base = cells.baseAddress { DistanceKeys.sort(base, count: cells.count) }
      for (rank, key) in cells.enumerated() {
        worker.pairs.append(UInt64(DistanceKeys.index(key)) << 32 | UInt64(rank) << 16 | UInt64(slot))
      }
    }
    worker.pairs.withUnsafeMutableBufferPointer {
      if let base = $0.baseAddress { DistanceKeys.sort(base, count: $0.count) }
    }
    worker.slots.removeAll(keepingCapacity: true)
    var visits: [(rank: Int, cell: Int, slots: Range<Int>)] = []
    for pair in worker.pairs {
      let cell = Int(pair >> 32)
      worker.slots.append(UInt32(pair & 0xffff))
      if visits.isEmpty || visits[visits.count - 1].cell != cell {
        visits.append((Int(pair >> 16 & 0xffff), cell, worker.slots.count - 1..<worker.slots.count))
      } else {
        visits[visits.count - 1].slots = visits[visits.count - 1].slots.lowerBound..<worker.slots.count
      }
    }
    visits.sort { ($0.rank, $0.cell) < ($1.rank, $1.cell) }
    worker.slots.withUnsafeBufferPointer { slots in
      guard let slots = slots.baseAddress else { return }
      for visit in visits {
        if context.token.isCancelled { return }
        index.seek(
          visit.cell, rows, slots: slots + visit.slots.lowerBound, count: visit.slots.count, into: worker.found)
      }
    }
    for (slot, position) in positions.enumerated() {
      if worker.found.nearest(slot).count <= k { seekEverywhere(slot, rows, worker) }
      let keys = worker.found.nearest(slot)
      Self.refine(keys, position: position, index)
      for i in 0..<keys.count {
        let row = index.order[DistanceKeys.index(keys[i])]
        keys[i] = DistanceKeys.key(DistanceKeys.distance(keys[i]), Int(row))
      }
      if let base = keys.baseAddress { DistanceKeys.sort(base, count: keys.count) }
      graph.write(Int(index.order[position]), keys, distance: distance)
    }
  }

  /// For a row whose cells are nearly empty.
  private func seekEverywhere(_ slot: Int, _ rows: SeekingRows<Float>, _ worker: Worker) {
    worker.found.forget(slot)
    for cell in 0..<index.cells {
      index.seek(cell, rows, slots: worker.found.everySlot + slot, count: 1, into: worker.found)
    }
  }

  /// The share of the sample's k nearest that were found; one that is as near as the farthest of them counts.
  private func recall(_ distances: [Float], _ distance: (Float) -> Float) -> Double {
    var right = 0
    for row in sample {
      guard let last = row.nearest.last else { continue }
      let limit = distance(DistanceKeys.distance(last))
      let first = Int(index.order[row.position]) * k
      right += distances[first..<first + k].count { $0 <= limit }
    }
    return Double(right) / Double(max(1, sample.count * k))
  }
}

extension CellIndex {
  /// The cell that a position lies in.
  func cell(of position: Int) -> Int {
    var low = 0
    var high = cells
    while high - low > 1 {
      let middle = (low + high) / 2
      if start[middle] <= position { low = middle } else { high = middle }
    }
    return low
  }
}
