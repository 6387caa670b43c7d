import Drawing
import Geometry
import TestSupport
import Testing

@Suite("Text", .computing)
struct TextTests {
  private let font = Font(family: "sans", size: 14)

  /// Latin, combining marks, an emoji family, right to left, both directions, spaces at the ends.
  static let samples = [
    "", "a", "bucket/folder", "fi ffl", "e\u{301}a\u{308}", "👩‍👩‍👧‍👦 family", "🇩🇪🇫🇷", "שלום עולם", "مرحبا",
    "abc שלום def", "  padded  ", "日本語テキスト", "한국어", "x\u{0}y", "a\u{200d}b",
  ]

  @Test("every place of the caret is found again at its x", arguments: samples)
  func roundTrip(text: String) {
    let layout = TextLayout(text, font: font)
    let boundaries = TextBoundaries(text)
    for offset in boundaries.carets {
      let x = layout.caretX(at: offset)
      #expect(x >= 0 && x <= layout.size.width + 0.01)
      // Where directions meet two places may share an x: the place found must lie at the same x.
      let found = layout.offset(atX: x)
      #expect(boundaries.isCaret(found), "\(found) in \(text)")
      let caret = layout.caret(at: found)
      #expect(abs(caret.strong.x - x) < 0.01 || abs(caret.weak.x - x) < 0.01)
    }
  }

  @Test("a point left of the text is its start, a point right of it its end")
  func edges() {
    let layout = TextLayout("bucket", font: font)
    #expect(layout.offset(atX: -50) == 0)
    #expect(layout.offset(atX: 5000) == 6)
    let hebrew = TextLayout("שלום", font: font)
    #expect(hebrew.isRightToLeft && !layout.isRightToLeft)
    #expect(hebrew.offset(atX: -50) == 8)
  }

