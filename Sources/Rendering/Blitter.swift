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

  /// Brings what a rectangle holds nearer to an opaque colour: `share` of 256 is kept.
  func fade(_ rect: PixelRect, towards color: UInt32, keeping share: UInt32) {
    guard !rect.isEmpty else { return }
    // Two channels in one product: each has 8 bits of its own above it. The colour itself stays what it is.
    let mask: UInt32 = 0x00FF_00FF
    let even = (color & mask) &* (256 &- share)
    let odd = (color >> 8 & mask) &* (256 &- share)
    for row in rect.y..<rect.maxY {
      let out = target + (row &* stride &+ rect.x)
      var column = 0
      while column < rect.width {
        let pixel = out[column]
        let first = ((pixel & mask) &* share &+ even) >> 8 & mask
        let second = ((pixel >> 8 & mask) &* share &+ odd) & ~mask
        out[column] = first | second
        column &+= 1
      }
    }
  }

  /// Fills a rectangle with opaque pixels between those of two others of the same layout: `share` of 256 of the second.
  func mix(_ rect: PixelRect, _ one: UnsafePointer<UInt32>, _ other: UnsafePointer<UInt32>, stride: Int, share: UInt32)
  {
    let mask: UInt32 = 0x00FF_00FF
    for row in rect.y..<rect.maxY {
      let out = target + (row &* self.stride &+ rect.x)
      let (from, to) = (one + (row &* stride &+ rect.x), other + (row &* stride &+ rect.x))
      var column = 0
      while column < rect.width {
        let (a, b) = (from[column], to[column])
        let even = ((a & mask) &* (256 &- share) &+ (b & mask) &* share) >> 8 & mask
        let odd = ((a >> 8 & mask) &* (256 &- share) &+ (b >> 8 & mask) &* share) & ~mask
        out[column] = even | odd
        column &+= 1
      }
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
  @inline(__always)
  func copyNearest(_ source: PixelSource, x: Int, y: Int, clip: PixelRect, columns: ScaleTable, rows: ScaleTable) {
    let index = columns.first + (clip.x &- x)
    let width = clip.width
    for row in clip.y..<clip.maxY {
      let out = target + (row &* stride &+ clip.x)
      let line = source.pixels + Int(rows.first[row &- y]) &* source.width
      var column = 0
      if source.isOpaque {
        while column < width {
          out[column] = line[Int(index[column])]
          column &+= 1
        }
      } else {
        while column < width {
          out[column] = Self.over(line[Int(index[column])], out[column])
          column &+= 1
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
  @inline(__always)
  func copySmooth(
    _ source: PixelSource, x: Int, y: Int, clip: PixelRect, columns: ScaleTable, rows: ScaleTable, memory: ScaleTables
  ) {
    let width = clip.width
    let columnTaps = columns.taps
    let rowTaps = rows.taps
    // A power of two of rows, so that a row's place is found by masking.
    let mask = (1 << (Int.bitWidth - (rowTaps - 1).leadingZeroBitCount)) - 1
    let ring = memory.memory((mask + 1) &* width)
    let first = columns.first + (clip.x &- x)
    let weights = columns.weights + (clip.x &- x) &* columnTaps
    var nextLine = Int(rows.first[clip.y &- y])
    for row in clip.y..<clip.maxY {
      let start = Int(rows.first[row &- y])
      nextLine = max(nextLine, start)
      while nextLine < start &+ rowTaps {
        Self.scaleRow(
          source.pixels + nextLine &* source.width, into: ring + (nextLine & mask) &* width, count: width,
          first: first, weights: weights, taps: columnTaps)
        nextLine &+= 1
      }
      Self.weighRows(
        ring, width: width, mask: mask, start: start, taps: rowTaps, weights: rows.weights + (row &- y) &* rowTaps,
        isOpaque: source.isOpaque, into: target + (row &* stride &+ clip.x))
    }
  }

  /// A pixel with 16 bits a channel.
  private typealias Wide = SIMD4<UInt16>

  @inline(__always)
  private static func wide(_ pixel: UInt32) -> Wide {
    Wide(truncatingIfNeeded: unsafeBitCast(pixel, to: SIMD4<UInt8>.self))
  }

  @inline(__always)
  private static func narrow(_ pixel: Wide) -> UInt32 {
    unsafeBitCast(SIMD4<UInt8>(truncatingIfNeeded: pixel), to: UInt32.self)
  }

  /// Sums of 256 × 255 fit into 16 bits, with half of 256 to spare for rounding.
  private static let half = Wide(repeating: 128)

  @inline(__always)
  private static func scaleRow(
    _ line: UnsafePointer<UInt32>, into out: UnsafeMutablePointer<Wide>, count: Int, first: UnsafePointer<Int32>,
    weights: UnsafePointer<UInt16>, taps: Int
  ) {
    var weight = weights
    var index = 0
    switch taps {
    case 1:
      while index < count {
        out[index] = wide(line[Int(first[index])])
        index &+= 1
      }
    case 2:
      while index < count {
        let from = line + Int(first[index])
        out[index] = (wide(from[0]) &* weight[0] &+ wide(from[1]) &* weight[1] &+ half) &>> 8
        weight += 2
        index &+= 1
      }
    case 3:
      while index < count {
        let from = line + Int(first[index])
        let sum = wide(from[0]) &* weight[0] &+ wide(from[1]) &* weight[1] &+ wide(from[2]) &* weight[2]
        out[index] = (sum &+ half) &>> 8
        weight += 3
        index &+= 1
      }
    default:
      while index < count {
        let from = line + Int(first[index])
        var sum = half
        for tap in 0..<taps { sum &+= wide(from[tap]) &* weight[tap] }
        out[index] = sum &>> 8
        weight += taps
        index &+= 1
      }
    }
  }

  @inline(__always)
  private static func weighRows(
    _ ring: UnsafePointer<Wide>, width: Int, mask: Int, start: Int, taps: Int, weights: UnsafePointer<UInt16>,
    isOpaque: Bool, into out: UnsafeMutablePointer<UInt32>
  ) {
    let one = ring + (start & mask) &* width
    var index = 0
    switch taps {
    case 1:
      while index < width {
        put(one[index], out + index, isOpaque)
        index &+= 1
      }
    case 2:
      let two = ring + ((start &+ 1) & mask) &* width
      let (first, second) = (weights[0], weights[1])
      while index < width {
        put((one[index] &* first &+ two[index] &* second &+ half) &>> 8, out + index, isOpaque)
        index &+= 1
      }
    case 3:
      let two = ring + ((start &+ 1) & mask) &* width
      let three = ring + ((start &+ 2) & mask) &* width
      let (first, second, third) = (weights[0], weights[1], weights[2])
      while index < width {
        let sum = one[index] &* first &+ two[index] &* second &+ three[index] &* third
        put((sum &+ half) &>> 8, out + index, isOpaque)
        index &+= 1
      }
    default:
      while index < width {
        var sum = half
        for tap in 0..<taps { sum &+= ring[((start &+ tap) & mask) &* width &+ index] &* weights[tap] }
        put(sum &>> 8, out + index, isOpaque)
        index &+= 1
      }
    }
  }

  @inline(__always)
  private static func put(_ pixel: Wide, _ out: UnsafeMutablePointer<UInt32>, _ isOpaque: Bool) {
    out.pointee = isOpaque ? narrow(pixel) : over(narrow(pixel), out.pointee)
  }

  /// Porter and Duff's over, premultiplied, with the division by 255 rounded exactly.
  @inline(__always)
  static func over(_ source: UInt32, _ below: UInt32) -> UInt32 {
    let alpha = source >> 24
    if alpha == 255 { return source }
    if alpha == 0 { return below }
    let product = wide(below) &* UInt16(truncatingIfNeeded: 255 &- alpha) &+ half
    return source &+ narrow((product &+ (product &>> 8)) &>> 8)
  }
}
