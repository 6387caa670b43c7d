import CKernels

/// Distances that are computed for whole tiles of rows and columns.
package enum TileMeasure: Sendable, Equatable {
  /// Of the euclidean distance, by products: good to about 1e-7 of the rows' squared lengths.
  case squaredEuclidean
  case manhattan
  case chebyshev
  case canberra
  case brayCurtis
  /// The share of columns that differ.
  case hamming
  /// The p-th root of the sum of p-th powers.
  case minkowski(p: Float)

  fileprivate var cMeasure: ck_measure {
    switch self {
    case .squaredEuclidean: CK_SQUARED
    case .manhattan: CK_MANHATTAN
    case .chebyshev: CK_CHEBYSHEV
    case .canberra: CK_CANBERRA
    case .brayCurtis: CK_BRAYCURTIS
    case .hamming: CK_HAMMING
    case .minkowski: CK_POWER
    }
  }

  fileprivate var parameter: Float { if case .minkowski(let p) = self { p } else { 0 } }
}

/// Distances of rows of bits.
package enum BitMeasure: Sendable {
  case dice, jaccard, kulsinski, matching, rogersTanimoto, russellRao, sokalSneath, yule

  fileprivate var cMeasure: ck_boolean {
    switch self {
    case .dice: CK_DICE
    case .jaccard: CK_JACCARD
    case .kulsinski: CK_KULSINSKI
    case .matching: CK_MATCHING
    case .rogersTanimoto: CK_ROGERSTANIMOTO
    case .russellRao: CK_RUSSELLRAO
    case .sokalSneath: CK_SOKALSNEATH
    case .yule: CK_YULE
    }
  }
}

/// What rows in search of near columns have found: for each row (“slot”) a list of keys, distance above column, and the
/// distance that a column must stay below. One of these a worker.
// @unchecked: each worker touches only its own.
package final class FoundColumns: @unchecked Sendable {
  /// Keys that are kept of each slot.
  package let keep: Int
  private let slots: Int
  private let room: Int
  private let keys: UnsafeMutablePointer<UInt64>
  private let counts: UnsafeMutablePointer<UInt32>
  private let thresholds: UnsafeMutablePointer<Float>
  /// 0, 1, 2, ...: all slots in order.
  package let everySlot: UnsafeMutablePointer<UInt32>

  /// Room for `slots` rows, of which each keeps the `keep` nearest and is shown up to `columns` between two calls of
  /// `narrow`.
  package init(slots: Int, keep: Int, columns: Int) {
    self.slots = slots
    self.keep = keep
    room = 2 * keep + columns + 16
    keys = .allocate(capacity: slots * room)
    counts = .allocate(capacity: slots)
    thresholds = .allocate(capacity: slots)
    everySlot = .allocate(capacity: slots)
    for slot in 0..<slots { everySlot[slot] = UInt32(slot) }
    reset()
  }

  deinit {
    keys.deallocate()
    counts.deallocate()
    thresholds.deallocate()
    everySlot.deallocate()
  }

  /// Forgets everything.
  package func reset() {
    counts.update(repeating: 0, count: slots)
    thresholds.update(repeating: .infinity, count: slots)
  }

  /// Forgets what one slot has found.
  package func forget(_ slot: Int) {
    counts[slot] = 0
    thresholds[slot] = .infinity
  }

  /// Reduces each of these slots to its nearest when it has collected many.
  package func narrow(_ chosen: UnsafePointer<UInt32>, count: Int) {
    for i in 0..<count where counts[Int(chosen[i])] >= 2 * keep { reduce(Int(chosen[i])) }
  }

  /// The nearest of a slot, at most `keep`, in no order.
  package func nearest(_ slot: Int) -> UnsafeMutableBufferPointer<UInt64> {
    reduce(slot)
    return UnsafeMutableBufferPointer(start: keys + slot * room, count: Int(counts[slot]))
  }

  private func reduce(_ slot: Int) {
    let count = Int(counts[slot])
    guard count > keep else { return }
    let base = keys + slot * room
    DistanceKeys.selectSmallest(keep, of: base, count: count)
    counts[slot] = UInt32(keep)
    var last: UInt64 = 0
    for i in 0..<keep { last = max(last, base[i]) }
    thresholds[slot] = DistanceKeys.distance(last)
  }

  fileprivate func seekers(
    values: UnsafePointer<Float>?, bits: UnsafePointer<UInt64>?, stride: Int, terms: UnsafePointer<Float>
  ) -> ck_seekers {
    ck_seekers(
      values: values, bits: bits, stride: stride, terms: terms, thresholds: thresholds, found: keys, room: room,
      counts: counts)
  }
}

