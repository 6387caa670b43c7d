import Controls
import Geometry
import TestSupport
import Testing

@MainActor @Suite("The menu", .computing)
struct PopupMenuTests {
  private final class Chosen { var items: [String] = [] }

  private func open(
    at point: Point = Point(x: 60, y: 50), byKey: Bool = false, on desk: Desk = Desk([], height: 600)
  ) -> (PopupMenu, Desk, Chosen) {
    let menu = PopupMenu(
      [
        MenuSection(
          "cat.jpg", [MenuItem("Open", key: "Return"), MenuItem("More like this", disabledReason: "Not known yet")]),
        MenuSection("Nothing", []),
        MenuSection("", [MenuItem("Select all", key: "Ctrl+A"), MenuItem("Save…"), MenuItem("Keys", key: "?")]),
      ], at: point, openedByKey: byKey)
    let chosen = Chosen()
    menu.onChoose = { [weak menu] index in chosen.items.append(menu?.items[index].title ?? "") }
    menu.open(in: desk.group)
    return (menu, desk, chosen)
  }

  /// The middle of a row, headings counted and separators not.
  private func place(_ row: Int, below separators: Int = 0, in menu: PopupMenu) -> Point {
    let style = menu.style
    let top = menu.frame.y + style.px(4) + Double(separators) * (2 * style.px(4) + style.hairline)
    return Point(x: menu.frame.center.x, y: top + (Double(row) + 0.5) * style.fieldHeight)
  }

  @Test("arrows go round past what cannot be chosen, Return chooses and closes, Escape only closes")
  func keys() {
    let (menu, desk, chosen) = open(byKey: true)
    #expect(menu.items.count == 5 && desk.group.popups.count == 1)
    desk.press(.down)
    desk.press(.return)
    #expect(chosen.items == ["Select all"] && desk.group.popups.isEmpty)
    let (_, _, around) = open(byKey: true, on: desk)
    desk.press(.up)
    desk.press(.up)
    desk.press(.return)
    #expect(around.items == ["Save…"])
    let (_, _, ends) = open(on: desk)
    desk.press(.end)
    desk.press(.down)
    desk.type(" ")
    #expect(ends.items == ["Open"])
    let (_, _, none) = open(byKey: true, on: desk)
    desk.press(.escape)
    #expect(none.items.isEmpty && desk.group.popups.isEmpty)
  }

  @Test("letters find an item by its first ones, the same letter again goes on")
  func typing() {
    let (_, desk, chosen) = open(byKey: true)
    desk.type("sav")
    desk.press(.return)
    #expect(chosen.items == ["Save…"])
    let (_, _, again) = open(byKey: true, on: desk)
    desk.type("ss")
    desk.press(.return)
    #expect(again.items == ["Save…"])
    let (_, _, disabled) = open(byKey: true, on: desk)
    desk.type("more")
    desk.press(.return)
    #expect(disabled.items == ["Open"])
  }

  @Test("opened by the pointer, nothing is chosen by Return until something is pointed at")
  func untouched() {
    let (_, desk, chosen) = open()
    desk.press(.return)
    #expect(chosen.items.isEmpty && desk.group.popups.isEmpty)
  }

  @Test("a click chooses; on a heading or what cannot be chosen it does nothing, and the reason is told")
  func clicks() {
    let (menu, desk, chosen) = open()
    desk.click(place(0, in: menu))
    desk.click(place(2, in: menu))
    #expect(chosen.items.isEmpty && desk.group.popups.count == 1)
    desk.group.showTip()
    #expect(desk.group.shownSentence == "Not known yet")
    desk.click(place(4, below: 1, in: menu), button: .middle)
    #expect(chosen.items.isEmpty)
    desk.click(place(4, below: 1, in: menu))
    #expect(chosen.items == ["Save…"] && desk.group.popups.isEmpty)
  }

  @Test("the button that opens it may be held, drawn to an item and let go; let go at once, it leaves the menu open")
  func oneMovement() {
    let desk = Desk([], height: 600)
    let point = Point(x: 60, y: 50)
    desk.move(point)
    let (menu, _, chosen) = open(at: point, on: desk)
    func release(_ point: Point) {
      _ = desk.group.handle(.pointerReleased(PointerEvent(point, button: .right)))
    }
    desk.move(Point(x: 63, y: 60))
    release(Point(x: 63, y: 60))
    #expect(chosen.items.isEmpty && desk.group.popups.count == 1)
    desk.move(place(1, in: menu))
    release(place(1, in: menu))
    #expect(chosen.items == ["Open"] && desk.group.popups.isEmpty)
    // Where there is no room beside its point, it lies on the point: the click that opened it chooses nothing.
    let low = Desk([], width: 320, height: 60)
    let (covering, _, nothing) = open(at: Point(x: 100, y: 30), on: low)
    #expect(covering.contains(Point(x: 110, y: 30)))
    _ = low.group.handle(.pointerReleased(PointerEvent(Point(x: 102, y: 30), button: .right)))
    #expect(nothing.items.isEmpty && low.group.popups.count == 1)
  }

  @Test("a press beside it closes it and does nothing else; the focus is where it was")
  func beside() {
    let field = TextField("")
    let desk = Desk([field], height: 600)
    desk.group.focus(field)
    let (menu, _, chosen) = open(at: Point(x: 60, y: 200), on: desk)
    #expect(menu.frame.minX > 60 && menu.frame.minY > 200)
    desk.type("x")
    #expect(field.text.isEmpty)
    desk.click(Point(x: 390, y: 590))
    #expect(chosen.items.isEmpty && desk.group.popups.isEmpty && field.isFocused)
    desk.type("x")
    #expect(field.text == "x")
  }

  @Test("it lies within the window at every place and scale, and scrolls to the last item where the window is low")
  func placing() {
    for scale in [1.0, 1.5, 2, 3] {
      for (width, height) in [(1000.0, 700.0), (320, 240), (320, 90)] {
        let desk = Desk([], width: width, height: height, scale: scale)
        for (x, y) in [(0.0, 0.0), (1, 0), (0, 1), (1, 1), (0.5, 0.5)] {
          let point = Point(x: x * width * scale, y: y * height * scale)
          let (menu, _, chosen) = open(at: point, byKey: true, on: desk)
          #expect(menu.frame.minX >= 0 && menu.frame.maxX <= width * scale)
          #expect(menu.frame.minY >= 0 && menu.frame.maxY <= height * scale)
          desk.press(.end)
          desk.click(Point(x: menu.frame.center.x, y: menu.frame.maxY - 8 * scale))
          #expect(chosen.items == ["Keys"])
        }
      }
    }
  }
}
