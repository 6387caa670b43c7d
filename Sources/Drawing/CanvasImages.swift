internal import CCairo
public import Geometry

/// How the pixels between pixels are found when an image is scaled.
public enum ImageFilter: Hashable, Sendable {
  /// The nearest pixel: hard squares when enlarged.
  case nearest
  /// Linear between neighbours.
  case bilinear
  /// Averages the covered area when reduced, smooth when enlarged: Cairo's best.
  case best

  var cairo: cairo_filter_t {
    switch self {
    case .nearest: CAIRO_FILTER_NEAREST
    case .bilinear: CAIRO_FILTER_BILINEAR
    case .best: CAIRO_FILTER_BEST
    }
  }
}

extension Canvas {
  /// Draws `pixels` (premultiplied ARGB32, `stride` pixels from row to row) scaled to fill `rect`. In a vector file they
  /// become an embedded image.
  public func image(
    _ pixels: UnsafePointer<UInt32>, width: Int, height: Int, stride: Int, in rect: Rect,
    filter: ImageFilter = .best, opacity: Double = 1
  ) {
    guard width > 0, height > 0, !rect.isEmpty else { return }
    precondition(stride >= width, "the rows of an image lie apart by at least its width")
    // A vector surface keeps its images until it is finished, long after the caller's memory is gone: it gets a copy.
    let source: OpaquePointer
    if sink != nil {
      guard let copy = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, Int32(width), Int32(height)),
        let bytes = cairo_image_surface_get_data(copy)
      else { return }
      cairo_surface_flush(copy)
      let rowBytes = Int(cairo_image_surface_get_stride(copy))
      for row in 0..<height {
        UnsafeMutableRawPointer(bytes + row * rowBytes).copyMemory(from: pixels + row * stride, byteCount: width * 4)
      }
      cairo_surface_mark_dirty(copy)
      source = copy
    } else {
      // Cairo only reads from a source surface; its interface has no word for that.
      let bytes = UnsafeMutableRawPointer(mutating: pixels).assumingMemoryBound(to: UInt8.self)
      source = cairo_image_surface_create_for_data(
        bytes, CAIRO_FORMAT_ARGB32, Int32(width), Int32(height), Int32(stride * 4))
    }
    defer {
      cairo_surface_finish(source)
      cairo_surface_destroy(source)
    }
    cairo_save(context)
    defer { cairo_restore(context) }
    cairo_rectangle(context, rect.x, rect.y, rect.width, rect.height)
    cairo_clip(context)
    cairo_translate(context, rect.x, rect.y)
    cairo_scale(context, rect.width / Double(width), rect.height / Double(height))
    cairo_set_source_surface(context, source, 0, 0)
    let pattern = cairo_get_source(context)
    cairo_pattern_set_filter(pattern, filter.cairo)
    // Without it the outermost half pixel of an enlarged image would fade into the background.
    cairo_pattern_set_extend(pattern, CAIRO_EXTEND_PAD)
    cairo_paint_with_alpha(context, opacity)
  }
}
