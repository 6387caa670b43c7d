/// How the pixels of one axis of a picture make those of another length: for every target pixel the first source pixel that
/// takes part, and the weights of it and its successors.
///
/// Smaller targets take area averages (box filter with fractional weights), larger ones linear interpolation between
/// pixel centres; draft quality takes the nearest pixel. The weights of a target pixel are whole and sum to 256, so
/// that flat colours stay exactly what they are.
///
/// A view of memory that `ScaleTables` owns: valid until a table for the same source length is asked for.
struct ScaleTable {
  enum Filter { case nearest, smooth }

  var source = 0
  var target = 0
  var filter = Filter.nearest
  /// The target pixels that are described.
  var lower = 0
  var upper = 0
  /// Source pixels that take part in one target pixel; some may weigh nothing.
  var taps = 1
  /// By target pixel, counted from `lower`.
  var first: UnsafeMutablePointer<Int32>
  /// `taps` for each target pixel.
  var weights: UnsafeMutablePointer<UInt16>
  var firstCapacity = 0
  var weightCapacity = 0

  static let fullWeight = 256

  fileprivate mutating func build() {
    if filter == .nearest || source == target || source == 1 {
      reserve(taps: 1)
      for index in lower..<upper {
        first[index - lower] = Int32((2 * index + 1) * source / (2 * target))
        weights[index - lower] = UInt16(Self.fullWeight)
      }
    } else if target < source {
      buildAverages()
    } else {
      buildInterpolation()
    }
  }

  private mutating func buildAverages() {
    let step = Double(source) / Double(target)
    reserve(taps: min(source, Int(step.rounded(.up)) + 1))
    for index in lower..<upper {
      let low = Double(index) * step
      let high = Double(index + 1) * step
      let start = min(Int(low), source - taps)
      first[index - lower] = Int32(start)
      // Rounding the running sum, and not each weight, keeps the total exact.
      var given = 0
      for tap in 0..<taps {
        let edge = min(high, max(low, Double(start + tap + 1)))
        let sum = tap == taps - 1 ? Self.fullWeight : Int(((edge - low) / step * 256).rounded())
        weights[(index - lower) * taps + tap] = UInt16(sum - given)
        given = sum
      }
    }
  }

  private mutating func buildInterpolation() {
    reserve(taps: 2)
    let step = Double(source) / Double(target)
    for index in lower..<upper {
      let place = min(Double(source - 1), max(0, (Double(index) + 0.5) * step - 0.5))
      let start = min(Int(place), source - 2)
      let share = Int(((place - Double(start)) * 256).rounded())
      first[index - lower] = Int32(start)
      weights[2 * (index - lower)] = UInt16(Self.fullWeight - share)
      weights[2 * (index - lower) + 1] = UInt16(share)
    }
  }

  private mutating func reserve(taps: Int) {
    self.taps = taps
    let count = upper - lower
    if firstCapacity < count {
      first.deallocate()
      first = .allocate(capacity: count)
      firstCapacity = count
    }
    if weightCapacity < count * taps {
      weights.deallocate()
      weights = .allocate(capacity: count * taps)
      weightCapacity = count * taps
    }
  }
}

/// The tables of a frame, and the scratch memory of scaling: nearly all sprites share a few tables, one for each length that
/// their sources have. Used by one renderer at a time.
final class ScaleTables {
  enum Axis: Int { case columns, rows }

  /// Sources longer than the largest thumbnail share the last entry.
  private static let entries = 130
  private let tables: UnsafeMutablePointer<ScaleTable>
  private var scratch: UnsafeMutablePointer<SIMD4<UInt16>>
  private var scratchCapacity = 0

  init() {
    tables = .allocate(capacity: 2 * Self.entries)
    for index in 0..<2 * Self.entries {
      (tables + index).initialize(to: ScaleTable(first: .allocate(capacity: 0), weights: .allocate(capacity: 0)))
    }
    scratch = .allocate(capacity: 0)
  }

  deinit {
    for index in 0..<2 * Self.entries {
      tables[index].first.deallocate()
      tables[index].weights.deallocate()
    }
    tables.deallocate()
    scratch.deallocate()
  }

  /// The table for target pixels `lower ..< upper` of an axis.
  @inline(__always)
  func table(
    _ axis: Axis, source: Int, target: Int, lower: Int, upper: Int, filter: ScaleTable.Filter
  ) -> ScaleTable {
    let entry = tables + (axis.rawValue &* Self.entries &+ min(Self.entries &- 1, source))
    if entry.pointee.source != source || entry.pointee.target != target || entry.pointee.filter != filter
      || entry.pointee.lower != lower || entry.pointee.upper != upper
    {
      rebuild(entry, source: source, target: target, lower: lower, upper: upper, filter: filter)
    }
    return entry.pointee
  }

  @inline(never)
  private func rebuild(
    _ entry: UnsafeMutablePointer<ScaleTable>, source: Int, target: Int, lower: Int, upper: Int,
    filter: ScaleTable.Filter
  ) {
    precondition(source > 0 && target > 0 && lower >= 0 && lower <= upper && upper <= target)
    entry.pointee.source = source
    entry.pointee.target = target
    entry.pointee.lower = lower
    entry.pointee.upper = upper
    entry.pointee.filter = filter
    entry.pointee.build()
  }

  /// Memory for `count` wide pixels, until the next call.
  @inline(__always)
  func memory(_ count: Int) -> UnsafeMutablePointer<SIMD4<UInt16>> {
    if count > scratchCapacity {
      scratch.deallocate()
      scratch = .allocate(capacity: count)
      scratchCapacity = count
    }
    return scratch
  }
}
