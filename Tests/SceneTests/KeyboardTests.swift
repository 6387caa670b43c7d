import Geometry
import Scene
import TestSupport
import Testing

@Suite("The hand on the keyboard")
struct KeyboardTests {
  @Test("x begins a rectangle at the picture with the focus, arrows extend it, x selects what lies in it")
  func rectangle() throws {
    var stage = Stage.lattice()
    stage.click(try #require(stage.place(7)))
    stage.press(.escape)
    #expect(stage.scene.focused == 7)
    let camera = stage.scene.camera
    stage.press(.character("x"))
    #expect(stage.scene.isDrawingRectangle)
    for key: SceneKey in [.right, .right, .down] { stage.press(key) }
    stage.settle()
    let drawn = try #require(stage.scene.marquee)
    for slot in [7, 15] { #expect(drawn.contains(try #require(stage.place(slot)))) }
    stage.press(.character("x"))
    #expect(stage.scene.selection.slots == [7, 8, 9, 13, 14, 15])
    #expect(stage.scene.marquee == nil && !stage.scene.isDrawingRectangle && stage.scene.camera == camera)
    // From the other corner; X takes away, and Return ends it as well.
    stage.press(.character("X"))
    stage.press(.left)
    stage.press(.return)
    #expect(stage.scene.selection.slots == [7, 8, 9, 13] && stage.scene.opened == nil)
  }

  @Test("the rectangle stays at its pictures when the map is zoomed or moved, and Escape gives it up")
  func rectangleFollows() throws {
    var stage = Stage.lattice()
    stage.press(.right)
    let first = try #require(stage.scene.focused)
    stage.press(.character("x"))
    stage.press(.right)
    stage.press(.character("+"))
    stage.settle()
    let last = try #require(stage.scene.focused)
    let marquee = try #require(stage.scene.marquee)
    let both = try #require(stage.scene.spriteRect(of: first)).union(try #require(stage.scene.spriteRect(of: last)))
    #expect(PixelRect(covering: marquee.bounds) == both)
    stage.press(.escape)
    #expect(stage.scene.marquee == nil && stage.scene.selection.isEmpty && stage.scene.focused == last)
    stage.press(.character("x"))
    // A hand on the pointer gives it up, too.
    stage.click(Point(x: 3, y: 45))
    #expect(!stage.scene.isDrawingRectangle && stage.scene.marquee == nil)
  }

  @Test("Page Down and Page Up go through all pictures by name and around, opened and on the map")
  func order() {
    var stage = Stage.lattice()
    for expected in [0, 1, 2] {
      stage.press(.pageDown)
      #expect(stage.scene.focused == expected && stage.scene.opened == nil)
    }
    stage.press(.return)
    stage.settle()
    for (key, expected) in [(SceneKey.pageDown, 3), (.pageUp, 2), (.pageUp, 1), (.pageUp, 0), (.pageUp, 23)] {
      stage.press(key)
      #expect(stage.scene.opened?.slot == expected && stage.scene.focused == expected)
    }
    #expect(stage.wishes.contains(.openOriginal(slot: 23)))
  }

  @Test("while pictures are selected, Page Down and Page Up go through those")
  func selected() {
    var stage = Stage.lattice()
    stage.send(.select(slots: [4, 9, 20]))
    var seen: [Int?] = []
    for _ in 0..<4 {
      stage.press(.pageDown)
      seen.append(stage.scene.focused)
    }
    stage.press(.pageUp)
    seen.append(stage.scene.focused)
    #expect(seen == [4, 9, 20, 4, 20])
    #expect(stage.scene.selection.slots == [4, 9, 20])
  }

  @Test("any picture size within the limits can be chosen, and ] and [ go on from there")
  func pictureSize() {
    var stage = Stage.lattice()
    let side = stage.scene.spriteSide
    #expect(stage.send(.pictureSize(1.6)).contains(.pictureSizeChanged))
    #expect(stage.scene.pictureSize == 1.6 && stage.scene.spriteSide > side)
    stage.press(.character("]"))
    #expect(abs(stage.scene.pictureSize - 2) < 1e-9)
    stage.send(.pictureSize(100))
    #expect(stage.scene.pictureSize == Scene.pictureSizes.upperBound)
    stage.send(.pictureSize(.nan))
    #expect(stage.scene.pictureSize == Scene.pictureSizes.upperBound)
  }

  @Test("u asks for the folder of the picture at hand")
  func folder() {
    var stage = Stage.lattice()
    stage.press(.character("u"))
    #expect(stage.wishes.contains(.selectFolder(slot: nil)))
    stage.press(.pageDown)
    stage.press(.character("u"))
    #expect(stage.wishes.contains(.selectFolder(slot: 0)))
  }
}
