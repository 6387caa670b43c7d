import ArgumentParser
import Collection
import Foundation

/// `s3totsne cache`: what is kept on this computer.
struct CacheCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cache", abstract: "Show or remove the thumbnails and layouts kept on this computer.",
    subcommands: [List.self, Path.self, Clear.self])

  /// One line, or one object, a collection.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the collections, last used first.")

    @OptionGroup var cache: CacheLocation
    @Flag(help: "Print one JSON object.") var json = false

    func run() throws {
      let collections = CacheDirectory.collections(in: cache.resolved)
      if json {
        try writeJSON(Listing(path: cache.resolved, collections: collections.map(Listing.Entry.init)))
        return
      }
      let dates = ISO8601DateFormatter()
      for collection in collections {
        let columns = [
          dates.string(from: collection.lastUsed), "\(collection.images) images", bytesText(collection.bytes),
          collection.location.isEmpty
            ? "(damaged, or of another version: \(collection.directory))" : printable(collection.location),
        ]
        try writeToStandardOutput(columns.joined(separator: "\t") + "\n")
      }
    }
  }

  /// The directory.
  struct Path: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the directory where they are kept.")

    @OptionGroup var cache: CacheLocation

    func run() throws { try writeToStandardOutput(cache.resolved + "\n") }
  }

  /// Removes all of it.
  struct Clear: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove them all, but those that a running program has open.")

    @OptionGroup var cache: CacheLocation

    func run() throws {
      let cleared: CacheClearing
      do {
        cleared = try CacheDirectory.clear(cache.resolved)
      } catch {
        throw CommandFailure(
          .failed, kind: "cache", "\(cache.resolved) could not be cleared: \(error.localizedDescription)")
      }
      let bytes = cleared.removed.reduce(0) { $0 + $1.bytes }
      try writeToStandardOutput("Removed \(cleared.removed.count) collections, \(bytesText(bytes)).\n")
      for collection in cleared.inUse {
        writeToStandardError("In use by a running program, and kept: \(printable(collection.location))")
      }
    }
  }

  private struct Listing: Encodable {
    struct Entry: Encodable {
      var location: String
      var images: Int
      var bytes: Int64
      var lastUsed: Date
      var directory: String

      enum CodingKeys: String, CodingKey {
        case location, images, bytes, directory
        case lastUsed = "last_used"
      }

      init(_ summary: CachedCollectionSummary) {
        location = summary.location
        images = summary.images
        bytes = summary.bytes
        lastUsed = summary.lastUsed
        directory = summary.directory
      }
    }
    var path: String
    var collections: [Entry]
  }
}

extension CacheLocation {
  /// The directory, after looking at the environment.
  var resolved: String {
    CacheDirectory.resolve(override: directory, environment: ProcessInfo.processInfo.environment)
  }
}
