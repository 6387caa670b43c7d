internal import CPango
internal import Geometry

#if canImport(Glibc)
  internal import Glibc
#endif

/// A thread's Pango context, made once: font map, rendering options, metrics. Pango's objects belong to one thread.
final class TextContext {
  let pango: OpaquePointer
  private var knownMetrics: [Font: FontMetrics] = [:]

  private init() {
    // The default map is one a thread, kept by Pango.
    pango = pango_font_map_create_context(pango_cairo_font_map_get_default())
    let options = cairo_font_options_create()
    // Grey and slight: shapes stay true, lines stay on the grid, no colour fringes over other people's pictures.
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY)
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_SLIGHT)
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_ON)
    pango_cairo_context_set_font_options(pango, options)
    cairo_font_options_destroy(options)
  }

  deinit { g_object_unref(UnsafeMutableRawPointer(pango)) }

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key) { box in
      if let box { Unmanaged<TextContext>.fromOpaque(box).release() }
    }
    return key
  }()

  /// The calling thread's context.
  static var current: TextContext {
    if let box = pthread_getspecific(key) { return Unmanaged<TextContext>.fromOpaque(box).takeUnretainedValue() }
    let context = TextContext()
    pthread_setspecific(key, Unmanaged.passRetained(context).toOpaque())
    return context
  }

  /// The font for Pango; the caller frees it.
  static func description(of font: Font) -> OpaquePointer? {
    let description = pango_font_description_new()
    pango_font_description_set_family(description, font.family)
    pango_font_description_set_absolute_size(description, max(1, font.size) * Double(PANGO_SCALE))
    pango_font_description_set_weight(description, PangoWeight(UInt32(font.weight.rawValue)))
    return description
  }

  func metrics(of font: Font) -> FontMetrics {
    if let known = knownMetrics[font] { return known }
    let layout = TextLayout("H", font: font)
    let digits = TextLayout("0000000000", font: font)
    let metrics = FontMetrics(
      ascent: layout.baseline, descent: layout.size.height - layout.baseline,
      capHeight: layout.baseline - layout.inkExtents.minY, digitWidth: digits.size.width / 10)
    // A window has a handful of fonts; a run through many scales must not grow the table for ever.
    if knownMetrics.count > 200 { knownMetrics.removeAll() }
    knownMetrics[font] = metrics
    return metrics
  }
}
