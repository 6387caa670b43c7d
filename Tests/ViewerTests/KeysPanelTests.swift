import Controls
import Drawing
import Geometry
import Scene
import Testing

@testable import Viewer

@MainActor @Suite("The table of keys")
struct KeysPanelTests {
  /// Windows in logical pixels, without bar and status line.
  nonisolated static let rooms = [
    Size(width: 304, height: 150), Size(width: 324, height: 400), Size(width: 624, height: 388),
    Size(width: 1264, height: 708), Size(width: 1584, height: 908), Size(width: 3824, height: 2060),
  ]

  private func table(_ room: Size, scale: Double = 1) -> (KeyTable, Style) {
    let style = Style(scale: scale)
    return (KeyTable(in: Size(width: room.width * scale, height: room.height * scale), style: style), style)
  }

  @Test("every word has a place of its own within the table, in every window", arguments: rooms, [1.0, 1.5, 2, 3])
  func places(room: Size, scale: Double) {
    let (table, _) = table(room, scale: scale)
    #expect(table.size.width <= room.width * scale)
    let words = table.pieces.map {
      Rect(x: $0.origin.x, y: $0.origin.y, width: $0.text.size.width, height: $0.text.size.height)
    }
    for (index, word) in words.enumerated() {
      #expect(word.minX >= 0 && word.maxX <= table.size.width && word.minY >= 0 && word.maxY <= table.size.height)
      for other in words[..<index] { #expect(word.intersection(other).isEmpty) }
    }
    let texts = Set(table.pieces.map(\.text.text))
    for section in KeySection.all {
      #expect(texts.contains(section.title))
      for row in section.rows where !row.label.isEmpty {
        #expect(texts.contains(row.label) && texts.contains(row.description))
      }
    }
  }

  @Test("in a narrow window what a key does is below it and has all of the width; else it is beside it")
  func narrow() throws {
    let text = "Go to the nearest picture in that direction"
    for (room, isBelow) in zip(Self.rooms, [true, true, false, false, false, false]) {
      let (table, _) = table(room)
      let place = try #require(table.pieces.first { $0.text.text == text }?.origin)
      let key = try #require(table.pieces.first { $0.text.text == "Arrows" }?.origin)
      #expect(isBelow ? place.x == key.x && place.y > key.y : place.x > key.x && place.y == key.y)
      if isBelow {
        let widest = table.pieces.map(\.text.size.width).max() ?? 0
        #expect(widest > 0.75 * room.width)
      }
    }
  }

  @Test("a large window shows all of them together")
  func together() {
    for room in Self.rooms.suffix(2) {
      let (table, _) = table(room)
      #expect(table.size.height <= room.height)
    }
  }
}
