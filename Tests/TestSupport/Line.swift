import Foundation

/// One HTTP message, its body whole.
struct Message {
  var start = ""
  var headers: [String: String] = [:]
  var body: [UInt8] = []
  /// As it arrived.
  var raw: [UInt8] = []
}

/// One connection, closed with its owner. One thread reads from it at a time, and one writes.
final class Line: @unchecked Sendable {  // `buffered` belongs to the reading thread.
  private let connection: Int32
  private var buffered: [UInt8] = []

  init(_ connection: Int32) {
    self.connection = connection
    var yes: Int32 = 1
    setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Connects to a port of the loopback interface; nil where nobody listens.
  convenience init?(connectingTo port: UInt16) {
    let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard Self.withLoopback(port, isIPv6: false, { connect(connection, $0, $1) }) == 0 else {
      close(connection)
      return nil
    }
    self.init(connection)
  }

  /// Listens on a port of the loopback interface; on any for 0.
  static func listen(on port: UInt16, isIPv6: Bool = false) throws -> (listener: Int32, port: UInt16) {
    let family = isIPv6 ? AF_INET6 : AF_INET
    let listener = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var yes: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    let isBound = withLoopback(port, isIPv6: isIPv6) { bind(listener, $0, $1) } == 0
    guard isBound, Foundation.listen(listener, 1024) == 0 else {
      close(listener)
      throw TestSupportError("no port to listen on: \(String(cString: strerror(errno)))")
    }
    // The port stands at the same place in both kinds of address.
    var address = sockaddr_in6()
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
      _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &length) }
    }
    return (listener, UInt16(bigEndian: address.sin6_port))
  }

  private static func withLoopback<Result>(
    _ port: UInt16, isIPv6: Bool, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    if isIPv6 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      address.sin6_addr = in6addr_loopback
      return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
      }
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }

  /// A thread with a small stack.
  static func thread(_ body: @escaping @Sendable () -> Void) {
    let thread = Thread(block: body)
    thread.stackSize = 512 << 10
    thread.start()
  }

  /// Ends it for both sides; whoever reads sees the end.
  func shutDown() { shutdown(connection, Int32(SHUT_RDWR)) }

  deinit { close(connection) }

  /// The end, when the owner goes, is told to the other side as an error.
  func reset() {
    shutdown(connection, Int32(SHUT_RD))
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
  }

  func read() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 131_072) { buffer, count in
      count = max(0, recv(connection, buffer.baseAddress, buffer.count, 0))
    }
  }

  func send(_ bytes: [UInt8]) -> Bool {
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

  /// What was read beyond the last message.
  func takeBuffered() -> [UInt8] {
    defer { buffered = [] }
    return buffered
  }

  private func fill() -> Bool {
    let more = read()
    buffered += more
    return !more.isEmpty
  }

  func receiveMessage() -> Message? {
    let separator = Array("\r\n\r\n".utf8)
    while buffered.firstRange(of: separator) == nil { guard fill() else { return nil } }
    guard let end = buffered.firstRange(of: separator)?.upperBound else { return nil }
    let lines = String(decoding: buffered[..<end], as: UTF8.self).split(separator: "\r\n")
    var message = Message(start: String(lines.first ?? ""))
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      message.headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
    }
    if message.headers["transfer-encoding"]?.lowercased() == "chunked" {
      message.raw = Array(buffered[..<end])
      buffered.removeFirst(end)
      return receiveChunks(&message) ? message : nil
    }
    let length = message.headers["content-length"].flatMap { Int($0) } ?? 0
    while buffered.count < end + length { guard fill() else { return nil } }
    message.body = Array(buffered[end..<(end + length)])
    message.raw = Array(buffered[..<(end + length)])
    buffered.removeFirst(end + length)
    return message
  }

  private func receiveChunks(_ message: inout Message) -> Bool {
    let newline = Array("\r\n".utf8)
    while true {
      while buffered.firstRange(of: newline) == nil { guard fill() else { return false } }
      guard let line = buffered.firstRange(of: newline),
        let size = Int(String(decoding: buffered[..<line.lowerBound].prefix { $0 != 0x3B }, as: UTF8.self), radix: 16)
      else { return false }
      let whole = line.upperBound + size + 2
      while buffered.count < whole { guard fill() else { return false } }
      message.body += buffered[line.upperBound..<(line.upperBound + size)]
      buffered.removeFirst(whole)
      if size == 0 { return true }
    }
  }
}
