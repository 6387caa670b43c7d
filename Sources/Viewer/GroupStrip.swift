import Atlas
import Controls
import Drawing
import Geometry
import Imaging

/// The pictures of a group side by side below the map, each with a few words.
@MainActor final class GroupStrip: CellStrip {
  /// One picture.
  struct Item: Equatable {
    /// Which.
    var slot: Int
    /// What is said below it.
    var caption: String
  }

  /// What is said above the pictures.
  var title = "" { didSet { if title != oldValue { invalidate() } } }
  /// The pictures.
  var items: [Item] = [] { didSet { if items != oldValue { invalidate() } } }
  /// Their thumbnails.
  var atlas: Atlas?

  private var side = 72.0

  override var count: Int { items.count }
  override var heading: String { title }
  override var cellSize: Size { Size(width: side, height: side) }
  override var captionHeight: Double { (style.smallFont.metrics.lineHeight + style.px(4)).rounded(.up) }
  override var headingHeight: Double { (style.smallFont.metrics.lineHeight + style.px(6)).rounded(.up) }

  /// Lays it out at the lower edge of `area`.
  func place(in area: Rect, style: Style) {
    self.style = style
    // In a low window the map keeps more than half of the room.
    side = style.px(area.height < style.px(420) ? 36 : 72)
    place(in: area, margin: style.px(12), narrowest: style.px(560))
  }

  override func drawCell(_ index: Int, in cell: Rect, on canvas: Canvas) {
    let theme = style.theme
    let item = items[index]
    if index == hovered { canvas.fill(cell.insetBy(-style.px(4)), theme.rowHover, cornerRadius: style.px(4)) }
    // Of the levels in memory the largest: this is the main thread, which does not wait for the disk.
    if let atlas,
      let level = thumbnailLevels.indices.last(where: { atlas.isResident(item.slot, level: $0) }),
      let thumbnail = atlas.level(level, of: item.slot)
    {
      let fitted = Size(width: Double(thumbnail.width), height: Double(thumbnail.height)).fitted(in: cell.size)
      let place = PixelGrid.snap(Rect(center: cell.center, size: fitted))
      canvas.image(
        thumbnail.pixels, width: thumbnail.width, height: thumbnail.height, stride: thumbnail.width, in: place)
    } else {
      canvas.fill(cell, theme.field, cornerRadius: style.px(3))
    }
    if index == current {
      canvas.stroke(
        cell.insetBy(-style.px(3)), theme.focus, lineWidth: style.focusWidth, cornerRadius: style.px(4))
    }
    let caption = TextLayout(
      item.caption, font: style.smallFont.tabular, maximumWidth: pitch - style.px(2), ellipsis: .end)
    canvas.text(
      caption, at: Point(x: (cell.center.x - caption.size.width / 2).rounded(), y: cell.maxY + style.px(5)),
      theme.secondaryText)
  }
}
