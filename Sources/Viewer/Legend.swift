import Controls
import Drawing
import Geometry
import Scene

/// What the colours on the map mean: a row for each class, which selects its pictures.
@MainActor final class Legend: ControlBase {
  /// One class.
  struct Row: Equatable {
    var name: String
    var count: Int
    var color: Color
    /// Whether all of its pictures are selected.
    var isSelected = false
  }

  /// What decides the rows.
  struct Shown: Equatable {
    /// Of the scene's content.
    var version: Int
    var theme: String
  }

  /// What the rows were made for.
  var shown: Shown?
  /// A class was chosen; `adds`: to what is selected already.
  var onSelect: ((_ row: Int, _ adds: Bool) -> Void)?
  /// It is to be hidden.
  var onClose: (() -> Void)?
  /// What the classes are made by.
  var title = "" { didSet { if title != oldValue { place() } } }
  /// The classes.
  var rows: [Row] = [] {
    didSet {
      guard rows != oldValue else { return }
      if let current, current >= rows.count { self.current = nil }
      if rows.map({ [$0.name, Wording.count($0.count)] }) != oldValue.map({ [$0.name, Wording.count($0.count)] }) {
        place()
      }
      invalidate()
    }
  }

  /// The row that the keys move from.
  private var current: Int? { didSet { if current != oldValue { invalidate() } } }
  private var hovered: Int? { didSet { if hovered != oldValue { invalidate() } } }
  private var isOverClose = false { didSet { if isOverClose != oldValue { invalidate() } } }
  private var offset = 0
  private var area = Rect.zero

  private static let widest = 264.0
  private static let narrowest = 132.0

  override init() {
    super.init()
    isVisible = false
  }

  override var acceptsFocus: Bool { !rows.isEmpty }

  // MARK: Lengths

  private var padding: Double { style.px(8) }
  private var rowHeight: Double { max(style.px(22), (style.font.metrics.lineHeight + style.px(4)).rounded(.up)) }
  private var headHeight: Double { rowHeight + style.px(4) }
  private var swatch: Double { style.px(10) }
  /// Rows that there is room for.
  private var roomForRows: Int { max(1, Int((frame.height - headHeight - padding) / rowHeight)) }
  private var mostOffset: Int { max(0, rows.count - roomForRows) }

  /// Lays it out in the upper left corner of `area`: as wide as its rows need, but never more than half of the map.
  func place(in area: Rect, style: Style) {
    self.style = style
    self.area = area
    place()
  }

  private func place() {
    let margin = style.px(12)
    let names = rows.map { TextLayout($0.name, font: style.font).size.width }.max() ?? 0
    let counts = rows.map { TextLayout(Wording.count($0.count), font: style.font.tabular).size.width }.max() ?? 0
    let heading = TextLayout(title, font: style.font.withWeight(.medium)).size.width + style.px(28)
    let wanted = max(heading, swatch + style.px(8) + names + style.px(16) + counts).rounded(.up) + 2 * padding
    let most = min(style.px(Self.widest), (area.width / 2).rounded(.down))
    let width = min(max(wanted, style.px(Self.narrowest)), max(most, style.px(Self.narrowest)))
    let height = headHeight + Double(rows.count) * rowHeight + padding
    frame = PixelGrid.snap(
      Rect(
        x: area.x + margin, y: area.y + margin, width: max(0, min(width, area.width - 2 * margin)),
        height: max(0, min(height, area.height - 2 * margin))))
    offset = min(offset, mostOffset)
  }

  /// Whether there is room for it at all.
  var fits: Bool { frame.height >= headHeight + rowHeight + padding }

  private func rect(ofRow index: Int) -> Rect {
    Rect(
      x: frame.x + style.px(4), y: frame.y + headHeight + Double(index - offset) * rowHeight,
      width: frame.width - style.px(8), height: rowHeight)
  }

  private var closeRect: Rect {
    let side = style.px(20)
    return Rect(
      x: frame.maxX - style.px(6) - side, y: (frame.y + (headHeight - side) / 2).rounded(), width: side, height: side)
  }

  private func row(at point: Point) -> Int? {
    guard frame.contains(point), point.y >= frame.y + headHeight else { return nil }
    let index = offset + Int((point.y - frame.y - headHeight) / rowHeight)
    return index < min(rows.count, offset + roomForRows) ? index : nil
  }

  // MARK: Events

  override func handle(_ event: ControlEvent) -> ControlResponse {
    _ = super.handle(event)
    switch event {
    case .pointerMoved(let pointer):
      hovered = row(at: pointer.position)
      isOverClose = closeRect.contains(pointer.position)
    case .pointerLeft:
      hovered = nil
      isOverClose = false
      return .ignored
    case .pointerPressed(let pointer) where pointer.button == .left:
      // The keys stay the map's after a click.
      host?.focus(nil, reason: .pointer)
      if closeRect.contains(pointer.position) {
        onClose?()
      } else if let row = row(at: pointer.position) {
        current = row
        onSelect?(row, !pointer.modifiers.isDisjoint(with: [.control, .shift]))
      }
    case .pointerPressed, .pointerReleased: break
    case .scrolled(let scroll):
      offset = max(0, min(mostOffset, offset - Int(scroll.dy.rounded(.awayFromZero))))
      hovered = row(at: scroll.position)
      invalidate()
    case .text(" ", _):
      if let current { onSelect?(current, false) }
    case .key(let press): return key(press)
    default: return .ignored
    }
    return .handled
  }

