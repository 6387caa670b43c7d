/// The history of locations, newest first: `$XDG_STATE_HOME/s3totsne/history`, one a line.
public struct RecentLocations: Sendable {
  /// Locations kept.
  public static let limit = 100

  /// The history's file.
  public let path: String

  /// The history of the user whose environment this is.
  public init(environment: [String: String]) { path = "" }

  /// The locations, newest first; none when there is no history.
  public func load() -> [String] { [] }

  /// Puts `location` first. Silent when the history cannot be written: nothing depends on it.
  public func add(_ location: String) {}
}
