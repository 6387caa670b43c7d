import ArgumentParser
import Dispatch
import Foundation

/// Puts a delay before a server on this computer, as a long way to it would: for this program and for those that it is
/// compared with alike.
struct DelayBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delay",
    abstract: "Passes connections on to a server of this computer, with a delay, until it is ended.")

  @Option(help: "The server's port on 127.0.0.1.") var to: UInt16
  @Option(name: .customLong("milliseconds"), help: "From a question to its answer: half of it in either direction.")
  var delay = 50.0
  @Option(help: "The port to listen at (default: any that is free).") var port: UInt16 = 0

  func run() throws {
    var line = try DelayedLine(port: port, to: to, nanoseconds: UInt64(max(0, delay) * 500_000))
    // Not by “print”, which keeps what it prints while nobody has a terminal.
    FileHandle.standardOutput.write(Data("http://127.0.0.1:\(line.port)\n".utf8))
    try line.run()
  }
}

/// Connections whose bytes arrive a while after they were sent. One thread, however many connections: it must not take
/// the processor from those who are measured.
private struct DelayedLine {
  let port: UInt16

  private let listener: Int32
  private let target: UInt16
  private let nanoseconds: UInt64
  /// The other end of each connection.
  private var peer: [Int32: Int32] = [:]
  /// What the receiver would not take at once.
  private var pending: [Int32: [UInt8]] = [:]
  /// Bytes on their way to a connection.
  private var underWay: [Int32: Int] = [:]
  private var isAtEnd: Set<Int32> = []
  /// In the order of their arrival, as every delay is the same. No bytes are the end.
  private var queue: [(time: UInt64, to: Int32, bytes: [UInt8])] = []
  private var head = 0

  /// So many bytes on their way to one connection, and nothing more is read for it.
  private static let room = 4 << 20

  struct Failure: Error, CustomStringConvertible { var description: String }

  init(port: UInt16, to target: UInt16, nanoseconds: UInt64) throws {
    self.target = target
    self.nanoseconds = nanoseconds
    let listener = Self.socket()
    self.listener = listener
    var yes: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    guard Self.withAddress(port, { bind(listener, $0, $1) }) == 0, listen(listener, 1024) == 0 else {
      throw Failure(description: "Port \(port) cannot be listened at: \(String(cString: strerror(errno))).")
    }
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
      _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &length) }
    }
    self.port = UInt16(bigEndian: address.sin_port)
  }

  mutating func run() throws {
    while true {
      var watched = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
      for connection in peer.keys {
        var events: Int32 = 0
        if let other = peer[connection], !isAtEnd.contains(connection), underWay[other, default: 0] < Self.room {
          events |= POLLIN
        }
        if pending[connection]?.isEmpty == false { events |= POLLOUT }
        if events != 0 { watched.append(pollfd(fd: connection, events: Int16(events), revents: 0)) }
      }
      var wait: Int32 = -1
      if head < queue.count {
        let now = Self.now
        wait = queue[head].time <= now ? 0 : Int32(clamping: (queue[head].time - now) / 1_000_000 + 1)
      }
      guard poll(&watched, nfds_t(watched.count), wait) >= 0 || errno == EINTR else {
        throw Failure(description: "poll: \(String(cString: strerror(errno)))")
      }
      if watched[0].revents != 0 { accept() }
      for entry in watched.dropFirst() where entry.revents != 0 && peer[entry.fd] != nil {
        if entry.revents & Int16(POLLOUT) != 0 { write([], to: entry.fd) }
        if entry.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 { read(entry.fd) }
      }
      deliver()
    }
  }

  private static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }

  private mutating func accept() {
    let client = Glibc.accept(listener, nil, nil)
    guard client >= 0 else { return }
    let server = Self.socket()
    // On the loopback interface this takes no time, so it may block.
    guard Self.withAddress(target, { connect(server, $0, $1) }) == 0 else {
      close(client)
      close(server)
      return
    }
    for connection in [client, server] {
      var yes: Int32 = 1
      setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
      _ = fcntl(connection, F_SETFL, fcntl(connection, F_GETFL) | O_NONBLOCK)
    }
    peer[client] = server
    peer[server] = client
  }

  private mutating func read(_ connection: Int32) {
    guard let other = peer[connection], !isAtEnd.contains(connection) else { return }
    let bytes = [UInt8](unsafeUninitializedCapacity: 256 << 10) { buffer, count in
      count = recv(connection, buffer.baseAddress, buffer.count, 0)
      if count < 0 {
        // A reset is passed on as an end.
        count = 0
      }
    }
    if bytes.isEmpty { isAtEnd.insert(connection) }
    underWay[other, default: 0] += bytes.count
    queue.append((Self.now + nanoseconds, other, bytes))
  }

  /// Hands over everything whose time has come.
  private mutating func deliver() {
    let now = Self.now
    while head < queue.count, queue[head].time <= now {
      let (_, connection, bytes) = queue[head]
      queue[head].bytes = []
      head += 1
      guard peer[connection] != nil else { continue }
      underWay[connection, default: 0] -= bytes.count
      if bytes.isEmpty { end(connection) } else { write(bytes, to: connection) }
    }
    if head > 4096 {
      queue.removeFirst(head)
      head = 0
    }
  }

  private mutating func write(_ bytes: [UInt8], to connection: Int32) {
    var rest = pending[connection] ?? []
    rest += bytes
    let sent = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    if sent < 0, errno != EAGAIN { return end(connection) }
    pending[connection] = Array(rest.dropFirst(max(0, sent)))
  }

  /// One side has ended: so does the other.
  private mutating func end(_ connection: Int32) {
    guard let other = peer[connection] else { return }
    if let rest = pending[connection], !rest.isEmpty {
      rest.withUnsafeBytes { _ = send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }
    for ended in [connection, other] {
      peer[ended] = nil
      pending[ended] = nil
      underWay[ended] = nil
      isAtEnd.remove(ended)
      close(ended)
    }
    // Numbers of descriptors are given out again: what was on its way to these must not reach the next.
    for index in head..<queue.count where queue[index].to == connection || queue[index].to == other {
      queue[index].to = -1
    }
  }

  private static func socket() -> Int32 {
    Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
  }

  private static func withAddress<Result>(
    _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }
}
