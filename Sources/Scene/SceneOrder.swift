// Going through pictures one by one: those of the selection, or all by name.
extension Scene {
  /// Shows the next picture, or the one before: of the selection where there is one, else of all, in the order of their
  /// keys. Around at the ends. On the map the keyboard focus goes there.
  mutating func stepInOrder(by step: Int, _ effects: inout Effects) {
    guard sideBySide.isEmpty, !(opened == nil && isDrawingRectangle) else { return }
    if let walk, walk.group != nil { return walkTo(walk.position + step, &effects) }
    let isEligible = { [self] (slot: Int) in
      pictures.isReady(slot) && (selection.isEmpty || selection.contains(slot))
    }
    let order = pictures.order
    guard !order.isEmpty else { return }
    let present = (opened?.slot ?? focused ?? hovered).flatMap { pictures.indexInOrder($0) }
    var index = present ?? (step > 0 ? -1 : order.count)
    for _ in order.indices {
      index = (index + step + order.count) % order.count
      let slot = Int(order[index])
      guard isEligible(slot) else { continue }
      focused = slot
      if opened != nil {
        show(slot, from: nil, &effects)
      } else {
        pointer = nil
        updateHover(&effects)
        reveal(slot, &effects)
      }
      effects.add(.hoverChanged(slot: slot))
      effects.redraw()
      return
    }
  }
}
