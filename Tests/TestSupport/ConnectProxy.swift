import Foundation
import Synchronization

/// A proxy as companies have it: it makes tunnels for https, asks for http itself, and may want a user name and a password.
public final class ConnectProxy: Sendable {
  /// The address, such as `http://127.0.0.1:3128`.
  public let address: String
  /// `user:password` that it wants; nil for none.
  private let wanted: String?

  private struct State {
    var tunnels = 0
    var requests = 0
    var refusals = 0
  }
  private let state = Mutex(State())
  private let listener: Int32

  /// Tunnels made.
  public var tunnelCount: Int { state.withLock { $0.tunnels } }
  /// Requests passed on, without a tunnel.
  public var requestCount: Int { state.withLock { $0.requests } }
  /// Requests refused, as they named nobody or the wrong one.
  public var refusalCount: Int { state.withLock { $0.refusals } }

  /// - Parameter credentials: `user:password` that it wants.
  public init(credentials: String? = nil) throws {
    wanted = credentials.map { "Basic " + Data($0.utf8).base64EncodedString() }
    let port: UInt16
    (listener, port) = try Line.listen(on: 0)
    address = "http://127.0.0.1:\(port)"
    Line.thread { [weak self, listener] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0, self != nil else { break }
        Line.thread { [weak self] in
          let client = Line(connection)
          var server: (line: Line, port: UInt16)?
          while let message = client.receiveMessage(), self?.serve(message, client, &server) == true {}
        }
      }
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  /// - Returns: Whether the connection stays open for another request.
  private func serve(_ message: Message, _ client: Line, _ server: inout (line: Line, port: UInt16)?) -> Bool {
    if let wanted, message.headers["proxy-authorization"] != wanted {
      state.withLock { $0.refusals += 1 }
      return client.send(
        Array(
          "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"
            .utf8))
    }
    let words = message.start.split(separator: " ")
    guard words.count == 3 else { return false }
    let authority =
      words[0] == "CONNECT" ? words[1] : words[1].dropFirst("http://".count).prefix { $0 != "/" && $0 != "?" }
    guard let port = authority.split(separator: ":").last.flatMap({ UInt16($0) }) else { return false }
    if words[0] == "CONNECT" {
      guard let line = Line(connectingTo: port) else {
        _ = client.send(Array("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n".utf8))
        return false
      }
      state.withLock { $0.tunnels += 1 }
      guard client.send(Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8)) else { return false }
      let early = client.takeBuffered()
      if !early.isEmpty { _ = line.send(early) }
      Line.thread { Line.carry(from: line, to: client) }
      Line.carry(from: client, to: line)
      return false
    }
    if server?.port != port { server = Line(connectingTo: port).map { ($0, port) } }
    guard let line = server?.line else { return false }
    state.withLock { $0.requests += 1 }
    let path = words[1].dropFirst("http://".count + authority.count)
    let head = Array("\(words[0]) \(path) \(words[2])".utf8)
    guard line.send(head + message.raw.dropFirst(message.start.utf8.count)), let answer = line.receiveMessage() else {
      return false
    }
    var text = answer.start + "\r\n"
    for (name, value) in answer.headers where name != "content-length" && name != "transfer-encoding" {
      text += "\(name): \(value)\r\n"
    }
    return client.send(Array((text + "Content-Length: \(answer.body.count)\r\n\r\n").utf8) + answer.body)
  }
}
