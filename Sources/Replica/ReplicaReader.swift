public import Collection
public import Features
import Foundation
public import Imaging
public import ObjectStorage

/// Reads pictures and features from a replica, instead of the originals.
public final class ReplicaReader: Sendable {
  /// What a replica knows of an image.
  public enum Knowledge: Sendable {
    /// Its picture is in a shard.
    case picture(shard: Int)
    /// It cannot be shown.
    case leftOut(reason: String)
    /// It is no image.
    case notAnImage
  }

  /// Lists of images that were refused, with the reason: a sentence each.
  public let problems: [String]
  private let contents: ReplicaContents
  private let shards: [ReplicaIndex.Shard]
  private struct Row {
    var shard: Int
    var row: Int
    var width: Int
    var height: Int
    var state: ReplicaImage.State
    var reason: String
    var reasonIsOurs: Bool
  }
  /// An object in one version.
  private struct Version: Hashable {
    var key: ObjectKey
    var etag: String
    var size: Int64

    init(_ object: StoredObject) { (key, etag, size) = (object.key, object.etag, object.size) }
    init(_ key: ObjectKey, _ image: ReplicaImage) { (self.key, etag, size) = (key, image.etag, image.size) }
  }
  private let rows: [Version: Row]
  /// The images of a shard, or why they are not believed.
  private struct List: Sendable {
    var shard: Int
    var images: [ReplicaImage]
    var problem: String?
  }
  private let extractor: any FeatureExtractor

  /// Reads what a replica has of which image. What another decoder than the one at work left out is not believed.
  init(_ contents: ReplicaContents, extractor: any FeatureExtractor, decoder: String) async throws {
    var problems: [String] = []
    let decoders = Set(
      contents.indexes.filter { $0.index.decoder == decoder }.flatMap { $0.index.shards.map(\.images.name) })
    let usable = contents.shards.filter { $0.features[extractor.identifier] != nil }
    // All lists at once: there are few, and everything else waits for them.
    let lists = try await withThrowingTaskGroup(of: List.self) { group in
      for (number, shard) in usable.enumerated() {
        group.addTask {
          do {
            return List(shard: number, images: try await contents.images(of: shard), problem: nil)
          } catch let refusal as ReplicaRefusal {
            return List(shard: number, images: [], problem: "\(shard.images.name): \(refusal.reason)")
          }
        }
      }
      var lists: [List] = []
      for try await list in group { lists.append(list) }
      return lists.sorted { $0.shard < $1.shard }
    }
    var rows: [Version: Row] = [:]
    for list in lists {
      if let problem = list.problem { problems.append(problem) }
      let isOurs = decoders.contains(usable[list.shard].images.name)
      for (row, image) in list.images.enumerated() {
        guard let key = image.objectKey else { continue }
        rows[Version(key, image)] = Row(
          shard: list.shard, row: row, width: image.width, height: image.height, state: image.state,
          reason: image.shownReason, reasonIsOurs: isOurs)
      }
    }
    self.contents = contents
    self.extractor = extractor
    self.rows = rows
    self.problems = problems
    shards = usable
  }

  /// What the replica has of an object as it is now; nil where it knows nothing, or another version of it.
  public func knowledge(of object: StoredObject) -> Knowledge? {
    guard let row = rows[Version(object)] else { return nil }
    switch row.state {
    case .ready: return .picture(shard: row.shard)
    case .leftOut: return row.reasonIsOurs ? .leftOut(reason: row.reason) : nil
    case .notAnImage: return row.reasonIsOurs ? .notAnImage : nil
    }
  }

  /// Fetches a shard.
  /// - Throws: `ReplicaShard.Unusable` when it is not what it should be; `StorageError`, `CancellationError`.
  public func shard(_ number: Int) async throws -> ReplicaShard {
    let shard = shards[number]
    guard let file = shard.features[extractor.identifier] else {
      throw ReplicaShard.Unusable(reason: "\(shard.images.name) has no features of this kind")
    }
    do {
      async let thumbnails = contents.read(shard.thumbnails)
      async let features = contents.read(file)
      return try ReplicaShard(
        thumbnails: try await thumbnails, features: try await features, count: shard.count,
        dimension: extractor.dimension)
    } catch let refusal as ReplicaRefusal {
      contents.refused.add([shard.thumbnails.name])
      throw ReplicaShard.Unusable(reason: "\(shard.thumbnails.name), \(file.name): \(refusal.reason)")
    }
  }

  /// A shard has turned out to hold something else than pictures: who writes next writes it anew.
  /// - Returns: What is wrong, in words.
  public func refuse(_ number: Int) -> String {
    let name = shards[number].thumbnails.name
    contents.refused.add([name])
    return "\(name): it holds pictures that are none"
  }

  /// The row of an object in its shard.
  public func row(of object: StoredObject) -> (row: Int, width: Int, height: Int)? {
    rows[Version(object)].map { ($0.row, $0.width, $0.height) }
  }
}

/// The pictures and features of some images, as they came.
public struct ReplicaShard: Sendable {
  /// Why nothing of it is used.
  public struct Unusable: Error, Sendable {
    /// What was refused, and why.
    public var reason: String
  }

  private let archive: [UInt8]
  private let files: [String: Range<Int>]
  private let features: [UInt8]
  private let start: Int
  private let count: Int
  private let dimension: Int

  init(thumbnails: [UInt8], features: [UInt8], count: Int, dimension: Int) throws(ReplicaRefusal) {
    do { files = try TarReader.files(thumbnails, atMost: 2 * count) } catch {
      throw ReplicaRefusal(reason: error.reason)
    }
    guard let start = FeatureFile.start(of: features, count: count, dimension: dimension) else {
      throw ReplicaRefusal(reason: "it is no matrix of features")
    }
    archive = thumbnails
    self.features = features
    self.start = start
    self.count = count
    self.dimension = dimension
  }

  /// The thumbnail and the features of a row; nil where they are not what they should be. Blocking.
  public func picture(_ row: Int) -> (thumbnail: ThumbnailPyramid, features: [UInt8])? {
    func file(_ name: String) -> [UInt8]? { files[name].map { Array(archive[$0]) } }
    guard (0..<count).contains(row), let image = ReplicaThumbnail.decode(file, row) else { return nil }
    let from = start + row * dimension
    return (ThumbnailPyramid(of: image), Array(features[from..<from + dimension]))
  }
}
