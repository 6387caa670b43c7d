internal import CX11
internal import Dispatch

/// Asks the owners of selections for their contents, without ever waiting for them.
@MainActor final class SelectionReceiver {
  typealias Completion = @MainActor (SelectionContent?) -> Void

  /// How long an owner may be silent.
  var patience = DispatchTimeInterval.seconds(2)

  private unowned let connection: Connection
  /// The transfers under way, by the property they arrive in.
  private var active: [Atom: Active] = [:]
  private var lastNumber = 0

  private struct Active {
    var transfer: IncomingTransfer
    var selection: Atom
    var requestor: XID
    var time: Timestamp
    var completions: [Completion]
    /// Changes whenever the owner gives a sign of life; a timer of an older number is void.
    var number: Int
  }

  init(connection: Connection) { self.connection = connection }

  /// Asks for a selection. A request for what is on its way already joins that.
  func request(
    _ selection: Atom, types: [Atom], property: Atom, requestor: XID, time: Timestamp,
    completion: @escaping Completion
  ) {
    if active[property] != nil {
      active[property]!.completions.append(completion)
      return
    }
    active[property] = Active(
      transfer: IncomingTransfer(types: types, incrementalType: connection.atoms[.incremental]), selection: selection,
      requestor: requestor, time: time, completions: [completion], number: 0)
    act(on: property, active[property]!.transfer.convertNext())
    connection.flush()
  }

  func handleNotify(_ event: XSelectionEvent) {
    // The property names the transfer; when the owner refuses it is None, and the selection has to do.
    let property =
      event.property != 0
      ? event.property
      : active.first { $0.value.selection == event.selection && $0.value.requestor == event.requestor }?.key ?? 0
    guard active[property]?.selection == event.selection else { return }
    act(on: property, active[property]!.transfer.notified(hasProperty: event.property != 0))
  }

  func handleProperty(_ event: XPropertyEvent) {
    guard event.state == PropertyNewValue, let transfer = active[event.atom], transfer.requestor == event.window else {
      return
    }
    act(on: event.atom, transfer.transfer.propertyAppeared())
  }

  private func act(on property: Atom, _ action: IncomingTransfer.Action) {
    guard let current = active[property] else { return }
    switch action {
    case .convert(let type):
      XDeleteProperty(connection.display, current.requestor, property)
      XConvertSelection(
        connection.display, current.selection, type, property, current.requestor, Time(current.time))
      watch(property)
    case .read:
      let value = connection.property(property, of: current.requestor, deleting: true)
      act(on: property, active[property]!.transfer.received(value))
    case .wait:
      watch(property)
    case .finish(let content):
      finish(property, content)
    }
  }

  private func watch(_ property: Atom) {
    lastNumber += 1
    let number = lastNumber
    active[property]?.number = number
    DispatchQueue.main.asyncAfter(deadline: .now() + patience) { [weak self] in
      MainActor.assumeIsolated {
        guard let self, self.active[property]?.number == number else { return }
        self.finish(property, nil)
      }
    }
  }

  private func finish(_ property: Atom, _ content: SelectionContent?) {
    guard let ended = active.removeValue(forKey: property) else { return }
    for completion in ended.completions { completion(content) }
  }
}
