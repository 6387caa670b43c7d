/// How much each source sample of one axis contributes to each target sample.
///
/// Shrinking, a target sample is the average of the source interval it covers: samples inside weigh 1, those cut by its
/// ends the fraction that is covered, and the sum is scaled by target / source. Enlarging, it is the linear interpolation
/// of the two nearest sample centres.
struct AxisWeights {
  private(set) var starts: [Int] = []
  private(set) var counts: [Int] = []
  private(set) var offsets: [Int] = []
  private(set) var weights: [Float] = []
  let scale: Float

  init(source: Int, target: Int) {
    precondition(source > 0 && target > 0)
    starts.reserveCapacity(target)
    if target <= source {
      scale = Float(Double(target) / Double(source))
      for index in 0..<target {
        // In units of 1 / target of a source sample everything is an integer, so the weights are exact.
        let low = index * source
        let high = low + source
        let first = low / target
        let last = (high - 1) / target
        add(
          start: first,
          (first...last).map { sample in
            let overlap = min(high, (sample + 1) * target) - max(low, sample * target)
            return overlap == target ? 1 : Float(Double(overlap) / Double(target))
          })
      }
    } else {
      scale = 1
      for index in 0..<target {
        let center = (Double(index) + 0.5) * Double(source) / Double(target) - 0.5
        let position = min(max(center, 0), Double(source - 1))
        let first = min(Int(position), max(0, source - 2))
        let fraction = Float(position - Double(first))
        add(start: first, source == 1 ? [1] : [1 - fraction, fraction])
      }
    }
  }

  private mutating func add(start: Int, _ taps: [Float]) {
    starts.append(start)
    counts.append(taps.count)
    offsets.append(weights.count)
    weights += taps
  }
}

/// Resamples rows of four 8-bit channels (premultiplied ARGB32, or CMYK) as they arrive: columns are summed first, whole
/// rows at a time, and each finished sum is averaged along the row.
struct AreaAverager: ~Copyable {
  let sourceWidth, sourceHeight, width, height: Int
  private let horizontal, vertical: AxisWeights
  private let sums: UnsafeMutablePointer<Float>
  private let output: UnsafeMutablePointer<UInt32>
  /// Rows taken in, and target rows finished, by `push`.
  private(set) var rowsTaken = 0
  private var rowsFinished = 0

  /// `push` needs a target that is not higher than the source.
  init(sourceWidth: Int, sourceHeight: Int, width: Int, height: Int) {
    self.sourceWidth = sourceWidth
    self.sourceHeight = sourceHeight
    self.width = width
    self.height = height
    horizontal = AxisWeights(source: sourceWidth, target: width)
    vertical = AxisWeights(source: sourceHeight, target: height)
    sums = .allocate(capacity: sourceWidth * 4)
    sums.initialize(repeating: 0, count: sourceWidth * 4)
    output = .allocate(capacity: width * height)
    output.initialize(repeating: 0, count: width * height)
  }

  deinit {
    sums.deallocate()
    output.deallocate()
  }

  /// Takes the next row of the source, `sourceWidth` pixels.
  mutating func push(_ row: UnsafePointer<UInt32>) {
    while rowsFinished < height, rowsTaken >= vertical.starts[rowsFinished] {
      let tap = rowsTaken - vertical.starts[rowsFinished]
      add(row, weight: vertical.weights[vertical.offsets[rowsFinished] + tap])
      guard tap == vertical.counts[rowsFinished] - 1 else { break }
      finishRow()
    }
    rowsTaken += 1
  }

  /// Resamples a picture that is in memory, in any direction.
  mutating func resample(_ pixels: UnsafePointer<UInt32>) {
    for row in 0..<height {
      for tap in 0..<vertical.counts[row] {
        add(
          pixels + (vertical.starts[row] + tap) * sourceWidth, weight: vertical.weights[vertical.offsets[row] + tap])
      }
      finishRow()
    }
  }

  /// The target; rows whose source has not arrived are transparent, and one that was begun has the part that arrived.
  mutating func finished() -> [UInt32] {
    if rowsFinished < height { finishRow() }
    return Array(UnsafeBufferPointer(start: output, count: width * height))
  }

  private func add(_ row: UnsafePointer<UInt32>, weight: Float) {
    let count = sourceWidth * 4
    row.withMemoryRebound(to: UInt8.self, capacity: count) { bytes in
      if weight == 1 {
        for index in 0..<count { sums[index] += Float(bytes[index]) }
      } else {
        for index in 0..<count { sums[index] += Float(bytes[index]) * weight }
      }
    }
  }

  @inline(__always)
  private func byte(_ value: Float) -> UInt8 { UInt8(truncatingIfNeeded: Int32(min(value, 255))) }

  private mutating func finishRow() {
    let target = output + rowsFinished * width
    let scale = horizontal.scale * vertical.scale
    let sums = UnsafeRawPointer(sums)
    horizontal.weights.withUnsafeBufferPointer { weights in
      for x in 0..<width {
        let first = horizontal.starts[x]
        let offset = horizontal.offsets[x]
        var sum = SIMD4<Float>.zero
        for tap in 0..<horizontal.counts[x] {
          let sample = sums.loadUnaligned(fromByteOffset: (first + tap) * 16, as: SIMD4<Float>.self)
          sum += sample * weights[offset + tap]
        }
        // Lane by lane: the conversion of whole vectors is a slow generic path of the standard library.
        let rounded = sum * scale + 0.5
        let bytes = SIMD4<UInt8>(byte(rounded[0]), byte(rounded[1]), byte(rounded[2]), byte(rounded[3]))
        target[x] = unsafeBitCast(bytes, to: UInt32.self)
      }
    }
    self.sums.update(repeating: 0, count: sourceWidth * 4)
    rowsFinished += 1
  }
}

extension PixelImage {
  /// The picture at another size: each pixel the average of the area it covers, with exact fractional weights, in
  /// premultiplied space. Along a side that grows, linear interpolation instead.
  public func areaAveraged(width newWidth: Int, height newHeight: Int) -> PixelImage {
    precondition(newWidth > 0 && newHeight > 0)
    if newWidth == width && newHeight == height { return self }
    var averager = AreaAverager(sourceWidth: width, sourceHeight: height, width: newWidth, height: newHeight)
    pixels.withUnsafeBufferPointer { averager.resample($0.baseAddress!) }
    return PixelImage(width: newWidth, height: newHeight, pixels: averager.finished(), isOpaque: isOpaque)
  }
}

/// The size of a picture whose longest side is reduced to `longestSide`, in proportion, no side below one pixel; its own
/// size when that is not larger.
func fittedSize(width: Int, height: Int, longestSide: Int) -> (width: Int, height: Int) {
  let longest = max(width, height)
  guard longestSide > 0, longest > longestSide else { return (width, height) }
  func scaled(_ side: Int) -> Int { max(1, (2 * side * longestSide + longest) / (2 * longest)) }
  return (scaled(width), scaled(height))
}
