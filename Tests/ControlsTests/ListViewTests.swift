import Controls
import Drawing
import Geometry
import TestSupport
import Testing

@MainActor @Suite("The list", .computing)
struct ListViewTests {
  private final class Source {
    var asked: Set<Int> = []
  }

  private func make(_ count: Int) -> (ListView, Desk, Source) {
    let source = Source()
    let list = ListView(count: count) {
      source.asked.insert($0)
      return ListRow("photos/\($0).jpg", "reason \($0)")
    }
    list.columnTitles = ("Key", "Reason")
    let desk = Desk([list])
    list.frame = Rect(x: 0, y: 0, width: 400, height: 300)
    desk.group.focus(list, reason: .keyboard)
    return (list, desk, source)
  }

  @Test("of 100,000 rows only those that are seen are asked for")
  func visibleOnly() throws {
    let (list, desk, source) = make(100_000)
    let canvas = try Canvas.image(width: 400, height: 300)
    list.draw(on: canvas)
    #expect(source.asked == Set(list.visibleRows) && source.asked.count <= 11)
    desk.press(.end)
    source.asked.removeAll()
    list.draw(on: canvas)
    #expect(list.selectedRow == 99_999 && source.asked.contains(99_999) && source.asked.count <= 11)
  }

  @Test("keys move the selection and keep it in sight")
  func keys() {
    let (list, desk, _) = make(50)
    desk.press(.down)
    #expect(list.selectedRow == 0)
    desk.press(.pageDown)
    let page = list.selectedRow!
    #expect(page > 4 && list.visibleRows.contains(page))
    desk.press(.up)
    #expect(list.selectedRow == page - 1)
    desk.press(.end)
    desk.press(.down)
    #expect(list.selectedRow == 49 && list.visibleRows.contains(49))
    desk.press(.home)
    #expect(list.selectedRow == 0 && list.visibleRows.lowerBound == 0)
  }

  @Test("a click selects, a double click and Return activate, Ctrl+C copies the row")
  func activation() {
    let (list, desk, _) = make(50)
    var activated: [Int] = []
    list.onActivate = { activated += $0 }
    let third = Point(x: 50, y: list.style.rowHeight * 3.5)
    desk.click(third)
    #expect(list.selectedRow == 2)
    desk.click(third, count: 2)
    desk.press(.return)
    #expect(activated == [2, 2])
    desk.press(.character("c"), .control)
    #expect(desk.clipboard.texts[.clipboard] == "photos/2.jpg\treason 2")
  }

  @Test("rows selected by the program are told of once, stay where the list is, and those that are none do not count")
  func selectedRows() {
    let (list, desk, _) = make(50)
    list.selectsSeveral = true
    var told: [[Int]] = []
    list.onSelect = { told.append($0) }
    desk.press(.end)
    let seen = list.visibleRows
    told = []
    list.select(rows: [3, 7, 50])
    list.select(rows: [3, 7])
    #expect(told == [[3, 7]] && list.selectedRows == [3, 7] && list.visibleRows == seen)
    list.select(rows: [])
    #expect(list.selectedRows.isEmpty && list.selectedRow == nil)
  }

  @Test("Shift, Ctrl and Ctrl+A select several rows, which Return and Ctrl+C are about")
  func several() {
    let (list, desk, _) = make(50)
    list.selectsSeveral = true
    var activated: [Int] = []
    list.onActivate = { activated = $0 }
    desk.press(.down)
    desk.press(.down, .shift)
    desk.press(.down, .shift)
    #expect(list.selectedRows == [0, 1, 2])
    desk.press(.up, .shift)
    #expect(list.selectedRows == [0, 1])
    desk.press(.character("c"), .control)
    #expect(desk.clipboard.texts[.clipboard] == "photos/0.jpg\treason 0\nphotos/1.jpg\treason 1")
    let fifth = Point(x: 50, y: list.style.rowHeight * 5.5)
    desk.click(fifth, modifiers: .control)
    #expect(list.selectedRows == [0, 1, 4])
    desk.click(Point(x: 50, y: list.style.rowHeight * 7.5), modifiers: .shift)
    #expect(list.selectedRows == [4, 5, 6])
    desk.press(.return)
    #expect(activated == [4, 5, 6])
    desk.press(.character("a"), .control)
    #expect(list.selectedRows == Array(0..<50))
    list.count = 7
    #expect(list.selectedRows == Array(0..<7))
    desk.press(.down)
    #expect(list.selectedRows.count == 1)
  }

  @Test("the wheel and the bar scroll, to the ends and no further")
  func scrolling() {
    let (list, desk, _) = make(1000)
    _ = desk.group.handle(.scrolled(ScrollEvent(dy: -2, at: Point(x: 50, y: 100))))
    #expect(list.visibleRows.lowerBound == 6)
    _ = desk.group.handle(.scrolled(ScrollEvent(dy: 9, at: Point(x: 50, y: 100))))
    #expect(list.visibleRows.lowerBound == 0)
    desk.drag(from: Point(x: 396, y: list.style.rowHeight + 6), to: Point(x: 396, y: 900))
    #expect(list.visibleRows.upperBound == 1000 && list.selectedRow == nil)
  }

  @Test("a list that shrinks keeps a selection it has")
  func shrinking() {
    let (list, desk, _) = make(50)
    desk.press(.end)
    list.count = 10
    #expect(list.selectedRow == 9 && list.visibleRows.upperBound == 10)
    list.count = 0
    #expect(list.selectedRow == nil && list.visibleRows.isEmpty)
    #expect(desk.press(.down) == .ignored)
  }
}
