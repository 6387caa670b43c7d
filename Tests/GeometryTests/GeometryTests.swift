import Geometry
import TestSupport
import Testing

@Suite("Camera", .computing)
struct CameraTests {
  static func randomCamera(_ numbers: inout SplitMix64) -> Camera {
    Camera(
      center: Point(x: .random(in: -500...500, using: &numbers), y: .random(in: -500...500, using: &numbers)),
      scale: pow2(.random(in: -6...10, using: &numbers)),
      viewport: PixelRect(
        x: .random(in: 0...50, using: &numbers), y: .random(in: 0...90, using: &numbers),
        width: .random(in: 1...4000, using: &numbers), height: .random(in: 1...3000, using: &numbers)))
  }

  static func pow2(_ exponent: Double) -> Double {
    var result = 1.0
    for _ in 0..<Int(abs(exponent)) { result *= exponent > 0 ? 2 : 0.5 }
    return result * (1 + abs(exponent).truncatingRemainder(dividingBy: 1))
  }

  @Test("a point goes to the screen and comes back", arguments: 0..<50)
  func roundTrip(seed: Int) {
    var numbers = SplitMix64(seed: UInt64(seed))
    let camera = Self.randomCamera(&numbers)
    let point = Point(x: .random(in: -600...600, using: &numbers), y: .random(in: -600...600, using: &numbers))
    let back = camera.toLayout(camera.toScreen(point))
    #expect(back.distance(to: point) < 1e-6)
  }

  @Test("zoom keeps the point under the pointer", arguments: 0..<50)
  func zoomAnchor(seed: Int) {
    var numbers = SplitMix64(seed: UInt64(seed) &+ 1000)
    var camera = Self.randomCamera(&numbers)
    let pointer = Point(x: .random(in: 0...2000, using: &numbers), y: .random(in: 0...1500, using: &numbers))
    let held = camera.toLayout(pointer)
    for _ in 0..<20 {
      camera.zoom(by: .random(in: 0.7...1.4, using: &numbers), about: pointer)
      #expect(camera.toScreen(held).distance(to: pointer) < 1e-4)
    }
  }

  @Test("pan moves the picture with the hand", arguments: 0..<20)
  func pan(seed: Int) {
    var numbers = SplitMix64(seed: UInt64(seed) &+ 2000)
    var camera = Self.randomCamera(&numbers)
    let point = Point(x: 3, y: -4)
    let before = camera.toScreen(point)
    camera.pan(by: Point(x: 17, y: -5))
    #expect((camera.toScreen(point) - before - Point(x: 17, y: -5)).length < 1e-6)
  }

  @Test("fit shows all of a rectangle inside the margin, and touches it on one axis")
  func fit() {
    var camera = Camera(viewport: PixelRect(x: 10, y: 48, width: 800, height: 500))
    camera.fit(Rect(x: -30, y: 5, width: 60, height: 20), margin: 25)
    let seen = camera.toScreen(Rect(x: -30, y: 5, width: 60, height: 20))
    #expect(abs(seen.minX - 35) < 1e-9 && abs(seen.maxX - 785) < 1e-9)
    #expect(seen.minY > 48 + 25 && seen.maxY < 548 - 25)
    #expect(seen.center.distance(to: Point(x: 410, y: 298)) < 1e-9)
  }

  @Test("fit to a point keeps the scale")
  func fitPoint() {
    var camera = Camera(scale: 3, viewport: PixelRect(x: 0, y: 0, width: 100, height: 100))
    camera.fit(Rect(x: 7, y: 8, width: 0, height: 0), margin: 10)
    #expect(camera.scale == 3 && camera.center == Point(x: 7, y: 8))
  }
}

@Suite("Rectangles", .computing)
struct RectTests {
  @Test("intersection and union agree with counting pixels", arguments: 0..<60)
  func pixels(seed: Int) {
    var numbers = SplitMix64(seed: UInt64(seed))
    func random() -> PixelRect {
      PixelRect(
        x: .random(in: 0...12, using: &numbers), y: .random(in: 0...12, using: &numbers),
        width: .random(in: 0...9, using: &numbers), height: .random(in: 0...9, using: &numbers))
    }
    let (a, b) = (random(), random())
    let (both, either) = (a.intersection(b), a.union(b))
    var shared = 0
    for y in 0..<24 {
      for x in 0..<24 {
        let inA = a.contains(x: x, y: y)
        let inB = b.contains(x: x, y: y)
        if inA && inB { shared += 1 }
        #expect(both.contains(x: x, y: y) == (inA && inB))
        if inA || inB { #expect(either.contains(x: x, y: y)) }
      }
    }
    #expect(both.area == shared)
  }

  @Test("covering rounds outwards")
  func covering() {
    #expect(
      PixelRect(covering: Rect(x: -0.5, y: 1.2, width: 2, height: 2)) == PixelRect(x: -1, y: 1, width: 3, height: 3))
  }

  @Test("a size is fitted without changing its shape")
  func fitted() {
    let fitted = Size(width: 200, height: 100).fitted(in: Size(width: 50, height: 50))
    #expect(fitted == Size(width: 50, height: 25))
    #expect(Size(width: 0, height: 3).fitted(in: Size(width: 9, height: 9)) == .zero)
  }

  @Test("insetting never turns a rectangle inside out")
  func inset() {
    #expect(Rect(x: 0, y: 0, width: 4, height: 10).insetBy(3) == Rect(x: 2, y: 3, width: 0, height: 4))
  }
}
