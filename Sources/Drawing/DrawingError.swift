internal import CCairo

/// A surface could not be made or written.
public struct DrawingError: Error, Hashable, CustomStringConvertible, Sendable {
  /// What happened, in Cairo's words where they come from it.
  public var description: String

  /// An error that reads `description`.
  public init(_ description: String) { self.description = description }

  init(_ action: String, status: cairo_status_t) {
    let reason = cairo_status_to_string(status).map { String(cString: $0) } ?? "unknown error"
    self.init("\(action): \(reason).")
  }
}
