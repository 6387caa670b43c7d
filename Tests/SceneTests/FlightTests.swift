import Geometry
import TestSupport
import Testing

@testable import Scene

/// More pictures than are drawn in a strict order, on their way from one layout to another.
@Suite("Many pictures on their way", .computing)
struct FlightTests {
  private static let count = 25_000

  /// The hand has moved the camera, so that it does not follow the map by itself.
  private func stage(seed: Int) -> Stage {
    var stage = Stage(width: 700, height: 500)
    stage.load(Self.count)
    stage.lay(clusteredPoints(Self.count, seed: seed))
    stage.settle()
    stage.send(.scrolled(dx: 0, dy: 1.3, at: Point(x: 300, y: 250), []))
    stage.settle()
    return stage
  }

  @Test("each is collected once, where and as large as it is drawn, also for a part of the window", arguments: 0..<3)
  func collected(seed: Int) {
    var stage = stage(seed: seed)
    #expect(!stage.scene.isFlying)
    stage.lay(clusteredPoints(Self.count, seed: seed + 10), animated: true)
    stage.wait(0.2)
    let scene = stage.scene
    #expect(scene.isFlying && !scene.hasLanded)
    let viewport = scene.camera.viewport
    var sprites: [Sprite] = []
    scene.collectSprites(in: viewport, into: &sprites)
    #expect(Set(sprites.map(\.slot)).count == sprites.count)
    for sprite in sprites {
      guard let rect = scene.spriteRect(of: Int(sprite.slot)) else { continue }
      let isSameSize = rect.width == sprite.rect.width && rect.height == sprite.rect.height
      let isThere = abs(rect.x - sprite.rect.x) <= 1 && abs(rect.y - sprite.rect.y) <= 1
      #expect(isSameSize && isThere, "\(rect) is drawn at \(sprite.rect)")
    }
    // Nobody is forgotten who is not at the very edge.
    let found = Set(sprites.map { Int($0.slot) })
    let inner = PixelRect(x: viewport.x + 2, y: viewport.y + 2, width: viewport.width - 4, height: viewport.height - 4)
    for slot in 0..<Self.count where !(scene.spriteRect(of: slot)?.intersection(inner).isEmpty ?? true) {
      #expect(found.contains(slot))
    }
    // A part sees its part, in the same order.
    let part = PixelRect(x: 210, y: 133, width: 97, height: 61)
    var seen: [Sprite] = []
    scene.collectSprites(in: part, into: &seen)
    #expect(seen == sprites.filter { !$0.rect.intersection(part).isEmpty })
    // In few bytes it is the same, the topmost first.
    #expect(projected(scene, in: viewport).map(\.sprite) == sprites.reversed())
    #expect(projected(scene, in: viewport).allSatisfy { !$0.isSelected })
    #expect(projected(scene, in: part).map(\.sprite) == seen.reversed())
    // The one on top is the one that is hit.
    for sprite in sprites.suffix(300) {
      let point = Point(x: Double(sprite.x) + 0.5, y: Double(sprite.y) + 0.5)
      guard Rect(viewport).contains(point) else { continue }
      let top = sprites.last { Rect($0.rect).contains(point) }
      #expect(scene.picture(at: point) == top.map { Int($0.slot) })
    }
  }

  /// What `projectFlight` tells of the pictures that meet a rectangle.
  private func projected(_ scene: Scene, in rect: PixelRect) -> [(sprite: Sprite, isSelected: Bool)] {
    let slots = scene.flightOrder.slots
    var rows = [Int32](repeating: 7, count: slots.count)
    var columns = rows
    rows.withUnsafeMutableBufferPointer { rows in
      columns.withUnsafeMutableBufferPointer { columns in
        guard let rows = rows.baseAddress, let columns = columns.baseAddress else { return }
        for part in 0..<scene.flightParts {
          scene.projectFlight(part: part, in: rect, to: FlightOnScreen(rows: rows, columns: columns))
        }
      }
    }
    return slots.indices.compactMap { rank in
      if rows[rank] == FlightOnScreen.nowhere { return nil }
      let (top, end) = (Int(~Int16(truncatingIfNeeded: rows[rank])), Int(rows[rank] >> 16))
      let rect = PixelRect(
        x: Int(Int16(truncatingIfNeeded: columns[rank])), y: top, width: Int(columns[rank] >> 16 & 0xFF),
        height: end - top)
      return (
        Sprite(slot: Int(slots[rank]), rect: rect, isReady: columns[rank] & FlightOnScreen.readyBit != 0),
        columns[rank] & FlightOnScreen.selectedBit != 0
      )
    }
  }

