public import Foundation

/// A derived stage in the store: neighbours or a layout, and the files that hold its arrays.
public struct StageRecord: Sendable, Equatable {
  /// One array's file.
  struct File: Codable, Sendable, Equatable {
    var name: String
    var bytes: Int
    /// XXH64 of the file.
    var checksum: UInt64
  }

  /// The hash of everything that went into the stage.
  public let key: String
  /// What it is: "neighbours", "layout", "stopped", ...
  public let kind: String
  /// The key of the complete stage that a partial one belongs to; its own key otherwise.
  public let base: String
  /// What the stage is and was made from, as JSON.
  public let parameters: String
  var files: [File]
  /// When it was made.
  public let created: Date
  /// When it was last made or read.
  public var used: Date

  init(
    key: String, kind: String, base: String, parameters: String, files: [File], created: Date, used: Date
  ) {
    self.key = key
    self.kind = kind
    self.base = base
    self.parameters = parameters
    self.files = files
    self.created = created
    self.used = used
  }
}
