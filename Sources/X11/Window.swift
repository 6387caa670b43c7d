internal import CX11
public import Geometry

final class FrameStorage {}

@MainActor public final class Window {
  public init(connection: Connection, options: WindowOptions) throws(X11Error) { throw X11Error(.windowRefused, "") }
  public var onEvent: (@MainActor (WindowEvent) -> Void)?
  public func show() {}
  public func close() {}
  public var width: Int { 0 }
  public var height: Int { 0 }
  public var title: String = ""
  public func setCursor(_ shape: CursorShape) {}
  public var isFullScreen: Bool { false }
  public func setFullScreen(_ on: Bool) {}
  public var isVisible: Bool { false }
  public func beginFrame() -> FrameBuffer? { nil }
  /// Shows the damaged rectangles of the frame; the number comes back in `WindowEvent.presented`.
  @discardableResult public func present(_ frame: FrameBuffer, damage: [PixelRect]) -> UInt64 { 0 }
  public func setTextInputSpot(x: Int, y: Int) {}
  public func enableTextInput(_ on: Bool) {}
}
