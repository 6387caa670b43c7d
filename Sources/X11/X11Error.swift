/// Why the display or a window could not be used: what happened, to what, and what helps, in words for a person.
public struct X11Error: Error, CustomStringConvertible, Sendable, Hashable {
  /// What kind of failure it is, for a program to decide by.
  public enum Kind: Sendable, Hashable {
    /// No display was named, neither by an argument nor by `DISPLAY`.
    case noDisplay
    /// The named display does not answer, or refuses this user.
    case cannotConnect
    /// The screen has no visual with true colour.
    case unsupportedScreen
    /// A window geometry that does not read like `1280x800+40+40`.
    case badGeometry
    /// The server refused to make the window.
    case windowRefused
  }

  /// What kind of failure it is.
  public let kind: Kind
  /// One or two sentences.
  public let description: String

  init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}
