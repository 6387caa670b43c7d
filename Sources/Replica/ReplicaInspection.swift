import Collection
import Foundation
public import ObjectStorage

/// What the owner of a bucket can ask of a replica.
public enum ReplicaInspection {
  /// What is in a replica.
  public struct Summary: Sendable, Codable, Equatable {
    /// The bucket, and the folder in it.
    public var place: String
    /// The location that it is of, as its writers typed it.
    public var locations: [String]
    /// Objects below its folder.
    public var objects = 0
    /// Their bytes.
    public var bytes: Int64 = 0
    /// Images that it knows.
    public var images = 0
    /// Layouts that it holds.
    public var layouts = 0
    /// Objects that no index names any more.
    public var unused = 0
    /// What is damaged or refused, a sentence each.
    public var problems: [String] = []
  }

  /// Reads every object of a replica and compares it with its name and with what the index says of it.
  /// - Throws: `StorageError`, `CancellationError`.
  public static func check(_ place: ReplicaPlace, options: StorageOptions) async throws -> Summary {
    let contents = try await ReplicaContents(at: place, options: options)
    var summary = Summary(
      place: place.location.text, locations: Set(contents.indexes.map(\.index.location)).sorted(),
      problems: contents.problems)
    summary.objects = contents.objects.count
    summary.bytes = contents.objects.values.reduce(0, +)
    summary.layouts = contents.layouts.count
    var keys: Set<ObjectKey> = []
    for shard in contents.shards {
      do {
        let images = try await contents.images(of: shard)
        let thumbnails = try await contents.read(shard.thumbnails)
        for file in shard.features.values {
          let features = try await contents.read(file)
          let count = shard.count
          let dimension = (file.bytes - 128) / max(1, count)
          let isSound = try await blocking {
            guard
              let shard = try? ReplicaShard(
                thumbnails: thumbnails, features: features, count: count, dimension: dimension)
            else { return false }
            return images.indices.allSatisfy { images[$0].state != .ready || shard.picture($0) != nil }
          }
          guard isSound else { throw ReplicaRefusal(reason: "its pictures or features are not what they should be") }
        }
        keys.formUnion(images.compactMap(\.objectKey))
      } catch let refusal as ReplicaRefusal {
        summary.problems.append("\(shard.thumbnails.name): \(refusal.reason)")
      }
    }
    for layout in contents.layouts {
      for file in [layout.positions, layout.images] {
        do { _ = try await contents.read(file) } catch let refusal as ReplicaRefusal {
          summary.problems.append("\(file.name): \(refusal.reason)")
        }
      }
    }
    summary.images = keys.count
    let named = Set(contents.indexes.map(\.name)).union(contents.indexes.flatMap(\.index.files).map(\.name))
    summary.unused = contents.objects.keys.count { !named.contains($0) }
    return summary
  }

  /// Removes a replica, the indexes first, so that nobody begins to read what is about to go.
  /// - Returns: Objects removed.
  /// - Throws: `StorageError`, `CancellationError`.
  public static func drop(_ place: ReplicaPlace, options: StorageOptions) async throws -> Int {
    let store = try openStore(place.location, options: options)
    guard let store = store as? any ObjectRemoval else {
      throw StorageError(.refused, "\(place.location.text) is no bucket.")
    }
    var keys: [ObjectKey] = []
    for try await page in store.list() { keys += page.map(\.key) }
    let indexes = keys.filter { $0.lastComponent.hasPrefix("index-") }
    let others = keys.filter { !$0.lastComponent.hasPrefix("index-") }
    for key in indexes + others { try await store.remove(key) }
    return keys.count
  }
}
