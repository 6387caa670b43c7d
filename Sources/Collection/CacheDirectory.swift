import Foundation
import ObjectStorage

/// Where the local store lies, and what of it there is: a directory for each collection, named by a hash of the store's
/// identity, below `collections-1` (the number is the format's, so that another version's data is left alone).
public enum CacheDirectory {
  private static let formatPrefix = "collections-"
  private static let formatDirectory = formatPrefix + Catalogue.format

  /// The directory of the store: `override`, else `$XDG_CACHE_HOME/s3totsne`, else `~/.cache/s3totsne`.
  public static func resolve(override: String?, environment: [String: String]) -> String {
    if let override, !override.isEmpty { return absolute(override) }
    // The XDG specification: a relative path counts as not set.
    if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") { return cache + "/s3totsne" }
    return (environment["HOME"] ?? NSHomeDirectory()) + "/.cache/s3totsne"
  }

  /// The directory of the collection with this identity.
  static func directory(of identity: String, in cacheDirectory: String) -> String {
    var hash = ContentHash()
    hash.field(identity)
    return absolute(cacheDirectory) + "/" + formatDirectory + "/" + hash.finish().prefix(32)
  }

  /// Makes the cache directory, with the tag that tells backups to pass it by (https://bford.info/cachedir/).
  static func prepare(_ directory: String) throws(StoreFailure) {
    let directory = absolute(directory)
    try PrivateFiles.makeDirectory(directory)
    let tag = directory + "/CACHEDIR.TAG"
    guard access(tag, F_OK) != 0 else { return }
    let text = """
      Signature: 8a477f597d28d172789f06886806bc55
      # Thumbnails and layouts that s3totsne can make again. `s3totsne cache clear` removes them.

      """
    try PrivateFiles.write(Array(text.utf8), to: tag)
  }

  /// The collections in the store, last used first; empty when there is no store. One whose catalogue is damaged, or of
  /// another version of the program, has no location. Blocking.
  public static func collections(in directory: String) -> [CachedCollectionSummary] {
    directories(in: directory).map(summary).sorted { ($0.lastUsed, $0.directory) > ($1.lastUsed, $1.directory) }
  }

  /// Every collection's directory, of whatever version.
  private static func directories(in directory: String) -> [String] {
    func names(_ path: String) -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }
    let root = absolute(directory)
    var found: [String] = []
    for format in names(root) where format.hasPrefix(formatPrefix) {
      for name in names(root + "/" + format) {
        let path = root + "/" + format + "/" + name
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { found.append(path) }
      }
    }
    return found
  }

  private static func summary(_ path: String) -> CachedCollectionSummary {
    var summary = CachedCollectionSummary(
      location: "", images: 0, bytes: PrivateFiles.bytes(below: path), lastUsed: Date(timeIntervalSince1970: 0),
      directory: path)
    let isOurs = (path as NSString).deletingLastPathComponent.hasSuffix("/" + formatDirectory)
    guard isOurs else { return summary }
    if let catalogue = try? Catalogue(readingFrom: path + "/" + Catalogue.name) {
      defer { catalogue.close() }
      var values = CatalogueSnapshot.Values()
      values.take((try? catalogue.values()) ?? [:])
      summary.location = values.location
      summary.images = (try? catalogue.readyCount()) ?? 0
      summary.lastUsed = Date(timeIntervalSince1970: values.used)
    } else if let snapshot = CatalogueSnapshot(in: path) {
      summary.location = snapshot.values.location
      summary.images = snapshot.entries.count { $0.state == .ready }
      summary.lastUsed = Date(timeIntervalSince1970: snapshot.values.used)
    }
    return summary
  }

  /// When any other collection was used last, in seconds since 1970; 0 for never.
  static func lastUse(in directory: String, except own: String?) -> Double {
    directories(in: directory).lazy.filter { $0 != own }.map { summary($0).lastUsed.timeIntervalSince1970 }.max() ?? 0
  }

  /// Removes the least recently used collections until the store keeps to its limits; never `kept`, nor one that is open.
  /// - Returns: What is short although nothing more can go; nil when the limits are kept to. Blocking.
  static func trim(_ directory: String, to limits: StoreLimits, keeping kept: String) -> StoreShortage? {
    func free() -> Int64 { PrivateFiles.bytesFree(at: directory) ?? .max }
    var total = directories(in: directory).reduce(0) { $0 + PrivateFiles.bytes(below: $1) }
    if total > limits.bytes || free() < limits.bytesLeftFree {
      for collection in collections(in: directory).reversed() where collection.directory != kept {
        guard total > limits.bytes || free() < limits.bytesLeftFree else { break }
        // The lock's file goes last, so that nobody takes the directory for his own meanwhile.
        guard let lock = try? DirectoryLock.take(in: collection.directory) else { continue }
        withExtendedLifetime(lock) {
          empty(collection.directory)
          try? FileManager.default.removeItem(atPath: collection.directory)
        }
        total -= collection.bytes
      }
    }
    if total > limits.bytes { return .limit(limits.bytes) }
    let left = free()
    return left < limits.bytesLeftFree ? .disk(free: left) : nil
  }

  /// Removes every collection that no program has open, and tells what was removed and what is in use. Blocking.
  /// - Throws: when a directory cannot be removed.
  public static func clear(_ directory: String) throws -> CacheClearing {
    var clearing = CacheClearing(removed: [], inUse: [])
    for collection in collections(in: directory) {
      guard let lock = try DirectoryLock.take(in: collection.directory) else {
        clearing.inUse.append(collection)
        continue
      }
      try withExtendedLifetime(lock) { try FileManager.default.removeItem(atPath: collection.directory) }
      clearing.removed.append(collection)
    }
    return clearing
  }

  /// Removes everything in a collection's directory but its lock.
  static func empty(_ directory: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] where name != "lock" {
      try? FileManager.default.removeItem(atPath: directory + "/" + name)
    }
  }

  private static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }
}
