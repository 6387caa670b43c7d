public import Drawing
public import Geometry

/// One thing that a menu offers.
public struct MenuItem: Hashable, Sendable {
  /// What it is called on the screen.
  public var title: String
  /// The key that does the same, as it is printed; empty without one.
  public var key: String
  /// Why it cannot be chosen; nil when it can.
  public var disabledReason: String?

  /// Something to choose.
  public init(_ title: String, key: String = "", disabledReason: String? = nil) {
    self.title = title
    self.key = key
    self.disabledReason = disabledReason
  }

  /// Whether it can be chosen.
  public var isEnabled: Bool { disabledReason == nil }
}

/// What a menu offers about one thing.
public struct MenuSection: Hashable, Sendable {
  /// What it is about; no heading when empty.
  public var title: String
  /// What is offered.
  public var items: [MenuItem]
  /// What is offered about `title`.
  public init(_ title: String = "", _ items: [MenuItem]) {
    self.title = title
    self.items = items
  }
}

/// A menu at a point of the window: sections of things to do, each with its key, by pointer and keys. It scrolls when the
/// window is too low for it.
@MainActor public final class PopupMenu: ControlBase, Popup {
  /// An item was chosen, and the menu is closed: its place among all items.
  public var onChoose: ((Int) -> Void)?
  /// It was closed.
  public var onDismiss: (() -> Void)?
  /// What it offers.
  public let sections: [MenuSection]
  /// All items in order.
  public let items: [MenuItem]

  private enum Row {
    case separator
    case heading(String)
    case item(Int)
  }

  private let anchor: Point
  private let rows: [Row]
  /// Where each row begins, from the top of the first; one more for the end of the last.
  private var tops: [Double] = [0]
  /// Scrolls by pixels: rows of height 1.
  private var scroller = Scroller()
  /// The item that Return chooses, a place among `items`.
  private(set) var current: Int?
  private var typed = TypeAhead()
  /// Until it is open, the pointer has not come to it.
  private var isOpen = false
  /// Whether the pointer has gone so far that the release of the button that opened the menu chooses.
  private var hasTravelled = false

  /// A menu of `sections` at `anchor`; opened by a key, the first item is the current one.
  public init(_ sections: [MenuSection], at anchor: Point, openedByKey: Bool = false) {
    self.sections = sections.filter { !$0.items.isEmpty }
    self.anchor = anchor
    items = self.sections.flatMap(\.items)
    var rows: [Row] = []
    var index = 0
    for section in self.sections {
      if !rows.isEmpty { rows.append(.separator) }
      if !section.title.isEmpty { rows.append(.heading(section.title)) }
      for _ in section.items {
        rows.append(.item(index))
        index += 1
      }
    }
    self.rows = rows
    super.init()
    if openedByKey { current = items.firstIndex(where: \.isEnabled) }
  }

  /// Opens it above everything.
  public func open(in host: any ControlHost) {
    guard !items.isEmpty else { return }
    host.present(self)
    isOpen = true
  }

  /// Nobody: it belongs to a place.
  public var owner: (any Control)? { nil }
  /// Nothing: the keys are its own.
  public var hosted: [any Control] { [] }
  /// It was closed.
  public func dismissed() { onDismiss?() }

  // MARK: Lengths

  private var edge: Double { style.px(4) }
  private var inset: Double { style.px(12) }
  private var gap: Double { style.px(24) }
  /// Menus are closer than lists: they are read as a whole.
  private var rowHeight: Double { style.fieldHeight }

  private func length(of row: Row) -> Double {
    if case .separator = row { 2 * edge + style.hairline } else { rowHeight }
  }

