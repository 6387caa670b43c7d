internal import CCairo
internal import CPango
public import Geometry

/// A text set in a font: shaped, with fallback fonts, in both directions, in one or several lines.
///
/// Lengths are device pixels from the layout's top left corner, offsets UTF-8 bytes. It belongs to the thread that made it.
public final class TextLayout {
  /// What is left out when the text is wider than allowed.
  public enum Ellipsis: Hashable, Sendable {
    /// Nothing: it runs over, or is wrapped.
    case none
    /// The end: `A long na…`.
    case end
    /// The middle, as for paths and keys: `photos/…/cat.jpg`.
    case middle
    /// The start: `…/2024/cat.jpg`.
    case start
  }

  /// Where lines shorter than the width lie.
  public enum Alignment: Hashable, Sendable {
    /// At the left, for text from left to right.
    case leading
    /// In the middle.
    case center
    /// At the right, for text from left to right.
    case trailing
  }

  /// The caret between two characters. Where directions meet it has two places.
  public struct Caret: Hashable, Sendable {
    /// Where text of the paragraph's direction would be inserted: a rectangle of no width.
    public var strong: Rect
    /// Where text of the other direction would be inserted.
    public var weak: Rect
  }

  /// The text.
  public let text: String
  /// The font.
  public let font: Font
  /// The width and height of all lines.
  public let size: Size
  /// From the top to the baseline of the first line.
  public let baseline: Double
  /// Whether a part was left out for want of room.
  public let isEllipsized: Bool
  /// How many lines there are.
  public let lineCount: Int

  let layout: OpaquePointer
  private let utf8: [UInt8]

