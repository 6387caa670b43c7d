import Controls
import Drawing
import Geometry
import TestSupport
import Testing

@MainActor @Suite("The control group", .computing)
struct ControlGroupTests {
  @Test("Tab goes in order, past what is hidden or disabled, round the ends, and back with Shift")
  func tabOrder() {
    let first = TextField("a")
    let hidden = Button("b")
    let disabled = Button("c")
    let label = Label("d")
    let last = Button("e")
    let desk = Desk([first, hidden, disabled, label, last])
    hidden.isVisible = false
    disabled.isEnabled = false
    desk.press(.tab)
    #expect(first.isFocused && first.editor.selection == 0..<1)
    desk.press(.tab)
    #expect(last.isFocused && last.showsFocusRing)
    desk.press(.tab)
    #expect(first.isFocused && !last.isFocused)
    desk.press(.tab, .shift)
    #expect(last.isFocused)
    desk.group.wrapsFocus = false
    #expect(desk.press(.tab) == .ignored && last.isFocused)
  }

  @Test("the pointer gives the focus without a ring, and text input follows text fields")
  func pointerFocus() {
    let field = TextField("a")
    let button = Button("b")
    let desk = Desk([field, button])
    var textInput: [Bool] = []
    desk.group.onTextInput = { textInput.append($0) }
    desk.click(button.frame.center)
    #expect(button.isFocused && !button.showsFocusRing)
    desk.click(field.frame.center)
    desk.press(.tab)
    #expect(textInput == [true, false])
    #expect(button.showsFocusRing)
  }

  @Test("a button is pressed on release inside it, by Return and by Space")
  func buttons() {
    var count = 0
    let button = Button("Refresh", kind: .accent) { count += 1 }
    let desk = Desk([button])
    desk.click(button.frame.center)
    #expect(count == 1)
    desk.drag(from: button.frame.center, to: Point(x: 390, y: 290))
    #expect(count == 1 && !button.isPressed)
    desk.press(.return)
    desk.type(" ")
    #expect(count == 3)
    button.isEnabled = false
    desk.click(button.frame.center)
    #expect(count == 3)
    // Disabled while held down, it does not wait for the pointer to come back.
    button.isEnabled = true
    _ = desk.group.handle(.pointerPressed(PointerEvent(button.frame.center)))
    button.isEnabled = false
    _ = desk.group.handle(.pointerReleased(PointerEvent(button.frame.center)))
    button.isEnabled = true
    desk.move(button.frame.center)
    #expect(count == 3 && !button.isPressed)
  }

  @Test("the pointer's shape follows what is under it")
  func shapes() {
    let field = TextField("a")
    let button = Button("b")
    let desk = Desk([field, button])
    var shapes: [PointerShape] = []
    desk.group.onPointerShape = { shapes.append($0) }
    desk.move(field.frame.center)
    desk.move(button.frame.center)
    desk.move(Point(x: 390, y: 290))
    #expect(shapes == [.text, .hand, .arrow])
    #expect(!button.isHovered && !field.isHovered)
  }

  @Test("what changes is marked to be drawn, little and once")
  func dirtyRects() {
    let field = TextField("a")
    let button = Button("b")
    let desk = Desk([field, button])
    _ = desk.group.takeDirtyRects()
    var calls = 0
    desk.group.onInvalidate = { calls += 1 }
    desk.move(button.frame.center)
    desk.move(Point(x: button.frame.center.x + 1, y: button.frame.center.y))
    #expect(calls == 1)
    let rects = desk.group.takeDirtyRects()
    #expect(rects == [PixelRect(covering: button.paintedFrame)])
    #expect(desk.group.takeDirtyRects().isEmpty)
    // All that a control draws lies inside what it marks.
    let canvas = try? Canvas.image(width: 400, height: 300)
    canvas?.clear(.black)
    button.focusGained(.keyboard)
    button.draw(on: canvas!)
    let area = PixelRect(covering: button.paintedFrame)
    _ = canvas!.withPixels { pixels, stride in
      for y in 0..<300 {
        for x in 0..<400 where !area.contains(x: x, y: y) {
          if pixels[y * stride + x] != 0xff00_0000 { Issue.record("drawn outside at \(x), \(y)") }
        }
      }
    }
  }

  @Test("a window's event that meets no control is left to the window, unless something is open above it")
  func leftovers() {
    let dropDown = DropDown([DropDownGroup("", [DropDownItem(id: "a")])], selectedID: "a")
    let desk = Desk([dropDown])
    let map = Point(x: 390, y: 290)
    #expect(desk.group.handle(.pointerPressed(PointerEvent(map))) == .ignored)
    #expect(desk.group.handle(.scrolled(ScrollEvent(dy: 1, at: map))) == .ignored)
    dropDown.open()
    #expect(desk.group.handle(.scrolled(ScrollEvent(dy: 1, at: map))) == .handled)
    #expect(desk.group.handle(.pointerPressed(PointerEvent(map))) == .handled)
    #expect(!dropDown.isOpen)
    #expect(desk.group.handle(.pointerPressed(PointerEvent(map))) == .ignored)
  }

  @Test("tips lie inside the window, below what they speak of or above it", arguments: [8.0, 270])
  func tips(y: Double) {
    let button = Button("b")
    button.toolTip = "A long sentence about what this button does and why one would want to press it."
    let desk = Desk([button])
    button.frame = Rect(x: 300, y: y, width: 90, height: 24)
    desk.move(button.frame.center)
    _ = desk.group.takeDirtyRects()
    desk.group.showTip()
    #expect(desk.group.shownSentence == button.toolTip)
    let area = desk.group.takeDirtyRects().reduce(PixelRect.zero) { $0.union($1) }
    #expect(area.x >= 0 && area.y >= 0 && area.maxX <= 400 && area.maxY <= 300)
    #expect(y < 100 ? area.y >= 32 : area.maxY <= 270)
    desk.click(button.frame.center)
    #expect(desk.group.shownSentence == nil)
  }

  @Test("progress moves only while it must")
  func progress() {
    let line = ProgressLine()
    let desk = Desk([line])
    #expect(!desk.group.wantsTicks)
    line.value = .fraction(0.2)
    #expect(!desk.group.wantsTicks)
    line.value = .fraction(0.6)
    #expect(desk.group.wantsTicks)
    desk.group.tick(seconds: 100)
    desk.group.tick(seconds: 100.1)
    #expect(desk.group.wantsTicks)
    desk.group.tick(seconds: 100.3)
    #expect(!desk.group.wantsTicks)
    line.value = .unknown
    #expect(desk.group.wantsTicks)
    desk.group.style.animates = false
    #expect(!desk.group.wantsTicks)
  }

  @Test("the progress line is as long as the progress", arguments: [0.0, 0.25, 1])
  func progressPicture(fraction: Double) throws {
    let line = ProgressLine()
    line.frame = Rect(x: 0, y: 4, width: 100, height: 2)
    line.value = .fraction(fraction)
    let canvas = try Canvas.image(width: 100, height: 10)
    canvas.clear(.black)
    line.draw(on: canvas)
    _ = canvas.withPixels { pixels, stride in
      for y in 0..<10 {
        for x in 0..<100 {
          let filled = (4..<6).contains(y) && Double(x) < fraction * 100
          #expect(pixels[y * stride + x] == (filled ? Theme.dark.focus.argb : 0xff00_0000))
        }
      }
    }
  }
}
