import Drawing
import Geometry
import X11

/// The program's icon for the window manager, drawn at each size: a few pictures on a dark sheet, alike ones together.
@MainActor enum ProgramIcon {
  static var images: [IconImage] { [16, 32, 48, 64, 128].map(image) }

  private static func image(side: Int) -> IconImage {
    var pixels = [UInt32](repeating: 0, count: side * side)
    pixels.withUnsafeMutableBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return }
      let canvas = Canvas(pixels: start, width: side, height: side, stride: side)
      draw(on: canvas, side: Double(side))
      canvas.flush()
    }
    return IconImage(width: side, height: side, pixels: pixels.map(straight))
  }

  private static func draw(on canvas: Canvas, side: Double) {
    let unit = side / 16
    canvas.fill(
      Rect(x: 0, y: 0, width: side, height: side), Theme.dark.canvas, cornerRadius: 3 * unit)
    let accent = Theme.dark.accent
    let warm = Color(hex: 0xf2a65a)
    let tiles: [(x: Double, y: Double, color: Color)] = [
      (2, 2, accent), (5.5, 2.5, accent), (2.5, 5.5, accent.mixed(with: .white, amount: 0.35)),
      (9.5, 6.5, warm), (6.5, 10, warm.mixed(with: .white, amount: 0.3)), (10, 10.5, warm),
    ]
    for tile in tiles {
      canvas.fill(
        Rect(x: tile.x * unit, y: tile.y * unit, width: 3.2 * unit, height: 3.2 * unit), tile.color,
        cornerRadius: 0.5 * unit)
    }
  }

  /// Window managers want alpha that is not multiplied in.
  private static func straight(_ pixel: UInt32) -> UInt32 {
    let alpha = pixel >> 24
    guard alpha != 0, alpha != 255 else { return pixel }
    func channel(_ shift: UInt32) -> UInt32 { min(255, ((pixel >> shift) & 0xff) * 255 / alpha) << shift }
    return alpha << 24 | channel(16) | channel(8) | channel(0)
  }
}
