public import Drawing
internal import Foundation
public import Geometry

/// A row of a list: what it is about and what is said of it.
public struct ListRow: Hashable, Sendable {
  /// The left column: a key. Too long, it loses its middle.
  public var primary: String
  /// The right column: a reason.
  public var secondary: String
  /// A row of two texts.
  public init(_ primary: String, _ secondary: String) {
    self.primary = primary
    self.secondary = secondary
  }
}

/// A scrolling list of rows of one height in two columns. Only rows that are seen are asked for and drawn.
@MainActor public final class ListView: ControlBase {
  /// Return, or a double click on a row: about all that is selected.
  public var onActivate: (([Int]) -> Void)?
  /// Something else is selected.
  public var onSelect: (([Int]) -> Void)?
  /// Whether Shift, Ctrl and Ctrl+A select several rows.
  public var selectsSeveral = false
  /// The headings of the two columns; none when nil.
  public var columnTitles: (primary: String, secondary: String)? { didSet { frameChanged() } }
  /// The share of the width that the left column takes.
  public var split = 0.5 { didSet { invalidate() } }
  /// The row that the keys move from: the one selected last.
  public private(set) var selectedRow: Int?
  private var selection = IndexSet()
  /// The other end of a range that Shift selects.
  private var anchorRow: Int?

  private let row: (Int) -> ListRow
  private var scroller = Scroller()
  private var hoveredRow: Int?

  /// A list of `count` rows; `row` is asked for those that are seen.
  public init(count: Int = 0, row: @escaping (Int) -> ListRow) {
    self.row = row
    super.init()
    scroller.rowCount = count
  }

  /// How many rows there are. Set it again when their contents changed.
  public var count: Int {
    get { scroller.rowCount }
    set {
      scroller.rowCount = newValue
      if let selected = selectedRow, selected >= newValue { selectedRow = newValue > 0 ? newValue - 1 : nil }
      selection = selection.filteredIndexSet { $0 < newValue }
      if selection.isEmpty, let selectedRow { selection = [selectedRow] }
      anchorRow = selectedRow
      scroller.scroll(to: scroller.offset)
      invalidate()
    }
  }

  /// What is selected, from top to bottom.
  public var selectedRows: [Int] { Array(selection) }

  /// Selects a row, and it alone, and scrolls to it.
  public func select(_ row: Int?) { select(row, extending: false) }

  /// Selects these rows, and them alone, where the list is.
  public func select(rows: [Int]) {
    let valid = IndexSet(rows.filter { (0..<count).contains($0) })
    guard valid != selection else { return }
    selection = valid
    selectedRow = valid.last
    anchorRow = valid.first
    invalidate()
    onSelect?(selectedRows)
  }

  /// Selects a row; with `extending` everything from the row that was selected first to this one.
  public func select(_ row: Int?, extending: Bool) {
    guard count > 0 || row == nil else { return }
    let valid = row.map { max(0, min(count - 1, $0)) }
    guard let valid else { return change(to: [], row: nil, anchor: nil) }
    let anchor = extending && selectsSeveral ? anchorRow ?? valid : valid
    change(to: IndexSet(integersIn: min(anchor, valid)...max(anchor, valid)), row: valid, anchor: anchor)
  }

  /// Adds a row to the selection, or takes it out.
  private func toggle(_ row: Int) {
    var changed = selection
    if changed.remove(row) == nil { changed.insert(row) }
    change(to: changed, row: row, anchor: row)
  }

  private func change(to rows: IndexSet, row: Int?, anchor: Int?) {
    guard rows != selection || row != selectedRow || anchor != anchorRow else { return }
    let isOther = rows != selection
    selection = rows
    selectedRow = row
    anchorRow = anchor
    if let row { scroller.reveal(row) }
    invalidate()
    if isOther { onSelect?(selectedRows) }
  }

  /// The rows of which anything is seen.
  public var visibleRows: Range<Int> { scroller.visibleRows }

  public override var acceptsFocus: Bool { true }

  public override func frameChanged() {
    scroller.rowHeight = style.rowHeight
    let header = columnTitles == nil ? 0 : style.rowHeight
    scroller.area = Rect(x: frame.x, y: frame.y + header, width: frame.width, height: max(0, frame.height - header))
    scroller.scroll(to: scroller.offset)
    invalidate()
  }

  public override func tip(at point: Point) -> String? {
    guard let index = scroller.row(at: point) else { return nil }
    let row = row(index)
    let columns = self.columns(in: scroller.rect(ofRow: index))
    let (text, room) =
      point.x < columns.secondary.minX ? (row.primary, columns.primary.width) : (row.secondary, columns.secondary.width)
    return TextLayout(text, font: style.font).size.width > room ? text : nil
  }

