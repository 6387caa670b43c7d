internal import CX11
internal import Glibc

/// Tells the program that started this one that its window is there (freedesktop.org's startup notification), so that the
/// busy pointer ends.
struct StartupNotification {
  let id: String

  /// Takes the identifier from the environment, so that programs started from here do not inherit it.
  static func fromEnvironment() -> StartupNotification? {
    guard let text = getenv("DESKTOP_STARTUP_ID").map({ String(cString: $0) }), !text.isEmpty else { return nil }
    unsetenv("DESKTOP_STARTUP_ID")
    return StartupNotification(id: text)
  }

  /// When the user started the program.
  var time: Timestamp? {
    id.lastRange(of: "_TIME").flatMap { Timestamp(id[$0]) }
  }

  /// The message, in pieces of 20 bytes, the last one ending with a zero byte.
  var pieces: [[UInt8]] {
    let escaped = id.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] }
    let bytes = Array("remove: ID=\"\(String(escaped))\"".utf8) + [0]
    return stride(from: 0, to: bytes.count, by: 20).map { start in
      let piece = Array(bytes[start..<min(start + 20, bytes.count)])
      return piece + [UInt8](repeating: 0, count: 20 - piece.count)
    }
  }

  @MainActor func send(connection: Connection, window: XID) {
    for (index, piece) in pieces.enumerated() {
      var event = XEvent()
      event.xclient.type = ClientMessage
      event.xclient.window = window
      event.xclient.message_type = connection.atoms[index == 0 ? .netStartupInfoBegin : .netStartupInfo]
      event.xclient.format = 8
      withUnsafeMutableBytes(of: &event.xclient.data) { $0.copyBytes(from: piece) }
      XSendEvent(connection.display, connection.root, False, PropertyChangeMask, &event)
    }
  }
}

extension String {
  /// What follows the last occurrence of `text`.
  fileprivate func lastRange(of text: String) -> PartialRangeFrom<Index>? {
    var start = endIndex
    while start > startIndex {
      start = index(before: start)
      if self[start...].hasPrefix(text) { return index(start, offsetBy: text.count)... }
    }
    return nil
  }
}
