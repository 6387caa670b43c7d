internal import CX11

@MainActor public final class Connection {
  public init(displayName: String? = nil) throws(X11Error) { throw X11Error(.noDisplay, "") }
  /// Overrides the desktop's scale (`--scale`).
  public var scaleOverride: Double?
  public var uiScale: Double { 1 }
  public var isRemote: Bool { false }
  public var refreshRate: Double { 60 }
  public var desktopFontName: String? { nil }
  /// Seconds.
  public var doubleClickTime: Double { 0.4 }
  public var clipboard: Clipboard { fatalError() }
  public func flush() {}
  public func processEvents() {}
  public func close() {}
}
