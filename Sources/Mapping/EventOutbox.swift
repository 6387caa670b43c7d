import Dispatch
import Synchronization

/// Collects what a job reports and delivers it in batches, at most 30 a second, in order, on a queue of its own.
///
/// Within a batch, lists of slots that follow each other are joined, and of progress and of layouts only the newest is
/// kept. After the last event (`finished`, `failed`, `cancelled`) nothing is taken any more.
final class EventOutbox: Sendable {
  private struct State {
    var events: [MappingEvent] = []
    var isScheduled = false
    var lastDelivery: ContinuousClock.Instant?
    /// Nothing but `cancelled` is taken any more.
    var isMuted = false
    var isClosed = false
  }
  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "mapping.events", qos: .userInitiated)
  private let deliver: @Sendable ([MappingEvent]) -> Void

  /// The time between two deliveries.
  static let interval = Duration.nanoseconds(33_333_334)

  init(deliver: @escaping @Sendable ([MappingEvent]) -> Void) { self.deliver = deliver }

  func post(_ event: MappingEvent) {
    let delay = state.withLock { state -> Duration? in
      guard !state.isClosed else { return nil }
      if case .cancelled = event {} else if state.isMuted { return nil }
      Self.append(event, to: &state.events)
      switch event {
      case .finished, .failed, .cancelled: state.isClosed = true
      default: break
      }
      guard !state.isScheduled else { return nil }
      state.isScheduled = true
      guard let last = state.lastDelivery else { return .zero }
      return max(.zero, last + Self.interval - .now)
    }
    guard let delay else { return }
    let nanoseconds = delay.components.seconds * 1_000_000_000 + delay.components.attoseconds / 1_000_000_000
    queue.asyncAfter(deadline: .now() + .nanoseconds(Int(nanoseconds))) { [self] in flush() }
  }

  /// Drops what waits, and everything from now on but `cancelled`.
  func mute() {
    state.withLock { state in
      guard !state.isClosed else { return }
      state.isMuted = true
      state.events = []
    }
  }

  private func flush() {
    let events = state.withLock { state in
      state.isScheduled = false
      state.lastDelivery = .now
      defer { state.events = [] }
      return state.events
    }
    if !events.isEmpty { deliver(events) }
  }

  private static func append(_ event: MappingEvent, to events: inout [MappingEvent]) {
    switch (event, events.last) {
    case (.ready(let slots), .ready(let before)): events[events.count - 1] = .ready(slots: before + slots)
    case (.leftOut(let slots), .leftOut(let before)): events[events.count - 1] = .leftOut(slots: before + slots)
    case (.progress, _):
      events.removeAll { if case .progress = $0 { true } else { false } }
      events.append(event)
    case (.layout, _):
      events.removeAll { if case .layout = $0 { true } else { false } }
      events.append(event)
    default: events.append(event)
    }
  }
}
