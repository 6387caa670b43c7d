import Foundation
import Geometry
import Scene
import TestSupport
import Testing

@Suite("The loading grid", .computing)
struct LoadingGridTests {
  @Test("it only grows, and no picture changes its place", arguments: 0..<5)
  func grows(seed: Int) {
    var numbers = SplitMix64(seed: UInt64(seed))
    var stage = Stage()
    stage.send(.imagesAdded(slots: Array(0..<100)))
    stage.wait(1.1)
    #expect(stage.scene.placedCount == 100)
    var places: [Int: Point] = [:]
    var known = 100
    for _ in 0..<20 {
      let more = Int.random(in: 1...60, using: &numbers)
      stage.send(.imagesAdded(slots: Array(known..<known + more)))
      known += more
      let ready = (0..<20).map { _ in (slot: Int.random(in: 0..<known, using: &numbers), aspect: 1.3) }
      stage.send(.imagesReady(ready))
      stage.wait(0.1)
      // Twice the rounding to a pixel.
      let tolerance = 2 / stage.scene.camera.scale
      for slot in 0..<known {
        guard let place = stage.layoutPlace(slot) else {
          Issue.record("picture \(slot) has no place")
          continue
        }
        if let before = places[slot] {
          #expect(place.distance(to: before) < 2 * tolerance)
        } else {
          places[slot] = place
        }
      }
    }
    stage.send(.listingComplete)
    stage.settle()
    #expect(stage.scene.visibleCount == known)
  }

  @Test("columns are chosen when the listing is complete, or after a second, from the shape of the window")
  func columns() {
    var stage = Stage(width: 1600, height: 400)
    stage.send(.imagesAdded(slots: Array(0..<64)))
    stage.wait(0.9)
    #expect(stage.scene.placedCount == 0 && stage.scene.wantsTicks)
    stage.send(.listingComplete)
    let rows = Set((0..<64).compactMap { stage.place($0)?.y.rounded() })
    #expect(stage.scene.placedCount == 64 && rows.count == 4)

    var slow = Stage(width: 1600, height: 400)
    slow.send(.imagesAdded(slots: Array(0..<64)))
    slow.wait(1.2)
    #expect(slow.scene.placedCount == 64)
  }

