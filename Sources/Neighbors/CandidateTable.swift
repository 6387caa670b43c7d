import CKernels

/// The nearest found so far for each row of a block, one block a worker. A candidate is one 64-bit number, distance above
/// index, so that equal distances go by index.
// @unchecked: each worker touches only its own rows.
final class CandidateTable: @unchecked Sendable {
  private let rows: Int
  private let keep: Int
  private let stride: Int
  private let keys: UnsafeMutablePointer<UInt64>
  private let counts: UnsafeMutablePointer<Int>
  private let thresholds: UnsafeMutablePointer<Float>

  /// Keeps `keep` a row; a call of `add` may bring up to `room`.
  init(rows: Int, keep: Int, room: Int, workers: Int) {
    self.rows = rows
    self.keep = keep
    stride = 2 * keep + room
    keys = .allocate(capacity: rows * stride * workers)
    counts = .allocate(capacity: rows * workers)
    thresholds = .allocate(capacity: rows * workers)
    counts.initialize(repeating: 0, count: rows * workers)
    thresholds.initialize(repeating: .infinity, count: rows * workers)
  }

  deinit {
    keys.deallocate()
    counts.deallocate()
    thresholds.deallocate()
  }

  /// Forgets everything about the worker's block.
  func reset(_ worker: Int) {
    for slot in worker * rows..<(worker + 1) * rows {
      counts[slot] = 0
      thresholds[slot] = .infinity
    }
  }

  /// `find(threshold, place)` writes the keys of distances below the threshold and returns how many.
  func add(_ worker: Int, _ row: Int, _ find: (Float, UnsafeMutablePointer<UInt64>) -> Int) {
    let slot = worker * rows + row
    let base = keys + slot * stride
    counts[slot] += find(thresholds[slot], base + counts[slot])
    if counts[slot] >= 2 * keep { shrink(slot) }
  }

  /// Measures the survivors again and sorts them.
  func finish(_ worker: Int, _ row: Int, _ measure: (Int) -> Float) {
    let slot = worker * rows + row
    shrink(slot)
    let base = keys + slot * stride
    for i in 0..<counts[slot] {
      let index = base[i] & 0xffff_ffff
      base[i] = UInt64(measure(Int(index)).bitPattern) << 32 | index
    }
    ck_sort_keys(base, counts[slot])
  }

  /// Sorts the survivors, whose distances are exact already.
  func finishAsFound(_ worker: Int, _ row: Int) {
    let slot = worker * rows + row
    shrink(slot)
    ck_sort_keys(keys + slot * stride, counts[slot])
  }

  /// Hands out the `count` nearest, ascending.
  func copy(_ worker: Int, _ row: Int, count: Int, _ body: (_ place: Int, _ index: Int, _ distance: Float) -> Void) {
    let slot = worker * rows + row
    let base = keys + slot * stride
    precondition(counts[slot] >= count, "fewer neighbours than rows")
    for i in 0..<count {
      body(i, Int(base[i] & 0xffff_ffff), Float(bitPattern: UInt32(base[i] >> 32)))
    }
  }

  private func shrink(_ slot: Int) {
    guard counts[slot] > keep else { return }
    let base = keys + slot * stride
    ck_select_smallest(base, counts[slot], keep)
    counts[slot] = keep
    var last: UInt64 = 0
    for i in 0..<keep { last = max(last, base[i]) }
    thresholds[slot] = Float(bitPattern: UInt32(last >> 32))
  }
}
