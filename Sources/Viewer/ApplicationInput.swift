import Collection
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
    case .presented, .fullScreenChanged: break
    case .pointerMoved(let x, let y, let modifiers, let time):
      eventTime = time
      pointerMoved(to: Point(x: x, y: y), modifiers, event)
    case .pointerPressed(let button, let x, let y, let modifiers, let clickCount, let time):
      eventTime = time
      announcement = nil
      pointerPressed(at: Point(x: x, y: y), button, modifiers, clickCount, event)
    case .pointerReleased(let button, let x, let y, let modifiers, let time):
      eventTime = time
      pointerReleased(at: Point(x: x, y: y), button, modifiers, event)
    case .pointerLeft:
      _ = offer(event)
      leaveMap()
    case .scrolled(let dx, let dy, let x, let y, let modifiers):
      let point = Point(x: x, y: y)
      if keys.isShown {
        keys.scroll(rows: -3 * dy)
        return redrawMap()
      }
      if showsDetails, details.frame.contains(point), group.popups.isEmpty {
        details.scroll(lines: -3 * dy)
        return redrawMap()
      }
      guard !offer(event), isMap(point) else { return }
      map.send(.scrolled(dx: dx, dy: dy, at: point, SceneTranslation.modifiers(modifiers)))
    case .keyPressed(let key):
      eventTime = key.time
      announcement = nil
      keyPressed(key, event)
    case .preedit: _ = offer(event)
    case .keyReleased(let key):
      if let key = SceneTranslation.key(key) { map.send(.keyReleased(key)) }
    case .focusChanged(let isFocused):
      guard !isFocused else { return }
      map.send(.focusLost)
      group.dismissAll()
    case .visibilityChanged(let isVisible):
      if isVisible { scheduler.windowIsVisible() }
    case .scaleChanged: restyle(style.theme)
    case .closeRequested: quit()
    case .filesDropped(let items):
      if let first = items.first { open(first) }
    case .displayLost: displayLost()
    }
  }

  /// Gives an event to the controls; whether one of them took it.
  private func offer(_ event: WindowEvent) -> Bool {
    guard let event = ControlEvent(event) else { return false }
    return group.handle(event) == .handled
  }

  private func displayLost() {
    saveViewState()
    jobs.cancel()
    keptPictures.synchronize()
    jobs.collection?.synchronize()
    historyQueue.sync {}
    FileHandle.standardError.write(Data("s3totsne: the display was closed.\n".utf8))
    exit(1)
  }

  // MARK: Pointer

  /// Whether `point` is the map's: not on a panel, and nothing else is shown there.
  func isMap(_ point: Point) -> Bool {
    !startPage.isShown && !failurePage.isShown && !keys.isShown && !problems.isShown && !notes.isShown
      && !(prompt.isShown && prompt.frame.contains(point))
      && !(questionPanel.isShown && questionPanel.frame.contains(point))
      && !(showsDetails && details.frame.contains(point))
      && mapArea.contains(point)
  }

  private func leaveMap() {
    guard pointerIsOnMap, mapButton == nil else { return }
    pointerIsOnMap = false
    window.setCursor(.arrow)
    map.send(.pointerLeft)
  }

  private func pointerMoved(to point: Point, _ modifiers: X11.Modifiers, _ event: WindowEvent) {
    if mapButton == nil, offer(event) || !isMap(point) { return leaveMap() }
    if !pointerIsOnMap {
      pointerIsOnMap = true
      window.setCursor(SceneTranslation.cursor(map.scene.cursor))
    }
    map.send(.pointerMoved(point, SceneTranslation.modifiers(modifiers)))
  }

  private func pointerPressed(
    at point: Point, _ button: Int, _ modifiers: X11.Modifiers, _ clickCount: Int, _ event: WindowEvent
  ) {
    if mapButton != nil { return }
    if keys.isShown { return showKeys(false) }
    // The second press for a menu opens it elsewhere.
    if button == 3, let menu, !menu.contains(point) { group.dismiss(menu) }
    if offer(event) { return }
    if problems.isShown, mapArea.contains(point) {
      if !problems.frame.contains(point) { closeProblems() }
      return
    }
    if notes.isShown, mapArea.contains(point) {
      if !notes.frame.contains(point) { closeNotes() }
      return
    }
    guard mapArea.contains(point) else { return }
    if prompt.isShown {
      if prompt.frame.contains(point) { return }
      prompt.clickedBeside()
    }
    group.focus(nil, reason: .pointer)
    guard isMap(point) else { return }
    // The button for menus does not hold the pointer: that is the menu's from now on.
    if button != 3 { mapButton = button }
    map.send(
      .pointerPressed(point, button: button, clickCount: clickCount, SceneTranslation.modifiers(modifiers)))
  }

  private func pointerReleased(
    at point: Point, _ button: Int, _ modifiers: X11.Modifiers, _ event: WindowEvent
  ) {
    guard let held = mapButton else {
      _ = offer(event)
      return
    }
    guard button == held else { return }
    mapButton = nil
    map.send(.pointerReleased(point, button: button, SceneTranslation.modifiers(modifiers)))
    if !isMap(point) { leaveMap() }
  }

  // MARK: Keys

  private func keyPressed(_ key: KeyEvent, _ event: WindowEvent) {
    if keys.isShown {
      if !keys.scroll(by: key.symbol) { showKeys(false) }
      return redrawMap()
    }
    // Tab enters the bar from the map; every other key without a focused control is the map's.
    let controlsHaveKeys = group.focused != nil || !group.popups.isEmpty || key.symbol == .tab
    if controlsHaveKeys, offer(event) { return }
    // Behind an open panel the map hears nothing.
    if !group.popups.isEmpty {
      if key.symbol == .escape { group.dismissAll() }
      return
    }
    if key.symbol == .escape, problems.isShown { return closeProblems() }
    if key.symbol == .escape, notes.isShown { return closeNotes() }
    if key.symbol == .escape, questionPanel.isShown { return closeQuestion() }
    if key.symbol == .escape, prompt.isShown { return prompt.cancel() }
    if key.symbol == .escape, layoutStrip.isVisible, map.scene.opened == nil, group.focused == nil {
      return hideLayouts()
    }
    // Escape leads back to the map from wherever the keyboard is.
    if key.symbol == .escape, group.focused != nil { return group.focus(nil) }
    if showsDetails, details.scroll(by: key.symbol) { return redrawMap() }
    // With a control in focus, only what is neither text nor a movement in it gets here: commands with Ctrl, function keys.
    guard let sceneKey = SceneTranslation.key(key) else { return }
    map.send(.key(sceneKey, SceneTranslation.modifiers(key.modifiers), isRepeat: key.isRepeat))
  }
}
