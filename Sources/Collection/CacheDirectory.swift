import Foundation
import ObjectStorage

/// Where the local store lies, and what of it there is: a directory for each collection, named by a hash of the store's
/// identity, below `collections-1` (the number is the format's, so that another version's data is left alone).
public enum CacheDirectory {
  private static let formatDirectory = "collections-" + Catalogue.format

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

  /// The collections in the store, last used first; empty when there is no store. One whose catalogue is damaged has no
  /// location. Blocking.
  public static func collections(in directory: String) -> [CachedCollectionSummary] {
    let parent = absolute(directory) + "/" + formatDirectory
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
    return names.compactMap { name in
      let path = parent + "/" + name
      guard access(path + "/catalogue.sqlite", F_OK) == 0 else { return nil }
      let catalogue = try? Catalogue(path: path + "/catalogue.sqlite")
      defer { catalogue?.close() }
      func text(_ name: String) -> String? {
        (try? catalogue?.value(name)).flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) }
      }
      return CachedCollectionSummary(
        location: text("location") ?? "", images: (try? catalogue?.readyCount()) ?? 0,
        bytes: PrivateFiles.bytes(below: path),
        lastUsed: Date(timeIntervalSince1970: text("used").flatMap(Double.init) ?? 0), directory: path)
    }.sorted { ($0.lastUsed, $0.directory) > ($1.lastUsed, $1.directory) }
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