  /// Lies with a corner at its point: at the right and below it where there is room.
  public func place(in bounds: Rect) {
    tops = rows.reduce(into: [0]) { $0.append($0[$0.count - 1] + length(of: $1)) }
    let margin = style.px(4)
    let content = tops[tops.count - 1]
    let width = min(contentWidth, bounds.width - 2 * margin)
    let height = max(rowHeight + 2 * edge, min(content + 2 * edge, bounds.height - 2 * margin))
    func start(_ anchor: Double, _ length: Double, _ low: Double, _ high: Double) -> Double {
      if anchor + 1 + length <= high { return max(low, anchor + 1) }
      return max(low, min(anchor, high) - length)
    }
    let x = start(anchor.x, width, bounds.minX + margin, bounds.maxX - margin)
    let y = start(anchor.y, height, bounds.minY + margin, bounds.maxY - margin)
    frame = PixelGrid.snap(Rect(x: x, y: y, width: width, height: height))
    scroller.rowHeight = 1
    scroller.rowCount = Int(content)
    scroller.area = Rect(x: frame.x, y: frame.y + edge, width: frame.width, height: frame.height - 2 * edge)
    scroller.scroll(to: scroller.offset)
    if let current { reveal(current) }
  }

  private var contentWidth: Double {
    let titles = items.map { TextLayout($0.title, font: style.font).size.width }.max() ?? 0
    let keys = items.map { TextLayout($0.key, font: style.font).size.width }.max() ?? 0
    let headings = sections.map { TextLayout($0.title, font: headingFont).size.width }.max() ?? 0
    // A long heading is cut short sooner than the menu gets wide for it.
    return max(titles + (keys > 0 ? gap + keys : 0), min(headings, style.px(240))).rounded(.up) + 2 * inset
  }

  private var headingFont: Font { style.smallFont.withWeight(.medium) }

  private func rect(ofRow row: Int) -> Rect {
    Rect(
      x: frame.x, y: scroller.area.y + tops[row] - scroller.offset, width: frame.width,
      height: tops[row + 1] - tops[row])
  }

  private func item(at point: Point) -> Int? {
    guard scroller.area.contains(point) else { return nil }
    let y = point.y - scroller.area.y + scroller.offset
    guard let row = rows.indices.first(where: { y >= tops[$0] && y < tops[$0 + 1] }), case .item(let index) = rows[row]
    else { return nil }
    return index
  }

  /// Scrolls as little as possible so that an item is seen in full, the first one with its heading.
  private func reveal(_ item: Int) {
    guard let row = rows.firstIndex(where: { if case .item(item) = $0 { true } else { false } }) else { return }
    let top = item == 0 ? 0 : tops[row]
    if top < scroller.offset { scroller.scroll(to: top) }
    if tops[row + 1] > scroller.offset + scroller.area.height {
      scroller.scroll(to: tops[row + 1] - scroller.area.height)
    }
  }

  // MARK: Events

  public override func pointerShape(at point: Point) -> PointerShape {
    item(at: point).map { items[$0].isEnabled } == true ? .hand : .arrow
  }

  public override func tip(at point: Point) -> String? { item(at: point).flatMap { items[$0].disabledReason } }

  public override func handle(_ event: ControlEvent) -> ControlResponse {
    switch event {
    case .pointerMoved(let pointer):
      guard isOpen else { break }
      if pointer.position.distance(to: anchor) > style.px(8) { hasTravelled = true }
      if scroller.isGrabbed {
        scroller.drag(to: pointer.position, style)
        invalidate()
      } else {
        makeCurrent(item(at: pointer.position).flatMap { items[$0].isEnabled ? $0 : nil }, reveals: false)
      }
    case .pointerLeft: makeCurrent(nil)
    case .pointerPressed(let pointer):
      hasTravelled = true
      if pointer.button == .left, scroller.grab(pointer.position, style) { invalidate() }
    case .pointerReleased(let pointer):
      if scroller.isGrabbed {
        scroller.letGo()
        invalidate()
      } else if hasTravelled, [.left, .right].contains(pointer.button), let item = item(at: pointer.position) {
        choose(item)
      }
    case .scrolled(let scroll):
      scroller.scroll(to: scroller.offset - scroll.dy * 3 * rowHeight)
      makeCurrent(item(at: scroll.position).flatMap { items[$0].isEnabled ? $0 : nil }, reveals: false)
      invalidate()
    case .key(let press): return key(press)
    case .text(" ", _): if let current { choose(current) }
    case .text(let string, let time): find(typed.add(string, time: time))
    case .preedit: break
    }
    // What lies below must not feel what happens here.
    return .handled
  }

