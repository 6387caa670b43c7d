internal import CCairo
public import Geometry

/// Something to draw on: pixels in memory that somebody else owns, an image of its own, or an SVG or PDF file.
///
/// Coordinates are device pixels, y down (points of 1/72 inch for PDF). A canvas belongs to the thread that made it.
public final class Canvas {
  /// Width in device pixels.
  public let width: Int
  /// Height in device pixels.
  public let height: Int

  let surface: OpaquePointer
  let context: OpaquePointer
  /// Where a vector surface's bytes go; kept alive as long as Cairo may call it.
  let sink: ByteSink?

  /// Draws into `pixels`: premultiplied ARGB32 in native byte order, `stride` pixels from row to row. The memory must
  /// outlive the canvas, which does not own it. Call `flush` before reading it and `markDirty` after writing to it.
  public init(pixels: UnsafeMutablePointer<UInt32>, width: Int, height: Int, stride: Int) {
    precondition(width >= 0 && height >= 0 && stride >= width, "the rows of a canvas lie apart by at least its width")
    self.width = width
    self.height = height
    sink = nil
    surface = pixels.withMemoryRebound(to: UInt8.self, capacity: stride * height * 4) {
      cairo_image_surface_create_for_data($0, CAIRO_FORMAT_ARGB32, Int32(width), Int32(height), Int32(stride * 4))
    }
    context = cairo_create(surface)
  }

  init(surface: OpaquePointer, width: Int, height: Int, sink: ByteSink?) {
    self.surface = surface
    self.width = width
    self.height = height
    self.sink = sink
    context = cairo_create(surface)
  }

  deinit {
    cairo_destroy(context)
    cairo_surface_destroy(surface)
  }

  /// Ends all pending drawing, so that the memory can be read.
  public func flush() { cairo_surface_flush(surface) }

  /// Says that the memory was written to by other means than this canvas.
  public func markDirty() { cairo_surface_mark_dirty(surface) }

  // MARK: Filling and stroking

  /// Replaces everything (inside the clip) by `color`, its alpha included.
  public func clear(_ color: Color) {
    cairo_save(context)
    cairo_set_operator(context, CAIRO_OPERATOR_SOURCE)
    set(color)
    cairo_paint(context)
    cairo_restore(context)
  }

  /// Fills a rectangle. With whole edges and no corner radius every pixel is exactly `color`.
  public func fill(_ rect: Rect, _ color: Color, cornerRadius: Double = 0) {
    guard !rect.isEmpty else { return }
    set(color)
    if cornerRadius > 0 {
      add(Path(rect, cornerRadius: cornerRadius))
    } else {
      cairo_rectangle(context, rect.x, rect.y, rect.width, rect.height)
    }
    cairo_fill(context)
  }

  /// Outlines a rectangle just inside its edges, so that whole edges and widths give crisp lines.
  public func stroke(_ rect: Rect, _ color: Color, lineWidth: Double = 1, cornerRadius: Double = 0) {
    guard !rect.isEmpty, lineWidth > 0 else { return }
    let inner = rect.insetBy(lineWidth)
    set(color)
    cairo_save(context)
    cairo_set_fill_rule(context, CAIRO_FILL_RULE_EVEN_ODD)
    add(Path(rect, cornerRadius: cornerRadius))
    if !inner.isEmpty {
      cairo_new_sub_path(context)
      add(Path(inner, cornerRadius: max(0, cornerRadius - lineWidth)), continuing: true)
    }
    cairo_fill(context)
    cairo_restore(context)
  }

  /// A straight line with square ends.
  public func line(from start: Point, to end: Point, _ color: Color, width: Double) {
    stroke(Path([start, end], closed: false), color, lineWidth: width)
  }

  /// Fills a path (non-zero winding).
  public func fill(_ path: Path, _ color: Color) {
    set(color)
    add(path)
    cairo_fill(context)
  }

  /// Draws along a path, half of `lineWidth` to either side, with round or square ends and joins.
  public func stroke(_ path: Path, _ color: Color, lineWidth: Double, rounded: Bool = false) {
    set(color)
    add(path)
    cairo_set_line_width(context, lineWidth)
    cairo_set_line_cap(context, rounded ? CAIRO_LINE_CAP_ROUND : CAIRO_LINE_CAP_BUTT)
    cairo_set_line_join(context, rounded ? CAIRO_LINE_JOIN_ROUND : CAIRO_LINE_JOIN_MITER)
    cairo_stroke(context)
  }

  // MARK: Scopes

  /// Draws what `body` draws only where it lies inside `rect`.
  public func clip<Result, Failure: Error>(
    _ rect: Rect, cornerRadius: Double = 0, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    cairo_save(context)
    defer { cairo_restore(context) }
    add(Path(rect, cornerRadius: cornerRadius))
    cairo_clip(context)
    return try body()
  }

  /// Draws what `body` draws moved by `offset` after scaling it by `scale`.
  public func transform<Result, Failure: Error>(
    offset: Point, scale: Double = 1, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    cairo_save(context)
    defer { cairo_restore(context) }
    cairo_translate(context, offset.x, offset.y)
    cairo_scale(context, scale, scale)
    return try body()
  }

  /// Draws what `body` draws as one picture of `opacity` (0 to 1).
  public func group<Result, Failure: Error>(
    opacity: Double, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    cairo_push_group(context)
    defer {
      cairo_pop_group_to_source(context)
      cairo_paint_with_alpha(context, opacity)
    }
    return try body()
  }

  // MARK: Cairo

  func set(_ color: Color) { cairo_set_source_rgba(context, color.red, color.green, color.blue, color.alpha) }

  func add(_ path: Path, continuing: Bool = false) {
    if !continuing { cairo_new_path(context) }
    for element in path.elements {
      switch element {
      case .move(let point): cairo_move_to(context, point.x, point.y)
      case .line(let point): cairo_line_to(context, point.x, point.y)
      case .curve(let control1, let control2, let end):
        cairo_curve_to(context, control1.x, control1.y, control2.x, control2.y, end.x, end.y)
      case .arc(let center, let radius, let from, let to):
        cairo_arc(context, center.x, center.y, radius, from, to)
      case .close: cairo_close_path(context)
      }
    }
  }
}
