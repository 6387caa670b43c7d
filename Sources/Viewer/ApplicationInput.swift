import Controls
import Foundation
import Geometry
import Scene
import X11

// What the window tells, given to whom it concerns: controls first, then the map.
extension Application {
  func handle(_ event: WindowEvent) {
    switch event {
    case .resized: layOut()
    case .exposed: redrawAll()
    case .frameReady: scheduler.bufferIsFree()
    case .presented: break
    case .pointerMoved(let x, let y, let modifiers, let time):
      eventTime = time
      pointerMoved(Point(x: x, y: y), modifiers, time)
    case .pointerPressed(let button, let x, let y, let modifiers, let clickCount, let time):
      eventTime = time
      pointerPressed(Point(x: x, y: y), button, modifiers, clickCount, time)
    case .pointerReleased(let button, let x, let y, let modifiers, let time):
      eventTime = time
      pointerReleased(Point(x: x, y: y), button, modifiers, time)
    case .pointerLeft:
      _ = group.handle(.pointerLeft)
      leaveMap()
    case .scrolled(let dx, let dy, let x, let y, let modifiers):
      scrolled(dx, dy, Point(x: x, y: y), modifiers)
    case .keyPressed(let key):
      eventTime = key.time
      keyPressed(key)
    case .keyReleased(let key):
      if let key = SceneTranslation.key(key) { map.send(.keyReleased(key)) }
    case .focusChanged(let isFocused):
      if !isFocused { map.send(.focusLost) }
    case .visibilityChanged(let isVisible):
      if isVisible { scheduler.windowIsVisible() }
    case .fullScreenChanged: break
    case .scaleChanged: restyle(style.theme)
    case .closeRequested: quit()
    case .filesDropped(let items):
      if let first = items.first { open(first) }
    case .displayLost: displayLost()
    }
  }

  private func displayLost() {
    saveViewState()
    jobs.cancel()
    FileHandle.standardError.write(Data("s3totsne: the display was closed.\n".utf8))
    exit(1)
  }

  // MARK: Pointer

  private func controlEvent(
    _ point: Point, _ modifiers: X11.Modifiers, _ time: Timestamp, button: Int = 1, clickCount: Int = 1
  ) -> PointerEvent {
    let name: PointerButton =
      switch button {
      case 1: .left
      case 2: .middle
      case 3: .right
      default: .other
      }
    return PointerEvent(
      point, button: name, clickCount: clickCount, modifiers: KeyModifiers(rawValue: modifiers.rawValue), time: time)
  }

  /// Whether `point` is the map's: not on a panel, and nothing else is shown there.
  private func isMap(_ point: Point) -> Bool {
    !startPage.isShown && !failurePage.isShown && !keys.isShown && !problems.isShown && mapArea.contains(point)
  }

  private func leaveMap() {
    guard pointerIsOnMap, !mapHoldsPointer else { return }
    pointerIsOnMap = false
    window.setCursor(.arrow)
    map.send(.pointerLeft)
  }

  private func pointerMoved(_ point: Point, _ modifiers: X11.Modifiers, _ time: Timestamp) {
    if !mapHoldsPointer {
      let response = group.handle(.pointerMoved(controlEvent(point, modifiers, time)))
      guard response == .ignored, isMap(point) else { return leaveMap() }
    }
    if !pointerIsOnMap {
      pointerIsOnMap = true
      window.setCursor(SceneTranslation.cursor(map.scene.cursor))
    }
    map.send(.pointerMoved(point, SceneTranslation.modifiers(modifiers)))
  }

  private func pointerPressed(
    _ point: Point, _ button: Int, _ modifiers: X11.Modifiers, _ clickCount: Int, _ time: Timestamp
  ) {
    announcement = nil
    if keys.isShown { return showKeys(false) }
    let event = controlEvent(point, modifiers, time, button: button, clickCount: clickCount)
    if group.handle(.pointerPressed(event)) == .handled { return }
    if problems.isShown, mapArea.contains(point) {
      if !problems.frame.contains(point) { closeProblems() }
      return
    }
    guard mapArea.contains(point) else { return }
    group.focus(nil, reason: .pointer)
    guard isMap(point) else { return }
    mapHoldsPointer = true
    map.send(
      .pointerPressed(point, button: button, clickCount: clickCount, SceneTranslation.modifiers(modifiers)))
  }

  private func pointerReleased(_ point: Point, _ button: Int, _ modifiers: X11.Modifiers, _ time: Timestamp) {
    guard mapHoldsPointer else {
      _ = group.handle(.pointerReleased(controlEvent(point, modifiers, time, button: button)))
      return
    }
    mapHoldsPointer = false
    map.send(.pointerReleased(point, button: button, SceneTranslation.modifiers(modifiers)))
    if !isMap(point) { leaveMap() }
  }

  private func scrolled(_ dx: Double, _ dy: Double, _ point: Point, _ modifiers: X11.Modifiers) {
    let event = ScrollEvent(dx: dx, dy: dy, at: point, modifiers: KeyModifiers(rawValue: modifiers.rawValue))
    guard group.handle(.scrolled(event)) == .ignored, isMap(point) else { return }
    map.send(.scrolled(dx: dx, dy: dy, at: point, SceneTranslation.modifiers(modifiers)))
  }

  // MARK: Keys

  private func keyPressed(_ event: KeyEvent) {
    announcement = nil
    if keys.isShown { return showKeys(false) }
    let held = KeyModifiers(rawValue: event.modifiers.rawValue)
    // Tab enters the bar from the map, but every other key without a focused control is the map's.
    let controlsHaveKeys = group.focused != nil || !group.popups.isEmpty || event.symbol == .tab
    if controlsHaveKeys {
      if !event.text.isEmpty, event.modifiers.isDisjoint(with: [.control, .alt, .super]) {
        if group.handle(.text(event.text, time: event.time)) == .handled { return }
      } else if group.handle(
        .key(KeyPress(ControlKeys.key(event.symbol), held, isRepeat: event.isRepeat, time: event.time))) == .handled
      {
        return
      }
    }
    if event.symbol == .escape, problems.isShown { return closeProblems() }
    // Escape leads back to the map from wherever the keyboard is.
    if event.symbol == .escape, group.focused != nil { return group.focus(nil) }
    guard let key = SceneTranslation.key(event) else { return }
    // With a control in focus only what is no text and no movement in it gets here: commands with Ctrl, function keys.
    map.send(.key(key, SceneTranslation.modifiers(event.modifiers), isRepeat: event.isRepeat))
  }
}

/// The keys of the window in the words of the controls.
enum ControlKeys {
  static func key(_ symbol: KeySymbol) -> Key {
    switch symbol {
    case .return: .return
    case .escape: .escape
    case .tab: .tab
    case .backspace: .backspace
    case .delete: .delete
    case .insert: .insert
    case .home: .home
    case .end: .end
    case .pageUp: .pageUp
    case .pageDown: .pageDown
    case .left: .left
    case .right: .right
    case .up: .up
    case .down: .down
    case .menu: .menu
    case .undo: .undo
    case .redo: .redo
    case .copy: .copy
    case .cut: .cut
    case .paste: .paste
    case .function(let number): .function(number)
    case .character(let character): .character(character)
    default: .other
    }
  }
}
