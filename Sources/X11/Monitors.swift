internal import CX11
internal import Geometry

/// One monitor in the coordinates of the root.
struct Monitor: Equatable {
  var frame: PixelRect
  /// Frames a second; nil when the server does not say.
  var refreshRate: Double?
}

/// The monitors by RandR 1.2 and later, or the screen as one monitor.
@MainActor final class Monitors {
  private unowned let connection: Connection
  private let eventBase: CInt?
  private(set) var all: [Monitor] = []

  init(connection: Connection) {
    self.connection = connection
    var event: CInt = 0
    var error: CInt = 0
    var major: CInt = 0
    var minor: CInt = 0
    let display = connection.display
    if XRRQueryExtension(display, &event, &error) != 0, XRRQueryVersion(display, &major, &minor) != 0,
      (major, minor) >= (1, 3)
    {
      eventBase = event
      XRRSelectInput(
        display, connection.root, CInt(RRScreenChangeNotifyMask | RRCrtcChangeNotifyMask | RROutputChangeNotifyMask))
    } else {
      eventBase = nil
    }
    read()
  }

  /// The highest rate of the monitors, 60 when none is known.
  var refreshRate: Double { all.compactMap(\.refreshRate).max() ?? 60 }

  /// The monitor that holds a point of the root, else the first.
  func containing(x: Int, y: Int) -> PixelRect {
    (all.first { $0.frame.contains(x: x, y: y) } ?? all[0]).frame
  }

  /// Takes an event; true when it was about monitors.
  func handle(_ event: inout XEvent) -> Bool {
    guard let eventBase, event.type == eventBase + RRScreenChangeNotify || event.type == eventBase + RRNotify else {
      return false
    }
    XRRUpdateConfiguration(&event)
    read()
    return true
  }

  private func read() {
    let found = eventBase == nil ? [] : readControllers()
    let display = connection.display
    let screen = PixelRect(
      x: 0, y: 0, width: Int(XDisplayWidth(display, connection.screen)),
      height: Int(XDisplayHeight(display, connection.screen)))
    all = found.isEmpty ? [Monitor(frame: screen, refreshRate: nil)] : found
  }

  private func readControllers() -> [Monitor] {
    let display = connection.display
    guard let resources = XRRGetScreenResourcesCurrent(display, connection.root) else { return [] }
    defer { XRRFreeScreenResources(resources) }
    let modes = UnsafeBufferPointer(start: resources.pointee.modes, count: Int(resources.pointee.nmode))
    var monitors: [Monitor] = []
    for index in 0..<Int(resources.pointee.ncrtc) {
      guard let controller = XRRGetCrtcInfo(display, resources, resources.pointee.crtcs[index]) else { continue }
      defer { XRRFreeCrtcInfo(controller) }
      let info = controller.pointee
      guard info.mode != 0, info.width > 0, info.height > 0 else { continue }
      let rate = modes.first { $0.id == info.mode }.flatMap(Self.refreshRate(of:))
      monitors.append(
        Monitor(
          frame: PixelRect(x: Int(info.x), y: Int(info.y), width: Int(info.width), height: Int(info.height)),
          refreshRate: rate))
    }
    return monitors
  }

  private static func refreshRate(of mode: XRRModeInfo) -> Double? {
    var lines = Double(mode.vTotal)
    if mode.modeFlags & UInt(RR_DoubleScan) != 0 { lines *= 2 }
    if mode.modeFlags & UInt(RR_Interlace) != 0 { lines /= 2 }
    let pixels = Double(mode.hTotal) * lines
    guard pixels > 0, mode.dotClock > 0 else { return nil }
    let rate = Double(mode.dotClock) / pixels
    return (20...1000).contains(rate) ? rate : nil
  }
}