  @Test("steps to the right visit every place of the caret and end at the edge", arguments: samples)
  func visualSteps(text: String) {
    let layout = TextLayout(text, font: font)
    let boundaries = TextBoundaries(text)
    var offset = layout.isRightToLeft ? boundaries.carets.last! : 0
    var visited: Set<Int> = [offset]
    for _ in 0..<200 {
      let next = layout.caretMovedVisually(from: offset, toRight: true)
      if next == offset { break }
      #expect(boundaries.isCaret(next))
      offset = next
      visited.insert(offset)
    }
    #expect(offset == (layout.isRightToLeft ? 0 : boundaries.carets.last!))
    // Where directions meet the visual way passes by some logical places twice and others never.
    if text != "abc שלום def" { #expect(visited == Set(boundaries.carets)) }
  }

  @Test("selection rectangles cover exactly the text, several where directions mix")
  func selection() {
    for text in Self.samples where !text.isEmpty {
      let layout = TextLayout(text, font: font)
      let length = text.utf8.count
      let rects = layout.selectionRects(0..<length)
      let width = rects.map(\.width).reduce(0, +)
      #expect(abs(width - layout.size.width) < 0.01, "\(text)")
      #expect(layout.selectionRects(2..<2).isEmpty)
    }
    let mixed = "abc שלום def"
    // From inside the Latin word to inside the Hebrew one: two runs.
    #expect(TextLayout(mixed, font: font).selectionRects(1..<8).count == 2)
  }

  @Test(
    "graphemes are never split",
    arguments: [
      ("e\u{301}x", [0, 3, 4]), ("👩‍👩‍👧‍👦!", [0, 25, 26]), ("🇩🇪🇫🇷", [0, 8, 16]), ("", [0]), ("ab", [0, 1, 2]), ("👍🏽", [0, 8]),
    ])
  func graphemes(text: String, carets: [Int]) {
    #expect(TextBoundaries(text).carets == carets)
  }

  @Test("words are found by steps and by double click")
  func words() {
    let boundaries = TextBoundaries("my bucket, photos")
    #expect(boundaries.wordEnd(after: 0) == 2)
    #expect(boundaries.wordEnd(after: 2) == 9)
    #expect(boundaries.wordEnd(after: 17) == 17)
    #expect(boundaries.wordStart(before: 17) == 11)
    #expect(boundaries.wordStart(before: 11) == 3)
    #expect(boundaries.wordStart(before: 0) == 0)
    #expect(boundaries.word(at: 5) == 3..<9)
    #expect(boundaries.word(at: 9) == 9..<11)
    #expect(boundaries.word(at: 17) == 11..<17)
    #expect(TextBoundaries("").word(at: 0) == 0..<0)
    #expect(TextBoundaries("  ").word(at: 1) == 0..<2)
  }

  @Test("too long a text is shortened where asked and never wider than allowed")
  func ellipsis() {
    let key = "photos/2024/expedition/camera-2/IMG_20240131_120000.jpg"
    for mode in [TextLayout.Ellipsis.start, .middle, .end] {
      for width in [0.0, 5, 40, 100, 200] {
        let layout = TextLayout(key, font: font, maximumWidth: width, ellipsis: mode)
        #expect(layout.isEllipsized)
        #expect(layout.size.width <= max(width, TextLayout("…", font: font).size.width) + 0.01)
      }
      #expect(!TextLayout(key, font: font, maximumWidth: 5000, ellipsis: mode).isEllipsized)
    }
  }

  @Test("sentences are wrapped at the width, into as many lines as allowed")
  func wrapping() {
    let sentence = "The bucket does not exist, or these keys may not see it."
    let free = TextLayout(sentence, font: font, maximumWidth: 120, maximumLines: nil)
    #expect(free.lineCount > 2 && free.size.width <= 120.01 && !free.isEllipsized)
    let two = TextLayout(sentence, font: font, maximumWidth: 120, maximumLines: 2)
    #expect(two.lineCount == 2 && two.isEllipsized)
    #expect(TextLayout("one\ntwo", font: font).lineCount == 1)
  }

  @Test("tabular digits are equally wide")
  func tabularFigures() {
    let tabular = font.tabular
    let widths = (0...9).map { TextLayout("\($0)", font: tabular).size.width }
    #expect(Set(widths).count == 1)
  }

  /// A desktop's font name and what it means, in points or, with `px`, pixels.
  struct FontName: Sendable {
    var name: String
    var family: String
    var pixels: Double
    var weight: Font.Weight
  }

  static let desktopFonts: [FontName] = [
    FontName(name: "Cantarell 11", family: "Cantarell", pixels: 44.0 / 3, weight: .regular),
    FontName(name: "Noto Sans Bold 10", family: "Noto Sans", pixels: 40.0 / 3, weight: .bold),
    FontName(name: "Ubuntu Medium 12", family: "Ubuntu", pixels: 16, weight: .medium),
    FontName(name: "sans", family: "sans", pixels: 40.0 / 3, weight: .regular),
    FontName(name: "", family: "sans", pixels: 40.0 / 3, weight: .regular),
    FontName(name: "Sans 900", family: "Sans", pixels: 40.0 / 3, weight: .regular),
    FontName(name: "DejaVu Sans 14px", family: "DejaVu Sans", pixels: 14, weight: .regular),
  ]

  @Test("desktop font names are read", arguments: desktopFonts)
  func fontNames(expected: FontName) {
    let font = Font.parse(expected.name)
    #expect(font.family == expected.family && font.weight == expected.weight)
    #expect(abs(font.size - expected.pixels) < 1e-6)
    #expect(abs(Font.parse(expected.name, scale: 2).size - 2 * expected.pixels) < 1e-6)
  }

  @Test("text on a canvas leaves ink where its layout says, in the colour asked")
  func ink() throws {
    let canvas = try Canvas.image(width: 100, height: 40)
    canvas.clear(.black)
    let layout = TextLayout("Ink", font: Font(family: "sans", size: 20))
    canvas.text(layout, at: Point(x: 10, y: 5), .white)
    let extents = layout.inkExtents
    let area = PixelRect(
      covering: Rect(x: extents.x + 10, y: extents.y + 5, width: extents.width, height: extents.height)
    ).insetBy(-1)
    _ = canvas.withPixels { pixels, stride in
      var brightest: UInt32 = 0
      for y in 0..<40 {
        for x in 0..<100 {
          let level = pixels[y * stride + x] & 0xff
          if !area.contains(x: x, y: y) { #expect(level == 0, "ink at \(x), \(y)") }
          brightest = max(brightest, level)
        }
      }
      #expect(brightest > 200)
    }
  }
}
