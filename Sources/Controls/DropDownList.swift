import Drawing
import Geometry

/// The open list of a drop-down: headings and choices, scrolling when the window is too low for it.
@MainActor final class DropDownList: ControlBase, Popup {
  private enum Row {
    case heading(String)
    case item(Int)
  }

  private unowned let dropDown: DropDown
  private let items: [DropDownItem]
  private var rows: [Row] = []
  private var scroller = Scroller()
  /// The current choice, an index into `items`.
  private(set) var current: Int?
  private var typed = TypeAhead()
  /// The release that ends the click that opened the list chooses nothing.
  private var hasMoved = false

  init(_ dropDown: DropDown) {
    self.dropDown = dropDown
    items = dropDown.items
    super.init()
    var index = 0
    for group in dropDown.groups {
      if !group.title.isEmpty { rows.append(.heading(group.title)) }
      for _ in group.items {
        rows.append(.item(index))
        index += 1
      }
    }
    current = items.firstIndex { $0.id == dropDown.selectedID }
  }

  var owner: (any Control)? { dropDown }
  var hosted: [any Control] { [] }
  func dismissed() { dropDown.listClosed() }

  private var edge: Double { style.px(4) }

  func place(in bounds: Rect) {
    let anchor = dropDown.frame
    let margin = style.px(4)
    let gap = style.popupGap
    scroller.rowCount = rows.count
    scroller.rowHeight = style.rowHeight
    let wanted = scroller.contentHeight + 2 * edge
    let below = bounds.maxY - anchor.maxY - gap - margin
    let above = anchor.minY - bounds.minY - gap - margin
    let opensBelow = wanted <= below || below >= above
    let height = max(style.rowHeight + 2 * edge, min(wanted, opensBelow ? below : above))
    let width = min(max(anchor.width, contentWidth), bounds.width - 2 * margin)
    let x = max(bounds.minX + margin, min(anchor.minX, bounds.maxX - margin - width))
    let y = opensBelow ? anchor.maxY + gap : anchor.minY - gap - height
    frame = PixelGrid.snap(Rect(x: x, y: y, width: width, height: height))
    scroller.area = Rect(x: frame.x, y: frame.y + edge, width: frame.width, height: frame.height - 2 * edge)
    scroller.scroll(to: scroller.offset)
    if let current, let row = row(ofItem: current) { scroller.reveal(row) }
  }

  private var textInset: Double { style.px(28) }

  private var contentWidth: Double {
    var widest = 0.0
    for row in rows {
      switch row {
      case .heading(let title): widest = max(widest, TextLayout(title, font: style.smallFont).size.width)
      case .item(let index):
        let item = items[index]
        var width = TextLayout(item.title, font: style.font).size.width
        if !item.detail.isEmpty { width += style.px(12) + TextLayout(item.detail, font: style.smallFont).size.width }
        widest = max(widest, width)
      }
    }
    return widest.rounded(.up) + textInset + style.px(20)
  }

  private func row(ofItem item: Int) -> Int? {
    rows.firstIndex { if case .item(item) = $0 { true } else { false } }
  }

  private func item(at point: Point) -> Int? {
    guard let row = scroller.row(at: point), case .item(let index) = rows[row] else { return nil }
    return index
  }

  override func pointerShape(at point: Point) -> PointerShape {
    item(at: point).map { items[$0].isEnabled } == true ? .hand : .arrow
  }

  override func tip(at point: Point) -> String? { item(at: point).flatMap { items[$0].disabledReason } }

  override func handle(_ event: ControlEvent) -> ControlResponse {
    switch event {
    case .pointerMoved(let pointer):
      hasMoved = true
      if scroller.isGrabbed {
        scroller.drag(to: pointer.position, style)
        invalidate()
      } else if let item = item(at: pointer.position), items[item].isEnabled {
        makeCurrent(item)
      }
      return .handled
    case .pointerPressed(let pointer) where pointer.button == .left:
      hasMoved = true
      if scroller.grab(pointer.position, style) { invalidate() }
      return .handled
    case .pointerReleased(let pointer) where pointer.button == .left:
      if scroller.isGrabbed {
        scroller.letGo()
        invalidate()
      } else if hasMoved, let item = item(at: pointer.position), items[item].isEnabled {
        finish(item)
      }
      return .handled
    case .scrolled(let scroll):
      scroller.scroll(byNotches: scroll.dy)
      invalidate()
      return .handled
    case .key(let press): return key(press)
    case .text(" ", _):
      if let current { finish(current) }
      return .handled
    case .text(let string, let time):
      let prefix = typed.add(string, time: time)
      let present = current.map { items[$0].id }
      if let match = TypeAhead.match(prefix, in: items, after: present), let index = items.firstIndex(of: match) {
        makeCurrent(index)
      }
      return .handled
    case .pointerPressed, .pointerReleased, .pointerLeft, .preedit: return .handled
    }
  }

