import Geometry

/// The leaf loops that bring pixels into a buffer. All coordinates are device pixels; `target` is the pixel 0, 0.
struct Blitter {
  let target: UnsafeMutablePointer<UInt32>
  /// Pixels from one row to the next.
  let stride: Int

  /// Fills a rectangle with an opaque colour.
  func fill(_ rect: PixelRect, _ color: UInt32) {
    guard !rect.isEmpty else { return }
    for row in rect.y..<rect.maxY {
      (target + row * stride + rect.x).update(repeating: color, count: rect.width)
    }
  }

  /// Lays a colour of some opacity over a rectangle.
  func blend(_ rect: PixelRect, _ color: UInt32) {
    guard !rect.isEmpty else { return }
    if color >> 24 == 255 { return fill(rect, color) }
    for row in rect.y..<rect.maxY {
      let out = target + row * stride + rect.x
      for column in 0..<rect.width { out[column] = Self.over(color, out[column]) }
    }
  }

  /// Pixels of the same size: copied, or composed where they let something through.
  func copy(_ source: PixelSource, x: Int, y: Int, clip: PixelRect) {
    for row in clip.y..<clip.maxY {
      let out = target + row &* stride
      let line = source.pixels + (row &- y) &* source.width - x
      var column = clip.x
      let end = clip.maxX
      if source.isOpaque {
        // Most rows are short: a plain loop is faster than a call (rendering.md, "Fast loops").
        while column < end {
          out[column] = line[column]
          column &+= 1
        }
      } else {
        while column < end {
          out[column] = Self.over(line[column], out[column])
          column &+= 1
        }
      }
    }
  }

  /// Nearest pixels.
  func copyNearest(
    _ source: PixelSource, x: Int, y: Int, clip: PixelRect, columns: borrowing ScaleTable, rows: borrowing ScaleTable
  ) {
    columns.first.withUnsafeBufferPointer { columnIndex in
      rows.first.withUnsafeBufferPointer { rowIndex in
        guard let columnIndex = columnIndex.baseAddress, let rowIndex = rowIndex.baseAddress else { return }
        for row in clip.y..<clip.maxY {
          let out = target + row &* stride
          let line = source.pixels + Int(rowIndex[row &- y]) &* source.width
          let index = columnIndex - x
          var column = clip.x
          let end = clip.maxX
          if source.isOpaque {
            while column < end {
              out[column] = line[Int(index[column])]
              column &+= 1
            }
          } else {
            while column < end {
              out[column] = Self.over(line[Int(index[column])], out[column])
              column &+= 1
            }
          }
        }
      }
    }
  }

  /// Area averages or linear interpolation, whatever the tables hold.
  ///
  /// Each source row is scaled once into a ring of rows, whose pixels have 16 bits a channel; those rows are then
  /// weighed into target rows.
  /// - Parameters:
  ///   - x, y: where the tables' first pixels lie.
  ///   - clip: what is drawn; inside the tables' ranges.
  func copySmooth(
    _ source: PixelSource, x: Int, y: Int, clip: PixelRect, columns: borrowing ScaleTable,
    rows: borrowing ScaleTable, ring: inout [UInt64]
  ) {
    let width = clip.width
    let ringRows = rows.taps
    let (columnTaps, rowTaps) = (columns.taps, rows.taps)
    if ring.count < ringRows * width { ring = [UInt64](repeating: 0, count: ringRows * width) }
    let skippedColumns = clip.x - x
    ring.withUnsafeMutableBufferPointer { ring in
      columns.first.withUnsafeBufferPointer { columnFirst in
        columns.weights.withUnsafeBufferPointer { columnWeights in
          rows.first.withUnsafeBufferPointer { rowFirst in
            rows.weights.withUnsafeBufferPointer { rowWeights in
              withUnsafeTemporaryAllocation(of: Int.self, capacity: ringRows) { held in
                guard let ring = ring.baseAddress, let first = columnFirst.baseAddress,
                  let weights = columnWeights.baseAddress
                else { return }
                held.initialize(repeating: -1)
                for row in clip.y..<clip.maxY {
                  let start = Int(rowFirst[row - y])
                  for tap in 0..<rowTaps {
                    let line = start &+ tap
                    let place = line % ringRows
                    if held[place] == line { continue }
                    held[place] = line
                    Self.scaleRow(
                      source.pixels + line &* source.width, into: ring + place &* width, count: width,
                      first: first + skippedColumns, weights: weights + skippedColumns &* columnTaps,
                      taps: columnTaps)
                  }
                  weighRows(
                    ring: ring, width: width, ringRows: ringRows, start: start, taps: rowTaps,
                    weights: rowWeights.baseAddress! + (row - y) * rowTaps, isOpaque: source.isOpaque,
                    into: target + row * stride + clip.x)
                }
              }
            }
          }
        }
      }
    }
  }