  @Test("pictures stand in key order, row by row, and all are in view")
  func order() throws {
    var stage = Stage()
    stage.load(50)
    let places = try (0..<50).map { try #require(stage.place($0)) }
    for (one, next) in zip(places, places.dropFirst()) { #expect(next.y > one.y + 3 || next.x > one.x) }
    #expect(stage.scene.visibleCount == 50)
  }

  @Test("a picture that is left out leaves a hole")
  func hole() throws {
    var stage = Stage()
    stage.load(30)
    let place = try #require(stage.place(7))
    let next = stage.place(8)
    stage.send(.imagesRemoved(slots: [7]))
    #expect(stage.scene.picture(at: place) == nil && stage.place(8) == next)
    #expect(stage.scene.imageCount == 29)
    stage.send(.imagesAdded(slots: [30]))
    #expect(stage.place(30) != place)
  }
}

@Suite("Layouts", .computing)
struct LayoutTests {
  /// The radius within which nine tenths of the pictures lie, in layout units.
  func radius(_ stage: Stage, _ count: Int) -> Double {
    let places = (0..<count).compactMap { stage.layoutPlace($0) }
    let mean = places.reduce(Point.zero, +) * (1 / Double(places.count))
    return places.map { $0.distance(to: mean) }.sorted()[count * 9 / 10]
  }

  @Test("they are drawn at a steady extent, however small or large they are")
  func steady() {
    var stage = Stage(animated: false)
    stage.load(400)
    let shape = clusteredPoints(400, seed: 9)
    var radii: [Double] = []
    for exponent in -12...6 {
      stage.lay(shape.map { $0 * pow(10, Double(exponent) / 2) + Point(x: 3, y: -2) }, isFinal: false)
      radii.append(radius(stage, 400))
    }
    #expect(radii.allSatisfy { abs($0 / radii[0] - 1) < 0.02 })
    #expect(radii[0] > 400 && radii[0] < 520)
  }

  @Test("one picture that flies off does not shrink the others")
  func outlier() {
    var stage = Stage(animated: false)
    stage.load(400)
    var shape = clusteredPoints(400, seed: 9)
    stage.lay(shape, isFinal: false)
    let before = radius(stage, 400)
    shape[3] = Point(x: 4000, y: 0)
    stage.lay(shape, isFinal: false)
    #expect(abs(radius(stage, 400) / before - 1) < 0.12)
  }

  @Test("a new layout is turned and mirrored to lie on the old one", arguments: 0..<10)
  func procrustes(seed: Int) throws {
    var numbers = SplitMix64(seed: UInt64(seed))
    var stage = Stage(animated: false)
    stage.load(200)
    let shape = clusteredPoints(200, seed: seed)
    stage.lay(shape)
    let before = try (0..<200).map { try #require(stage.place($0)) }
    let angle = Double.random(in: 0...6.28, using: &numbers)
    let mirror: Double = seed % 2 == 0 ? -1 : 1
    let factor = Double.random(in: 0.01...50, using: &numbers)
    stage.lay(
      shape.map { point in
        Point(
          x: (point.x * cos(angle) - mirror * point.y * sin(angle)) * factor + 40,
          y: (point.x * sin(angle) + mirror * point.y * cos(angle)) * factor - 9)
      })
    for slot in 0..<200 { #expect(try #require(stage.place(slot)).distance(to: before[slot]) <= 2) }
  }

  @Test("the first layout of a location is shown as it is")
  func firstIsNotTurned() throws {
    var stage = Stage(animated: false)
    stage.load(3)
    stage.lay([Point(x: 0, y: 0), Point(x: 10, y: 0), Point(x: 0, y: 4)])
    let places = try (0..<3).map { try #require(stage.place($0)) }
    #expect(places[1].x > places[0].x && abs(places[1].y - places[0].y) < 2 && places[2].y > places[0].y)
  }

  @Test("pictures fly from the grid to the first snapshot, from where they are to where it wants them")
  func flight() throws {
    var stage = Stage()
    stage.load(100)
    stage.settle()
    let start = try #require(stage.place(0))
    stage.lay(clusteredPoints(100, seed: 4), isFinal: true, animated: true)
    #expect(stage.place(0) == start)
    stage.wait(1.0 / 60)
    #expect(try #require(stage.place(0)).distance(to: start) < 150)
    stage.settle()
    var other = Stage(animated: false)
    other.load(100)
    other.lay(clusteredPoints(100, seed: 4))
    for slot in 0..<100 {
      #expect(try #require(stage.place(slot)).distance(to: try #require(other.place(slot))) <= 2)
    }
    #expect(stage.scene.visibleCount == 100)
  }

  @Test("between snapshots pictures move evenly, and a snapshot during the flight makes nothing jump")
  func noJumps() throws {
    var stage = Stage()
    stage.load(100)
    stage.settle()
    var last = try (0..<100).map { try #require(stage.layoutPlace($0)) }
    for frame in 0..<120 {
      if frame % 2 == 0 {
        let share = Double(frame) / 120
        let shape = zip(clusteredPoints(100, seed: 4), clusteredPoints(100, seed: 8)).map {
          $0 * (1 - share) + $1 * share
        }
        stage.lay(shape, isFinal: frame == 118, animated: true)
      }
      stage.wait(1.0 / 60)
      for slot in 0..<100 {
        let place = try #require(stage.layoutPlace(slot))
        #expect(place.distance(to: last[slot]) < 110)
        last[slot] = place
      }
    }
  }

  @Test("without animation a snapshot is shown at once")
  func notAnimated() {
    var stage = Stage()
    stage.load(50)
    stage.settle()
    stage.lay(clusteredPoints(50, seed: 4), animated: false)
    #expect(!stage.scene.wantsTicks && stage.scene.visibleCount == 50)
  }

  @Test("images that came after the layout wait below it and join the next one")
  func shelf() throws {
    var stage = Stage(animated: false)
    stage.load(50)
    stage.lay(clusteredPoints(50, seed: 4))
    stage.send(.imagesAdded(slots: [50, 51]))
    stage.send(.imagesReady([(50, 1), (51, 1)]))
    stage.settle()
    let lowest = try (0..<50).map { try #require(stage.place($0)).y }.max() ?? 0
    #expect(try #require(stage.place(50)).y > lowest && stage.place(51) != stage.place(50))
    stage.lay(clusteredPoints(52, seed: 4))
    #expect(stage.scene.placedCount == 52 && stage.scene.visibleCount == 52)
  }

  @Test("the camera follows the map until the hand touches it, and again after the whole map was asked for")
  func follows() {
    var stage = Stage()
    stage.load(300)
    stage.settle()
    for seed in 0..<3 {
      stage.lay(clusteredPoints(300, seed: seed), isFinal: true, animated: true)
      stage.settle()
      #expect(stage.scene.visibleCount == 300)
    }
    stage.send(.scrolled(dx: 0, dy: 2, at: Point(x: 100, y: 100), []))
    stage.settle()
    let camera = stage.scene.camera
    stage.lay(clusteredPoints(300, seed: 7), isFinal: true, animated: true)
    stage.settle()
    #expect(stage.scene.camera == camera)
    stage.press(.home)
    stage.settle()
    stage.lay(clusteredPoints(300, seed: 8), isFinal: true, animated: true)
    stage.settle()
    #expect(stage.scene.visibleCount == 300)
  }

  @Test("the whole map is shown beside what lies on its left, unless that leaves too little", arguments: [300, 600])
  func covered(width: Int) throws {
    var stage = Stage()
    stage.load(200)
    stage.lay(clusteredPoints(200, seed: 4))
    stage.settle()
    func left(_ stage: Stage) -> Int {
      (0..<200).compactMap { stage.scene.spriteRect(of: $0)?.x }.min() ?? 0
    }
    let before = left(stage)
    stage.send(.covered(width: width))
    stage.settle()
    if width > 350 {
      #expect(left(stage) == before)
    } else {
      #expect(left(stage) >= width)
      for slot in 0..<200 {
        let rect = try #require(stage.scene.spriteRect(of: slot))
        #expect(stage.scene.camera.viewport.intersection(rect) == rect)
      }
    }
    // Whoever moves the map is not moved.
    stage.send(.scrolled(dx: 0, dy: 1, at: Point(x: 400, y: 300), []))
    stage.settle()
    let camera = stage.scene.camera
    stage.send(.covered(width: 0))
    stage.settle()
    #expect(stage.scene.camera == camera)
  }

  @Test("a view is restored as it was, in another window too")
  func restored() throws {
    var stage = Stage(animated: false)
    stage.load(200)
    stage.lay(clusteredPoints(200, seed: 1))
    stage.send(.scrolled(dx: 0, dy: 3, at: Point(x: 700, y: 200), []))
    let saved = try JSONEncoder().encode(stage.scene.viewState)
    let state = try JSONDecoder().decode(ViewState.self, from: saved)

    var same = Stage(animated: false)
    same.load(200)
    same.send(.restored(state))
    same.lay(clusteredPoints(200, seed: 1))
    #expect(same.scene.camera.center.distance(to: stage.scene.camera.center) < 1e-9)
    #expect(abs(same.scene.camera.scale / stage.scene.camera.scale - 1) < 1e-12)

    var untouched = Stage(width: 500, height: 300, animated: false)
    untouched.load(200)
    untouched.send(.restored(Stage().scene.viewState))
    untouched.lay(clusteredPoints(200, seed: 1))
    #expect(untouched.scene.visibleCount == 200)
  }

  @Test("a new size of the window shows the whole map again, unless the hand chose the view")
  func resized() {
    var stage = Stage()
    stage.load(200)
    stage.lay(clusteredPoints(200, seed: 1))
    stage.send(.viewportChanged(PixelRect(x: 0, y: 48, width: 400, height: 300), uiScale: 1))
    #expect(stage.scene.visibleCount == 200)
    stage.send(.scrolled(dx: 0, dy: 0.5, at: Point(x: 100, y: 100), []))
    let scale = stage.scene.camera.scale
    stage.send(.viewportChanged(PixelRect(x: 0, y: 48, width: 900, height: 800), uiScale: 1))
    #expect(stage.scene.camera.scale == scale)
  }

  @Test("a scene at rest wants no ticks")
  func rest() {
    var stage = Stage()
    #expect(!stage.scene.wantsTicks)
    stage.load(100)
    stage.settle()
    #expect(!stage.scene.wantsTicks)
    stage.lay(clusteredPoints(100, seed: 2), isFinal: true, animated: true)
    stage.settle()
    #expect(!stage.scene.wantsTicks)
  }
}

@Suite("The full-size view", .computing)
struct OpenedTests {
  func opened(_ size: Size? = Size(width: 4000, height: 3000)) throws -> Stage {
    var stage = Stage()
    stage.load(100)
    stage.lay((0..<100).map { Point(x: Double($0 % 10), y: Double($0 / 10)) })
    stage.press(.right)
    stage.press(.return)
    stage.settle()
    let slot = try #require(stage.scene.opened?.slot)
    if let size { stage.send(.originalSize(slot: slot, size)) }
    stage.wishes = []
    return stage
  }

  @Test("it grows out of the picture's place and fits the window")
  func opens() throws {
    var stage = Stage()
    stage.load(100)
    stage.lay((0..<100).map { Point(x: Double($0 % 10), y: Double($0 / 10)) })
    stage.press(.right)
    let slot = try #require(stage.scene.focused)
    let origin = try #require(stage.scene.spriteRect(of: slot))
    stage.press(.return)
    #expect(stage.scene.opened?.rect == Rect(origin))
    stage.settle()
    stage.send(.originalSize(slot: slot, Size(width: 4000, height: 3000)))
    let rect = try #require(stage.scene.opened?.rect)
    #expect(abs(rect.height - 700) < 1e-6 && abs(rect.center.x - 500) < 1e-6)
  }

  @Test("small originals are not enlarged beyond twice their size")
  func small() throws {
    let stage = try opened(Size(width: 40, height: 30))
    #expect(stage.scene.opened?.scale == 2)
  }

  @Test("a double click goes to 100 % at the pointer, and back")
  func doubleClick() throws {
    var stage = try opened()
    let pointer = Point(x: 300, y: 250)
    let before = try #require(stage.scene.opened)
    let held = Point(x: (pointer.x - before.rect.x) / before.scale, y: (pointer.y - before.rect.y) / before.scale)
    stage.click(pointer)
    stage.click(pointer, count: 2)
    stage.settle()
    let enlarged = try #require(stage.scene.opened)
    #expect(abs(enlarged.scale - 1) < 1e-9 && !enlarged.fits)
    #expect(abs(enlarged.rect.x + held.x - pointer.x) < 1e-6 && abs(enlarged.rect.y + held.y - pointer.y) < 1e-6)
    stage.click(pointer)
    stage.click(pointer, count: 2)
    stage.settle()
    #expect(stage.scene.opened?.fits == true)
  }

  @Test("keys 1 and 0, the wheel and a drag move inside, and no gap opens at the edge")
  func inside() throws {
    var stage = try opened()
    stage.press(.character("1"))
    stage.settle()
    #expect(stage.scene.opened?.scale == 1)
    stage.drag(from: Point(x: 300, y: 300), to: Point(x: 350, y: 320))
    stage.drag(from: Point(x: 100, y: 100), to: Point(x: 90_000, y: 90_000))
    let rect = try #require(stage.scene.opened?.rect)
    #expect(abs(rect.x) < 1e-6 && abs(rect.y - 40) < 1e-6)
    for _ in 0..<100 { stage.send(.scrolled(dx: 0, dy: 1, at: Point(x: 20, y: 60), [])) }
    stage.settle()
    #expect(stage.scene.opened?.scale == 32)
    stage.press(.character("0"))
    stage.settle()
    #expect(stage.scene.opened?.fits == true)
    #expect(stage.scene.opened != nil)
  }

  @Test("arrows show the next image nearby, Esc goes back with the focus on it")
  func next() throws {
    var stage = try opened()
    let slot = try #require(stage.scene.opened?.slot)
    stage.press(.right)
    #expect(stage.scene.opened?.slot == slot + 1 && stage.wishes.contains(.openOriginal(slot: slot + 1)))
    stage.press(.escape)
    #expect(stage.scene.opened == nil && stage.scene.focused == slot + 1)
    #expect(stage.wishes.contains(.closeOriginal))
  }

  @Test("the map beneath neither moves nor reacts meanwhile")
  func mapRests() throws {
    var stage = try opened()
    let camera = stage.scene.camera
    stage.send(.scrolled(dx: 0, dy: 1, at: Point(x: 300, y: 300), []))
    stage.drag(from: Point(x: 300, y: 300), to: Point(x: 500, y: 300))
    stage.send(.pointerMoved(Point(x: 400, y: 300), []))
    stage.settle()
    #expect(stage.scene.camera == camera && stage.scene.hovered == nil)
  }

  @Test("a click beside the picture goes back to the map")
  func beside() throws {
    var stage = try opened(Size(width: 3000, height: 3000))
    stage.click(Point(x: 400, y: 400))
    #expect(stage.scene.opened != nil)
    stage.click(Point(x: 5, y: 400))
    #expect(stage.scene.opened == nil)
  }

  @Test("what is zoomed stays in place when the original's size becomes known")
  func sizeArrives() throws {
    var stage = try opened(nil)
    stage.send(.scrolled(dx: 0, dy: 3.5, at: Point(x: 300, y: 300), []))
    stage.settle()
    let before = try #require(stage.scene.opened)
    let slot = before.slot
    stage.send(.originalSize(slot: slot, Size(width: before.imageSize.width * 5, height: before.imageSize.height * 5)))
    let after = try #require(stage.scene.opened)
    #expect(abs(after.rect.x - before.rect.x) < 1e-6 && abs(after.rect.width - before.rect.width) < 1e-6)
  }
}
