internal import CCairo

/// Takes the bytes of a file as Cairo writes them.
final class ByteSink {
  private let write: (UnsafeRawBufferPointer) -> Bool

  init(_ write: @escaping (UnsafeRawBufferPointer) -> Bool) { self.write = write }

  /// What Cairo calls; `closure` is an unretained `ByteSink`.
  static let callback: cairo_write_func_t = { closure, data, length in
    guard let closure else { return CAIRO_STATUS_WRITE_ERROR }
    let sink = Unmanaged<ByteSink>.fromOpaque(closure).takeUnretainedValue()
    let written = sink.write(UnsafeRawBufferPointer(start: data, count: Int(length)))
    return written ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR
  }

  var closure: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }
}

extension Canvas {
  /// The longest side that Cairo's images can have, in pixels.
  public static let longestSide = 32_767

  /// A transparent image that the canvas itself owns.
  ///
  /// Throws when it is larger than Cairo's 32,767 pixels a side or than the memory at hand.
  public static func image(width: Int, height: Int) throws(DrawingError) -> Canvas {
    try check(width: width, height: height)
    guard let surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, Int32(width), Int32(height)) else {
      throw DrawingError("No memory for a picture of \(width) × \(height) pixels.")
    }
    let status = cairo_surface_status(surface)
    guard status == CAIRO_STATUS_SUCCESS else {
      cairo_surface_destroy(surface)
      throw DrawingError("A picture of \(width) × \(height) pixels could not be made", status: status)
    }
    return Canvas(surface: surface, width: width, height: height, sink: nil)
  }

  /// An SVG file of `width` × `height` pixels. `write` gets its bytes in order and answers whether it could take them;
  /// the file is complete after `finish()`.
  public static func svg(
    width: Int, height: Int, write: @escaping (UnsafeRawBufferPointer) -> Bool
  ) throws(DrawingError) -> Canvas {
    let sink = ByteSink(write)
    let surface = cairo_svg_surface_create_for_stream(ByteSink.callback, sink.closure, Double(width), Double(height))
    return try vector(surface, width: width, height: height, sink: sink)
  }

  /// A PDF file of one page, `width` × `height` points of 1/72 inch. `write` gets its bytes in order and answers whether
  /// it could take them; the file is complete after `finish()`.
  public static func pdf(
    width: Int, height: Int, write: @escaping (UnsafeRawBufferPointer) -> Bool
  ) throws(DrawingError) -> Canvas {
    let sink = ByteSink(write)
    let surface = cairo_pdf_surface_create_for_stream(ByteSink.callback, sink.closure, Double(width), Double(height))
    return try vector(surface, width: width, height: height, sink: sink)
  }

  private static func vector(
    _ surface: OpaquePointer?, width: Int, height: Int, sink: ByteSink
  ) throws(DrawingError) -> Canvas {
    guard let surface else { throw DrawingError("No memory for a picture of \(width) × \(height).") }
    let status = cairo_surface_status(surface)
    guard status == CAIRO_STATUS_SUCCESS else {
      cairo_surface_destroy(surface)
      throw DrawingError("A picture of \(width) × \(height) could not be made", status: status)
    }
    return Canvas(surface: surface, width: width, height: height, sink: sink)
  }

  private static func check(width: Int, height: Int) throws(DrawingError) {
    guard width > 0, height > 0, width <= longestSide, height <= longestSide else {
      throw DrawingError(
        "A picture of \(width) × \(height) pixels cannot be made: each side must be from 1 to \(longestSide) pixels.")
    }
  }

  /// Completes a vector file: nothing can be drawn afterwards. Throws when drawing or writing failed anywhere.
  public func finish() throws(DrawingError) {
    let drawing = cairo_status(context)
    cairo_surface_finish(surface)
    for status in [drawing, cairo_surface_status(surface)] where status != CAIRO_STATUS_SUCCESS {
      throw DrawingError("The picture could not be written", status: status)
    }
  }

  /// Encodes the pixels as PNG. `write` gets its bytes in order and answers whether it could take them.
  public func writePNG(_ write: @escaping (UnsafeRawBufferPointer) -> Bool) throws(DrawingError) {
    flush()
    let sink = ByteSink(write)
    let status = withExtendedLifetime(sink) {
      cairo_surface_write_to_png_stream(surface, ByteSink.callback, sink.closure)
    }
    guard status == CAIRO_STATUS_SUCCESS else { throw DrawingError("The picture could not be written", status: status) }
  }

  /// The pixels as a PNG file in memory.
  public func pngData() throws(DrawingError) -> [UInt8] {
    var bytes: [UInt8] = []
    try writePNG { chunk in
      bytes.append(contentsOf: chunk)
      return true
    }
    return bytes
  }

  /// The rows of an image canvas: premultiplied ARGB32, `stride` pixels from row to row; nil for a vector file. What
  /// `body` writes is seen by later drawing.
  public func withPixels<Result>(_ body: (UnsafeMutablePointer<UInt32>, _ stride: Int) -> Result) -> Result? {
    flush()
    guard sink == nil, let bytes = cairo_image_surface_get_data(surface) else { return nil }
    let stride = Int(cairo_image_surface_get_stride(surface)) / 4
    let result = bytes.withMemoryRebound(to: UInt32.self, capacity: stride * height) { body($0, stride) }
    markDirty()
    return result
  }
}
