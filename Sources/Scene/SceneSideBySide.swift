import Foundation
import Geometry

// Several pictures at full size, side by side: all show the same part, one has the keyboard.
extension Scene {
  /// The most pictures that are shown side by side.
  public static let mostSideBySide = 16
  /// The room for a name below each of them, in logical pixels.
  public static let captionHeight = 28.0
  /// The room between them, in logical pixels.
  static let sideBySideGap = 4.0

  /// Shows the selected pictures side by side, or the group of duplicates that is gone through, the first of very many; a
  /// single one alone.
  mutating func openSideBySide(_ effects: inout Effects) {
    let group = walk?.slots ?? []
    let all = (group.isEmpty ? selection.slots : group).filter { pictures.isReady($0) }
    if all.count == 1 { return open(all[0], &effects) }
    guard !all.isEmpty else { return effects.add(.refused(.nothingToCompare)) }
    let slots = all.prefix(Self.mostSideBySide)
    if slots.count < all.count { effects.add(.sideBySideLimited(of: all.count)) }
    show(slots[0], from: nil, &effects)
    focused = slots[0]
    sideBySide = slots.map {
      OpenedImage(
        slot: $0, aspect: aspect(of: $0), turn: turns[$0] ?? .none, viewport: openedViewport, uiScale: uiScale,
        origin: nil)
    }
    placeOpened()
    for slot in slots.dropFirst() { effects.add(.openOriginal(slot: slot)) }
  }

  /// The part of the window that pictures at full size have.
  var openedViewport: PixelRect {
    var rect = camera.viewport
    rect.width = max(1, rect.width - aside)
    return rect
  }

  /// Gives the full-size view its room: all of it to one picture, or a cell to each.
  mutating func placeOpened() {
    let area = openedViewport
    guard !sideBySide.isEmpty else {
      opened?.setViewport(area, uiScale: uiScale)
      return
    }
    let gap = Int((Self.sideBySideGap * uiScale).rounded())
    let columns = columnsSideBySide(gap: gap)
    let rows = (sideBySide.count + columns - 1) / columns
    for index in sideBySide.indices {
      sideBySide[index].setViewport(
        Self.cell(index, columns: columns, rows: rows, of: area, gap: gap, caption: caption), uiScale: uiScale)
    }
    if let active = sideBySide.first(where: { $0.slot == opened?.slot }) { opened = active }
  }

  private var caption: Int { Int((Self.captionHeight * uiScale).rounded()) }

  private static func cell(
    _ index: Int, columns: Int, rows: Int, of area: PixelRect, gap: Int, caption: Int
  ) -> PixelRect {
    let (column, row) = (index % columns, index / columns)
    let (left, right) = (column * (area.width + gap) / columns, (column + 1) * (area.width + gap) / columns - gap)
    let (top, bottom) = (row * (area.height + gap) / rows, (row + 1) * (area.height + gap) / rows - gap)
    return PixelRect(
      x: area.x + left, y: area.y + top, width: max(1, right - left), height: max(1, bottom - top - caption))
  }

  /// As many columns as show most of the pictures.
  private func columnsSideBySide(gap: Int) -> Int {
    func shown(_ columns: Int) -> Double {
      let rows = (sideBySide.count + columns - 1) / columns
      let cell = Self.cell(0, columns: columns, rows: rows, of: openedViewport, gap: gap, caption: caption)
      return sideBySide.reduce(0) { sum, image in
        let size = image.imageSize
        let scale = min(Double(cell.width) / size.width, Double(cell.height) / size.height)
        return sum + scale * scale * size.width * size.height
      }
    }
    return (1...sideBySide.count).max { shown($0) < shown($1) } ?? 1
  }

  /// Gives the keyboard to the picture in whose cell a point is.
  mutating func activate(at point: Point, _ effects: inout Effects) {
    let hit = sideBySide.first {
      var cell = $0.viewport
      cell.height += caption
      return Rect(cell).contains(point)
    }
    if let hit { activate(hit, &effects) }
  }

  /// Goes to the picture beside the present one. Whether there are several.
  mutating func stepSideBySide(_ direction: Direction, _ effects: inout Effects) -> Bool {
    guard let index = sideBySide.firstIndex(where: { $0.slot == opened?.slot }) else { return false }
    let columns = sideBySide.count { $0.viewport.y == sideBySide[0].viewport.y }
    let next =
      switch direction {
      case .left: index - 1
      case .right: index + 1
      case .up: index - columns
      case .down: index + columns
      }
    if sideBySide.indices.contains(next) { activate(sideBySide[next], &effects) }
    return true
  }

  private mutating func activate(_ image: OpenedImage, _ effects: inout Effects) {
    guard image.slot != opened?.slot else { return }
    openedZoom = nil
    opened = image
    focused = image.slot
    effects.add(.hoverChanged(slot: image.slot))
    effects.redraw()
  }

  /// Has all of them show what the one with the keyboard shows.
  mutating func alignSideBySide() {
    guard let opened else {
      sideBySide = []
      return
    }
    for index in sideBySide.indices {
      if sideBySide[index].slot == opened.slot { sideBySide[index] = opened } else { sideBySide[index].follow(opened) }
    }
  }

  // MARK: Turning

  /// Turns the opened picture by a quarter; it stays so while the location is open.
  mutating func turnOpened(clockwise: Bool, _ effects: inout Effects) {
    guard opened != nil else { return }
    opening = nil
    openedZoom = nil
    opened?.progress = 1
    opened?.turn(clockwise: clockwise)
    if let opened { turns[opened.slot] = opened.turn == .none ? nil : opened.turn }
    effects.redraw()
  }
}
