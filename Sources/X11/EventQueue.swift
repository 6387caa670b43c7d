/// The events of one window that wait to be delivered. What only the last state matters of is merged here, so that a
/// slow frame is followed by one that shows where the pointer is now, not by all the places it has been.
struct EventQueue {
  private(set) var events: [WindowEvent] = []
  /// Repeats of a held key are typed text and not to be merged.
  var keepsRepeats = false

  var isEmpty: Bool { events.isEmpty }

  mutating func add(_ event: WindowEvent) {
    switch (events.last, event) {
    case (.pointerMoved, .pointerMoved), (.preedit, .preedit):
      events[events.count - 1] = event
    case (.scrolled(let dx, let dy, _, _, let before), .scrolled(let moreX, let moreY, let x, let y, let modifiers))
    where before == modifiers:
      events[events.count - 1] = .scrolled(dx: dx + moreX, dy: dy + moreY, x: x, y: y, modifiers)
    case (.keyPressed(let before), .keyPressed(let key))
    where key.isRepeat && !keepsRepeats && before.isRepeat && before.symbol == key.symbol
      && before.modifiers == key.modifiers:
      events[events.count - 1] = event
    case (_, .resized), (_, .exposed), (_, .frameReady), (_, .scaleChanged):
      if !events.contains(event) { events.append(event) }
    default:
      events.append(event)
    }
  }

  mutating func takeAll() -> [WindowEvent] {
    defer { events = [] }
    return events
  }
}
