import Foundation
import Geometry

// Selecting pictures.
extension Scene {
  /// Selects other pictures; those that are unknown are left out.
  mutating func select(_ new: Selection, _ effects: inout Effects) {
    guard new != selection else { return }
    selection = new
    selectionVersion &+= 1
    hasUnsavedView = true
    updateHover(&effects)
    effects.add(.selectionChanged)
    effects.redraw()
  }

  mutating func select(slots: [Int], _ effects: inout Effects) {
    select(Selection(slots.filter { pictures.isKnown($0) }), &effects)
  }

  mutating func toggle(_ slot: Int, _ effects: inout Effects) {
    var new = selection
    new.toggle(slot)
    select(new, &effects)
  }

  mutating func selectAll(_ effects: inout Effects) { select(Selection(knownSlots), &effects) }

  mutating func invertSelection(_ effects: inout Effects) {
    let old = selection
    select(Selection(knownSlots.filter { !old.contains($0) }), &effects)
  }

  private var knownSlots: [Int] {
    pictures.order.compactMap { pictures.isKnown(Int($0)) ? Int($0) : nil }
  }

  // MARK: Rectangle and lasso

  /// What a drag with these keys held draws; nil for one that moves the map.
  static func marquee(for modifiers: Modifiers, from start: Point) -> Marquee? {
    let takesAway = modifiers.contains(.alt)
    if modifiers.contains(.control) { return Marquee(.lasso, takesAway: takesAway, from: start) }
    if modifiers.contains(.shift) { return Marquee(.rectangle, takesAway: takesAway, from: start) }
    return nil
  }

  /// Selects the pictures whose middles lie in a part of the window, drawn or beneath others.
  mutating func select(in marquee: Marquee, _ effects: inout Effects) {
    var new = selection
    let bounds = marquee.bounds
    let projection = self.projection
    let rows = marquee.shape == .lasso ? LassoRows(marquee) : nil
    for slot in pictures.placed {
      let index = Int(slot)
      let place = pictures.place(index)
      let middle = projection.middle(x: place.x, y: place.y)
      guard bounds.contains(Point(x: Double(middle.x), y: Double(middle.y))),
        rows?.contains(x: middle.x, y: middle.y) ?? true
      else { continue }
      if marquee.takesAway { new.remove(index) } else { new.insert(index) }
    }
    select(new, &effects)
  }

  // MARK: The camera

  /// Shows all of the selection as large as it can be shown.
  mutating func fitSelection(_ effects: inout Effects) {
    fit(selection.slots, &effects)
  }

  /// Shows these pictures as large as they can be shown together.
  mutating func fit(_ slots: [Int], _ effects: inout Effects) {
    let slots = slots.filter { pictures.isPlaced($0) }
    guard !slots.isEmpty, !camera.viewport.isEmpty else { return }
    var (low, high) = (SIMD2<Float>(repeating: .infinity), SIMD2<Float>(repeating: -.infinity))
    for slot in slots {
      let place = pictures.place(slot)
      low = pointwiseMin(low, place)
      high = pointwiseMax(high, place)
    }
    let bounds = Rect(
      x: Double(low.x), y: Double(low.y), width: Double(high.x - low.x), height: Double(high.y - low.y))
    takeCamera()
    fly(to: fitted(bounds), &effects)
  }
}
