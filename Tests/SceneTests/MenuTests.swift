import Geometry
import Scene
import Testing

@Suite("The menu's picture")
struct MenuTests {
  /// The menus that were asked for.
  private func menus(_ stage: Stage) -> [SceneEffect] {
    stage.wishes.filter { if case .showMenu = $0 { true } else { false } }
  }

  @Test("a right press asks for a menu about the picture there, which stays at hand when the pointer goes to the menu")
  func press() throws {
    var stage = Stage.lattice()
    let point = try #require(stage.place(7))
    stage.send(.pointerMoved(try #require(stage.place(3)), []))
    stage.send(.pointerPressed(point, button: 3, clickCount: 1, []))
    #expect(menus(stage) == [.showMenu(slot: 7, at: point, byKey: false)])
    stage.send(.pointerLeft)
    #expect(stage.scene.atHand == 7 && stage.scene.opened == nil && stage.scene.selection.isEmpty)
    stage.send(.command(.toggleSelection))
    #expect(stage.scene.selection.slots == [7])
    // It holds nothing: the pointer does not drag the map.
    let camera = stage.scene.camera
    stage.send(.pointerMoved(point + Point(x: 80, y: 60), []))
    stage.send(.pointerReleased(point + Point(x: 80, y: 60), button: 3, []))
    stage.settle()
    #expect(stage.scene.camera == camera && stage.scene.opened == nil)
  }

  @Test("on an empty place the menu is about the map")
  func empty() {
    var stage = Stage.lattice()
    let point = Point(x: 3, y: 45)
    stage.send(.pointerPressed(point, button: 3, clickCount: 1, []))
    #expect(menus(stage) == [.showMenu(slot: nil, at: point, byKey: false)])
  }

  @Test("the Menu key and Shift+F10 ask for it on the picture at hand, opened or not; without one, about the map")
  func keys() throws {
    var stage = Stage.lattice()
    let middle = Point(x: 500, y: 390)
    stage.press(.menu)
    #expect(menus(stage) == [.showMenu(slot: nil, at: middle, byKey: true)])
    stage.wishes = []
    stage.send(.pointerMoved(try #require(stage.place(9)), []))
    stage.press(.f10, .shift)
    guard case .showMenu(9, let point, true) = try #require(menus(stage).first) else {
      Issue.record("another menu: \(menus(stage))")
      return
    }
    #expect(point.distance(to: try #require(stage.place(9))) < 2)
    stage.press(.return)
    stage.settle()
    stage.wishes = []
    stage.press(.menu)
    #expect(stage.scene.opened?.slot == 9 && menus(stage) == [.showMenu(slot: 9, at: middle, byKey: true)])
  }

  @Test("what a menu asks for is done as its key does it")
  func samePath() throws {
    for row in KeyBinding.table {
      for opened in [false, true] {
        var byKey = Stage.lattice()
        byKey.send(.select(slots: [2, 3, 9]))
        byKey.press(.pageDown)
        if opened { byKey.press(.return) }
        byKey.settle()
        var byMenu = byKey
        #expect(
          byKey.send(.key(row.key, row.modifiers, isRepeat: false)) == byMenu.send(.command(row.command)),
          "\(row.command)")
        #expect(byKey.scene.selection == byMenu.scene.selection && byKey.scene.opened == byMenu.scene.opened)
        #expect(byKey.scene.focused == byMenu.scene.focused && byKey.scene.camera == byMenu.scene.camera)
      }
    }
  }

  @Test("a picture's own address can be copied while others are selected")
  func ownAddress() throws {
    var stage = Stage.lattice()
    stage.send(.select(slots: [2, 3]))
    stage.send(.pointerPressed(try #require(stage.place(7)), button: 3, clickCount: 1, []))
    #expect(stage.send(.command(.copyAddress)).contains(.copyAddress(slots: [2, 3])))
    #expect(stage.send(.command(.copyOwnAddress)).contains(.copyAddress(slots: [7])))
  }

  @Test("keys are named as they are printed on the keyboard")
  func names() {
    let expected: [(SceneCommand, String?)] = [
      (.open, "Return"), (.copyAddress, "Ctrl+C"), (.turn(clockwise: false), "R"), (.toggleSelection, "Space"),
      (.nextPicture, "PageDown"), (.viewForward, "Shift+Backspace"), (.previousLayout, "Alt+Left"),
      (.showMenu, "Menu"), (.copyOwnAddress, nil),
    ]
    for (command, name) in expected { #expect(KeyBinding.keyName(for: command) == name) }
  }
}
