import Controls
import Geometry
import TestSupport
import Testing
import X11

@Suite("The adapter to X11", .computing)
struct X11AdapterTests {
  @Test("a key with text is text, a key without is a key")
  func keys() {
    let typed = KeyEvent(symbol: .character("a"), text: "ä", modifiers: [.shift], isRepeat: false, time: 7)
    #expect(ControlEvent(.keyPressed(typed)) == .text("ä", time: 7))
    let shortcut = KeyEvent(symbol: .character("a"), text: "", modifiers: [.control], isRepeat: true, time: 8)
    #expect(
      ControlEvent(.keyPressed(shortcut)) == .key(KeyPress(.character("a"), .control, isRepeat: true, time: 8)))
    let escape = KeyEvent(symbol: .escape, text: "", modifiers: [], isRepeat: false, time: 9)
    #expect(ControlEvent(.keyPressed(escape)) == .key(KeyPress(.escape, time: 9)))
    #expect(ControlEvent(.keyReleased(escape)) == nil)
    #expect(ControlEvent(.resized) == nil)
  }

  @Test("buttons, clicks and modifiers arrive")
  func pointer() {
    let pressed = WindowEvent.pointerPressed(
      button: 2, x: 3, y: 4, [.control, .super], clickCount: 2, time: 5)
    #expect(
      ControlEvent(pressed)
        == .pointerPressed(
          PointerEvent(
            Point(x: 3, y: 4), button: .middle, clickCount: 2, modifiers: [.control, .logo], time: 5)))
    #expect(
      ControlEvent(.scrolled(dx: 0, dy: -1, x: 3, y: 4, .shift))
        == .scrolled(ScrollEvent(dy: -1, at: Point(x: 3, y: 4), modifiers: .shift)))
    #expect(CursorShape(.text) == .text)
  }
}
