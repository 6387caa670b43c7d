import Foundation
import Glibc

/// An X server without a screen that has a touchpad: Xorg with its `dummy` video driver and its `inputtest` input driver,
/// whose scrolling valuators are moved over a socket (protocol 1.1 of `xf86-input-inputtest-protocol.h`). Xvfb has
/// nothing that scrolls in fractions.
public final class TouchpadDisplay: Sendable {
  /// The display.
  public let display: VirtualDisplay
  private let socket: Int32
  private let directory: TemporaryDirectory

  private static let program = "/usr/lib/xorg/Xorg"

  /// Whether there is such a server here, and this user may start it (it asks for a console).
  public static let isPossible: Bool =
    geteuid() == 0
    && [program, "/usr/lib/xorg/modules/drivers/dummy_drv.so", "/usr/lib/xorg/modules/input/inputtest_drv.so"]
      .allSatisfy { FileManager.default.fileExists(atPath: $0) }

  /// What one notch adds to a valuator of the driver.
  public static let increment = 120.0

  /// Starts the server and takes hold of its touchpad.
  public static func start() async throws -> TouchpadDisplay {
    let directory = try TemporaryDirectory("touchpad")
    let path = directory.file("socket")
    let configuration = """
      Section "ServerFlags"
        Option "AutoAddDevices" "false"
        Option "AutoAddGPU" "false"
      EndSection
      Section "Device"
        Identifier "dummy"
        Driver "dummy"
      EndSection
      Section "Screen"
        Identifier "screen"
        Device "dummy"
        DefaultDepth 24
      EndSection
      Section "InputDevice"
        Identifier "touchpad"
        Driver "inputtest"
        Option "SocketPath" "\(path)"
        Option "DeviceType" "Pointer"
      EndSection
      Section "ServerLayout"
        Identifier "layout"
        Screen "screen"
        InputDevice "touchpad" "CorePointer"
      EndSection
      """
    _ = try directory.write(Array(configuration.utf8), to: "xorg.conf")
    let server = try ChildProcess(
      program,
      [
        "-displayfd", "1", "-config", directory.file("xorg.conf"), "-logfile", directory.file("log"), "-nolisten",
        "tcp",
        "-noreset", "-novtswitch", "-sharevts",
      ])
    try await eventually("Xorg names its display") {
      guard server.isRunning else { throw TestSupportError("Xorg ended: \(server.errorText)") }
      return server.outputText.hasSuffix("\n")
    }
    let name = ":" + server.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
    return try TouchpadDisplay(
      VirtualDisplay(name: name, server: server, windowManager: nil), socket: connect(path), directory)
  }

  private init(_ display: VirtualDisplay, socket: Int32, _ directory: TemporaryDirectory) throws {
    self.display = display
    self.socket = socket
    self.directory = directory
    // Event 0: the client's version, 1.1; the answer is the server's.
    try send(Self.bytes(UInt32(12)) + Self.bytes(UInt32(0)) + Self.bytes(UInt16(1)) + Self.bytes(UInt16(1)))
    var answer = [UInt8](repeating: 0, count: 12)
    guard recv(socket, &answer, 12, 0) == 12 else { throw TestSupportError("The touchpad does not answer.") }
  }

  deinit { close(socket) }

  /// Two fingers move: notches to the right and towards the user, in fractions.
  public func scroll(right: Double = 0, down: Double = 0) throws {
    // Event 2: a motion. Valuators 2 and 3 scroll; the mask has a bit for each that moves.
    var values = [Double](repeating: 0, count: 64)
    var mask: UInt64 = 0
    for (valuator, notches) in [(2, right), (3, down)] where notches != 0 {
      values[valuator] = notches * Self.increment
      mask |= 1 << UInt64(valuator)
    }
    var message = Self.bytes(UInt32(1056)) + Self.bytes(UInt32(2)) + Self.bytes(UInt32(0)) + Self.bytes(UInt32(0))
    message += Self.bytes(UInt32(0)) + Self.bytes(mask) + Self.bytes(UInt32(0))
    for value in values + [Double](repeating: 0, count: 64) { message += Self.bytes(value.bitPattern) }
    try send(message)
  }

  private func send(_ message: [UInt8]) throws {
    guard Glibc.send(socket, message, message.count, Int32(MSG_NOSIGNAL)) == message.count else {
      throw TestSupportError("The touchpad takes nothing.")
    }
  }

  private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  private static func connect(_ path: String) throws -> Int32 {
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    let length = socklen_t(MemoryLayout<sockaddr_un>.size)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(socket, $0, length) }
    }
    guard result == 0 else {
      close(socket)
      throw TestSupportError("There is no touchpad at \(path).")
    }
    return socket
  }
}
