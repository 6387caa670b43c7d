import Foundation
import Synchronization

/// A line to a server, byte for byte, that can break: encrypted connections too.
public final class LineProxy: Sendable {
  /// What happens to a connection after so many bytes from the server.
  public enum Fault: Sendable {
    /// It is reset.
    case reset(after: Int)
    /// It is closed, without the farewell of TLS.
    case end(after: Int)
    /// Nothing comes any more.
    case stall(after: Int)

    fileprivate var place: Int {
      switch self {
      case .reset(let count), .end(let count), .stall(let count): count
      }
    }
  }

  /// The port to connect to.
  public let port: UInt16

  private struct State {
    var upstream: UInt16
    var accepted = 0
    var faults = 0
    /// Those whose connection to the server lasts, by number.
    var clients: [Int: Line] = [:]
  }

  private let state: Mutex<State>
  private let listener: Int32
  private let fault: @Sendable (Int) -> Fault?

  /// Connections accepted.
  public var connectionCount: Int { state.withLock { $0.accepted } }
  /// Connections that were broken.
  public var faultCount: Int { state.withLock { $0.faults } }

  /// - Parameters:
  ///   - upstream: The endpoint of the server; only its port counts.
  ///   - isIPv6: Whether to listen at `[::1]` and not at 127.0.0.1.
  ///   - fault: What happens to a connection, by its number; nil for nothing.
  public init(
    upstream: String, isIPv6: Bool = false, fault: @escaping @Sendable (Int) -> Fault? = { _ in nil }
  ) throws {
    state = Mutex(State(upstream: try Self.port(of: upstream)))
    self.fault = fault
    (listener, port) = try Line.listen(on: 0, isIPv6: isIPv6)
    Line.thread { [weak self, listener] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0, let proxy = self else { break }
        proxy.serve(Line(connection))
      }
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  /// What is connected breaks, and new connections lead to another server.
  public func lead(to upstream: String) throws {
    let port = try Self.port(of: upstream)
    state.withLock { state in
      state.upstream = port
      for client in state.clients.values { client.shutDown() }
    }
  }

  private static func port(of endpoint: String) throws -> UInt16 {
    guard let port = endpoint.split(separator: ":").last.flatMap({ UInt16($0) }) else {
      throw TestSupportError("no port in \(endpoint)")
    }
    return port
  }

  private func serve(_ client: Line) {
    let (number, upstream) = state.withLock { state in
      defer { state.accepted += 1 }
      return (state.accepted, state.upstream)
    }
    guard let server = Line(connectingTo: upstream) else { return client.shutDown() }
    state.withLock { $0.clients[number] = client }
    let fault = fault(number)
    Line.thread { [weak self] in
      Line.carry(from: client, to: server)
      self?.state.withLock { $0.clients[number] = nil }
    }
    Line.thread { [weak self] in
      guard let fault else { return Line.carry(from: server, to: client) }
      var left = fault.place
      while left > 0 {
        let bytes = server.read()
        guard !bytes.isEmpty, client.send(Array(bytes.prefix(left))) else {
          client.shutDown()
          server.shutDown()
          return
        }
        left -= bytes.count
      }
      self?.state.withLock { $0.faults += 1 }
      switch fault {
      case .reset: client.reset()
      case .end: client.shutDown()
      case .stall:
        // Until the client goes, which the other thread tells the server.
        while !server.read().isEmpty {}
      }
      server.shutDown()
    }
  }
}

extension Line {
  /// Carries bytes in one direction until one side ends; then both are ended.
  static func carry(from source: Line, to target: Line) {
    while true {
      let bytes = source.read()
      guard !bytes.isEmpty, target.send(bytes) else { break }
    }
    source.shutDown()
    target.shutDown()
  }
}