  private func key(_ press: KeyPress) -> ControlResponse {
    switch press.key {
    case .down: move(1)
    case .up: move(-1)
    case .home, .pageUp: makeCurrent(items.firstIndex(where: \.isEnabled))
    case .end, .pageDown: makeCurrent(items.lastIndex(where: \.isEnabled))
    case .return:
      if let current { choose(current) } else { host?.dismiss(self) }
    case .escape, .tab, .menu, .function(10): host?.dismiss(self)
    default: return .ignored
    }
    return .handled
  }

  /// Goes to the next item that can be chosen, around at the ends.
  private func move(_ step: Int) {
    let enabled = items.indices.filter { items[$0].isEnabled }
    guard !enabled.isEmpty else { return }
    let place = current.flatMap { enabled.firstIndex(of: $0) } ?? (step > 0 ? -1 : enabled.count)
    makeCurrent(enabled[(place + step + enabled.count) % enabled.count])
  }

  private func find(_ prefix: String) {
    let choices = items.enumerated().map {
      DropDownItem(id: String($0.offset), title: $0.element.title, disabledReason: $0.element.disabledReason)
    }
    if let match = TypeAhead.match(prefix, in: choices, after: current.map(String.init)) {
      makeCurrent(Int(match.id))
    }
  }

  private func makeCurrent(_ item: Int?, reveals: Bool = true) {
    guard item != current else { return }
    current = item
    if reveals, let item { reveal(item) }
    invalidate()
  }

  private func choose(_ item: Int) {
    guard items[item].isEnabled else { return }
    host?.dismiss(self)
    onChoose?(item)
  }

  // MARK: Drawing

  public override func draw(on canvas: Canvas) {
    PopupPanel.drawPanel(on: canvas, in: frame, style: style)
    canvas.clip(scroller.area) {
      for (index, row) in rows.enumerated() {
        let rect = rect(ofRow: index)
        guard rect.maxY > scroller.area.minY, rect.minY < scroller.area.maxY else { continue }
        switch row {
        case .separator:
          let line = Rect(
            x: rect.x + style.hairline, y: rect.y + edge, width: rect.width - 2 * style.hairline, height: style.hairline
          )
          canvas.fill(line, style.theme.hairline)
        case .heading(let title):
          let layout = TextLayout(title, font: headingFont, maximumWidth: rect.width - 2 * inset, ellipsis: .middle)
          canvas.text(
            layout, x: rect.x + inset, baseline: baseline(of: headingFont, in: rect), style.theme.secondaryText)
        case .item(let index): draw(index, in: rect, on: canvas)
        }
      }
      scroller.drawBar(on: canvas, style)
    }
  }

  private func draw(_ index: Int, in rect: Rect, on canvas: Canvas) {
    let item = items[index]
    let theme = style.theme
    if index == current {
      // The bar stands beside the rows, not on them.
      let barWidth = scroller.isScrollable ? style.px(6) : 0
      canvas.fill(
        Rect(x: rect.x + edge, y: rect.y, width: rect.width - 2 * edge - barWidth, height: rect.height),
        theme.rowSelection, cornerRadius: style.px(4))
    }
    let baseline = baseline(of: style.font, in: rect)
    let key = TextLayout(item.key, font: style.font)
    let keyX = rect.maxX - inset - key.size.width.rounded(.up)
    let room = (item.key.isEmpty ? rect.maxX - inset : keyX - style.px(8)) - rect.x - inset
    let title = TextLayout(item.title, font: style.font, maximumWidth: max(1, room), ellipsis: .end)
    canvas.text(title, x: rect.x + inset, baseline: baseline, item.isEnabled ? theme.text : theme.disabledText)
    canvas.text(key, x: keyX, baseline: baseline, item.isEnabled ? theme.secondaryText : theme.disabledText)
  }
}