  /// Sets `text`. Without `maximumWidth` it is as wide as it is. `maximumLines` 1 keeps it on one line (line breaks in it
  /// are shown as a sign), more or nil (any number) wraps it at the width.
  public init(
    _ text: String, font: Font, maximumWidth: Double? = nil, ellipsis: Ellipsis = .none, maximumLines: Int? = 1,
    alignment: Alignment = .leading
  ) {
    self.text = text
    self.font = font
    // Pango ends a text at a NUL; a space keeps the offsets.
    let utf8: [UInt8] = text.utf8.map { $0 == 0 ? 0x20 : $0 }
    let scale = Double(PANGO_SCALE)
    let layout: OpaquePointer = pango_layout_new(TextContext.current.pango)
    self.utf8 = utf8
    self.layout = layout
    let description = TextContext.description(of: font)
    pango_layout_set_font_description(layout, description)
    pango_font_description_free(description)
    utf8.withUnsafeBufferPointer { bytes in
      guard let start = bytes.baseAddress else { return }
      start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
        pango_layout_set_text(layout, $0, Int32(bytes.count))
      }
    }
    if font.tabularFigures {
      let attributes = pango_attr_list_new()
      pango_attr_list_insert(attributes, pango_attr_font_features_new("tnum=1"))
      pango_layout_set_attributes(layout, attributes)
      pango_attr_list_unref(attributes)
    }
    if maximumLines == 1 {
      pango_layout_set_single_paragraph_mode(layout, 1)
    } else {
      pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR)
      if let maximumLines { pango_layout_set_height(layout, Int32(-maximumLines)) }
    }
    if let maximumWidth, maximumLines != 1 || ellipsis != .none || alignment != .leading {
      let pixels = min(maximumWidth, 1e6)
      pango_layout_set_width(layout, Int32((max(0, pixels) * scale).rounded(.down)))
    }
    let mode: PangoEllipsizeMode =
      switch ellipsis {
      case .none: maximumLines == nil || maximumLines == 1 ? PANGO_ELLIPSIZE_NONE : PANGO_ELLIPSIZE_END
      case .end: PANGO_ELLIPSIZE_END
      case .middle: PANGO_ELLIPSIZE_MIDDLE
      case .start: PANGO_ELLIPSIZE_START
      }
    pango_layout_set_ellipsize(layout, mode)
    switch alignment {
    case .leading: break
    case .center: pango_layout_set_alignment(layout, PANGO_ALIGN_CENTER)
    case .trailing: pango_layout_set_alignment(layout, PANGO_ALIGN_RIGHT)
    }
    var logical = PangoRectangle()
    pango_layout_get_extents(layout, nil, &logical)
    size = Size(width: Double(logical.x + logical.width) / scale, height: Double(logical.height) / scale)
    baseline = Double(pango_layout_get_baseline(layout)) / scale
    isEllipsized = pango_layout_is_ellipsized(layout) != 0
    lineCount = Int(pango_layout_get_line_count(layout))
  }

  deinit { g_object_unref(UnsafeMutableRawPointer(layout)) }

  /// The rectangle that ink covers.
  public var inkExtents: Rect {
    var ink = PangoRectangle()
    pango_layout_get_extents(layout, &ink, nil)
    return Self.rect(ink)
  }

  /// Where the caret stands before the character at `offset`; the text's length is the end.
  public func caret(at offset: Int) -> Caret {
    var strong = PangoRectangle()
    var weak = PangoRectangle()
    pango_layout_get_cursor_pos(layout, Int32(clamped(offset)), &strong, &weak)
    return Caret(strong: Self.rect(strong), weak: Self.rect(weak))
  }

  /// How far right the caret stands before the character at `offset`.
  public func caretX(at offset: Int) -> Double { caret(at: offset).strong.x }

  /// The place of the caret nearest to `x` in the line at `y`.
  public func offset(atX x: Double, y: Double = 0) -> Int {
    let scale = Double(PANGO_SCALE)
    func fixed(_ value: Double) -> Int32 { Int32((max(-1e6, min(1e6, value)) * scale).rounded()) }
    var index: Int32 = 0
    var trailing: Int32 = 0
    pango_layout_xy_to_index(layout, fixed(x), fixed(y), &index, &trailing)
    // `trailing` counts characters, not bytes.
    var offset = Int(index)
    for _ in 0..<trailing where offset < utf8.count {
      offset += 1
      while offset < utf8.count, utf8[offset] & 0xc0 == 0x80 { offset += 1 }
    }
    return min(offset, utf8.count)
  }

  /// Whether the paragraph is written from right to left.
  public var isRightToLeft: Bool {
    guard let line = pango_layout_get_line_readonly(layout, 0) else { return false }
    return pango_layout_line_get_resolved_direction(line) == PANGO_DIRECTION_RTL
  }

  /// What is to be filled behind the selected `range`: one rectangle a run of one direction, several where directions mix.
  public func selectionRects(_ range: Range<Int>) -> [Rect] {
    let lower = clamped(range.lowerBound)
    let upper = clamped(range.upperBound)
    guard lower < upper, let iterator = pango_layout_get_iter(layout) else { return [] }
    defer { pango_layout_iter_free(iterator) }
    let scale = Double(PANGO_SCALE)
    var rects: [Rect] = []
    repeat {
      guard let line = pango_layout_iter_get_line_readonly(iterator) else { continue }
      let start = max(lower, Int(line.pointee.start_index))
      let end = min(upper, Int(line.pointee.start_index + line.pointee.length))
      guard start < end else { continue }
      var logical = PangoRectangle()
      pango_layout_iter_get_line_extents(iterator, nil, &logical)
      if let edges = edgesOfOneDirection(line, start, end) {
        rects.append(
          Rect(
            x: (Double(logical.x) + edges.lowerBound) / scale, y: Double(logical.y) / scale,
            width: (edges.upperBound - edges.lowerBound) / scale, height: Double(logical.height) / scale))
        continue
      }
      var ranges: UnsafeMutablePointer<Int32>?
      var count: Int32 = 0
      pango_layout_line_get_x_ranges(line, Int32(start), Int32(end), &ranges, &count)
      defer { g_free(ranges) }
      guard let ranges else { continue }
      for run in 0..<Int(count) {
        let (left, right) = (Double(ranges[2 * run]) / scale, Double(ranges[2 * run + 1]) / scale)
        guard right > left else { continue }
        rects.append(
          Rect(x: left, y: Double(logical.y) / scale, width: right - left, height: Double(logical.height) / scale))
      }
    } while pango_layout_iter_next_line(iterator) != 0
    return rects
  }

  /// The edges (Pango's units, from the start of the line) of a range in a line of one direction; nil where directions
  /// mix. Pango's own ranges are wrong inside graphemes for which no font has a glyph.
  private func edgesOfOneDirection(
    _ line: UnsafeMutablePointer<PangoLayoutLine>, _ start: Int, _ end: Int
  ) -> ClosedRange<Double>? {
    var run = line.pointee.runs
    var parity: UInt8?
    while let node = run {
      guard let item = node.pointee.data?.assumingMemoryBound(to: PangoGlyphItem.self).pointee.item else { return nil }
      let level = item.pointee.analysis.level & 1
      if let parity, parity != level { return nil }
      parity = level
      run = node.pointee.next
    }
    var first: Int32 = 0
    var last: Int32 = 0
    pango_layout_line_index_to_x(line, Int32(start), 0, &first)
    // Pango takes the end of a line for its right edge, also where lines run to the left.
    let isLineEnd = end >= Int(line.pointee.start_index + line.pointee.length)
    if !(isLineEnd && parity == 1) { pango_layout_line_index_to_x(line, Int32(end), 0, &last) }
    return Double(min(first, last))...Double(max(first, last))
  }

  /// The place of the caret one grapheme to the right of `offset` on the screen (to the left when `toRight` is false);
  /// the same one at the edge.
  public func caretMovedVisually(from offset: Int, toRight: Bool) -> Int {
    var index: Int32 = 0
    var trailing: Int32 = 0
    pango_layout_move_cursor_visually(layout, 1, Int32(clamped(offset)), 0, toRight ? 1 : -1, &index, &trailing)
    if index < 0 || index == Int32.max { return offset }
    var moved = Int(index)
    for _ in 0..<trailing where moved < utf8.count {
      moved += 1
      while moved < utf8.count, utf8[moved] & 0xc0 == 0x80 { moved += 1 }
    }
    return min(moved, utf8.count)
  }

  private func clamped(_ offset: Int) -> Int { max(0, min(offset, utf8.count)) }

  private static func rect(_ rect: PangoRectangle) -> Rect {
    let scale = Double(PANGO_SCALE)
    return Rect(
      x: Double(rect.x) / scale, y: Double(rect.y) / scale, width: Double(rect.width) / scale,
      height: Double(rect.height) / scale)
  }
}

extension Canvas {
  /// Draws a text with its top left corner at `origin`. On the screen, whole coordinates keep its lines crisp.
  public func text(_ layout: TextLayout, at origin: Point, _ color: Color) {
    set(color)
    cairo_move_to(context, origin.x, origin.y)
    pango_cairo_show_layout(context, layout.layout)
    cairo_new_path(context)
  }

  /// Draws a text so that its first line's baseline is at `baseline` and its left edge at `x`.
  public func text(_ layout: TextLayout, x: Double, baseline: Double, _ color: Color) {
    text(layout, at: Point(x: x, y: baseline - layout.baseline), color)
  }
}
