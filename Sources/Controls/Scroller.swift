import Drawing
import Geometry

/// The scrolling of a list of equally high rows: how far it is scrolled, which rows are seen, and the bar at its right.
struct Scroller: Hashable {
  var rowCount = 0
  var rowHeight = 1.0
  /// The part of the window that shows the rows.
  var area = Rect.zero
  /// How far the rows are scrolled up, in whole device pixels.
  private(set) var offset = 0.0
  /// How far below the thumb's top the pointer holds it.
  private var grip: Double?

  init() {}

  var contentHeight: Double { Double(rowCount) * rowHeight }
  var maximumOffset: Double { max(0, contentHeight - area.height) }
  var isScrollable: Bool { maximumOffset > 0 }

  /// The rows of which anything is seen.
  var visibleRows: Range<Int> {
    guard rowCount > 0, rowHeight > 0, area.height > 0 else { return 0..<0 }
    let first = max(0, Int(offset / rowHeight))
    let last = min(rowCount, Int(((offset + area.height) / rowHeight).rounded(.up)))
    return first..<max(first, last)
  }

  func rect(ofRow row: Int) -> Rect {
    Rect(x: area.x, y: area.y + Double(row) * rowHeight - offset, width: area.width, height: rowHeight)
  }

  func row(at point: Point) -> Int? {
    guard area.contains(point) else { return nil }
    let row = Int((point.y - area.y + offset) / rowHeight)
    return row >= 0 && row < rowCount ? row : nil
  }

  mutating func scroll(to newOffset: Double) { offset = max(0, min(maximumOffset, newOffset.rounded())) }

  /// One notch is three rows, as everywhere.
  mutating func scroll(byNotches notches: Double) { scroll(to: offset - notches * 3 * rowHeight) }

  /// Scrolls as little as possible so that `row` is seen in full.
  mutating func reveal(_ row: Int) {
    let top = Double(row) * rowHeight
    if top < offset { scroll(to: top) }
    if top + rowHeight > offset + area.height { scroll(to: top + rowHeight - area.height) }
  }

  /// How many rows Page Up and Page Down move by.
  var pageRows: Int { max(1, Int(area.height / rowHeight) - 1) }

  // MARK: The bar

  func thumb(_ style: Style) -> Rect? {
    guard isScrollable else { return nil }
    let inset = style.px(2)
    let track = area.height - 2 * inset
    let height = max(style.px(24), track * area.height / contentHeight).rounded()
    let y = area.y + inset + ((track - height) * offset / maximumOffset).rounded()
    return Rect(x: area.maxX - style.px(6), y: y, width: style.px(4), height: height)
  }

  /// Whether the pointer takes the bar: on its thumb it holds it, beside it the thumb jumps there.
  mutating func grab(_ point: Point, _ style: Style) -> Bool {
    guard let thumb = thumb(style), area.contains(point), point.x >= thumb.minX - style.px(4) else { return false }
    let onThumb = point.y >= thumb.minY && point.y < thumb.maxY
    grip = onThumb ? point.y - thumb.minY : thumb.height / 2
    drag(to: point, style)
    return true
  }

  var isGrabbed: Bool { grip != nil }

  mutating func drag(to point: Point, _ style: Style) {
    guard let grip, let thumb = thumb(style) else { return }
    let inset = style.px(2)
    let track = area.height - 2 * inset - thumb.height
    guard track > 0 else { return }
    scroll(to: (point.y - grip - area.y - inset) / track * maximumOffset)
  }

  mutating func letGo() { grip = nil }

  @MainActor func drawBar(on canvas: Canvas, _ style: Style) {
    guard let thumb = thumb(style) else { return }
    canvas.fill(
      thumb, isGrabbed ? style.theme.secondaryText : style.theme.scrollThumb, cornerRadius: thumb.width / 2)
  }
}
