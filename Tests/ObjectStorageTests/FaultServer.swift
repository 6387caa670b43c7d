import Foundation
import Synchronization
import TestSupport

/// A server on the loopback interface that answers as a test tells it to: with errors, garbage, half of what it announced,
/// or what a real server behind it says.
final class FaultServer: Sendable {
  struct Request: Sendable {
    var method: String
    /// Path and query as they were sent.
    var target: String
    var headers: [String: String]
    var body: [UInt8]
    /// The whole message.
    var raw: [UInt8]
    /// Of this server, from 0.
    var number: Int

    var path: String { String(target.prefix { $0 != "?" }) }
    var query: String { String(target.drop { $0 != "?" }.dropFirst()) }
    var isListing: Bool { query.contains("list-type=2") }
  }

  enum Reply: Sendable {
    case answer(Int, headers: [String: String] = [:], body: String = "")
    /// The same with bytes.
    case content(Int, headers: [String: String], body: [UInt8])
    /// Exactly these bytes, then the end of the connection.
    case raw([UInt8])
    /// An announced length, fewer bytes, then the end of the connection.
    case cut(announced: Int, sent: Int)
    /// These bytes once, then others again and again until the client goes.
    case endless([UInt8], [UInt8])
    /// The first bytes, then the others one after the other, twenty a second.
    case trickle([UInt8], [UInt8])
    /// Nothing, until the client goes.
    case silence
    /// What the real server says.
    case forward
  }

  let endpoint: String
  private let listener: Int32
  private let upstream: UInt16?
  private let handler: @Sendable (Request) -> Reply
  private let state = Mutex((connections: 0, requests: [Request]()))

  /// Connections accepted.
  var connectionCount: Int { state.withLock { $0.connections } }
  /// Requests received.
  var requests: [Request] { state.withLock { $0.requests } }

  /// - Parameter upstream: The endpoint of the real server that `.forward` asks.
  init(upstream: String? = nil, _ handler: @escaping @Sendable (Request) -> Reply) throws {
    self.handler = handler
    self.upstream = upstream.flatMap { $0.split(separator: ":").last }.flatMap { UInt16($0) }
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = loopbackAddress(port: 0)
    let isBound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isBound, listen(listener, 256) == 0 else { throw TestSupportError("no port for the fault server") }
    var bound = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &bound) { pointer in
      _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &length) }
    }
    endpoint = "http://127.0.0.1:\(UInt16(bigEndian: bound.sin_port))"
    self.listener = listener
    Thread.detachNewThread { [weak self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0, let server = self else { break }
        server.state.withLock { $0.connections += 1 }
        Thread.detachNewThread { [weak server] in
          // The server may go while the connection stays open.
          var rest: [UInt8] = []
          while server?.serve(connection, &rest) == true {}
          close(connection)
        }
      }
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  /// Answers one request.
  /// - Returns: Whether the connection stays open.
  private func serve(_ connection: Int32, _ buffered: inout [UInt8]) -> Bool {
    guard var request = Self.receive(connection, &buffered) else { return false }
    request.number = state.withLock { state in
      state.requests.append(request)
      return state.requests.count - 1
    }
    switch handler(request) {
    case .answer(let status, let headers, let body):
      var text = "HTTP/1.1 \(status) Some Reason\r\nContent-Length: \(body.utf8.count)\r\n"
      for (name, value) in headers { text += "\(name): \(value)\r\n" }
      return Self.send(connection, Array((text + "\r\n" + body).utf8))
    case .content(let status, let headers, let body):
      var text = "HTTP/1.1 \(status) Some Reason\r\nContent-Length: \(body.count)\r\n"
      for (name, value) in headers { text += "\(name): \(value)\r\n" }
      return Self.send(connection, Array((text + "\r\n").utf8)) && Self.send(connection, body)
    case .raw(let bytes):
      _ = Self.send(connection, bytes)
      return false
    case .cut(let announced, let sent):
      _ = Self.send(connection, Array("HTTP/1.1 200 OK\r\nContent-Length: \(announced)\r\n\r\n".utf8))
      _ = Self.send(connection, [UInt8](repeating: 1, count: sent))
      return false
    case .endless(let beginning, let rest):
      guard Self.send(connection, beginning) else { return false }
      while Self.send(connection, rest) {}
      return false
    case .trickle(let beginning, let rest):
      guard Self.send(connection, beginning) else { return false }
      for byte in rest {
        guard Self.send(connection, [byte]) else { return false }
        Thread.sleep(forTimeInterval: 0.05)
      }
      return true
    case .silence:
      while !Self.read(connection).isEmpty {}
      return false
    case .forward:
      forward(request, to: connection)
      return false
    }
  }

  private func forward(_ request: Request, to connection: Int32) {
    guard let upstream else { return }
    let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    defer { close(server) }
    var address = loopbackAddress(port: upstream)
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected, let lineEnd = request.raw.firstIndex(of: 0x0A) else { return }
    let message = request.raw[...lineEnd] + Array("Connection: close\r\n".utf8) + request.raw[(lineEnd + 1)...]
    guard Self.send(server, Array(message)) else { return }
    while true {
      let bytes = Self.read(server)
      guard !bytes.isEmpty, Self.send(connection, bytes) else { return }
    }
  }

  private static func receive(_ connection: Int32, _ buffered: inout [UInt8]) -> Request? {
    let separator = Array("\r\n\r\n".utf8)
    while true {
      if buffered.first == 0x16 {
        // A TLS greeting. Servers of plain HTTP answer it in plain HTTP.
        _ = send(connection, Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        return nil
      }
      if let end = buffered.firstRange(of: separator)?.upperBound {
        let lines = String(decoding: buffered[..<end], as: UTF8.self).split(separator: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
          guard let colon = line.firstIndex(of: ":") else { continue }
          let value = line[line.index(after: colon)...].drop { $0 == " " }
          headers[line[..<colon].lowercased()] = String(value)
        }
        let whole = end + (headers["content-length"].flatMap { Int($0) } ?? 0)
        while buffered.count < whole {
          let more = read(connection)
          if more.isEmpty { return nil }
          buffered += more
        }
        let words = lines[0].split(separator: " ")
        defer { buffered.removeFirst(whole) }
        return Request(
          method: String(words[0]), target: String(words[1]), headers: headers, body: Array(buffered[end..<whole]),
          raw: Array(buffered[..<whole]), number: 0)
      }
      let more = read(connection)
      if more.isEmpty { return nil }
      buffered += more
    }
  }

  private static func read(_ connection: Int32) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
      count = max(0, Foundation.recv(connection, buffer.baseAddress, buffer.count, 0))
    }
  }

  private static func send(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Foundation.send(connection, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }
}

private func loopbackAddress(port: UInt16) -> sockaddr_in {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  return address
}
