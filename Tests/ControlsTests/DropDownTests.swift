import Controls
import Geometry
import TestSupport
import Testing

@MainActor @Suite("The drop-down", .computing)
struct DropDownTests {
  private func make(height: Double = 600) -> (DropDown, Desk) {
    let reason = "Not available yet."
    let dropDown = DropDown(
      [
        DropDownGroup(
          "",
          [
            DropDownItem(id: "cosine"), DropDownItem(id: "canberra", disabledReason: reason),
            DropDownItem(id: "euclidean", detail: "l2"), DropDownItem(id: "manhattan", detail: "l1, cityblock"),
            DropDownItem(id: "correlation"),
          ]),
        DropDownGroup(
          "For 0/1 data",
          [DropDownItem(id: "dice", disabledReason: reason), DropDownItem(id: "yule", disabledReason: reason)]),
      ], selectedID: "cosine")
    let desk = Desk([dropDown], height: height)
    desk.group.focus(dropDown, reason: .keyboard)
    return (dropDown, desk)
  }

  @Test("closed, the keys step over what cannot be chosen and stop at the ends")
  func closedKeys() {
    let (dropDown, desk) = make()
    var chosen: [String] = []
    dropDown.onSelect = { chosen.append($0) }
    for _ in 0..<6 { desk.press(.down) }
    for _ in 0..<6 { desk.press(.up) }
    desk.press(.end)
    desk.press(.home)
    #expect(
      chosen == [
        "euclidean", "manhattan", "correlation", "manhattan", "euclidean", "cosine", "correlation", "cosine",
      ])
  }

  @Test("open, nothing is chosen until Return; Escape leaves all as it was")
  func openKeys() {
    let (dropDown, desk) = make()
    var chosen: [String] = []
    dropDown.onSelect = { chosen.append($0) }
    desk.press(.down, .alt)
    #expect(dropDown.isOpen && desk.group.popups.count == 1)
    desk.press(.down)
    desk.press(.down)
    #expect(dropDown.selectedID == "cosine")
    desk.press(.escape)
    #expect(!dropDown.isOpen && dropDown.selectedID == "cosine" && chosen.isEmpty)
    desk.type(" ")
    desk.press(.down)
    desk.press(.return)
    #expect(!dropDown.isOpen && dropDown.selectedID == "euclidean" && chosen == ["euclidean"])
    #expect(dropDown.isFocused)
  }

  @Test("letters find choices by name and alias, a repeated letter goes on, a pause starts anew")
  func typeAhead() {
    let (dropDown, desk) = make()
    desk.type("c", time: 10)
    #expect(dropDown.selectedID == "correlation")
    desk.type("c", time: 20)
    #expect(dropDown.selectedID == "cosine")
    desk.type("man", time: 5000)
    #expect(dropDown.selectedID == "manhattan")
    desk.type("l2", time: 9000)
    #expect(dropDown.selectedID == "euclidean")
    desk.type("dice", time: 20000)
    #expect(dropDown.selectedID == "euclidean")
    desk.type("city", time: 30000)
    #expect(dropDown.selectedID == "manhattan")
  }

  @Test("a click opens, a click on a choice chooses, one on a disabled choice says why and does nothing")
  func pointer() {
    let (dropDown, desk) = make()
    desk.click(dropDown.frame.center)
    #expect(dropDown.isOpen)
    let list = desk.group.popups[0]
    let row = dropDown.style.rowHeight
    func point(_ index: Int) -> Point {
      Point(x: list.frame.center.x, y: list.frame.minY + dropDown.style.px(4) + row * (Double(index) + 0.5))
    }
    desk.click(point(1))
    #expect(dropDown.isOpen && dropDown.selectedID == "cosine")
    desk.group.showTip()
    #expect(desk.group.shownSentence == "Not available yet.")
    desk.click(point(3))
    #expect(!dropDown.isOpen && dropDown.selectedID == "manhattan")
    // Press, drag to a choice, release.
    desk.drag(from: dropDown.frame.center, to: point(4))
    #expect(!dropDown.isOpen && dropDown.selectedID == "correlation")
    // The second click on the field closes, one beside does too.
    desk.click(dropDown.frame.center)
    desk.click(dropDown.frame.center)
    #expect(!dropDown.isOpen)
    desk.click(dropDown.frame.center)
    desk.click(Point(x: 390, y: 590))
    #expect(!dropDown.isOpen && dropDown.selectedID == "correlation")
  }

  @Test("the keys go back to where they went before when the pointer has opened the list, whether it chooses or not")
  func givesKeysBack() {
    let (dropDown, desk) = make()
    for ending in 0..<3 {
      desk.group.focus(nil)
      desk.click(dropDown.frame.center)
      #expect(dropDown.isOpen && dropDown.isFocused)
      switch ending {
      case 0: desk.press(.escape)
      case 1: desk.click(Point(x: desk.group.popups[0].frame.center.x, y: desk.group.popups[0].frame.minY + 10))
      default:
        desk.press(.down)
        desk.press(.return)
      }
      #expect(!dropDown.isOpen && desk.group.focused == nil)
    }
    // Who came with the keys stays.
    desk.group.focus(dropDown, reason: .keyboard)
    desk.press(.down, .alt)
    desk.press(.escape)
    #expect(dropDown.isFocused)
  }

  @Test("the list stays inside the window: above without room below, scrolling without room at all")
  func placing() {
    let (dropDown, desk) = make(height: 320)
    dropDown.frame = Rect(x: 300, y: 288, width: 90, height: 24)
    dropDown.open()
    var list = desk.group.popups[0]
    #expect(list.frame.maxY <= dropDown.frame.minY)
    #expect(list.frame.minX >= 0 && list.frame.maxX <= 400 && list.frame.minY >= 0)
    dropDown.close()
    desk.group.bounds = Rect(x: 0, y: 0, width: 320, height: 120)
    dropDown.frame = Rect(x: 8, y: 8, width: 90, height: 24)
    dropDown.open()
    list = desk.group.popups[0]
    #expect(list.frame.maxY <= 120)
    // The wheel scrolls: at the same place lies another choice then.
    let place = Point(x: list.frame.center.x, y: list.frame.minY + dropDown.style.rowHeight / 2)
    _ = desk.group.handle(.scrolled(ScrollEvent(dy: -0.5, at: place)))
    desk.press(.end)
    desk.press(.return)
    #expect(dropDown.selectedID == "correlation")
  }

  @Test("Tab closes the list and goes on; losing the focus closes it")
  func focus() {
    let dropDown = DropDown([DropDownGroup("", [DropDownItem(id: "a"), DropDownItem(id: "b")])], selectedID: "a")
    let button = Button("Refresh")
    let desk = Desk([dropDown, button])
    desk.group.focus(dropDown, reason: .keyboard)
    dropDown.open()
    desk.press(.tab)
    #expect(!dropDown.isOpen && button.isFocused)
  }

  @Test("a drop-down in which nothing can be chosen changes nothing")
  func nothingToChoose() {
    let dropDown = DropDown([DropDownGroup("", [DropDownItem(id: "a", disabledReason: "no")])])
    let desk = Desk([dropDown])
    desk.group.focus(dropDown, reason: .keyboard)
    desk.press(.down)
    desk.press(.down, .alt)
    desk.press(.down)
    desk.press(.return)
    #expect(dropDown.selectedID == nil && !dropDown.isOpen)
  }
}