  @Test("the selected ones are told from the others, and lie on all of them")
  func selected() {
    var stage = stage(seed: 5)
    stage.send(.select(slots: Array(stride(from: 0, to: Self.count, by: 3))))
    stage.lay(clusteredPoints(Self.count, seed: 6), animated: true)
    stage.wait(0.2)
    let scene = stage.scene
    let viewport = scene.camera.viewport
    let told = projected(scene, in: viewport)
    #expect(told.allSatisfy { $0.isSelected == ($0.sprite.slot % 3 == 0) })
    var sprites: [Sprite] = []
    scene.collectSprites(in: viewport, into: &sprites)
    let (selected, others) = (told.filter(\.isSelected), told.filter { !$0.isSelected })
    #expect(!selected.isEmpty && !others.isEmpty)
    #expect(sprites == (others.reversed() + selected.reversed()).map(\.sprite))
  }

  @Test("a pointer that rests keeps its picture for as long as it is beneath it, and finds another when it is moved")
  func hovered() throws {
    var stage = stage(seed: 7)
    let point = Point(x: 350, y: 250)
    stage.send(.pointerMoved(point, []))
    stage.lay(clusteredPoints(Self.count, seed: 8), animated: true)
    stage.wait(0.3)
    if let hovered = stage.scene.hovered {
      #expect(try Rect(#require(stage.scene.spriteRect(of: hovered))).insetBy(-1).contains(point))
    }
    let other = Point(x: 340, y: 255)
    _ = stage.scene.handle(.pointerMoved(other, []))
    #expect(stage.scene.isFlying && stage.scene.hovered == stage.scene.picture(at: other))
    stage.wait(2)
    #expect(stage.scene.hovered == stage.scene.picture(at: other))
  }

  @Test("when they have arrived, they lie and are drawn as if they had never flown, whatever came in between")
  func landed() {
    var flown = stage(seed: 1)
    var still = flown
    flown.lay(clusteredPoints(Self.count, seed: 2), animated: true)
    flown.wait(0.1)
    // A snapshot in the middle of the flight, and a picture that is gone.
    flown.lay(clusteredPoints(Self.count, seed: 3), animated: true)
    flown.wait(0.1)
    flown.send(.imagesRemoved(slots: [17]))
    flown.wait(2)
    #expect(!flown.scene.isFlying && flown.scene.hasLanded)
    for seed in [2, 3] { still.lay(clusteredPoints(Self.count, seed: seed)) }
    still.send(.imagesRemoved(slots: [17]))
    still.wait(2)
    #expect(!still.scene.hasLanded)
    #expect(flown.scene.camera == still.scene.camera)
    var (one, other): ([Sprite], [Sprite]) = ([], [])
    flown.scene.collectSprites(in: flown.scene.camera.viewport, into: &one)
    still.scene.collectSprites(in: still.scene.camera.viewport, into: &other)
    #expect(!one.isEmpty && one == other)
    // Anything that changes what is drawn ends it.
    flown.send(.imagesRemoved(slots: [18]))
    #expect(!flown.scene.hasLanded)
  }

