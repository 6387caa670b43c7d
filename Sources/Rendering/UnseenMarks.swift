public import Drawing
import Geometry
public import Scene

extension MapRenderer {
  /// The radius of a mark and the width of the dark ring around it, in logical pixels.
  private static let markRadius = 4.0
  private static let markRing = 1.5

  /// Marks the pictures that are new and not looked at yet with a dot at their upper right corner, also those beneath
  /// others. It goes on a copy of the map, which is not changed by it.
  /// - Parameters:
  ///   - pixels, stride: the window, from its pixel 0, 0.
  public func drawUnseenMarks(
    into pixels: UnsafeMutablePointer<UInt32>, stride: Int, scene: borrowing Scene, theme: Theme
  ) {
    guard !scene.unseen.isEmpty, scene.opened == nil else { return }
    let viewport = scene.camera.viewport
    let unit = max(1, scene.uiScale)
    let radius = Self.markRadius * unit
    let stamp = Self.disc(radius: radius, ring: Self.markRing * unit, theme.text, in: theme.canvas)
    let blitter = Blitter(target: pixels, stride: stride)
    var places: [PixelRect] = []
    for slot in scene.unseen.slots {
      guard let rect = scene.spriteRect(of: slot) else { continue }
      let inset = min(Int(radius), rect.width / 2, rect.height / 2)
      let place = PixelRect(
        x: rect.maxX - inset - stamp.side / 2, y: rect.y + inset - stamp.side / 2, width: stamp.side,
        height: stamp.side)
      if !place.intersection(viewport).isEmpty { places.append(place) }
    }
    stamp.pixels.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      let source = PixelSource(pixels: base, width: stamp.side, height: stamp.side, isOpaque: false)
      for place in places {
        blitter.copy(source, x: place.x, y: place.y, clip: place.intersection(viewport))
      }
    }
  }

  /// A disc with a ring around it, premultiplied.
  private static func disc(
    radius: Double, ring: Double, _ inner: Color, in outer: Color
  ) -> (pixels: [UInt32], side: Int) {
    let whole = radius + ring
    let side = 2 * Int(whole.rounded(.up)) + 1
    let middle = Double(side) / 2
    let steps = 4
    var pixels: [UInt32] = []
    pixels.reserveCapacity(side * side)
    for row in 0..<side {
      for column in 0..<side {
        // The shares of the pixel that lie in the disc and in the ring.
        var (inDisc, inRing) = (0.0, 0.0)
        for step in 0..<steps * steps {
          let x = Double(column) + (Double(step % steps) + 0.5) / Double(steps) - middle
          let y = Double(row) + (Double(step / steps) + 0.5) / Double(steps) - middle
          let distance = (x * x + y * y).squareRoot()
          if distance <= radius { inDisc += 1 } else if distance <= whole { inRing += 1 }
        }
        let samples = Double(steps * steps)
        (inDisc, inRing) = (inDisc / samples, inRing / samples)
        func channel(_ shift: UInt32) -> UInt32 {
          let value = Double(inner.argb >> shift & 255) * inDisc + Double(outer.argb >> shift & 255) * inRing
          return UInt32(value.rounded()) << shift
        }
        pixels.append(channel(24) | channel(16) | channel(8) | channel(0))
      }
    }
    return (pixels, side)
  }
}
