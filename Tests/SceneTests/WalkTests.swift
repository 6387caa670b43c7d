import Geometry
import Scene
import Testing

@Suite("Going through groups")
struct WalkTests {
  @Test("m asks about the picture at hand; what is found is selected, and the arrows walk along it, not along the map")
  func similar() throws {
    var stage = Stage.lattice()
    stage.press(.character("m"))
    #expect(stage.wishes == [.refused(.noPicture)])
    stage.send(.pointerMoved(try #require(stage.place(3)), []))
    stage.press(.character("m"))
    #expect(stage.wishes.contains(.findSimilar(slot: 3)))
    stage.send(.walk(groups: [[3, 20, 9]]))
    #expect(stage.scene.selection.slots == [3, 9, 20] && stage.scene.focused == 3)
    var seen: [Int?] = []
    for key in [SceneKey.right, .right, .right, .left] {
      stage.press(key)
      seen.append(stage.scene.focused)
    }
    #expect(seen == [20, 9, 9, 20])
    stage.press(.return)
    #expect(stage.scene.opened?.slot == 20)
    stage.press(.right)
    #expect(stage.scene.opened?.slot == 9 && stage.scene.walk?.position == 2)
  }

  @Test("Escape leaves the picture, then the walk, then the selection")
  func escape() {
    var stage = Stage.lattice()
    stage.send(.walk(groups: [[3, 20]]))
    stage.press(.return)
    stage.press(.escape)
    #expect(stage.scene.opened == nil && stage.scene.walk != nil)
    stage.press(.escape)
    #expect(stage.scene.walk == nil && stage.scene.selection.count == 2)
    stage.press(.escape)
    #expect(stage.scene.selection.isEmpty)
  }

  @Test("what was selected before is selected again after the walk, unless something else was selected meanwhile")
  func selectionBefore() {
    var stage = Stage.lattice()
    stage.send(.select(slots: [5, 6]))
    stage.send(.walk(groups: [[3, 20]]))
    stage.send(.walk(groups: [[8, 9], [1, 2]]))
    #expect(stage.scene.selection.slots == [1, 2, 8, 9])
    stage.press(.escape)
    #expect(stage.scene.walk == nil && stage.scene.selection.slots == [5, 6])
    stage.send(.walk(groups: [[3, 20]]))
    stage.send(.select(slots: [7]))
    stage.press(.escape)
    #expect(stage.scene.walk == nil && stage.scene.selection.slots == [7])
  }

  @Test("keys that can do nothing say why")
  func refused() {
    var stage = Stage.lattice()
    stage.send(.pointerLeft)
    let expected: [(Character, Refusal)] = [
      ("m", .noPicture), ("e", .noPicture), ("o", .noPicture), (" ", .noPicture), ("r", .nothingOpened),
      ("b", .nothingOpened), ("1", .nothingOpened), ("z", .nothingSelected), (".", .noGroups), (",", .noGroups),
    ]
    for (key, refusal) in expected {
      stage.wishes = []
      stage.press(.character(key))
      #expect(stage.wishes == [.refused(refusal)], "\(key)")
    }
  }

  @Test("full stop and comma go from group to group with the camera, around at the ends")
  func groups() throws {
    var stage = Stage.lattice()
    stage.send(.walk(groups: [[0, 1], [22, 23], [8, 9]]))
    #expect(stage.scene.walk?.group == nil && stage.scene.selection.count == 6)
    for (key, group) in [(".", [0, 1]), (".", [22, 23]), (",", [0, 1]), (",", [8, 9])] {
      stage.press(.character(Character(key)))
      stage.settle()
      #expect(stage.scene.walk?.slots == group && stage.scene.focused == group[0])
      for slot in group {
        let rect = try #require(stage.scene.spriteRect(of: slot))
        #expect(rect.intersection(stage.scene.camera.viewport) == rect)
      }
    }
  }

  @Test("a walk with a picture that is left out ends; one over unknown pictures never begins")
  func removed() {
    var stage = Stage.lattice()
    stage.send(.walk(groups: [[3, 4]]))
    stage.send(.imagesRemoved(slots: [4]))
    #expect(stage.scene.walk == nil)
    stage.send(.walk(groups: [[400]]))
    #expect(stage.scene.walk == nil && stage.wishes.contains(.walkChanged))
  }
}
