import Foundation

/// The history of locations, newest first: `$XDG_STATE_HOME/s3totsne/history`, one a line.
public struct RecentLocations: Sendable {
  /// Locations kept.
  public static let limit = 100

  /// The history's file.
  public let path: String

  /// The history of the user whose environment this is.
  public init(environment: [String: String]) {
    if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
      path = state + "/s3totsne/history"
    } else {
      path = (environment["HOME"] ?? NSHomeDirectory()) + "/.local/state/s3totsne/history"
    }
  }

  /// The locations, newest first; none when there is no history.
  public func load() -> [String] {
    guard let bytes = PrivateFiles.read(path) else { return [] }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    return Array(lines.prefix(Self.limit))
  }

  /// Puts `location` first. Silent when the history cannot be written: nothing depends on it.
  public func add(_ location: String) {
    // A line break in a folder's name would come back as two locations.
    guard !location.isEmpty, !location.contains(where: \.isNewline) else { return }
    let lines = [location] + load().filter { $0 != location }
    let text = lines.prefix(Self.limit).joined(separator: "\n") + "\n"
    try? PrivateFiles.makeDirectory((path as NSString).deletingLastPathComponent)
    try? PrivateFiles.write(Array(text.utf8), to: path)
  }
}