  @Test("until their index has come, they are where they arrived; it is asked for once, whatever is done meanwhile")
  func indexed() throws {
    var stage = stage(seed: 3)
    stage.indexes = false
    stage.lay(clusteredPoints(Self.count, seed: 4), animated: true)
    stage.wait(2)
    #expect(stage.scene.isFlying && !stage.scene.wantsTicks)
    #expect(stage.wishes.count { $0 == .index } == 1)
    var there = stage
    there.indexes = true
    let index = try #require(stage.scene.indexRequest?.made())
    let viewport = stage.scene.camera.viewport
    var (before, after): ([Sprite], [Sprite]) = ([], [])
    stage.scene.collectSprites(in: viewport, into: &before)
    stage.send(.indexed(index))
    #expect(!stage.scene.isFlying && stage.scene.hasLanded && stage.scene.indexRequest == nil)
    stage.scene.collectSprites(in: viewport, into: &after)
    #expect(!after.isEmpty && Set(after).isSubset(of: Set(before)))
    // A second one changes nothing.
    let version = stage.scene.contentVersion
    stage.send(.indexed(index))
    #expect(stage.scene.contentVersion == version)

    // What has become of the pictures in between counts: an index of before is not taken, the next one is.
    there.indexes = false
    there.send(.imagesRemoved(slots: [Int(before[0].slot), 4]))
    there.send(.indexed(index))
    #expect(there.scene.isFlying && there.scene.needsIndex)
    there.scene.collectSprites(in: viewport, into: &after)
    #expect(!after.contains { $0.slot == before[0].slot || $0.slot == 4 })
    there.send(.indexed(try #require(there.scene.indexRequest?.made())))
    #expect(!there.scene.isFlying)
    there.scene.collectSprites(in: viewport, into: &after)
    #expect(!after.contains { $0.slot == before[0].slot || $0.slot == 4 })
    #expect(after.count > before.count / 2)
    // While they fly again, an old one is of no use.
    there.indexes = false
    there.lay(clusteredPoints(Self.count, seed: 5), animated: true)
    there.wait(0.2)
    there.send(.indexed(index))
    #expect(there.scene.isFlying && there.scene.wantsTicks)
  }

  @Test("where every index comes too late, one is made at once rather than never; one that is of no use is left undone")
  func late() throws {
    var stage = stage(seed: 3)
    stage.indexes = false
    stage.lay(clusteredPoints(Self.count, seed: 4), animated: true)
    stage.wait(2)
    var tries = 0
    while stage.scene.isFlying, tries < 10 {
      let index = try #require(stage.scene.indexRequest?.made())
      stage.send(.imagesRemoved(slots: [tries]))
      stage.send(.indexed(index))
      tries += 1
    }
    #expect(tries > 1 && tries < 10)
    var other = self.stage(seed: 3)
    other.indexes = false
    other.lay(clusteredPoints(Self.count, seed: 4), animated: true)
    other.wait(2)
    let request = try #require(other.scene.indexRequest)
    #expect(request.made(unless: { true }) == nil && request.made() != nil)
  }

  @Test("what becomes ready on the way is drawn as it is from then on")
  func becomeReady() {
    var stage = Stage(width: 700, height: 500)
    stage.send(.imagesAdded(slots: Array(0..<Self.count)))
    stage.send(.listingComplete)
    stage.lay(clusteredPoints(Self.count, seed: 1))
    stage.settle()
    stage.lay(clusteredPoints(Self.count, seed: 2), animated: true)
    stage.wait(0.1)
    func ready(_ scene: Scene) -> Set<Int32> {
      var sprites: [Sprite] = []
      scene.collectSprites(in: scene.camera.viewport, into: &sprites)
      return Set(sprites.filter(\.isReady).map(\.slot))
    }
    #expect(ready(stage.scene).isEmpty)
    let thumbnails = stage.scene.thumbnailVersion
    stage.send(.imagesReady([(9, 2.0)]))
    #expect(ready(stage.scene) == [9] && stage.scene.thumbnailVersion != thumbnails)
    stage.indexes = false
    stage.wait(2)
    stage.send(.imagesReady([(10, 0.5)]))
    #expect(stage.scene.isFlying && ready(stage.scene) == [9, 10])
  }

  @Test("all fly, in the order in which they lie on one another at rest", arguments: [21_000, 230_000])
  func all(count: Int) throws {
    var stage = Stage(width: 700, height: 500)
    stage.load(count)
    stage.lay(clusteredPoints(count, seed: 8))
    stage.settle()
    stage.send(.imagesRemoved(slots: [3, count - 1]))
    stage.lay(clusteredPoints(count, seed: 9), animated: true)
    stage.wait(0.1)
    let order = stage.scene.flightOrder
    #expect(Set(order.slots) == Set(0..<Int32(count)).subtracting([3, Int32(count - 1)]))
    let priorities = order.slots.map { SpatialGrid.priority($0) }
    #expect(zip(priorities, priorities.dropFirst()).allSatisfy { $0 < $1 })
    for slot in [0, 3, 17, count - 1] {
      let rank = order.ranks[slot]
      #expect(rank < 0 ? [3, count - 1].contains(slot) : order.slots[Int(rank)] == slot)
    }
    // What they cover is told beforehand, and is never too little.
    let scene = stage.scene
    let bounds = scene.fittedCamera
    #expect(bounds.scale > 0)
    stage.wait(2)
    #expect(!stage.scene.isFlying)
  }
}
