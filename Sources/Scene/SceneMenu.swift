import Geometry

// What is offered at a place of the map, or about the picture at hand.
extension Scene {
  /// Asks for the menu at a point. The keyboard focus goes to the picture there: it stays the one that commands are about
  /// while the pointer is on the menu.
  mutating func askForMenu(at point: Point, _ effects: inout Effects) {
    dropRectangle(&effects)
    activate(at: point, &effects)
    let slot = opened == nil && !isOnOverview(point) ? picture(at: point) : nil
    askForMenu(about: opened?.slot ?? slot, at: point, byKey: false, &effects)
  }

  /// Asks for the menu about the picture at hand, on the middle of what is seen of it; without one, about the map.
  mutating func askForMenu(_ effects: inout Effects) {
    guard !gesture.isPressed else { return }
    dropRectangle(&effects)
    let view = Rect(opened?.viewport ?? camera.viewport)
    var slot = atHand
    var point = view.center
    if opened == nil, let picture = slot {
      let seen = spriteRect(of: picture).map { Rect($0).intersection(view) } ?? .zero
      if seen.isEmpty { slot = nil } else { point = seen.center }
    }
    askForMenu(about: slot, at: point, byKey: true, &effects)
  }

  private mutating func askForMenu(about slot: Int?, at point: Point, byKey: Bool, _ effects: inout Effects) {
    if let slot { focused = slot }
    pointer = nil
    updateHover(&effects)
    effects.add(.hoverChanged(slot: focused))
    effects.add(.showMenu(slot: slot, at: point, byKey: byKey))
    effects.redraw()
  }
}
