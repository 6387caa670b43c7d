public import Geometry

/// Draws one picture at full size: scaled into a rectangle of which only the part inside a clip is computed.
public struct OriginalRenderer {
  private let tables = ScaleTables()
  /// What pictures drawn since the last `takeMissing` were drawn without.
  private var missing: [OriginalPyramid.Part] = []

  /// What is seen through transparent pixels.
  public enum Backdrop: Sendable, Hashable {
    /// One opaque colour (ARGB).
    case color(UInt32)
    /// Squares of two opaque colours, of `side` device pixels.
    case checkerboard(UInt32, UInt32, side: Int)
    /// What the buffer holds.
    case none
  }

  /// A renderer without memory of anything.
  public init() {}

  /// Device pixels per image pixel from which on single pixels are shown as squares, for they are what is looked for.
  public static let squarePixelScale = 4.0

  /// Draws a picture.
  /// - Parameters:
  ///   - source: any size; when much larger than `rect`, a level of an `OriginalPyramid` is far cheaper.
  ///   - rect: where the whole picture lies, in device pixels of the window; may reach far beyond the clip. Its edges are
  ///     rounded to whole pixels, so that at 100 % every pixel is copied.
  ///   - pixelScale: device pixels per pixel of the original, which `source` may be a reduction of.
  ///   - into: the window's pixel 0, 0.
  ///   - stride: pixels from one row to the next.
  ///   - clip: what may be touched.
  /// - Returns: the pixels that were drawn.
  @discardableResult
  public mutating func render(
    _ source: PixelSource, in rect: Rect, pixelScale: Double, backdrop: Backdrop,
    into pixels: UnsafeMutablePointer<UInt32>, stride: Int, clip: PixelRect
  ) -> PixelRect {
    guard let whole = Self.snapped(rect) else { return .zero }
    let visible = whole.intersection(clip)
    guard !visible.isEmpty else { return .zero }
    let blitter = Blitter(target: pixels, stride: stride)
    if !source.isOpaque { draw(backdrop, of: whole, visible, blitter) }
    if whole.width == source.width, whole.height == source.height {
      blitter.copy(source, x: whole.x, y: whole.y, clip: visible)
      return visible
    }
    let filter: ScaleTable.Filter = pixelScale >= Self.squarePixelScale ? .nearest : .smooth
    let columns = tables.table(
      .columns, source: source.width, target: whole.width, lower: visible.x - whole.x, upper: visible.maxX - whole.x,
      filter: filter)
    let rows = tables.table(
      .rows, source: source.height, target: whole.height, lower: visible.y - whole.y, upper: visible.maxY - whole.y,
      filter: filter)
    if filter == .nearest {
      blitter.copyNearest(source, x: visible.x, y: visible.y, clip: visible, columns: columns, rows: rows)
    } else {
      blitter.copySmooth(
        source, x: visible.x, y: visible.y, clip: visible, columns: columns, rows: rows, memory: tables)
    }
    return visible
  }

  /// The parts of originals that the pictures drawn since the last call need, or are about to, and that were not in memory:
  /// a smaller level was shown in their place. To be loaded on a background queue; then draw again.
  public mutating func takeMissing() -> [OriginalPyramid.Part] {
    defer { missing = [] }
    return missing
  }

  /// Draws an original from the level that suits the size.
  @discardableResult
  public mutating func render(
    _ pyramid: OriginalPyramid, in rect: Rect, backdrop: Backdrop, into pixels: UnsafeMutablePointer<UInt32>,
    stride: Int, clip: PixelRect
  ) -> PixelRect {
    render(pyramid, turned: .none, in: rect, backdrop: backdrop, into: pixels, stride: stride, clip: clip)
  }

