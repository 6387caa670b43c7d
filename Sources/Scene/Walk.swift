/// Groups of pictures that the user goes through one after the other: those like one, or duplicates.
public struct Walk: Hashable, Sendable {
  /// The slots of each group.
  public let groups: [[Int]]
  /// The group that is shown; nil before the first.
  public internal(set) var group: Int?
  /// The picture of that group that is at hand.
  public internal(set) var position = 0
  /// What was selected before.
  var selectionBefore = Selection()

  /// The pictures of the group that is shown; none before the first.
  public var slots: [Int] { group.map { groups[$0] } ?? [] }
}

// Going through groups of pictures.
extension Scene {
  /// Begins with the first group when there is but one; several are first seen all together.
  mutating func beginWalk(_ groups: [[Int]], _ effects: inout Effects) {
    let groups = groups.map { $0.filter { pictures.isKnown($0) } }.filter { !$0.isEmpty }
    guard !groups.isEmpty else { return endWalk(&effects) }
    if opened != nil { close(&effects) }
    let before = walk?.selectionBefore ?? selection
    walk = Walk(groups: groups, group: groups.count == 1 ? 0 : nil, selectionBefore: before)
    focused = groups.count == 1 ? groups[0][0] : nil
    select(Selection(groups.joined()), &effects)
    effects.add(.walkChanged)
    effects.redraw()
  }

  /// Whoever had selected something has that again, unless something else was selected since.
  mutating func endWalk(_ effects: inout Effects) {
    guard let walk else { return }
    self.walk = nil
    let before = Selection(walk.selectionBefore.slots.filter { pictures.isKnown($0) })
    if !before.isEmpty, selection == Selection(walk.groups.joined()) { select(before, &effects) }
    effects.add(.walkChanged)
    effects.redraw()
  }

  /// Goes to the next or previous group, around at the ends.
  mutating func stepGroup(by step: Int, _ effects: inout Effects) {
    guard opened == nil, let present = walk, !present.groups.isEmpty else { return }
    let count = present.groups.count
    goTo(group: present.group.map { ($0 + step + count) % count } ?? (step > 0 ? 0 : count - 1), &effects)
  }

  /// Goes to a group, with the camera.
  private mutating func goTo(group next: Int, _ effects: inout Effects) {
    guard let present = walk, present.groups.indices.contains(next) else { return }
    walk?.group = next
    walk?.position = 0
    focused = present.groups[next][0]
    pointer = nil
    updateHover(&effects)
    fit(present.groups[next], &effects)
    effects.add(.walkChanged)
    effects.redraw()
  }

  /// Goes to another picture of the group. Whether there is a group to go through.
  mutating func stepWalk(_ direction: Direction, _ effects: inout Effects) -> Bool {
    guard let present = walk, present.group != nil else { return false }
    let step = direction == .right || direction == .down ? 1 : -1
    walkTo(present.position + step, &effects)
    return true
  }

  /// Goes to a picture of the group, or to a group while none is chosen.
  mutating func walkTo(_ position: Int, _ effects: inout Effects) {
    if let walk, walk.group == nil { return goTo(group: position, &effects) }
    guard let slots = walk?.slots, slots.indices.contains(position) else { return }
    walk?.position = position
    let slot = slots[position]
    focused = slot
    pointer = nil
    if opened != nil {
      show(slot, from: nil, &effects)
    } else {
      updateHover(&effects)
      reveal(slot, &effects)
      effects.add(.hoverChanged(slot: slot))
    }
    effects.add(.walkChanged)
    effects.redraw()
  }
}