  private static let lanes: UInt64 = 0x00FF_00FF_00FF_00FF
  private static let half: UInt64 = 0x0080_0080_0080_0080

  /// The four channels of a pixel in the four quarters of a word.
  @inline(__always)
  private static func spread(_ pixel: UInt32) -> UInt64 {
    let wide = UInt64(pixel)
    return (wide & 0x00FF_00FF) | ((wide & 0xFF00_FF00) << 24)
  }

  @inline(__always)
  private static func gathered(_ wide: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: wide & 0x00FF_00FF) | UInt32(truncatingIfNeeded: (wide >> 24) & 0xFF00_FF00)
  }

  @inline(__always)
  private static func scaleRow(
    _ line: UnsafePointer<UInt32>, into out: UnsafeMutablePointer<UInt64>, count: Int,
    first: UnsafePointer<Int32>, weights: UnsafePointer<UInt16>, taps: Int
  ) {
    switch taps {
    case 1:
      for index in 0..<count { out[index] = spread(line[Int(first[index])]) }
    case 2:
      for index in 0..<count {
        let from = line + Int(first[index])
        let weight = weights + 2 &* index
        let sum = spread(from[0]) &* UInt64(weight[0]) &+ spread(from[1]) &* UInt64(weight[1])
        out[index] = ((sum &+ half) >> 8) & lanes
      }
    case 3:
      for index in 0..<count {
        let from = line + Int(first[index])
        let weight = weights + 3 &* index
        let sum =
          spread(from[0]) &* UInt64(weight[0]) &+ spread(from[1]) &* UInt64(weight[1])
          &+ spread(from[2]) &* UInt64(weight[2])
        out[index] = ((sum &+ half) >> 8) & lanes
      }
    default:
      for index in 0..<count {
        let from = line + Int(first[index])
        let weight = weights + taps &* index
        var sum = half
        for tap in 0..<taps { sum &+= spread(from[tap]) &* UInt64(weight[tap]) }
        out[index] = (sum >> 8) & lanes
      }
    }
  }

  @inline(__always)
  private func weighRows(
    ring: UnsafePointer<UInt64>, width: Int, ringRows: Int, start: Int, taps: Int, weights: UnsafePointer<UInt16>,
    isOpaque: Bool, into out: UnsafeMutablePointer<UInt32>
  ) {
    @inline(__always)
    func put(_ index: Int, _ wide: UInt64) {
      let pixel = Self.gathered(wide)
      out[index] = isOpaque ? pixel : Self.over(pixel, out[index])
    }
    @inline(__always)
    func line(_ tap: Int) -> UnsafePointer<UInt64> { ring + ((start &+ tap) % ringRows) &* width }
    switch taps {
    case 1:
      let only = line(0)
      for index in 0..<width { put(index, only[index]) }
    case 2:
      let (one, two) = (line(0), line(1))
      let (first, second) = (UInt64(weights[0]), UInt64(weights[1]))
      for index in 0..<width {
        put(index, ((one[index] &* first &+ two[index] &* second &+ Self.half) >> 8) & Self.lanes)
      }
    case 3:
      let (one, two, three) = (line(0), line(1), line(2))
      let (first, second, third) = (UInt64(weights[0]), UInt64(weights[1]), UInt64(weights[2]))
      for index in 0..<width {
        let sum = one[index] &* first &+ two[index] &* second &+ three[index] &* third
        put(index, ((sum &+ Self.half) >> 8) & Self.lanes)
      }
    default:
      for index in 0..<width {
        var sum = Self.half
        for tap in 0..<taps { sum &+= line(tap)[index] &* UInt64(weights[tap]) }
        put(index, (sum >> 8) & Self.lanes)
      }
    }
  }

  /// Porter and Duff's over, premultiplied, with the division by 255 rounded exactly.
  @inline(__always)
  static func over(_ source: UInt32, _ below: UInt32) -> UInt32 {
    let alpha = source >> 24
    if alpha == 255 { return source }
    if alpha == 0 { return below }
    let rest = UInt64(255 &- alpha)
    var product = spread(below) &* rest &+ half
    product = ((product &+ ((product >> 8) & lanes)) >> 8) & lanes
    return source &+ gathered(product)
  }
}
