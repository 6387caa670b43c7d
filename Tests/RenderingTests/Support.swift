import Atlas
import Geometry
import Rendering
import Scene
import TestSupport

/// A buffer of pixels that a test draws into.
final class Buffer {
  let width: Int
  let height: Int
  let pixels: UnsafeMutablePointer<UInt32>

  init(width: Int, height: Int, _ color: UInt32 = 0x1122_3344) {
    self.width = width
    self.height = height
    pixels = .allocate(capacity: width * height)
    pixels.initialize(repeating: color, count: width * height)
  }

  deinit { pixels.deallocate() }

  subscript(x: Int, y: Int) -> UInt32 { pixels[y * width + x] }
  var array: [UInt32] { Array(UnsafeBufferPointer(start: pixels, count: width * height)) }
}

/// An atlas whose picture in every slot is what `pixel` says for every level: position in unit square, level.
func makeAtlas(
  _ shapes: [(aspect: Double, isOpaque: Bool)], pixel: (_ slot: Int, _ x: Double, _ y: Double) -> UInt32
) throws -> Atlas {
  let atlas = try Atlas.temporary()
  for (slot, shape) in shapes.enumerated() {
    let levels = thumbnailLevels.map { side -> (width: Int, height: Int, pixels: [UInt32]) in
      let width = shape.aspect >= 1 ? side : max(1, Int((Double(side) * shape.aspect).rounded()))
      let height = shape.aspect >= 1 ? max(1, Int((Double(side) / shape.aspect).rounded())) : side
      var pixels: [UInt32] = []
      for y in 0..<height {
        for x in 0..<width {
          pixels.append(pixel(slot, (Double(x) + 0.5) / Double(width), (Double(y) + 0.5) / Double(height)))
        }
      }
      return (width, height, pixels)
    }
    try atlas.store(
      slot: slot, levels: levels, averageColor: pixel(slot, 0.5, 0.5), isOpaque: shape.isOpaque)
  }
  return atlas
}

/// A scene that shows a layout at once.
func makeScene(
  viewport: PixelRect, aspects: [Double], positions: [Point], ready: ((Int) -> Bool)? = nil
) -> Scene {
  var scene = Scene(viewport: viewport, uiScale: 1, isAnimationEnabled: false)
  _ = scene.handle(.imagesAdded(slots: Array(aspects.indices)))
  _ = scene.handle(
    .imagesReady(aspects.indices.filter { ready?($0) ?? true }.map { (slot: $0, aspect: aspects[$0]) }))
  _ = scene.handle(
    .layout(
      slots: positions.indices.map { Int32($0) }, positions: positions.flatMap { [Float($0.x), Float($0.y)] },
      isFinal: true, animated: false))
  return scene
}

/// An opaque colour that belongs to a slot alone.
func color(of slot: Int) -> UInt32 {
  0xFF00_0000 | UInt32(truncatingIfNeeded: slot * 2_654_435 + 0x0030_5070) & 0x00FF_FFFF
}

func randomPoints(_ count: Int, _ numbers: inout SplitMix64) -> [Point] {
  (0..<count).map { _ in Point(x: .random(in: -10...10, using: &numbers), y: .random(in: -6...6, using: &numbers)) }
}
