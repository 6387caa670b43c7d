import Controls
import Drawing
import Geometry
import Scene
import X11

/// The table of keys, over the map. Any key or click closes it.
@MainActor struct KeysPanel {
  /// Whether it is shown.
  var isShown = false { didSet { offset = 0 } }
  /// Lines that are scrolled out above, where the window is too low for all.
  private var offset = 0.0
  /// Lines that there is no room for; known once it was drawn.
  private var excess = 0.0
  /// What was drawn last, and for what: hundreds of words are not laid out anew with every frame.
  private var drawn: (room: Size, style: Style, table: KeyTable)?

  /// Scrolls by rows; down when positive.
  mutating func scroll(rows: Double) { offset = max(0, min(excess, offset + rows.rounded())) }

  /// Scrolls when the key means that and there is something to scroll to; whether it did.
  mutating func scroll(by key: KeySymbol) -> Bool {
    guard excess > 0 else { return false }
    switch key {
    case .down: scroll(rows: 1)
    case .up: scroll(rows: -1)
    case .pageDown: scroll(rows: 6)
    case .pageUp: scroll(rows: -6)
    default: return false
    }
    return true
  }

  /// Draws it in the middle of `area`.
  mutating func draw(on canvas: Canvas, in area: Rect, style: Style) {
    guard isShown else { return }
    let room = Size(width: area.width - style.px(16), height: area.height - style.px(16))
    let table = table(in: room, style: style)
    let height = min(room.height, table.size.height)
    let frame = PixelGrid.snap(Rect(center: area.center, size: Size(width: table.size.width, height: height)))
    let line = KeyTable.line(style)
    let hidden = max(0, table.size.height - height)
    excess = (hidden / line).rounded(.up)
    offset = min(offset, excess)
    let scrolled = min(hidden, offset * line)
    canvas.fill(frame, style.theme.panel, cornerRadius: style.cornerRadius)
    canvas.stroke(frame, style.theme.hairline, lineWidth: style.hairline, cornerRadius: style.cornerRadius)
    canvas.clip(frame.insetBy(style.hairline)) {
      for piece in table.pieces {
        let origin = Point(x: (frame.x + piece.origin.x).rounded(), y: (frame.y + piece.origin.y - scrolled).rounded())
        canvas.text(piece.text, at: origin, piece.isQuiet ? style.theme.secondaryText : style.theme.text)
      }
    }
    guard hidden > 0 else { return }
    // How much of it is seen, as in every list.
    let track = frame.insetBy(style.px(4))
    let thumb = max(style.px(24), track.height * height / table.size.height).rounded()
    let y = track.y + ((track.height - thumb) * scrolled / hidden).rounded()
    canvas.fill(
      Rect(x: frame.maxX - style.px(6), y: y, width: style.px(4), height: thumb), style.theme.scrollThumb,
      cornerRadius: style.px(2))
  }

  private mutating func table(in room: Size, style: Style) -> KeyTable {
    if let drawn, drawn.room == room, drawn.style == style { return drawn.table }
    let table = KeyTable(in: room, style: style)
    drawn = (room, style, table)
    return table
  }
}

/// The words of the table of keys, each in its place: the sections in as few columns as they need to be seen together, or
/// in as many as there is room for. In a narrow window what a key does is written below it.
@MainActor struct KeyTable {
  /// A text and its upper left corner.
  struct Piece {
    var text: TextLayout
    var origin: Point
    var isQuiet = false
  }

  /// Everything that is written, from the upper left corner of the panel.
  private(set) var pieces: [Piece] = []
  /// How large the panel is that shows all of it.
  private(set) var size = Size.zero

  /// The height of a row of one line.
  static func line(_ style: Style) -> Double { style.px(24) }

  private static let mostColumns = 3

  private let style: Style
  private let keyWidth: Double
  private let widestText: Double
  private var gap: Double { style.px(16) }
  private var keyFont: Font { style.font.withWeight(.medium) }

