public import Drawing
public import Geometry
public import Scene

/// The coloured frames that say to what class each picture of a map belongs.
///
/// A frame lies inside the rectangle of its picture: it covers nothing else, hides nothing more, and moves with it.
public struct LabelFrames {
  private let labelling: Labelling
  /// The colour of each class, opaque.
  private let colors: [UInt32]
  /// The width of the lines in device pixels.
  private let line: Int

  /// Of the longest side of pictures, a line takes this part; but not more than so many logical pixels.
  private static let share = 14
  private static let widest = 3.0

  /// The frames of a scene; nil where its pictures have none.
  /// - Parameter background: of the canvas, ARGB.
  public init?(_ scene: borrowing Scene, background: UInt32) {
    guard let labelling = scene.labelling else { return nil }
    self.labelling = labelling
    colors = LabelPalette(onDark: Color(hex: background & 0xff_ffff).luminance < 0.18).colors(of: labelling).map(\.argb)
    let widest = Int((Self.widest * max(1, scene.uiScale)).rounded())
    line = max(1, min(widest, (scene.spriteSide + Self.share / 2) / Self.share))
  }

  /// The colour of a picture's frame; nil where it has none.
  @inline(__always)
  public func color(of slot: Int) -> UInt32? { labelling.label(of: slot).map { colors[$0] } }

  /// How wide the lines of a frame are: those at the left and right, and those above and below. A picture too thin for a
  /// line at either side and something between them has none there; one too small for any is all frame.
  @inline(__always)
  private func lines(in rect: PixelRect) -> (columns: Int, rows: Int) {
    let columns = rect.width < 3 ? 0 : min(line, rect.width / 3)
    let rows = rect.height < 3 ? 0 : min(line, rect.height / 3)
    return columns == 0 && rows == 0 ? (rect.width, rect.height) : (columns, rows)
  }

  /// The parts of a picture that its frame covers.
  public func parts(of rect: PixelRect) -> [PixelRect] {
    let (columns, rows) = lines(in: rect)
    guard columns < rect.width || rows < rect.height else { return [rect] }
    let middle = rect.height - 2 * rows
    return [
      PixelRect(x: rect.x, y: rect.y, width: rect.width, height: rows),
      PixelRect(x: rect.x, y: rect.maxY - rows, width: rect.width, height: rows),
      PixelRect(x: rect.x, y: rect.y + rows, width: columns, height: middle),
      PixelRect(x: rect.maxX - columns, y: rect.y + rows, width: columns, height: middle),
    ].filter { !$0.isEmpty }
  }

  /// Draws what is inside `clip` of the frame of a picture.
  @inline(__always)
  func draw(_ sprite: Sprite, clip: PixelRect, blitter: Blitter) {
    guard let color = color(of: Int(sprite.slot)) else { return }
    let rect = sprite.rect
    let visible = rect.intersection(clip)
    guard !visible.isEmpty else { return }
    let (columns, rows) = lines(in: rect)
    let (top, bottom) = (rect.y &+ rows, rect.maxY &- rows)
    // Where the line at the left ends and the one at the right begins, both inside what is seen.
    let left = min(visible.maxX, max(visible.x, rect.x &+ columns))
    let right = max(left, min(visible.maxX, max(visible.x, rect.maxX &- columns)))
    var row = visible.y
    while row < visible.maxY {
      let out = blitter.target + row &* blitter.stride
      if row < top || row >= bottom {
        var column = visible.x
        while column < visible.maxX {
          out[column] = color
          column &+= 1
        }
      } else {
        var column = visible.x
        while column < left {
          out[column] = color
          column &+= 1
        }
        column = right
        while column < visible.maxX {
          out[column] = color
          column &+= 1
        }
      }
      row &+= 1
    }
  }
}

extension LabelPalette {
  /// The colour of each class.
  public func colors(of labelling: Labelling) -> [Color] {
    let count = labelling.labels.count - (labelling.hasOthers ? 1 : 0)
    let colors = labelling.kind.isOrdered ? ordered(count) : distinct(count)
    return labelling.hasOthers ? colors + [others] : colors
  }
}
