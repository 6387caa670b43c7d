/// How the pixels of one axis of a picture make those of another length: for every target pixel the first source pixel that
/// takes part, and the weights of it and its successors.
///
/// Smaller targets take area averages (box filter with fractional weights), larger ones linear interpolation between
/// pixel centres; draft quality takes the nearest pixel. The weights of a target pixel are whole and sum to 256, so
/// that flat colours stay exactly what they are.
struct ScaleTable {
  enum Filter { case nearest, smooth }

  private(set) var source = 0
  private(set) var target = 0
  private(set) var filter = Filter.nearest
  /// The target pixels that are described.
  private(set) var range = 0..<0
  /// Source pixels that take part in one target pixel; some may weigh nothing.
  private(set) var taps = 1
  /// By target pixel, counted from `range.lowerBound`.
  private(set) var first: [Int32] = []
  /// `taps` for each target pixel.
  private(set) var weights: [UInt16] = []

  static let fullWeight = 256

  /// Describes another scaling, unless it is this one already.
  @inline(__always)
  mutating func prepare(source: Int, target: Int, range: Range<Int>, filter: Filter) {
    if source == self.source, target == self.target, filter == self.filter, range == self.range { return }
    build(source: source, target: target, range: range, filter: filter)
  }

  private mutating func build(source: Int, target: Int, range: Range<Int>, filter: Filter) {
    self.source = source
    self.target = target
    self.filter = filter
    self.range = range
    first.removeAll(keepingCapacity: true)
    weights.removeAll(keepingCapacity: true)
    if filter == .nearest || source == target || source == 1 {
      taps = 1
      for index in range {
        first.append(Int32((2 * index + 1) * source / (2 * target)))
        weights.append(UInt16(Self.fullWeight))
      }
    } else if target < source {
      buildAverages()
    } else {
      buildInterpolation()
    }
  }

  private mutating func buildAverages() {
    let step = Double(source) / Double(target)
    taps = min(source, Int(step.rounded(.up)) + 1)
    for index in range {
      let low = Double(index) * step
      let high = Double(index + 1) * step
      let start = min(Int(low), source - taps)
      first.append(Int32(start))
      // Rounding the running sum, and not each weight, keeps the total exact.
      var given = 0
      for tap in 0..<taps {
        let edge = min(high, max(low, Double(start + tap + 1)))
        let sum = tap == taps - 1 ? Self.fullWeight : Int(((edge - low) / step * 256).rounded())
        weights.append(UInt16(sum - given))
        given = sum
      }
    }
  }

  private mutating func buildInterpolation() {
    taps = 2
    let step = Double(source) / Double(target)
    for index in range {
      let place = min(Double(source - 1), max(0, (Double(index) + 0.5) * step - 0.5))
      let start = min(Int(place), source - 2)
      let share = Int(((place - Double(start)) * 256).rounded())
      first.append(Int32(start))
      weights.append(UInt16(Self.fullWeight - share))
      weights.append(UInt16(share))
    }
  }
}

/// The tables of the sprites of a frame: nearly all of them share a few.
struct ScaleTables {
  private var columns = [ScaleTable](repeating: ScaleTable(), count: 257)
  private var rows = [ScaleTable](repeating: ScaleTable(), count: 257)

  /// Runs `body` with the two tables of a picture. Sources beyond the thumbnails' size share one entry.
  @inline(__always)
  mutating func with<Result>(
    source: (width: Int, height: Int), target: (width: Int, height: Int), filter: ScaleTable.Filter,
    _ body: (borrowing ScaleTable, borrowing ScaleTable) -> Result
  ) -> Result {
    let column = min(256, source.width)
    let row = min(256, source.height)
    columns[column].prepare(source: source.width, target: target.width, range: 0..<target.width, filter: filter)
    rows[row].prepare(source: source.height, target: target.height, range: 0..<target.height, filter: filter)
    return body(columns[column], rows[row])
  }
}