  private func key(_ press: KeyPress) -> ControlResponse {
    switch press.key {
    case .down: move(1)
    case .up where press.modifiers == .alt: host?.dismiss(self)
    case .up: move(-1)
    case .pageDown: move(scroller.pageRows)
    case .pageUp: move(-scroller.pageRows)
    case .home: move(-items.count)
    case .end: move(items.count)
    case .return:
      if let current { finish(current) } else { host?.dismiss(self) }
    case .escape, .function(4): host?.dismiss(self)
    default: return .ignored
    }
    return .handled
  }

  private func move(_ steps: Int) {
    if let next = DropDown.enabledIndex(in: items, from: current, steps: steps) { makeCurrent(next) }
  }

  private func makeCurrent(_ item: Int) {
    guard item != current else { return }
    current = item
    if let row = row(ofItem: item) { scroller.reveal(row) }
    invalidate()
  }

  private func finish(_ item: Int) {
    guard items[item].isEnabled else { return }
    host?.dismiss(self)
    dropDown.choose(items[item])
  }

  override func draw(on canvas: Canvas) {
    PopupPanel.drawPanel(on: canvas, in: frame, style: style)
    canvas.clip(scroller.area) {
      for row in scroller.visibleRows {
        let rect = scroller.rect(ofRow: row)
        switch rows[row] {
        case .heading(let title): draw(heading: title, isFirst: row == 0, in: rect, on: canvas)
        case .item(let index): draw(index, in: rect, on: canvas)
        }
      }
      scroller.drawBar(on: canvas, style)
    }
  }

  private func draw(heading: String, isFirst: Bool, in rect: Rect, on canvas: Canvas) {
    let font = style.smallFont.withWeight(.medium)
    if !isFirst {
      let inset = style.hairline
      canvas.fill(
        Rect(x: rect.x + inset, y: rect.y, width: rect.width - 2 * inset, height: style.hairline), style.theme.hairline)
    }
    let layout = TextLayout(heading, font: font, maximumWidth: rect.width - 2 * style.px(12), ellipsis: .end)
    // Nearer to what it heads than to what is above.
    let line = Rect(x: rect.x, y: rect.y + style.px(4), width: rect.width, height: rect.height - style.px(4))
    canvas.text(layout, x: rect.x + style.px(12), baseline: baseline(of: font, in: line), style.theme.secondaryText)
  }

  private func draw(_ index: Int, in row: Rect, on canvas: Canvas) {
    let item = items[index]
    // The bar stands beside the rows, not on them.
    let barWidth = scroller.isScrollable ? style.px(6) : 0
    let rect = Rect(x: row.x, y: row.y, width: row.width - barWidth, height: row.height)
    let theme = style.theme
    if index == current, item.isEnabled {
      let row = Rect(x: rect.x + edge, y: rect.y, width: rect.width - 2 * edge, height: rect.height)
      canvas.fill(row, theme.rowSelection, cornerRadius: style.px(4))
    }
    let baseline = self.baseline(of: style.font, in: rect)
    if item.id == dropDown.selectedID {
      let size = style.px(8)
      let center = Point(x: rect.x + style.px(16), y: rect.center.y)
      let mark = Path(
        [
          Point(x: center.x - size / 2, y: center.y), Point(x: center.x - size / 8, y: center.y + size * 0.36),
          Point(x: center.x + size / 2, y: center.y - size * 0.36),
        ], closed: false)
      canvas.stroke(mark, theme.text, lineWidth: 1.5 * style.scale, rounded: true)
    }
    let x = rect.x + textInset
    let room = rect.maxX - style.px(12) - x
    let title = TextLayout(item.title, font: style.font, maximumWidth: room, ellipsis: .end)
    canvas.text(title, x: x, baseline: baseline, item.isEnabled ? theme.text : theme.disabledText)
    let detailX = x + title.size.width.rounded(.up) + style.px(12)
    guard !item.detail.isEmpty, rect.maxX - style.px(12) > detailX else { return }
    let detail = TextLayout(
      item.detail, font: style.smallFont, maximumWidth: rect.maxX - style.px(12) - detailX, ellipsis: .end)
    canvas.text(detail, x: detailX, baseline: baseline, item.isEnabled ? theme.secondaryText : theme.disabledText)
  }
}
