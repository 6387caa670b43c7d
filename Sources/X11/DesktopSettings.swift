internal import CX11
internal import Glibc

/// What the desktop says about scale, font and double clicks, kept up to date.
@MainActor final class DesktopSettings {
  private unowned let connection: Connection
  private var xsettings = XSettings()
  private var settingsOwner: XID = 0
  private var resourceDPI: Double?

  init(connection: Connection) {
    self.connection = connection
    // The root tells of new resources by PropertyNotify and of a new settings daemon by a MANAGER message.
    XSelectInput(connection.display, connection.root, PropertyChangeMask | StructureNotifyMask)
    readResources()
    findSettingsOwner()
  }

  /// Device pixels for one pixel of a screen of 96 dpi.
  var scale: Double {
    let fromResources = (resourceDPI ?? 96) / 96
    // Desktops that scale by whole numbers set both; only one of them may count.
    if fromResources == 1, let text = getenv("GDK_SCALE"), let factor = Double(String(cString: text)), factor >= 1 {
      return min(factor, 4)
    }
    return min(max(fromResources, 0.5), 6)
  }

  var fontName: String? { xsettings.strings["Gtk/FontName"] }

  /// Seconds.
  var doubleClickTime: Double {
    xsettings.integers["Net/DoubleClickTime"].map { min(max(Double($0) / 1000, 0.1), 2) } ?? 0.4
  }

  /// Pixels that the pointer may move between the clicks of a double click.
  var doubleClickDistance: Double { Double(xsettings.integers["Net/DoubleClickDistance"] ?? 5) }

  /// Takes an event of the root or of the settings daemon; true when a setting may have changed.
  func handle(_ event: XEvent) -> Bool {
    switch event.type {
    case PropertyNotify:
      if event.xproperty.window == connection.root, event.xproperty.atom == Atom(XA_RESOURCE_MANAGER) {
        readResources()
        return true
      }
      if event.xproperty.window == settingsOwner, event.xproperty.atom == connection.atoms[.settings] {
        readSettings()
        return true
      }
    case DestroyNotify where event.xdestroywindow.window == settingsOwner && settingsOwner != 0:
      findSettingsOwner()
      return true
    case ClientMessage
    where event.xclient.window == connection.root && event.xclient.message_type == connection.atoms[.manager]
      && UInt(bitPattern: event.xclient.data.l.1) == connection.atoms.settingsSelection:
      findSettingsOwner()
      return true
    default:
      break
    }
    return false
  }

  // XResourceManagerString is what the property held when the display was opened; the property itself is what it is now.
  private func readResources() {
    let text = connection.property(Atom(XA_RESOURCE_MANAGER), of: connection.root)
      .map { String(decoding: $0.bytes, as: UTF8.self) }
    resourceDPI = text.flatMap(Self.dpi(inResources:))
  }

  /// The value of `Xft.dpi` in the text of the resource database.
  nonisolated static func dpi(inResources text: String) -> Double? {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, ["Xft.dpi", "Xft*dpi", "*dpi"].contains(parts[0].trimmingBlanks) else { continue }
      if let value = Double(parts[1].trimmingBlanks), value >= 24, value <= 1000 { return value }
    }
    return nil
  }

  private func findSettingsOwner() {
    let display = connection.display
    // Between finding the owner and watching it, it must not vanish unnoticed.
    XGrabServer(display)
    settingsOwner = XGetSelectionOwner(display, connection.atoms.settingsSelection)
    if settingsOwner != 0 { XSelectInput(display, settingsOwner, PropertyChangeMask | StructureNotifyMask) }
    XUngrabServer(display)
    XFlush(display)
    readSettings()
  }

  private func readSettings() {
    guard settingsOwner != 0 else { return xsettings = XSettings() }
    let value = connection.foreignProperty(connection.atoms[.settings], of: settingsOwner)
    xsettings = XSettings(parsing: value?.bytes ?? [])
  }
}

extension Substring {
  fileprivate var trimmingBlanks: String {
    String(drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" || $0 == "\r" }.reversed())
  }
}
