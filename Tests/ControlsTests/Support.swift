import Controls
import Drawing
import Geometry

/// The desktop's two selections, within the test.
@MainActor final class TestClipboard: ClipboardAccess {
  var texts: [ClipboardSelection: String] = [:]
  func setText(_ text: String, in selection: ClipboardSelection, time: UInt32) { texts[selection] = text }
  func requestText(from selection: ClipboardSelection, completion: @escaping @MainActor (String?) -> Void) {
    completion(texts[selection])
  }
}

/// A group of controls as a window holds it, operated by keys and pointer.
@MainActor final class Desk {
  let group: ControlGroup
  let clipboard = TestClipboard()

  init(_ controls: [any Control], width: Double = 400, height: Double = 300, scale: Double = 1) {
    group = ControlGroup(
      style: Style(scale: scale), bounds: Rect(x: 0, y: 0, width: width * scale, height: height * scale))
    group.clipboard = clipboard
    group.add(controls)
    var y = 8.0
    for control in controls {
      control.frame = Rect(x: 8, y: y, width: 200, height: 24)
      y += 40
    }
  }

  @discardableResult func press(_ key: Key, _ modifiers: KeyModifiers = []) -> ControlResponse {
    group.handle(.key(KeyPress(key, modifiers)))
  }
  func type(_ text: String, time: UInt32 = 0) {
    for character in text { _ = group.handle(.text(String(character), time: time)) }
  }

  func move(_ point: Point) { _ = group.handle(.pointerMoved(PointerEvent(point))) }
  func click(_ point: Point, count: Int = 1, button: PointerButton = .left, modifiers: KeyModifiers = []) {
    let event = PointerEvent(point, button: button, clickCount: count, modifiers: modifiers)
    _ = group.handle(.pointerMoved(event))
    _ = group.handle(.pointerPressed(event))
    _ = group.handle(.pointerReleased(event))
  }
  func drag(from: Point, to: Point, count: Int = 1) {
    _ = group.handle(.pointerPressed(PointerEvent(from, clickCount: count)))
    _ = group.handle(.pointerMoved(PointerEvent(to)))
    _ = group.handle(.pointerReleased(PointerEvent(to)))
  }
}
