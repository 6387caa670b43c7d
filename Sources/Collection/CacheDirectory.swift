/// Where the local store lies, and what of it there is.
public enum CacheDirectory {
  /// The directory of the store: `override`, else `$XDG_CACHE_HOME/s3totsne`, else `~/.cache/s3totsne`.
  public static func resolve(override: String?, environment: [String: String]) -> String { "" }

  /// The collections in the store, last used first.
  public static func collections(in directory: String) throws -> [CachedCollectionSummary] { [] }

  /// Removes every collection that no program has open, and tells what was removed and what is in use.
  public static func clear(_ directory: String) throws -> CacheClearing { CacheClearing(removed: [], inUse: []) }
}
