import Controls
import Drawing
import Geometry

/// A row of small pictures in a panel at the lower edge of the map, under a sentence. It is moved so that the one at hand is
/// seen, and each can be pressed. What the cells show is for those who inherit.
@MainActor class CellStrip: ControlBase {
  /// A cell was pressed, by its place in the row.
  var onPress: ((Int) -> Void)?
  /// The one at hand.
  var current: Int? { didSet { if current != oldValue { invalidate() } } }
  /// The one under the pointer.
  private(set) var hovered: Int? { didSet { if hovered != oldValue { invalidate() } } }

  override init() {
    super.init()
    isVisible = false
  }

  // MARK: What it shows

  /// How many cells there are.
  var count: Int { 0 }
  /// What is said above them.
  var heading: String { "" }
  /// The size of each.
  var cellSize: Size { .zero }
  /// The room below a cell.
  var captionHeight: Double { 0 }
  /// The room that the sentence has.
  var headingHeight: Double { 0 }
  /// The cell that is seen where none is at hand.
  var restingCell: Int { 0 }
  /// Draws one.
  func drawCell(_ index: Int, in cell: Rect, on canvas: Canvas) {}

  // MARK: Where it is

  var padding: Double { style.px(12) }
  private var gap: Double { style.px(12) }
  /// From one cell to the next.
  var pitch: Double { cellSize.width + gap }
  private var rowWidth: Double { Double(count) * pitch - gap }

  /// Lays it out at the lower edge of `area`, as wide as its cells need or as there is room.
  func place(in area: Rect, margin: Double, narrowest: Double) {
    let width = max(0, min(area.width - 2 * margin, max(narrowest, rowWidth + 2 * padding)))
    let height = headingHeight + cellSize.height + captionHeight + 2 * padding
    frame = PixelGrid.snap(
      Rect(x: area.center.x - width / 2, y: max(area.y, area.maxY - margin - height), width: width, height: height))
  }

  /// How far the row is moved to the left.
  private var offset: Double {
    let room = frame.width - 2 * padding
    guard rowWidth > room else { return 0 }
    let middle = Double(current ?? restingCell) * pitch + cellSize.width / 2
    return min(rowWidth - room, max(0, middle - room / 2)).rounded()
  }

  private func cell(_ index: Int) -> Rect {
    Rect(
      x: frame.x + padding + Double(index) * pitch - offset, y: frame.y + padding + headingHeight,
      width: cellSize.width, height: cellSize.height)
  }

  /// The cell at a point, its caption included.
  func index(at point: Point) -> Int? {
    let x = point.x - frame.x - padding + offset
    let index = Int((x / pitch).rounded(.down))
    return frame.contains(point) && x >= 0 && (0..<count).contains(index) ? index : nil
  }

  // MARK: The hand

  override func handle(_ event: ControlEvent) -> ControlResponse {
    _ = super.handle(event)
    switch event {
    case .pointerMoved(let pointer): hovered = index(at: pointer.position)
    case .pointerLeft:
      hovered = nil
      return .ignored
    case .pointerPressed(let pointer):
      if pointer.button == .left, let index = index(at: pointer.position) { onPress?(index) }
    case .pointerReleased, .scrolled: break
    default: return .ignored
    }
    return .handled
  }

  override func pointerShape(at point: Point) -> PointerShape { index(at: point) == nil ? .arrow : .hand }

  override func draw(on canvas: Canvas) {
    let theme = style.theme
    canvas.fill(frame, theme.panel, cornerRadius: style.cornerRadius)
    canvas.stroke(
      frame.insetBy(style.hairline / 2), theme.hairline, lineWidth: style.hairline, cornerRadius: style.cornerRadius)
    let text = TextLayout(
      heading, font: style.smallFont.tabular, maximumWidth: max(1, frame.width - 2 * padding), ellipsis: .end)
    canvas.text(text, at: Point(x: frame.x + padding, y: frame.y + padding - style.px(3)), theme.secondaryText)
    canvas.clip(frame.insetBy(style.px(4))) {
      for index in 0..<count {
        let cell = cell(index)
        guard cell.maxX > frame.minX, cell.minX < frame.maxX else { continue }
        drawCell(index, in: cell, on: canvas)
      }
    }
  }
}
