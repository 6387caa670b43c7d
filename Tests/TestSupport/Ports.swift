import Foundation
import Synchronization

/// TCP ports on the loopback interface that nobody uses now, and that this process has not given out before.
enum Ports {
  private static let given = Mutex<Set<UInt16>>([])

  /// `count` free ports. With `paired`, the port 10,000 above each is free too (SeaweedFS takes it for gRPC).
  static func free(_ count: Int, paired: Bool = false) throws -> [UInt16] {
    var ports: [UInt16] = []
    for _ in 0..<5_000 where ports.count < count {
      // Below the range from which the kernel takes the local ports of outgoing connections.
      let port = UInt16.random(in: 12_000..<22_000)
      let wanted = paired ? [port, port + 10_000] : [port]
      guard wanted.allSatisfy(isFree) else { continue }
      let isNew = given.withLock { given in
        guard given.isDisjoint(with: wanted) else { return false }
        given.formUnion(wanted)
        return true
      }
      if isNew { ports.append(port) }
    }
    guard ports.count == count else { throw TestSupportError("No free TCP ports on 127.0.0.1") }
    return ports
  }

  private static func isFree(_ port: UInt16) -> Bool {
    withSocket(port) { descriptor, address in
      bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
    }
  }

  /// Whether somebody accepts connections.
  static func answers(_ port: UInt16) -> Bool {
    withSocket(port) { descriptor, address in
      connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
    }
  }

  private static func withSocket(_ port: UInt16, _ body: (Int32, UnsafePointer<sockaddr>) -> Bool) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body(descriptor, $0) }
    }
  }
}
