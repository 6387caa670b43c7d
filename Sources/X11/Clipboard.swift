internal import CX11
internal import Dispatch
internal import Glibc

/// The selections of the desktop.
public enum Selection: Hashable, Sendable, CaseIterable {
  /// What Ctrl+C and Ctrl+V use.
  case clipboard
  /// What is selected with the pointer, and pasted by the middle button.
  case primary
}

/// Text given to other programs and taken from them, by the conventions of the ICCCM.
@MainActor public final class Clipboard {
  let receiver: SelectionReceiver
  private unowned let connection: Connection
  private var owned: [Atom: Owned] = [:]
  private var sending: [Destination: Sending] = [:]
  private var lastSendingNumber = 0
  /// Whether the clipboard manager has answered; nil while nobody asked it.
  private var managerHasAnswered: Bool?

  private struct Owned {
    var text: String
    var time: Timestamp
  }

  private struct Destination: Hashable {
    var window: XID
    var property: Atom
  }

  private struct Sending {
    var transfer: OutgoingTransfer
    var number: Int
  }

  init(connection: Connection) {
    self.connection = connection
    receiver = SelectionReceiver(connection: connection)
  }

  /// Takes the selection; from now on this program answers for it.
  ///
  /// - Parameter time: of the key or button event that it follows; 0 is the newest event.
  /// - Returns: whether the server agreed.
  @discardableResult
  public func own(_ text: String, selection: Selection = .clipboard, time: Timestamp = 0) -> Bool {
    guard connection.isUsable else { return false }
    let atom = atom(of: selection)
    let time = time == 0 ? connection.lastEventTime : time
    XSetSelectionOwner(connection.display, atom, connection.utilityWindow, Time(time))
    let isOurs = XGetSelectionOwner(connection.display, atom) == connection.utilityWindow
    owned[atom] = isOurs ? Owned(text: text, time: time) : nil
    connection.scheduleTurn()
    return isOurs
  }

  /// Asks for the text of a selection. The answer comes later, or at once when it is this program's own; it is nil when
  /// there is no text, or when the owner is silent for two seconds.
  public func request(_ selection: Selection = .clipboard, completion: @escaping @MainActor (String?) -> Void) {
    guard connection.isUsable else { return completion(nil) }
    let atom = atom(of: selection)
    if let own = owned[atom] { return completion(own.text) }
    let atoms = connection.atoms
    receiver.request(
      atom, types: [atoms[.utf8String], atoms[.plainTextUTF8], Atom(XA_STRING)],
      property: atoms[selection == .clipboard ? .clipboardTransfer : .primaryTransfer],
      requestor: connection.utilityWindow, time: connection.lastEventTime
    ) { content in
      completion(
        content.map { $0.type == Atom(XA_STRING) ? Self.latin1($0.bytes) : String(decoding: $0.bytes, as: UTF8.self) })
    }
  }

  static func latin1(_ bytes: [UInt8]) -> String {
    String(String.UnicodeScalarView(bytes.map { UnicodeScalar($0) }))
  }

  private func atom(of selection: Selection) -> Atom {
    selection == .clipboard ? connection.atoms[.clipboard] : Atom(XA_PRIMARY)
  }

  // MARK: - Answering others

  func handleClear(_ event: XSelectionClearEvent) {
    guard event.window == connection.utilityWindow else { return }
    owned[event.selection] = nil
  }

  func handleRequest(_ event: XSelectionRequestEvent) {
    guard event.owner == connection.utilityWindow else { return }
    var answer = XEvent()
    answer.xselection.type = SelectionNotify
    answer.xselection.requestor = event.requestor
    answer.xselection.selection = event.selection
    answer.xselection.target = event.target
    answer.xselection.time = event.time
    answer.xselection.property = XID(None)

    // Programs older than the ICCCM name no property and mean the target.
    let property = event.property == 0 ? event.target : event.property
    // The requestor is a stranger's window: it may be gone before the answer is there.
    _ = connection.trap {
      if let own = owned[event.selection],
        event.time == 0 || Int32(bitPattern: Timestamp(truncatingIfNeeded: event.time) &- own.time) >= 0,
        event.target == connection.atoms[.multiple]
          ? convertMultiple(own, for: event.requestor, property: event.property)
          : convert(own, to: event.target, for: event.requestor, property: property)
      {
        answer.xselection.property = property
      }
      XSendEvent(connection.display, event.requestor, False, NoEventMask, &answer)
    }
  }

  private func convertMultiple(_ own: Owned, for requestor: XID, property: Atom) -> Bool {
    guard property != 0, var pairs = connection.property(property, of: requestor)?.longs, pairs.count >= 2 else {
      return false
    }
    for index in stride(from: 0, to: pairs.count - 1, by: 2)
    where pairs[index + 1] == 0 || pairs[index] == connection.atoms[.multiple]
      || !convert(own, to: pairs[index], for: requestor, property: pairs[index + 1])
    {
      pairs[index + 1] = 0
    }
    connection.setProperty(property, of: requestor, type: connection.atoms[.atomPair], longs: pairs)
    return true
  }