  /// Draws an original as it is stored, from the level that suits the size where that is in memory, and from a smaller one
  /// elsewhere.
  mutating func renderStored(
    _ pyramid: OriginalPyramid, in rect: Rect, backdrop: Backdrop, into pixels: UnsafeMutablePointer<UInt32>,
    stride: Int, clip: PixelRect
  ) -> PixelRect {
    guard let whole = Self.snapped(rect) else { return .zero }
    let visible = whole.intersection(clip)
    guard !visible.isEmpty else { return .zero }
    let pixelScale = rect.width / Double(pyramid.levels[0].width)
    func draw(_ level: Int, _ clip: PixelRect) {
      pyramid.withLevel(level) { source in
        _ = render(
          source, in: rect, pixelScale: pixelScale, backdrop: backdrop, into: pixels, stride: stride, clip: clip)
      }
    }
    let wanted = pyramid.level(minimumWidth: Int(rect.width.rounded(.up)))
    let part = PyramidPart(level: pyramid.levels[wanted], whole: whole)
    let needed = part.source(of: visible)
    guard let loaded = pyramid.loadedParts(of: wanted, meeting: part.around(needed, share: 0.25)) else {
      draw(wanted, visible)
      return visible
    }
    if !loaded.contains(part.around(needed, share: 0.25)) {
      missing.append(OriginalPyramid.Part(pyramid: pyramid, level: wanted, rect: part.around(needed, share: 0.5)))
    }
    if loaded.contains(where: { $0.intersection(needed) == needed }) {
      draw(wanted, visible)
      return visible
    }
    let coarse = pyramid.levels.indices.dropFirst(wanted + 1).first { index in
      let part = PyramidPart(level: pyramid.levels[index], whole: whole)
      let needed = part.source(of: visible)
      return pyramid.loadedParts(of: index, meeting: needed)?.contains(needed) ?? true
    }
    draw(coarse ?? pyramid.levels.count - 1, visible)
    // What is there of the better level goes on top, where that makes nothing denser than it is.
    guard pyramid.isOpaque || backdrop != .none else { return visible }
    for rect in loaded {
      let sharp = part.target(of: rect).intersection(visible)
      if !sharp.isEmpty { draw(wanted, sharp) }
    }
    return visible
  }

  static func snapped(_ rect: Rect) -> PixelRect? {
    let limit = 1e8
    guard rect.minX > -limit, rect.minY > -limit, rect.maxX < limit, rect.maxY < limit else { return nil }
    let left = Int(rect.minX.rounded())
    let top = Int(rect.minY.rounded())
    // The extent is rounded by itself: a picture at 100 % keeps its size wherever it lies.
    return PixelRect(
      x: left, y: top, width: max(1, Int(rect.width.rounded())), height: max(1, Int(rect.height.rounded())))
  }

  private func draw(_ backdrop: Backdrop, of whole: PixelRect, _ visible: PixelRect, _ blitter: Blitter) {
    switch backdrop {
    case .none: break
    case .color(let color): blitter.fill(visible, color | 0xFF00_0000)
    case .checkerboard(let one, let other, let side):
      let side = max(1, side)
      for row in visible.y..<visible.maxY {
        let out = blitter.target + row * blitter.stride
        let odd = (row - whole.y) / side & 1
        for column in visible.x..<visible.maxX {
          out[column] = ((column - whole.x) / side & 1 == odd ? one : other) | 0xFF00_0000
        }
      }
    }
  }
}

/// Which pixels of a level make which pixels of the window.
private struct PyramidPart {
  let level: OriginalPyramid.Level
  /// Where the whole picture lies in the window.
  let whole: PixelRect

  private var all: PixelRect { PixelRect(x: 0, y: 0, width: level.width, height: level.height) }

  /// The pixels of the level that take part in drawing a rectangle of the window, with those that are mixed in at its edges.
  func source(of rect: PixelRect) -> PixelRect {
    func range(_ low: Int, _ high: Int, _ target: Int, _ source: Int) -> (Int, Int) {
      let step = Double(source) / Double(target)
      let reach = Int(step.rounded(.up)) + 1
      return (
        max(0, Int((Double(low) * step).rounded(.down)) - reach),
        min(source, Int((Double(high) * step).rounded(.up)) + reach)
      )
    }
    let (left, right) = range(rect.x - whole.x, rect.maxX - whole.x, whole.width, level.width)
    let (top, bottom) = range(rect.y - whole.y, rect.maxY - whole.y, whole.height, level.height)
    return PixelRect(x: left, y: top, width: max(0, right - left), height: max(0, bottom - top))
  }

  /// The pixels of the window that can be drawn from some of the level alone.
  func target(of rect: PixelRect) -> PixelRect {
    func range(_ low: Int, _ high: Int, _ target: Int, _ source: Int) -> (Int, Int) {
      let step = Double(source) / Double(target)
      let reach = Int(step.rounded(.up)) + 1
      let first = low == 0 ? 0 : Int((Double(low + reach) / step).rounded(.up)) + 1
      let last = high == source ? target : Int((Double(high - reach) / step).rounded(.down)) - 1
      return (first, max(first, last))
    }
    let (left, right) = range(rect.x, rect.maxX, whole.width, level.width)
    let (top, bottom) = range(rect.y, rect.maxY, whole.height, level.height)
    return PixelRect(x: whole.x + left, y: whole.y + top, width: right - left, height: bottom - top)
  }

  /// A part of the level, larger on each side by a share of its extent.
  func around(_ rect: PixelRect, share: Double) -> PixelRect {
    let (x, y) = (Int(Double(rect.width) * share), Int(Double(rect.height) * share))
    return PixelRect(x: rect.x - x, y: rect.y - y, width: rect.width + 2 * x, height: rect.height + 2 * y)
      .intersection(all)
  }
}