  public override func handle(_ event: ControlEvent) -> ControlResponse {
    _ = super.handle(event)
    guard isEnabled else { return .ignored }
    switch event {
    case .pointerMoved(let pointer):
      if scroller.isGrabbed {
        scroller.drag(to: pointer.position, style)
        invalidate()
      } else {
        hover(scroller.row(at: pointer.position))
      }
    case .pointerLeft: hover(nil)
    case .pointerPressed(let pointer) where pointer.button == .left:
      if scroller.grab(pointer.position, style) {
        invalidate()
      } else if let row = scroller.row(at: pointer.position) {
        if selectsSeveral, pointer.modifiers.contains(.control) {
          toggle(row)
        } else {
          select(row, extending: pointer.modifiers.contains(.shift))
          if pointer.clickCount == 2 { onActivate?(selectedRows) }
        }
      }
    case .pointerReleased where scroller.isGrabbed:
      scroller.letGo()
      invalidate()
    case .scrolled(let scroll):
      scroller.scroll(byNotches: scroll.dy)
      hover(scroller.row(at: scroll.position))
      invalidate()
    case .key(let press): return key(press)
    default: return .ignored
    }
    return .handled
  }

  private func hover(_ row: Int?) {
    guard row != hoveredRow else { return }
    hoveredRow = row
    invalidate()
  }

  private func key(_ press: KeyPress) -> ControlResponse {
    guard count > 0 else { return .ignored }
    let present = selectedRow ?? -1
    let extending = press.modifiers.contains(.shift)
    switch press.key {
    case .down: select(present + 1, extending: extending)
    case .up: select(selectedRow == nil ? count - 1 : present - 1, extending: extending)
    case .pageDown: select(present + scroller.pageRows, extending: extending)
    case .pageUp: select(present - scroller.pageRows, extending: extending)
    case .home: select(0, extending: extending)
    case .end: select(count - 1, extending: extending)
    case .return:
      guard !selection.isEmpty, let onActivate else { return .ignored }
      onActivate(selectedRows)
    case .character("a") where press.modifiers == .control && selectsSeveral:
      change(to: IndexSet(integersIn: 0..<count), row: selectedRow ?? 0, anchor: anchorRow ?? 0)
    case .copy: return copy(press.time)
    case .character("c") where press.modifiers == .control: return copy(press.time)
    default: return .ignored
    }
    return .handled
  }

  /// The selected rows as lines that a spreadsheet takes apart.
  private func copy(_ time: UInt32) -> ControlResponse {
    guard !selection.isEmpty else { return .ignored }
    let lines = selection.map { index in
      let row = row(index)
      return "\(row.primary)\t\(row.secondary)"
    }
    host?.clipboard?.setText(lines.joined(separator: "\n"), in: .clipboard, time: time)
    return .handled
  }

  /// The columns of a row; the scroll bar stands beside them, not on them.
  private func columns(in row: Rect) -> (primary: Rect, secondary: Rect) {
    let rect = besideBar(row)
    let inset = style.px(12)
    let middle = (rect.x + inset + (rect.width - 2 * inset) * split).rounded()
    return (
      Rect(x: rect.x + inset, y: rect.y, width: max(0, middle - style.px(12) - rect.x - inset), height: rect.height),
      Rect(x: middle, y: rect.y, width: max(0, rect.maxX - inset - middle), height: rect.height)
    )
  }

  private func besideBar(_ row: Rect) -> Rect {
    let barWidth = scroller.isScrollable ? style.px(6) : 0
    return Rect(x: row.x, y: row.y, width: row.width - barWidth, height: row.height)
  }

  public override func draw(on canvas: Canvas) {
    let theme = style.theme
    if let columnTitles {
      let header = Rect(x: frame.x, y: frame.y, width: frame.width, height: style.rowHeight)
      let columns = columns(in: header)
      let font = style.smallFont
      for (title, column) in [(columnTitles.primary, columns.primary), (columnTitles.secondary, columns.secondary)] {
        let layout = TextLayout(title, font: font, maximumWidth: column.width, ellipsis: .end)
        canvas.text(layout, x: column.x, baseline: baseline(of: font, in: header), theme.secondaryText)
      }
      canvas.fill(
        Rect(x: frame.x, y: header.maxY - style.hairline, width: frame.width, height: style.hairline), theme.hairline)
    }
    canvas.clip(scroller.area) {
      for index in scroller.visibleRows { draw(index, on: canvas) }
      scroller.drawBar(on: canvas, style)
    }
  }

  private func draw(_ index: Int, on canvas: Canvas) {
    let theme = style.theme
    let row = scroller.rect(ofRow: index)
    let rect = besideBar(row)
    let isSelected = selection.contains(index)
    if isSelected || index == hoveredRow {
      let inset = style.px(4)
      let box = Rect(x: rect.x + inset, y: rect.y, width: rect.width - 2 * inset, height: rect.height)
      canvas.fill(box, isSelected ? theme.rowSelection : theme.rowHover, cornerRadius: style.px(4))
      if index == selectedRow, isFocused, showsFocusRing {
        canvas.stroke(box, theme.focus, lineWidth: style.focusWidth, cornerRadius: style.px(4))
      }
    }
    let content = self.row(index)
    let columns = columns(in: row)
    let baseline = self.baseline(of: style.font, in: rect)
    let primary = TextLayout(
      content.primary, font: style.font, maximumWidth: columns.primary.width, ellipsis: .middle)
    canvas.text(primary, x: columns.primary.x, baseline: baseline, theme.text)
    let secondary = TextLayout(
      content.secondary, font: style.font, maximumWidth: columns.secondary.width, ellipsis: .end)
    canvas.text(secondary, x: columns.secondary.x, baseline: baseline, theme.secondaryText)
  }
}
