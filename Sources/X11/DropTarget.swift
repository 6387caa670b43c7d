internal import CX11

/// Files and text dropped on a window (the XDND protocol, version 5).
@MainActor final class DropTarget {
  private unowned let connection: Connection
  private let window: XID
  private let deliver: @MainActor ([String]) -> Void
  private var source: XID = 0
  private var version: UInt = 0
  private var type: Atom?

  init(connection: Connection, window: XID, deliver: @escaping @MainActor ([String]) -> Void) {
    self.connection = connection
    self.window = window
    self.deliver = deliver
    connection.setProperty(connection.atoms[.dndAware], of: window, type: Atom(XA_ATOM), longs: [5])
  }

  /// Takes a client message; false when it is not about a drop.
  func handle(_ event: XClientMessageEvent) -> Bool {
    let atoms = connection.atoms
    let values = event.values
    switch event.message_type {
    case atoms[.dndEnter]:
      source = values[0]
      version = values[1] >> 24 & 0xff
      let hasMore = values[1] & 1 != 0
      let offered =
        hasMore
        ? connection.foreignProperty(atoms[.dndTypeList], of: source)?.longs ?? [] : Array(values[2...4])
      let wanted: [Atom] = [atoms[.uriList], atoms[.utf8String], atoms[.plainTextUTF8], atoms[.plainText]]
      type = wanted.first { $0 != 0 && offered.contains($0) }
    case atoms[.dndPosition]:
      guard values[0] == source else { return true }
      let accepts: UInt = type == nil ? 0 : 1
      send(.dndStatus, [window, accepts, 0, 0, accepts == 1 ? atoms[.dndActionCopy] : 0])
    case atoms[.dndLeave]:
      forget()
    case atoms[.dndDrop]:
      guard values[0] == source else { return true }
      drop(time: Timestamp(truncatingIfNeeded: values[2]))
    default:
      return false
    }
    return true
  }

  private func drop(time: Timestamp) {
    guard let type else { return finish(isTaken: false) }
    let atoms = connection.atoms
    receiveDrop(type, time) { [weak self] content in
      guard let self else { return }
      let dropped =
        content.map { type == atoms[.uriList] ? URIList.paths(in: $0.bytes) : Self.lines(in: $0.bytes) } ?? []
      // The source waits for this, also when nothing came of it.
      self.finish(isTaken: !dropped.isEmpty)
      if !dropped.isEmpty { self.deliver(dropped) }
    }
  }

  private func receiveDrop(_ type: Atom, _ time: Timestamp, _ completion: @escaping SelectionReceiver.Completion) {
    connection.clipboard.receiver.request(
      connection.atoms[.dndSelection], types: [type], property: connection.atoms[.dropTransfer], requestor: window,
      time: time, completion: completion)
  }

  private func finish(isTaken: Bool) {
    let copy = isTaken ? connection.atoms[.dndActionCopy] : 0
    send(.dndFinished, version >= 5 ? [window, isTaken ? 1 : 0, copy] : [window])
    forget()
  }

  private func forget() {
    source = 0
    type = nil
  }

  private func send(_ message: AtomName, _ values: [UInt]) {
    guard source != 0 else { return }
    _ = connection.trap {
      connection.sendMessage(connection.atoms[message], about: source, to: source, values)
    }
  }

  private static func lines(in bytes: [UInt8]) -> [String] {
    let text = String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self)
    return text.split(whereSeparator: \.isNewline).map(String.init).filter { !$0.allSatisfy(\.isWhitespace) }
  }
}