/// Rows that seek, one a slot: numbers or bits from `slot * stride` on.
package struct SeekingRows<Element> {
  package var values: UnsafePointer<Element>
  package var stride: Int
  /// Squared lengths, or numbers of ones, by slot.
  package var terms: UnsafePointer<Float>

  package init(values: UnsafePointer<Element>, stride: Int, terms: UnsafePointer<Float>) {
    (self.values, self.stride, self.terms) = (values, stride, terms)
  }
}

extension SIMDKernels {
  /// Columns of a tile of floats.
  package var panelColumns: Int { 2 * lanes }

  /// Adds to `found` what lies in panels one after another, `terms` with them, columns numbered from `firstColumn`.
  package func seek(
    _ measure: TileMeasure, _ rows: SeekingRows<Float>, slots: UnsafePointer<UInt32>, count: Int,
    panels: UnsafePointer<Float>, panelCount: Int, depth: Int, terms: UnsafePointer<Float>, firstColumn: Int,
    into found: FoundColumns
  ) {
    let seek = table.pointee.seek!
    withUnsafePointer(
      to: found.seekers(values: rows.values, bits: nil, stride: rows.stride, terms: rows.terms)
    ) { seekers in
      for panel in 0..<panelCount {
        seek(
          measure.cMeasure, measure.parameter, seekers, slots, count, panels + panel * depth * panelColumns, depth,
          terms + panel * panelColumns, UInt32(firstColumn + panel * panelColumns))
      }
    }
  }

  /// The same for bits.
  package func seek(
    _ measure: BitMeasure, columns: Int, _ rows: SeekingRows<UInt64>, slots: UnsafePointer<UInt32>, count: Int,
    panels: UnsafePointer<UInt64>, panelCount: Int, words: Int, terms: UnsafePointer<Float>, firstColumn: Int,
    into found: FoundColumns
  ) {
    let seek = table.pointee.seek_bits!
    withUnsafePointer(
      to: found.seekers(values: nil, bits: rows.values, stride: rows.stride, terms: rows.terms)
    ) { seekers in
      for panel in 0..<panelCount {
        seek(
          measure.cMeasure, columns, seekers, slots, count, panels + panel * words * panelColumns, words,
          terms + panel * panelColumns, UInt32(firstColumn + panel * panelColumns))
      }
    }
  }
}

/// Numbers that hold a distance above an index: they order by distance, equal distances by index.
package enum DistanceKeys {
  /// Puts one together.
  package static func key(_ distance: Float, _ index: Int) -> UInt64 {
    UInt64(distance.bitPattern) << 32 | UInt64(UInt32(truncatingIfNeeded: index))
  }

  /// The distance in a key.
  package static func distance(_ key: UInt64) -> Float { Float(bitPattern: UInt32(key >> 32)) }

  /// The index in a key.
  package static func index(_ key: UInt64) -> Int { Int(key & 0xffff_ffff) }

  /// Brings the `keep` smallest of `count` to the front, unordered.
  package static func selectSmallest(_ keep: Int, of keys: UnsafeMutablePointer<UInt64>, count: Int) {
    ck_select_smallest(keys, count, keep)
  }

  /// Sorts, ascending.
  package static func sort(_ keys: UnsafeMutablePointer<UInt64>, count: Int) { ck_sort_keys(keys, count) }
}
