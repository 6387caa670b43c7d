import Foundation
import Synchronization

/// A proxy before a real S3 server that makes bad weather: faults as a test asks for them, a delay, a narrow line, or no
/// connection at all for a while. Real sockets on the loopback interface; plain HTTP.
public final class FaultProxy: Sendable {
  /// A request as it arrived.
  public struct Request: Sendable {
    /// Such as GET.
    public var method: String
    /// Path and query as they were sent.
    public var target: String
    /// By names in lower case.
    public var headers: [String: String]
    /// How many requests came before it.
    public var number: Int
    /// How many requests for the same target came before it.
    public var attempt: Int
    fileprivate var raw: [UInt8]

    /// Whether a listing is asked for.
    public var isListing: Bool { target.contains("list-type=2") }
  }

  /// What is done to a request or to its answer.
  public enum Fault: Sendable {
    /// Another answer in the place of the server's.
    case answer(Int, headers: [String: String] = [:], body: String = "")
    /// These bytes as a body, with status 200.
    case content([UInt8])
    /// After so many bytes of the body the connection is reset.
    case reset(after: Int)
    /// After so many bytes of the body the connection is closed as if all were well.
    case truncation(after: Int)
    /// The length announced is another: what is too much is not sent, what is missing never comes.
    case wrongLength(Int)
    /// After so many bytes of the body nothing comes any more.
    case stall(after: Int)
    /// So many random bytes as a body.
    case garbage(Int)
  }

  /// Where clients connect, such as `http://127.0.0.1:12345`.
  public let endpoint: String

  private struct State {
    var listener: Int32 = -1
    var connections: Set<Int32> = []
    var requests = 0
    var faults = 0
    var accepted = 0
    var attempts: [String: Int] = [:]
    var received: [String: Int] = [:]
    var random: SplitMix64
  }

  private let state: Mutex<State>
  private let port: UInt16
  private let upstream: UInt16
  private let delay: Double
  private let bytesPerSecond: Double?
  private let fault: @Sendable (Request, inout SplitMix64) -> Fault?

  /// Requests received.
  public var requestCount: Int { state.withLock { $0.requests } }
  /// Faults made.
  public var faultCount: Int { state.withLock { $0.faults } }
  /// Connections accepted.
  public var connectionCount: Int { state.withLock { $0.accepted } }
  /// How often each target was answered undisturbed, queries included.
  public var delivered: [String: Int] { state.withLock { $0.received } }

  /// - Parameters:
  ///   - upstream: The endpoint of the real server.
  ///   - seed: Of the generator that `fault` gets.
  ///   - delay: Seconds from a request to its answer.
  ///   - bytesPerSecond: What one connection brings at most; nil for no limit.
  ///   - fault: What to do to a request; nil to pass it on.
  public init(
    upstream: String, seed: UInt64 = 1, delay: Double = 0, bytesPerSecond: Double? = nil,
    fault: @escaping @Sendable (Request, inout SplitMix64) -> Fault? = { _, _ in nil }
  ) throws {
    guard let number = upstream.split(separator: ":").last.flatMap({ UInt16($0) }) else {
      throw TestSupportError("no port in \(upstream)")
    }
    self.upstream = number
    self.delay = delay
    self.bytesPerSecond = bytesPerSecond
    self.fault = fault
    let (listener, port) = try Line.listen(on: 0)
    self.port = port
    endpoint = "http://127.0.0.1:\(port)"
    state = Mutex(State(listener: listener, random: SplitMix64(seed: seed)))
    accept(on: listener)
  }

  deinit { cut() }

  /// From now on nothing answers, and what is open breaks.
  public func disconnect() { cut() }

  /// There is a connection again.
  public func reconnect() throws {
    let (listener, _) = try Line.listen(on: port)
    state.withLock { $0.listener = listener }
    accept(on: listener)
  }

  private func cut() {
    state.withLock { state in
      if state.listener >= 0 {
        shutdown(state.listener, Int32(SHUT_RDWR))
        close(state.listener)
        state.listener = -1
      }
      // The threads that serve them close them.
      for connection in state.connections { shutdown(connection, Int32(SHUT_RDWR)) }
    }
  }