  private func key(_ press: KeyPress) -> ControlResponse {
    switch press.key {
    case .down where press.modifiers.isEmpty: move(to: (current ?? -1) + 1)
    case .up where press.modifiers.isEmpty: move(to: (current ?? rows.count) - 1)
    case .home where press.modifiers.isEmpty: move(to: 0)
    case .end where press.modifiers.isEmpty: move(to: rows.count - 1)
    case .return:
      guard let current, !press.isRepeat else { return .ignored }
      onSelect?(current, !press.modifiers.isDisjoint(with: [.control, .shift]))
    default: return .ignored
    }
    return .handled
  }

  private func move(to row: Int) {
    guard !rows.isEmpty else { return }
    let row = max(0, min(rows.count - 1, row))
    current = row
    offset = min(row, max(offset, row - roomForRows + 1))
    invalidate()
  }

  override func focusGained(_ reason: FocusReason) {
    super.focusGained(reason)
    if current == nil, reason != .pointer { move(to: 0) }
  }

  override func pointerShape(at point: Point) -> PointerShape {
    closeRect.contains(point) || row(at: point) != nil ? .hand : .arrow
  }

  override func tip(at point: Point) -> String? {
    if closeRect.contains(point) { return "Hide what the colours mean (K)" }
    guard let row = row(at: point) else { return nil }
    return "\(rows[row].name): click to select these pictures, with Ctrl to add them"
  }

  // MARK: Drawing

  override func draw(on canvas: Canvas) {
    let theme = style.theme
    canvas.fill(frame, theme.panel, cornerRadius: style.cornerRadius)
    canvas.stroke(
      frame.insetBy(style.hairline / 2), theme.hairline, lineWidth: style.hairline, cornerRadius: style.cornerRadius)
    drawHead(on: canvas)
    canvas.clip(frame.insetBy(style.hairline)) {
      for index in offset..<min(rows.count, offset + roomForRows) { draw(rows[index], index, on: canvas) }
    }
    guard mostOffset > 0 else { return }
    // How much of it is seen, as in every list.
    let track = Rect(
      x: frame.maxX - style.px(6), y: frame.y + headHeight, width: style.px(4),
      height: Double(roomForRows) * rowHeight)
    let thumb = max(style.px(16), track.height * Double(roomForRows) / Double(rows.count)).rounded()
    let y = track.y + ((track.height - thumb) * Double(offset) / Double(mostOffset)).rounded()
    canvas.fill(
      Rect(x: track.x, y: y, width: track.width, height: thumb), theme.scrollThumb, cornerRadius: style.px(2))
  }

  private func drawHead(on canvas: Canvas) {
    let theme = style.theme
    let head = Rect(x: frame.x, y: frame.y, width: frame.width, height: headHeight)
    let font = style.font.withWeight(.medium)
    let text = TextLayout(
      title, font: font, maximumWidth: max(1, closeRect.x - frame.x - 2 * padding), ellipsis: .end)
    canvas.text(
      text, x: frame.x + padding, baseline: (head.center.y + font.metrics.capHeight / 2).rounded(), theme.text)
    let close = closeRect
    if isOverClose { canvas.fill(close, theme.fieldHover, cornerRadius: style.px(4)) }
    let arm = style.px(4)
    for slope in [1.0, -1] {
      canvas.stroke(
        Path(
          [
            Point(x: close.center.x - arm, y: close.center.y - slope * arm),
            Point(x: close.center.x + arm, y: close.center.y + slope * arm),
          ], closed: false), isOverClose ? theme.text : theme.secondaryText, lineWidth: max(1, 1.25 * style.scale),
        rounded: true)
    }
  }

  private func draw(_ row: Row, _ index: Int, on canvas: Canvas) {
    let theme = style.theme
    let box = rect(ofRow: index)
    if row.isSelected || index == hovered {
      canvas.fill(box, row.isSelected ? theme.rowSelection : theme.rowHover, cornerRadius: style.px(4))
    }
    if index == current, isFocused {
      canvas.stroke(
        box.insetBy(style.focusWidth / 2), theme.focus, lineWidth: style.focusWidth, cornerRadius: style.px(4))
    }
    let left = frame.x + padding
    canvas.fill(
      PixelGrid.snap(Rect(x: left, y: box.center.y - swatch / 2, width: swatch, height: swatch)), row.color,
      cornerRadius: style.px(2))
    let right = frame.maxX - padding - (mostOffset > 0 ? style.px(4) : 0)
    let font = style.font
    let baseline = (box.center.y + font.metrics.capHeight / 2).rounded()
    let count = TextLayout(Wording.count(row.count), font: font.tabular)
    let x = left + swatch + style.px(8)
    // A name that is cut short leaves the count its room.
    let name = TextLayout(
      row.name, font: font, maximumWidth: max(1, right - count.size.width - style.px(12) - x), ellipsis: .middle)
    canvas.text(name, x: x, baseline: baseline, theme.text)
    canvas.text(count, x: right - count.size.width.rounded(.up), baseline: baseline, theme.secondaryText)
  }
}
