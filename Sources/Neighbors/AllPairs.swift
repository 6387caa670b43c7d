import Numerics
import Synchronization

/// So many candidates more than wanted survive the products' rounding and are measured again by differences; one more for
/// the row itself.
let spareCandidates = 9

/// The exact search: blocks of rows against tiles of columns, all of them. The same for every distance; what is computed
/// within a tile is the caller's.
struct AllPairs {
  let context: SearchContext
  /// Rows, which are the columns too.
  let count: Int
  let keep: Int
  let blockRows: Int
  let tileColumns: Int
  /// The share of all progress that is done before.
  let progressBefore: Double

  private let found: [FoundColumns]

  init(
    context: SearchContext, count: Int, keep: Int, blockRows: Int, tileColumns: Int, progressBefore: Double = 0
  ) {
    self.context = context
    self.count = count
    self.keep = keep
    // Small blocks where there are few rows, so that all threads have some.
    self.blockRows = max(8, min(blockRows, count / (4 * context.pool.threads)))
    self.tileColumns = tileColumns
    self.progressBefore = progressBefore
    let slots = self.blockRows
    found = (0..<context.pool.threads).map { _ in FoundColumns(slots: slots, keep: keep, columns: tileColumns) }
  }

  /// Searches.
  /// - Parameters:
  ///   - load: Gets a block of rows ready for the worker: row i of the block is slot i.
  ///   - seek: Adds what a tile of columns has for the first `rows` slots.
  ///   - finish: Takes the nearest of one row, in no order.
  func run(
    load: (_ block: Range<Int>, _ worker: Int) -> Void,
    seek: (_ tile: Range<Int>, _ rows: Int, _ found: FoundColumns, _ worker: Int) -> Void,
    finish: (_ row: Int, _ slot: Int, _ keys: UnsafeMutableBufferPointer<UInt64>, _ worker: Int) -> Void
  ) throws {
    if count > 2000 { estimate(load: load, seek: seek) }
    let finished = Atomic(0)
    let blocks = (count + blockRows - 1) / blockRows
    context.pool.run(over: count, pieces: blockRows) { block, _, worker in
      if context.token.isCancelled { return }
      let found = found[worker]
      found.reset()
      load(block, worker)
      for first in stride(from: 0, to: count, by: tileColumns) {
        if context.token.isCancelled { return }
        seek(first..<min(count, first + tileColumns), block.count, found, worker)
        found.narrow(found.everySlot, count: block.count)
      }
      for slot in 0..<block.count { finish(block.lowerBound + slot, slot, found.nearest(slot), worker) }
      let done = finished.add(1, ordering: .relaxed).newValue
      context.progress?(progressBefore + (0.95 - progressBefore) * Double(done) / Double(blocks))
    }
    try context.token.check()
  }

  /// Measures some tiles, and says how long all of them will take where that is long.
  private func estimate(
    load: (_ block: Range<Int>, _ worker: Int) -> Void,
    seek: (_ tile: Range<Int>, _ rows: Int, _ found: FoundColumns, _ worker: Int) -> Void
  ) {
    guard let announce = context.announce else { return }
    let rows = min(blockRows, count)
    load(0..<rows, 0)
    let begin = ContinuousClock.now
    var columns = 0
    var seconds = 0.0
    while columns < count, seconds < 0.1, !context.token.isCancelled {
      let tile = columns..<min(count, columns + tileColumns)
      seek(tile, rows, found[0], 0)
      found[0].narrow(found[0].everySlot, count: rows)
      columns = tile.upperBound
      seconds = (ContinuousClock.now - begin) / .seconds(1)
    }
    let pairs = Double(rows) * Double(max(1, columns))
    let total = seconds / pairs * Double(count) * Double(count) / Double(context.pool.threads)
    if total > 15 {
      announce(SearchSentences.longSearch(context.metric, count: count, seconds: total, subject: context.subject))
    }
  }
}
