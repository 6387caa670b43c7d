import Collection
import Foundation
import ObjectStorage
import Synchronization

/// Why something in a replica is not used, as the end of a sentence.
struct ReplicaRefusal: Error, Hashable { var reason: String }

/// The names of objects that were refused: whoever writes next writes them anew.
final class RefusedFiles: Sendable {
  private let state = Mutex<Set<String>>([])
  var names: Set<String> { state.withLock { $0 } }
  func add(_ names: [String]) { state.withLock { $0.formUnion(names) } }
}

/// A replica as it is found: all indexes together, every object checked when it is read.
struct ReplicaContents: Sendable {
  let store: any ObjectStore
  /// Indexes that say nothing new beside others have been left away.
  let indexes: [(name: String, index: ReplicaIndex)]
  /// Names of all indexes, also those that were replaced.
  let allIndexes: [String]
  /// Every object below the replica's folder, by its name without the folder.
  let objects: [String: Int64]
  /// What is wrong with its indexes.
  let problems: [String]
  let refused = RefusedFiles()

  var shards: [ReplicaIndex.Shard] {
    var seen: Set<ReplicaIndex.File> = []
    return indexes.flatMap(\.index.shards).filter { seen.insert($0.images).inserted }
  }

  /// Newest first, one of each kind.
  var layouts: [ReplicaIndex.Layout] {
    var seen: Set<String> = []
    return indexes.flatMap(\.index.layouts).sorted { ($0.created, $0.key) > ($1.created, $1.key) }.filter {
      seen.insert($0.key).inserted
    }
  }

  /// Lists the replica and reads its indexes.
  /// - Throws: `StorageError`, `CancellationError`.
  init(at place: ReplicaPlace, options: StorageOptions) async throws {
    var options = options
    options.maximumBytes = Int64(ReplicaLimits.imagesPerShard * ReplicaLimits.featureBytes)
    options.maximumConnections = 8
    let store = try openStore(place.location, options: options)
    self.store = store
    guard case .bucket(_, _, let prefix) = place.location.kind else {
      throw StorageError(.configuration, "A replica lies in a bucket.")
    }
    var objects: [String: Int64] = [:]
    var found: [StoredObject] = []
    for try await page in store.list() {
      for object in page {
        let name = String(decoding: object.key.bytes.dropFirst(prefix.count), as: UTF8.self)
        objects[name] = object.size
        let isIndex = name.hasPrefix("index-") && name.hasSuffix(".json")
        if isIndex, object.size <= ReplicaLimits.indexBytes { found.append(object) }
      }
      guard objects.count <= 100_000 else { break }
    }
    self.objects = objects
    allIndexes = found.map(\.key.lastComponent)
    // The newest say what the older ones said.
    found.sort { ($0.modified ?? .distantPast, $0.key) > ($1.modified ?? .distantPast, $1.key) }
    var indexes: [(name: String, index: ReplicaIndex)] = []
    var replaced: Set<String> = []
    var problems: [String] = []
    for object in found where !replaced.contains(object.key.lastComponent) {
      guard indexes.count < ReplicaLimits.indexes else { break }
      let name = object.key.lastComponent
      do {
        let bytes = try await Self.read(name, from: store, prefix: prefix)
        guard let index = ReplicaIndex(parsing: bytes) else { throw ReplicaRefusal(reason: "it is no index of ours") }
        indexes.append((name, index))
        replaced.formUnion(index.replaces)
      } catch let refusal as ReplicaRefusal {
        problems.append("\(name): \(refusal.reason)")
        refused.add([name])
      }
    }
    self.indexes = indexes.filter { !replaced.contains($0.name) }
    self.problems = problems
  }

  /// An object's bytes, which are those of its name.
  func read(_ file: ReplicaIndex.File) async throws -> [UInt8] {
    guard case .bucket(_, _, let prefix) = store.location.kind else { return [] }
    do {
      guard let size = objects[file.name] else { throw ReplicaRefusal(reason: "it is not there") }
      guard size == Int64(file.bytes) else {
        throw ReplicaRefusal(reason: "it has \(size) bytes and not \(file.bytes)")
      }
      return try await Self.read(file.name, from: store, prefix: prefix)
    } catch let refusal as ReplicaRefusal {
      refused.add([file.name])
      throw refusal
    }
  }

  private static func read(_ name: String, from store: any ObjectStore, prefix: [UInt8]) async throws -> [UInt8] {
    do {
      guard case .bytes(let bytes, _) = try await store.get(ObjectKey(bytes: prefix + name.utf8), accept: nil) else {
        throw ReplicaRefusal(reason: "it could not be read")
      }
      // The name ends in the hash and the extension.
      guard let dash = name.lastIndex(of: "-"), let dot = name.lastIndex(of: "."), dash < dot,
        name[name.index(after: dash)..<dot] == sha256(bytes)
      else { throw ReplicaRefusal(reason: "it does not hold what its name says") }
      return bytes
    } catch let error as StorageError where !error.concernsWholeLocation {
      throw ReplicaRefusal(reason: error.message)
    }
  }

  /// The lines of a shard.
  func images(of shard: ReplicaIndex.Shard) async throws -> [ReplicaImage] {
    guard let images = ReplicaImage.parse(try await read(shard.images), count: shard.count) else {
      refused.add([shard.images.name])
      throw ReplicaRefusal(reason: "\(shard.images.name) is no list of images")
    }
    return images
  }
}