  private func convert(_ own: Owned, to target: Atom, for requestor: XID, property: Atom) -> Bool {
    let atoms = connection.atoms
    switch target {
    case atoms[.targets]:
      let targets: [Atom] = [
        atoms[.targets], atoms[.timestamp], atoms[.multiple], atoms[.utf8String], atoms[.plainTextUTF8],
        atoms[.text], Atom(XA_STRING),
      ]
      connection.setProperty(property, of: requestor, type: Atom(XA_ATOM), longs: targets)
    case atoms[.timestamp]:
      connection.setProperty(property, of: requestor, type: Atom(XA_INTEGER), longs: [UInt(own.time)])
    case atoms[.saveTargets]:
      connection.setProperty(property, of: requestor, type: Atom(XA_ATOM), longs: [])
    case atoms[.utf8String], atoms[.text]:
      send(Array(own.text.utf8), type: atoms[.utf8String], to: requestor, property: property)
    case atoms[.plainTextUTF8]:
      send(Array(own.text.utf8), type: target, to: requestor, property: property)
    case Atom(XA_STRING):
      // Latin-1; what it cannot say becomes a question mark.
      let bytes = own.text.unicodeScalars.map { $0.value < 256 ? UInt8($0.value) : UInt8(ascii: "?") }
      send(bytes, type: target, to: requestor, property: property)
    default:
      return false
    }
    return true
  }

  /// Bytes that one request may carry without stopping everybody else's.
  private lazy var partSize: Int = {
    let words = max(XExtendedMaxRequestSize(connection.display), XMaxRequestSize(connection.display))
    return min(256 << 10, Int(words))
  }()

  private func send(_ bytes: [UInt8], type: Atom, to requestor: XID, property: Atom) {
    guard bytes.count > partSize else {
      return connection.setProperty(property, of: requestor, type: type, bytes: bytes)
    }
    // The requestor deletes the property when it is ready for the next part.
    XSelectInput(connection.display, requestor, PropertyChangeMask | StructureNotifyMask)
    let destination = Destination(window: requestor, property: property)
    sending[destination] = Sending(
      transfer: OutgoingTransfer(type: type, bytes: bytes, partSize: partSize), number: 0)
    connection.setProperty(
      property, of: requestor, type: connection.atoms[.incremental], longs: [UInt(bytes.count)])
    watch(destination)
  }

  func handleProperty(_ event: XPropertyEvent) {
    receiver.handleProperty(event)
    let destination = Destination(window: event.window, property: event.atom)
    guard event.state == PropertyDelete, var current = sending[destination] else { return }
    let part = current.transfer.next()
    sending[destination] = current
    let error = connection.trap {
      connection.setProperty(event.atom, of: event.window, type: current.transfer.type, bytes: part)
    }
    if current.transfer.isFinished || error != nil { stopSending(destination) } else { watch(destination) }
  }

  func handleDestroyed(_ window: XID) {
    for destination in sending.keys where destination.window == window { sending[destination] = nil }
  }

  /// A requestor that lost interest without a word must not keep the text in memory.
  private func watch(_ destination: Destination) {
    lastSendingNumber += 1
    let number = lastSendingNumber
    sending[destination]?.number = number
    DispatchQueue.main.asyncAfter(deadline: .now() + .seconds(10)) { [weak self] in
      MainActor.assumeIsolated {
        guard let self, self.sending[destination]?.number == number else { return }
        self.stopSending(destination)
      }
    }
  }

  private func stopSending(_ destination: Destination) {
    sending[destination] = nil
    guard connection.isUsable, !sending.keys.contains(where: { $0.window == destination.window }) else { return }
    _ = connection.trap { XSelectInput(connection.display, destination.window, NoEventMask) }
  }

  // MARK: - Leaving

  /// Asks the desktop's clipboard manager, if there is one, to keep what this program owns, and serves it until it has
  /// (freedesktop.org's ClipboardManager specification). Waits as long as for any
  /// other owner, at most: the program is about to end.
  func handOver() {
    let atoms = connection.atoms
    guard owned[atoms[.clipboard]] != nil,
      XGetSelectionOwner(connection.display, atoms[.clipboardManager]) != XID(None)
    else { return }
    managerHasAnswered = false
    receiver.request(
      atoms[.clipboardManager], types: [atoms[.saveTargets]], property: atoms[.managerTransfer],
      requestor: connection.utilityWindow, time: connection.lastEventTime
    ) { [weak self] _ in self?.managerHasAnswered = true }
    let deadline = DispatchTime.now() + receiver.patience
    while managerHasAnswered == false, connection.isUsable, DispatchTime.now() < deadline {
      var descriptor = pollfd(fd: XConnectionNumber(connection.display), events: Int16(POLLIN), revents: 0)
      poll(&descriptor, 1, 50)
      connection.processEvents()
    }
  }
}
