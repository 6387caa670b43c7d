import Foundation
import Synchronization

/// A slow connection to an X server: what a client sends is passed on at so many bytes a second, what the server sends at
/// once. Reads from the client without bound, so that all it has sent and the server has not got can be counted here.
public final class ThrottledDisplay: Sendable {
  /// The name under which the display is slow, such as `:1234`.
  public let name: String
  private let listener: Int32
  private let path: String
  private let server: String
  private let bytesPerSecond: Double
  private let counts = Mutex(Counts())

  private struct Counts {
    var waiting = 0
    var mostWaiting = 0
    var total = 0
  }

  /// A slow way to a display such as `:5`.
  public init(to display: String, bitsPerSecond: Double) throws {
    server = "/tmp/.X11-unix/X" + display.dropFirst()
    bytesPerSecond = bitsPerSecond / 8
    var found: (number: Int, socket: Int32, path: String)?
    for _ in 0..<50 where found == nil {
      let number = Int.random(in: 2000...30000)
      let path = "/tmp/.X11-unix/X\(number)"
      guard !FileManager.default.fileExists(atPath: path) else { continue }
      let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      if Self.withAddress(path, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 8) == 0 {
        found = (number, descriptor, path)
      } else {
        close(descriptor)
      }
    }
    guard let found else { throw TestSupportError("No socket for a slow display.") }
    name = ":\(found.number)"
    listener = found.socket
    path = found.path
    Thread.detachNewThread { [self] in
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { return }
        serve(client)
      }
    }
  }

  /// Takes no more connections.
  public func stop() {
    unlink(path)
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  /// The most bytes that were ever under way since the last call.
  public func takeMostWaiting() -> Int {
    counts.withLock { counts in
      defer { counts.mostWaiting = counts.waiting }
      return counts.mostWaiting
    }
  }

  /// Bytes under way.
  public var waiting: Int { counts.withLock { $0.waiting } }
  /// Bytes that clients have sent in all.
  public var total: Int { counts.withLock { $0.total } }

  private func serve(_ client: Int32) {
    let display = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    guard Self.withAddress(server, { connect(display, $0, $1) }) == 0 else {
      close(client)
      close(display)
      return
    }
    let line = Line()
    Thread.detachNewThread { [self] in
      while let bytes = Self.read(client) {
        counts.withLock { counts in
          counts.waiting += bytes.count
          counts.total += bytes.count
          counts.mostWaiting = max(counts.mostWaiting, counts.waiting)
        }
        line.add(bytes)
      }
      line.end()
    }
    Thread.detachNewThread { [self] in
      var free = Self.now()
      while let bytes = line.next(atMost: 4096) {
        // The line is busy for as long as these bytes take.
        free = max(free, Self.now()) + Double(bytes.count) / bytesPerSecond
        let wait = free - Self.now()
        if wait > 0 { usleep(UInt32(wait * 1e6)) }
        guard Self.write(bytes, to: display) else { break }
        counts.withLock { $0.waiting -= bytes.count }
      }
      shutdown(display, Int32(SHUT_RDWR))
    }
    Thread.detachNewThread {
      while let bytes = Self.read(display), Self.write(bytes, to: client) {}
      shutdown(client, Int32(SHUT_RDWR))
      shutdown(display, Int32(SHUT_RDWR))
    }
  }

  /// Bytes on their way.
  private final class Line: Sendable {
    private let state = Mutex<(bytes: [UInt8], first: Int, isEnded: Bool)>(([], 0, false))
    private let signal = DispatchSemaphore(value: 0)

    func add(_ bytes: [UInt8]) {
      state.withLock { $0.bytes += bytes }
      signal.signal()
    }

    func end() {
      state.withLock { $0.isEnded = true }
      signal.signal()
    }

    /// Waits for bytes; nil at the end.
    func next(atMost count: Int) -> [UInt8]? {
      while true {
        let (bytes, isEnded) = state.withLock { state -> ([UInt8], Bool) in
          let end = min(state.bytes.count, state.first + count)
          let part = Array(state.bytes[state.first..<end])
          state.first = end
          if state.first > 1 << 20 || state.first == state.bytes.count {
            state.bytes.removeFirst(state.first)
            state.first = 0
          }
          return (part, state.isEnded)
        }
        if !bytes.isEmpty { return bytes }
        if isEnded { return nil }
        signal.wait()
      }
    }
  }

  private static func read(_ descriptor: Int32) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    return count > 0 ? Array(buffer.prefix(count)) : nil
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    return withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }

  private static func now() -> Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }
}