  private func accept(on listener: Int32) {
    Line.thread { [weak self] in
      while true {
        let connection = Foundation.accept(listener, nil, nil)
        guard connection >= 0, let proxy = self else { break }
        proxy.state.withLock { state in
          state.accepted += 1
          state.connections.insert(connection)
        }
        Line.thread { [weak proxy] in
          let line = Line(connection)
          var server: Line?
          while let request = line.receiveMessage(), proxy?.serve(request, line, &server) == true {}
          _ = proxy?.state.withLock { $0.connections.remove(connection) }
        }
      }
    }
  }

  /// - Returns: Whether the connection stays open.
  private func serve(_ message: Message, _ client: Line, _ server: inout Line?) -> Bool {
    let words = message.start.split(separator: " ").map(String.init)
    guard words.count >= 2 else { return false }
    let (target, seed) = (words[1], message)
    let chosen: Fault? = state.withLock { state in
      let request = Request(
        method: words[0], target: target, headers: seed.headers, number: state.requests,
        attempt: state.attempts[target, default: 0], raw: seed.raw)
      state.requests += 1
      state.attempts[target, default: 0] += 1
      let fault = fault(request, &state.random)
      if fault != nil { state.faults += 1 }
      return fault
    }
    if delay > 0 { Thread.sleep(forTimeInterval: delay) }
    if case .answer(let status, let headers, let body) = chosen {
      var text = "HTTP/1.1 \(status) Some Reason\r\nContent-Length: \(body.utf8.count)\r\n"
      for (name, value) in headers { text += "\(name): \(value)\r\n" }
      return client.send(Array((text + "\r\n" + body).utf8))
    }
    if case .content(let bytes) = chosen {
      return client.send(Array("HTTP/1.1 200 OK\r\nContent-Length: \(bytes.count)\r\n\r\n".utf8)) && client.send(bytes)
    }
    guard let answer = ask(message, &server) else { return false }
    let body = answer.body
    func header(length: Int) -> [UInt8] {
      var text = answer.start + "\r\n"
      for (name, value) in answer.headers where name != "content-length" && name != "transfer-encoding" {
        text += "\(name): \(value)\r\n"
      }
      return Array((text + "Content-Length: \(length)\r\n\r\n").utf8)
    }
    switch chosen {
    case nil:
      state.withLock { $0.received[target, default: 0] += 1 }
      return client.send(header(length: body.count)) && send(body, to: client)
    case .reset(let count):
      _ = client.send(header(length: body.count)) && send(Array(body.prefix(count)), to: client)
      client.reset()
      return false
    case .truncation(let count):
      _ = client.send(header(length: body.count)) && send(Array(body.prefix(count)), to: client)
      return false
    case .wrongLength(let length):
      guard client.send(header(length: length)), send(Array(body.prefix(length)), to: client) else { return false }
      return length <= body.count
    case .stall(let count):
      _ = client.send(header(length: body.count)) && send(Array(body.prefix(count)), to: client)
      while !client.read().isEmpty {}
      return false
    case .garbage(let count):
      let bytes = state.withLock { state in (0..<count).map { _ in UInt8.random(in: 0...255, using: &state.random) } }
      return client.send(header(length: count)) && client.send(bytes)
    case .answer, .content: return false
    }
  }

  /// The real server's answer, over a connection that is kept open.
  private func ask(_ message: Message, _ server: inout Line?) -> Message? {
    for _ in 0..<2 {
      if server == nil {
        guard let line = Line(connectingTo: upstream) else { return nil }
        server = line
      }
      if server?.send(message.raw) == true, let answer = server?.receiveMessage() { return answer }
      server = nil
    }
    return nil
  }

  private func send(_ bytes: [UInt8], to client: Line) -> Bool {
    guard let bytesPerSecond else { return client.send(bytes) }
    let step = max(1024, Int(bytesPerSecond / 50))
    for start in stride(from: 0, to: bytes.count, by: step) {
      let end = min(bytes.count, start + step)
      guard client.send(Array(bytes[start..<end])) else { return false }
      Thread.sleep(forTimeInterval: Double(end - start) / bytesPerSecond)
    }
    return true
  }
}
