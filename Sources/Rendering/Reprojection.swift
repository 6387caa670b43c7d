import Geometry

extension PixelRect {
  /// What of this rectangle lies outside `kept`, which lies inside it: above, below, left and right of it.
  func strips(around kept: PixelRect) -> [PixelRect] {
    guard !kept.isEmpty else { return isEmpty ? [] : [self] }
    return [
      PixelRect(x: x, y: y, width: width, height: kept.y - y),
      PixelRect(x: x, y: kept.maxY, width: width, height: maxY - kept.maxY),
      PixelRect(x: x, y: kept.y, width: kept.x - x, height: kept.height),
      PixelRect(x: kept.maxX, y: kept.y, width: maxX - kept.maxX, height: kept.height),
    ].filter { !$0.isEmpty }
  }
}

/// Shows a finished picture of a map as another camera would see it, by nearest pixels: what is on the screen while a
/// better picture is being drawn.
///
/// Pictures do not grow as fast as the distances between them, so that this is a likeness and no more; it costs about a
/// tenth of drawing.
struct Reprojection {
  /// A column, or row, of the target comes from `source * factor + shift` of the other picture.
  private let factor: Double
  private let shiftX, shiftY: Double
  /// The part of the target that the other picture knows.
  let known: PixelRect

  /// From a picture at `source` device pixels a layout unit, whose layout origin is at pixel `sourceOffset`, to another.
  init(
    fromScale source: Double, offset sourceOffset: (x: Int, y: Int), toScale target: Double,
    offset targetOffset: (x: Int, y: Int), viewport: PixelRect
  ) {
    factor = source / target
    shiftX = Double(sourceOffset.x) - Double(targetOffset.x) * factor
    shiftY = Double(sourceOffset.y) - Double(targetOffset.y) * factor
    let factor = factor
    // The pixels whose middles come from inside the viewport.
    func range(_ low: Int, _ count: Int, _ shift: Double) -> Range<Int> {
      let first = ((Double(low) - shift) / factor - 0.5).rounded(.up)
      let end = ((Double(low + count) - shift) / factor - 0.5).rounded(.up)
      let clamped = (max(Double(low), min(Double(low + count), first)), max(Double(low), min(Double(low + count), end)))
      return Int(clamped.0)..<max(Int(clamped.0), Int(clamped.1))
    }
    let columns = range(viewport.x, viewport.width, shiftX)
    let rows = range(viewport.y, viewport.height, shiftY)
    let rect = PixelRect(x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count)
    known = rect.isEmpty ? .zero : rect
  }

  /// Draws the known part. Both buffers are addressed by the window's pixel 0, 0.
  func draw(
    from source: UnsafePointer<UInt32>, into target: UnsafeMutablePointer<UInt32>, stride: Int, viewport: PixelRect
  ) {
    guard !known.isEmpty else { return }
    func place(_ index: Int, _ shift: Double, _ low: Int, _ count: Int) -> Int {
      min(low + count - 1, max(low, Int(((Double(index) + 0.5) * factor + shift).rounded(.down))))
    }
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: known.width) { columns in
      for column in 0..<known.width {
        columns[column] = Int32(place(known.x + column, shiftX, viewport.x, viewport.width))
      }
      var previous = -1
      for row in known.y..<known.maxY {
        let line = place(row, shiftY, viewport.y, viewport.height)
        let out = target + row * stride + known.x
        if line == previous {
          out.update(from: target + (row - 1) * stride + known.x, count: known.width)
          continue
        }
        previous = line
        let from = source + line * stride
        for column in 0..<known.width { out[column] = from[Int(columns[column])] }
      }
    }
  }
}
