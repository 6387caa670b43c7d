public import Geometry

/// Draws one picture at full size: scaled into a rectangle of which only the part inside a clip is computed.
public struct OriginalRenderer {
  private let tables = ScaleTables()

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

  /// Draws an original from the level that suits the size.
  @discardableResult
  public mutating func render(
    _ pyramid: OriginalPyramid, in rect: Rect, backdrop: Backdrop, into pixels: UnsafeMutablePointer<UInt32>,
    stride: Int, clip: PixelRect
  ) -> PixelRect {
    pyramid.withSource(minimumWidth: Int(rect.width.rounded(.up))) { source in
      render(
        source, in: rect, pixelScale: rect.width / Double(pyramid.width), backdrop: backdrop, into: pixels,
        stride: stride, clip: clip)
    }
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
