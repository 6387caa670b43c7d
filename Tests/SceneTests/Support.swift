import Geometry
import Scene
import TestSupport

/// A scene with a clock, driven as the window would drive it.
struct Stage {
  var scene: Scene
  var time = 1000.0
  /// Everything that was asked for, but for redraws and ticks.
  var wishes: [SceneEffect] = []
  var redraws = 0
  /// Whether pictures that have arrived get their index at once.
  var indexes = true

  init(width: Int = 1000, height: Int = 700, uiScale: Double = 1, animated: Bool = true) {
    scene = Scene(
      viewport: PixelRect(x: 0, y: 40, width: width, height: height), uiScale: uiScale, isAnimationEnabled: animated)
    send(.tick(seconds: time))
  }

  @discardableResult
  mutating func send(_ input: SceneInput) -> [SceneEffect] {
    let effects = scene.handle(input)
    for effect in effects where effect != .animate {
      switch effect {
      case .redraw: redraws += 1
      case .index where indexes: scene.indexRequest?.made().map { _ = send(.indexed($0)) }
      default: wishes.append(effect)
      }
    }
    return effects
  }

  /// Lets time pass in frames of a sixtieth of a second.
  mutating func wait(_ seconds: Double) {
    for _ in 0..<Int((seconds * 60).rounded(.up)) {
      time += 1.0 / 60
      send(.tick(seconds: time))
    }
  }

  /// Lets time pass until the scene wants no more of it.
  mutating func settle() {
    var frames = 0
    while scene.wantsTicks, frames < 1200 {
      wait(1.0 / 60)
      frames += 1
    }
  }

  mutating func click(_ point: Point, count: Int = 1) {
    send(.pointerPressed(point, button: 1, clickCount: count, []))
    send(.pointerReleased(point, button: 1, []))
  }

  mutating func drag(from start: Point, to end: Point, _ modifiers: Modifiers = [], steps: Int = 5) {
    send(.pointerPressed(start, button: 1, clickCount: 1, modifiers))
    for step in 1...steps {
      send(.pointerMoved(start + (end - start) * (Double(step) / Double(steps)), modifiers))
    }
    send(.pointerReleased(end, button: 1, modifiers))
  }

  mutating func press(_ key: SceneKey, _ modifiers: Modifiers = []) {
    send(.key(key, modifiers, isRepeat: false))
    send(.keyReleased(key))
  }

  /// Images that are listed and ready, with a variety of shapes.
  mutating func load(_ count: Int) {
    send(.imagesAdded(slots: Array(0..<count)))
    send(.imagesReady((0..<count).map { ($0, [1.0, 1.5, 0.6, 2.4][$0 % 4]) }))
    send(.listingComplete)
  }

  /// Shows a layout without any motion.
  mutating func lay(_ positions: [Point], isFinal: Bool = true, animated: Bool = false) {
    send(
      .layout(
        slots: positions.indices.map { Int32($0) }, positions: positions.flatMap { [Float($0.x), Float($0.y)] },
        isFinal: isFinal, animated: animated))
  }

  /// Where the middle of a picture is on the screen.
  func place(_ slot: Int) -> Point? {
    scene.spriteRect(of: slot).map { Point(x: Double($0.x + $0.width / 2), y: Double($0.y + $0.height / 2)) }
  }

  /// Where the pictures are drawn, in layout units, to within a pixel's rounding.
  func layoutPlace(_ slot: Int) -> Point? { place(slot).map { scene.camera.toLayout($0) } }
}

extension Stage {
  /// A lattice of 6 × 4 pictures at rest, far enough apart that none covers another.
  static func lattice() -> Stage {
    var stage = Stage()
    stage.load(24)
    stage.lay((0..<24).map { Point(x: Double($0 % 6) * 10, y: Double($0 / 6) * 10) })
    stage.settle()
    return stage
  }
}

/// Some clusters of points, as layouts have them.
func clusteredPoints(_ count: Int, seed: Int, clusters: Int = 7) -> [Point] {
  var numbers = SplitMix64(seed: UInt64(seed))
  let centers = (0..<clusters).map { _ in
    Point(x: .random(in: -30...30, using: &numbers), y: .random(in: -30...30, using: &numbers))
  }
  return (0..<count).map { index in
    centers[index % clusters]
      + Point(x: .random(in: -6...6, using: &numbers), y: .random(in: -6...6, using: &numbers))
  }
}
