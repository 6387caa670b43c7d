/// The server's clock in milliseconds; it wraps around after 49 days.
public typealias Timestamp = UInt32

/// What happens to a window, in the order it happened; coordinates are device pixels of the window, y down.
public enum WindowEvent: Sendable, Hashable {
  /// `width` or `height` changed; draw a whole frame.
  case resized
  /// Something that was covered is to be shown again; draw a whole frame.
  case exposed
  /// `beginFrame()` gave nil before and will now give a buffer.
  case frameReady
  /// The server has taken the frame with this number over: it is on the screen, and its buffer is free.
  case presented(serial: UInt64)

  case pointerMoved(x: Double, y: Double, Modifiers, time: Timestamp)
  /// Buttons: 1 left, 2 middle, 3 right, 8 back, 9 forward. `clickCount` is 2 for a double click, 3 for a triple click.
  case pointerPressed(button: Int, x: Double, y: Double, Modifiers, clickCount: Int, time: Timestamp)
  case pointerReleased(button: Int, x: Double, y: Double, Modifiers, time: Timestamp)
  case pointerLeft
  /// In notches of a wheel, fractions from touchpads; `dy` above 0 is away from the user, `dx` above 0 to the right.
  case scrolled(dx: Double, dy: Double, x: Double, y: Double, Modifiers)

  case keyPressed(KeyEvent)
  case keyReleased(KeyEvent)
  /// An input method has text in the making: draw it at the caret. Committed text comes as `keyPressed`.
  case preedit(Preedit)
  case focusChanged(Bool)

  /// Whether anything of the window can be seen; nothing need be drawn while it cannot.
  case visibilityChanged(Bool)
  case fullScreenChanged(Bool)
  /// The scale, the desktop's font or its double-click time changed.
  case scaleChanged
  /// The user asked to close the window; the window stays until it is closed.
  case closeRequested
  /// Absolute paths of dropped files and folders, or the dropped text as one entry.
  case filesDropped([String])
  /// The server is gone: nothing can be shown any more. Save what must be saved and end.
  case displayLost
}
