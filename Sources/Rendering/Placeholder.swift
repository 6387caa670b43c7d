import Geometry

/// A faint rounded square in the place of a picture that is still on its way.
struct Placeholder {
  private var side = 0
  private var background: UInt32 = 0
  private var color: UInt32 = 0
  private var radius = 0
  /// The colours of the top left corner, row by row, `radius` each.
  private var corner: [UInt32] = []

  /// Decides colour and corner for pictures of a size.
  mutating func prepare(side: Int, background: UInt32) {
    guard side != self.side || background != self.background else { return }
    self.side = side
    self.background = background
    // One step towards the other end of the scale of greys: seen, and nothing to look at.
    let isDark = (background >> 8) & 0xFF < 0x80
    color = Self.mixed(background, isDark ? 0xFFFF_FFFF : 0xFF00_0000, share: isDark ? 14 : 12)
    radius = side < 10 ? 0 : max(1, min(6, side / 10))
    corner = []
    for y in 0..<radius {
      for x in 0..<radius {
        corner.append(Self.mixed(background, color, share: Self.coverage(x: x, y: y, radius: radius)))
      }
    }
  }

  func draw(_ rect: PixelRect, clip: PixelRect, blitter: Blitter) {
    blitter.fill(clip, color)
    guard radius > 0, rect.width >= 2 * radius, rect.height >= 2 * radius else { return }
    for y in 0..<radius {
      for x in 0..<radius {
        let pixel = corner[y * radius + x]
        for (column, row) in [
          (rect.x + x, rect.y + y), (rect.maxX - 1 - x, rect.y + y), (rect.x + x, rect.maxY - 1 - y),
          (rect.maxX - 1 - x, rect.maxY - 1 - y),
        ] where clip.contains(x: column, y: row) {
          blitter.target[row * blitter.stride + column] = pixel
        }
      }
    }
  }

  /// How much of a pixel of the corner lies inside the quarter circle, of 256, by a grid of 8 × 8 points.
  private static func coverage(x: Int, y: Int, radius: Int) -> Int {
    var inside = 0
    let edge = Double(radius)
    for row in 0..<8 {
      for column in 0..<8 {
        let dx = edge - (Double(x) + (Double(column) + 0.5) / 8)
        let dy = edge - (Double(y) + (Double(row) + 0.5) / 8)
        if dx * dx + dy * dy <= edge * edge { inside += 1 }
      }
    }
    return inside * 4
  }

  private static func mixed(_ one: UInt32, _ other: UInt32, share: Int) -> UInt32 {
    var result: UInt32 = 0
    for shift in stride(from: UInt32(0), through: 24, by: 8) {
      let (a, b) = (Int((one >> shift) & 0xFF), Int((other >> shift) & 0xFF))
      result |= UInt32((a * (256 - share) + b * share + 128) >> 8) << shift
    }
    return result
  }
}
