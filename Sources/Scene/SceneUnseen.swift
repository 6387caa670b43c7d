import Geometry

// Pictures that came into a layout after it was made, and that nobody has looked at yet.
//
// One is seen when it was pointed at, stepped to or opened; or when the hand has brought it so near that it was shown large,
// and the map then moved on.
extension Scene {
  /// A picture whose longest side has so many logical pixels needs no pointer to be looked at.
  private static let largeSide = 96.0

  /// These came into the layout just now.
  mutating func markUnseen(_ slots: [Int], _ effects: inout Effects) {
    var new = unseen
    for slot in slots where pictures.isKnown(slot) { new.insert(slot) }
    setUnseen(new, &effects)
  }

  /// These have been looked at, or are no more.
  mutating func markSeen(_ slots: [Int], _ effects: inout Effects) {
    guard !unseen.isEmpty else { return }
    var new = unseen
    for slot in slots { new.remove(slot) }
    setUnseen(new, &effects)
  }

  private mutating func setUnseen(_ new: Selection, _ effects: inout Effects) {
    guard new != unseen else { return }
    unseen = new
    hasUnsavedView = true
    effects.add(.unseenChanged)
    effects.redraw()
  }

  /// Notes what is being looked at after something has happened.
  mutating func noticeSeen(_ effects: inout Effects) {
    guard !unseen.isEmpty else { return }
    markSeen([hovered, focused, opened?.slot].compactMap { $0 } + sideBySide.map(\.slot), &effects)
    guard !wantsTicks, !gesture.isPressed, opened == nil, sights?.camera != camera else { return }
    if let sights { markSeen(sights.slots, &effects) }
    sights = (camera, largeInView)
  }

  /// Unseen pictures that are in the viewport and large. Of a map that the hand has not touched they are none: who has
  /// just opened it has not looked yet.
  private var largeInView: [Int] {
    guard handHasTouchedCamera, Double(spriteSide) >= Self.largeSide * uiScale else { return [] }
    let viewport = Rect(camera.viewport)
    return unseen.slots.filter { slot in
      spriteRect(of: slot).map { viewport.contains(Rect($0).center) } ?? false
    }
  }
}
