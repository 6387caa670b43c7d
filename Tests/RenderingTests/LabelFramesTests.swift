import Atlas
import Drawing
import Geometry
import Rendering
import Scene
import TestSupport
import Testing

extension MapRendererTests.Mixture {
  /// Puts the pictures into classes, all but every seventh.
  mutating func label(by kind: LabelKind, count: Int = 1500) {
    let images = (0..<count).filter { $0 % 7 != 3 }.map { slot in
      LabelledImage(slot: slot, path: Array("\(slot % 5)/\(slot)".utf8)[...], size: Int64(900 + slot * slot))
    }
    _ = scene.handle(.labelKind(kind))
    _ = scene.handle(.labelled(Labelling(by: kind, of: images)))
  }
}

@Suite("The frames of labels", .computing)
struct LabelFramesTests {
  typealias Mixture = MapRendererTests.Mixture

  func drawn(_ mixture: Mixture) -> Buffer {
    let buffer = Buffer(width: mixture.width, height: mixture.height)
    var renderer = MapRenderer(background: MapRendererTests.canvas)
    renderer.render(
      into: buffer.pixels, stride: buffer.width, rect: mixture.scene.camera.viewport, scene: mixture.scene,
      atlas: mixture.atlas)
    return buffer
  }

  @Test("a frame lies inside its picture, in the colour of its class, and nothing else changes", arguments: 0..<6)
  func inside(seed: Int) throws {
    var mixture = try Mixture(seed: seed)
    _ = mixture.scene.handle(.pictureSize([1, 0.5, 3][seed % 3]))
    let plain = drawn(mixture)
    mixture.label(by: .folder)
    let framed = drawn(mixture)
    let frames = try #require(LabelFrames(mixture.scene, background: MapRendererTests.canvas))
    let viewport = mixture.scene.camera.viewport
    var sprites: [Sprite] = []
    mixture.scene.collectSprites(in: viewport, into: &sprites)
    // What is seen of each pixel: the frame of the topmost picture that has one there, and whatever shows through those
    // that are above it.
    for y in viewport.y..<viewport.maxY {
      for x in viewport.x..<viewport.maxX {
        let here = sprites.filter { $0.rect.contains(x: x, y: y) }
        let top = here.last.map { sprite -> UInt32? in
          frames.parts(of: sprite.rect).contains { $0.contains(x: x, y: y) } ? frames.color(of: Int(sprite.slot)) : nil
        }
        if here.isEmpty {
          #expect(framed[x, y] == plain[x, y])
        } else if let color = top ?? nil {
          #expect(framed[x, y] == color)
        } else if let sprite = here.last, !sprite.isReady || mixture.atlas.isOpaque(Int(sprite.slot)) == true {
          #expect(framed[x, y] == plain[x, y])
        }
      }
    }
    #expect(framed.array != plain.array)
  }

  @Test("the parts of a frame do not overlap, lie in the picture and leave its middle, whatever its shape")
  func parts() throws {
    var mixture = try Mixture(seed: 1)
    mixture.label(by: .folder)
    for size in [0.25, 1, 4] {
      _ = mixture.scene.handle(.pictureSize(size))
      let frames = try #require(LabelFrames(mixture.scene, background: MapRendererTests.canvas))
      for width in 1...40 {
        for height in [1, 2, 3, 4, 7, 12, 40] {
          let rect = PixelRect(x: 5, y: 9, width: width, height: height)
          let parts = frames.parts(of: rect)
          #expect(!parts.isEmpty && parts.allSatisfy { $0.intersection(rect) == $0 })
          let covered = parts.reduce(0) { $0 + $1.area }
          #expect(
            covered
              == parts.reduce(into: Set<Int>()) { set, part in
                for y in part.y..<part.maxY { for x in part.x..<part.maxX { set.insert(y * 100 + x) } }
              }.count)
          #expect(covered < rect.area || width < 3 && height < 3)
        }
      }
    }
  }

  @Test("pictures without a class have no frame, and without classes there are no frames")
  func unlabelled() throws {
    var mixture = try Mixture(seed: 2)
    #expect(LabelFrames(mixture.scene, background: MapRendererTests.canvas) == nil)
    mixture.label(by: .folder)
    let frames = try #require(LabelFrames(mixture.scene, background: MapRendererTests.canvas))
    #expect(frames.color(of: 3) == nil && frames.color(of: 4) != nil)
    let labelling = try #require(mixture.scene.labelling)
    let colors = LabelPalette(onDark: true).colors(of: labelling).map(\.argb)
    for slot in [0, 1, 2, 4] { #expect(frames.color(of: slot) == colors[slot % 5]) }
    #expect(LabelFrames(mixture.scene, background: 0xFFF2_F2F0)?.color(of: 4) != frames.color(of: 4))
  }
}
