import Geometry
import Scene
import Testing

@Suite("What is new on the map")
struct UnseenTests {
  @Test("a picture is new until it is pointed at, stepped to or opened")
  func looked() throws {
    var stage = Stage.lattice()
    stage.wishes = []
    stage.send(.unseen(slots: [3, 8, 15, 99]))
    // What is not known cannot be new.
    #expect(stage.scene.unseen.slots == [3, 8, 15])
    #expect(stage.wishes.contains(.unseenChanged))
    stage.send(.pointerMoved(try #require(stage.place(3)), []))
    #expect(stage.scene.unseen.slots == [8, 15])
    stage.send(.pointerLeft)
    stage.click(try #require(stage.place(8)))
    #expect(stage.scene.opened?.slot == 8 && stage.scene.unseen.slots == [15])
    stage.press(.escape)
    stage.settle()
    stage.send(.pointerLeft)
    stage.send(.walk(groups: [[1, 15]]))
    #expect(stage.scene.unseen.slots == [15])
    stage.press(.right)
    #expect(stage.scene.unseen.isEmpty)
  }

  @Test("to be shown small, or large before the hand has touched anything, is not to be seen")
  func shown() throws {
    var stage = Stage()
    let count = 300
    stage.load(count)
    stage.lay((0..<count).map { Point(x: Double($0 % 20) * 10, y: Double($0 / 20) * 10) })
    stage.settle()
    stage.send(.unseen(slots: Array(0..<count)))
    stage.drag(from: Point(x: 300, y: 300), to: Point(x: 340, y: 330))
    stage.settle()
    #expect(stage.scene.spriteSide < 96 && stage.scene.unseen.count == count)
    stage.press(.character("0"))
    stage.settle()
    // Near enough to be looked at, one by one: seen once the map moves on.
    let place = try #require(stage.place(150))
    stage.send(.scrolled(dx: 0, dy: 8, at: place, []))
    stage.settle()
    stage.send(.pointerLeft)
    let viewport = Rect(stage.scene.camera.viewport)
    let inView = (0..<count).filter { stage.place($0).map { viewport.contains($0) } ?? false }
    #expect(stage.scene.spriteSide >= 96 && inView.contains(150) && inView.count < count / 2)
    #expect(stage.scene.unseen.count >= count - 1)
    stage.press(.character("0"))
    stage.settle()
    #expect(stage.scene.unseen.slots == (0..<count).filter { !inView.contains($0) })
  }

  @Test("what is gone is not new, and all can be seen at once")
  func gone() {
    var stage = Stage.lattice()
    stage.send(.unseen(slots: [1, 2, 3]))
    stage.send(.imagesRemoved(slots: [2]))
    #expect(stage.scene.unseen.slots == [1, 3])
    stage.send(.seen(slots: [1, 3]))
    #expect(stage.scene.unseen.isEmpty)
  }

  @Test("what is selected or new is worth keeping, as soon as nothing moves")
  func kept() {
    var stage = Stage.lattice()
    stage.wishes = []
    stage.send(.select(slots: [4]))
    #expect(stage.wishes.contains(.saveViewState))
    stage.wishes = []
    stage.send(.unseen(slots: [4]))
    #expect(stage.wishes.contains(.saveViewState))
  }
}
