import Controls
import Geometry
import Scene
import Testing

@testable import Viewer

@Suite("What a menu offers")
struct ContextMenuTests {
  /// A scene of pictures in a row, laid out or still loading.
  private func scene(selected: [Int] = [], isLaidOut: Bool = true) -> Scene {
    var scene = Scene(
      viewport: PixelRect(x: 0, y: 48, width: 1000, height: 600), isAnimationEnabled: false)
    _ = scene.handle(.imagesAdded(slots: Array(0..<40)))
    _ = scene.handle(.imagesReady((0..<40).map { ($0, 1.5) }))
    _ = scene.handle(.listingComplete)
    if isLaidOut {
      _ = scene.handle(
        .layout(
          slots: (0..<40).map { Int32($0) }, positions: (0..<40).flatMap { [Float($0), Float($0 % 3)] }, isFinal: true,
          animated: false))
    }
    _ = scene.handle(.select(slots: selected))
    return scene
  }

  private func menu(_ scene: Scene, about slot: Int? = nil) -> ContextMenu {
    ContextMenu(
      scene, about: slot.map { ContextMenu.Picture(slot: $0, name: "\($0).jpg", isTransparent: false) },
      selection: scene.selection.isEmpty ? nil : "\(scene.selection.count) of 40 selected", showsDetails: false)
  }

  private func disabled(_ menu: ContextMenu) -> [SceneCommand] {
    menu.sections.flatMap(\.entries).filter { $0.reason != nil }.map(\.command)
  }

  @Test("about the picture, then the selection, then the map; each only where there is one")
  func sections() {
    #expect(menu(scene()).sections.map(\.title) == [""])
    #expect(menu(scene(), about: 3).sections.map(\.title) == ["3.jpg", ""])
    #expect(menu(scene(selected: [1, 2]), about: 3).sections.map(\.title) == ["3.jpg", "2 of 40 selected", ""])
  }

  @Test("an address is copied alone, or with those of the selection that the picture belongs to")
  func addresses() {
    func copies(_ menu: ContextMenu) -> [SceneCommand] {
      menu.commands.filter { $0 == .copyAddress || $0 == .copyOwnAddress }
    }
    #expect(copies(menu(scene(), about: 3)) == [.copyAddress])
    #expect(copies(menu(scene(selected: [1, 2]), about: 3)) == [.copyOwnAddress, .copyAddress])
    #expect(copies(menu(scene(selected: [1, 3]), about: 3)) == [.copyAddress])
    #expect(copies(menu(scene(selected: [1, 3]))) == [.copyAddress])
  }

  @Test("nothing is offered twice, and every item but one has a key")
  func keys() {
    var opened = scene(selected: [1, 2])
    _ = opened.handle(.pointerMoved(Point(x: 1, y: 50), []))
    _ = opened.handle(.key(.pageDown, [], isRepeat: false))
    _ = opened.handle(.key(.return, [], isRepeat: false))
    #expect(opened.opened != nil)
    for menu in [menu(scene(selected: [1, 2]), about: 3), menu(opened, about: 1), menu(scene())] {
      #expect(Set(menu.commands).count == menu.commands.count)
      let keys = menu.menuSections.flatMap(\.items).map(\.key)
      #expect(keys.filter(\.isEmpty).count == menu.commands.count { $0 == .copyOwnAddress })
    }
  }

  @Test("what cannot be done is offered, and says why")
  func impossible() {
    #expect(disabled(menu(scene(), about: 3)).isEmpty)
    #expect(disabled(menu(scene(isLaidOut: false), about: 3)) == [.findSimilar, .findDuplicates])
    #expect(disabled(menu(scene(selected: Array(0..<17)))).isEmpty)
    #expect(menu(scene(selected: Array(0..<17))).sections[0].entries[1].title == "The first 16 side by side")
    #expect(menu(scene(selected: Array(0..<16))).sections[0].entries[1].title == "Side by side")
    #expect(disabled(menu(Scene())) == [.search, .selectAll, .findDuplicates, .fit, .save])
  }
}
