public import Foundation

/// One collection in the local store, for `cache list`.
public struct CachedCollectionSummary: Sendable, Hashable {
  /// The location as it was typed.
  public var location: String
  /// Images with a thumbnail.
  public var images: Int
  /// Bytes on disk.
  public var bytes: Int64
  /// When it was last opened.
  public var lastUsed: Date
  /// Its directory.
  public var directory: String
}

/// What `CacheDirectory.clear` did.
public struct CacheClearing: Sendable, Hashable {
  /// Removed.
  public var removed: [CachedCollectionSummary]
  /// Left alone: another program has it open.
  public var inUse: [CachedCollectionSummary]
}