  init(in room: Size, style: Style) {
    self.style = style
    let rows = KeySection.all.flatMap(\.rows).filter { !$0.label.isEmpty }
    let font = style.font.withWeight(.medium)
    keyWidth = min(
      style.px(136), (rows.map { TextLayout($0.label, font: font).size.width }.max() ?? 0).rounded(.up))
    widestText = (rows.map { TextLayout($0.description, font: style.font).size.width }.max() ?? 0).rounded(.up)
    for count in 1...Self.mostColumns {
      guard let (pieces, size) = arranged(in: count, room) else { break }
      self.pieces = pieces
      self.size = size
      if size.height <= room.height { break }
    }
  }

  /// The table in so many columns; nil without room for them.
  private func arranged(in count: Int, _ room: Size) -> ([Piece], Size)? {
    let padding = style.px(room.width < style.px(400) ? 12 : 20)
    let between = style.px(32)
    let most = ((room.width - 2 * padding - Double(count - 1) * between) / Double(count)).rounded(.down)
    let isStacked = most < keyWidth + gap + style.px(count == 1 ? 220 : 300)
    guard count == 1 || !isStacked else { return nil }
    let width = min(most, keyWidth + gap + min(widestText, style.px(560)))
    let blocks = KeySection.all.map { block(of: $0, width: max(style.px(40), width), isStacked: isStacked) }
    var pieces: [Piece] = []
    var height = 0.0
    for (column, sections) in columns(of: blocks.map(\.height), count).enumerated() {
      let x = padding + Double(column) * (width + between)
      var y = padding
      for index in sections {
        if index > sections.lowerBound { y += sectionGap }
        pieces += blocks[index].pieces.map {
          Piece(text: $0.text, origin: Point(x: x + $0.origin.x, y: y + $0.origin.y), isQuiet: $0.isQuiet)
        }
        y += blocks[index].height
      }
      height = max(height, y)
    }
    let total = 2 * padding + Double(count) * width + Double(count - 1) * between
    return (pieces, Size(width: min(room.width, total), height: height + padding))
  }

  private var sectionGap: Double { style.px(12) }

  /// A section from its upper left corner.
  private func block(of section: KeySection, width: Double, isStacked: Bool) -> (pieces: [Piece], height: Double) {
    let heading = TextLayout(section.title, font: style.font.withWeight(.bold))
    var pieces = [Piece(text: heading, origin: .zero)]
    let spacing = Self.line(style) - heading.size.height
    var y = Self.line(style)
    for row in section.rows where !row.label.isEmpty {
      let textX = isStacked ? 0 : keyWidth + gap
      let key = TextLayout(
        row.label, font: keyFont, maximumWidth: (isStacked ? width : keyWidth) + 1, maximumLines: nil)
      let text = TextLayout(
        row.description, font: style.font, maximumWidth: max(style.px(40), width - textX) + 1, maximumLines: nil)
      let textY = isStacked ? key.size.height.rounded(.up) : 0
      pieces.append(Piece(text: key, origin: Point(x: 0, y: y)))
      pieces.append(Piece(text: text, origin: Point(x: textX, y: y + textY), isQuiet: true))
      y += max(Self.line(style), (max(key.size.height, textY + text.size.height) + spacing).rounded(.up))
    }
    return (pieces, y)
  }

  /// Which sections each column has: one after the other, so that the longest column is as short as can be.
  private func columns(of heights: [Double], _ count: Int) -> [Range<Int>] {
    var limit = heights.reduce(0, +) / Double(count)
    while true {
      var columns: [Range<Int>] = []
      var start = 0
      var height = heights.first ?? 0
      for index in heights.indices.dropFirst() {
        if height + sectionGap + heights[index] <= limit {
          height += sectionGap + heights[index]
        } else {
          columns.append(start..<index)
          (start, height) = (index, heights[index])
        }
      }
      columns.append(start..<heights.count)
      if columns.count <= count { return columns }
      limit += Self.line(style) / 4
    }
  }
}
