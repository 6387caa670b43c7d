import Atlas
public import Collection
public import Features
import Foundation
import Imaging
import NPY
public import ObjectStorage

/// Writes to a replica what it lacks of a collection.
///
/// Every object is named by its content and never changed; the index, which makes them count, comes last. Two who write
/// at once write two indexes, and a reader takes both: nothing is lost, at worst something is there twice.
public struct ReplicaWriter: Sendable {
  /// What was written.
  public struct Outcome: Sendable, Equatable {
    /// Images that the replica did not have.
    public var images = 0
    /// Layouts that the replica did not have.
    public var layouts = 0
    /// Objects written.
    public var objects = 0
    /// Their bytes.
    public var bytes = 0
    /// What was asked of the server for it.
    public var requests = RequestCounts()
  }

  private let place: ReplicaPlace
  private let options: StorageOptions
  private let collection: ImageCollection
  private let writer: CollectionWriter
  private let extractor: any FeatureExtractor
  private let decoder: String
  private let refused: Set<String>

  /// A writer of one collection to one place.
  /// - Parameter refused: Objects that a reader has refused: they are written anew.
  public init(
    _ place: ReplicaPlace, options: StorageOptions, collection: ImageCollection, writer: CollectionWriter,
    extractor: any FeatureExtractor, decoder: String, refused: Set<String> = []
  ) {
    self.refused = refused
    self.place = place
    self.options = options
    self.collection = collection
    self.writer = writer
    self.extractor = extractor
    self.decoder = decoder
  }

  /// Writes what is missing.
  /// - Throws: `StorageError`, `CancellationError`; what was written until then is found again by its name.
  public func write() async throws -> Outcome {
    let contents = try await ReplicaContents(at: place, options: options)
    var outcome = try await write(beside: contents)
    outcome.requests = contents.store.counts
    return outcome
  }

  /// Writes what is missing in the replica that was found.
  private func write(beside contents: ReplicaContents) async throws -> Outcome {
    var outcome = Outcome()
    let entries = collection.entriesToShare
    let byKey = Dictionary(entries.map { ($0.object.key, $0) }, uniquingKeysWith: { $1 })
    var kept: [ReplicaIndex.Shard] = []
    var covered: Set<ObjectKey> = []
    func isSound(_ files: [ReplicaIndex.File]) -> Bool {
      files.allSatisfy { !refused.contains($0.name) && contents.objects[$0.name] == Int64($0.bytes) }
    }
    for shard in contents.shards {
      guard let features = shard.features[extractor.identifier], isSound([shard.images, shard.thumbnails, features])
      else { continue }
      guard let images = try? await contents.images(of: shard) else {
        try Task.checkCancellation()
        continue
      }
      let live = images.filter { image in
        guard let key = image.objectKey, let entry = byKey[key] else { return false }
        return ReplicaImage(entry) == image
      }
      // A shard that is mostly of the past is written anew.
      guard 2 * live.count >= images.count else { continue }
      kept.append(shard)
      covered.formUnion(live.compactMap(\.objectKey))
    }
    let others = contents.shards.filter { $0.features[extractor.identifier] == nil && isSound([$0.images]) }
    let missing = entries.filter { !covered.contains($0.object.key) }

    var start = 0
    while start < missing.count {
      let part = Array(missing[start..<min(start + ReplicaLimits.imagesPerShard, missing.count)])
      start += part.count
      try Task.checkCancellation()
      guard let (shard, files) = try await blocking({ try self.shard(of: part) }) else { continue }
      for (file, bytes) in files { try await put(file, bytes, contents, &outcome) }
      kept.append(shard)
      outcome.images += shard.count
    }

    var layouts = contents.layouts.filter { isSound([$0.positions, $0.images]) }
    let known = Set(layouts.map(\.key))
    for record in collection.stages(where: { $0.kind == "layout" }).prefix(ReplicaLimits.layouts)
    where !known.contains(record.key) {
      guard let arrays = try await blocking({ collection.arrays(of: record, isUse: false) }),
        let positions = arrays["positions"],
        let images = arrays["images"], let count = images.shape.first
      else { continue }
      let files = [
        (ReplicaIndex.File(kind: "positions", extension: ".npy", positions.fileBytes), positions.fileBytes),
        (ReplicaIndex.File(kind: "identities", extension: ".npy", images.fileBytes), images.fileBytes),
      ]
      for (file, bytes) in files { try await put(file, bytes, contents, &outcome) }
      layouts.append(
        ReplicaIndex.Layout(
          key: record.key, parameters: record.parameters, created: record.created.timeIntervalSince1970, count: count,
          positions: files[0].0, images: files[1].0))
      outcome.layouts += 1
    }

    let merged = contents.indexes.count
    let isMended = !refused.union(contents.refused.names).isEmpty
    guard outcome.images > 0 || outcome.layouts > 0 || merged > 4 || isMended else { return outcome }
    layouts.sort { ($0.created, $0.key) > ($1.created, $1.key) }
    let replaced = Set(contents.indexes.flatMap { [$0.name] + $0.index.replaces })
      .union(contents.refused.names).intersection(contents.allIndexes)
    let index = ReplicaIndex(
      location: collection.location.text, decoder: decoder, replaces: replaced.sorted(), shards: kept + others,
      layouts: Array(layouts.prefix(ReplicaLimits.layouts)))
    let bytes = index.encoded
    try await put(ReplicaIndex.File(kind: "index", extension: ".json", bytes), bytes, contents, &outcome)
    return outcome
  }

  private func put(
    _ file: ReplicaIndex.File, _ bytes: [UInt8], _ contents: ReplicaContents, _ outcome: inout Outcome
  ) async throws {
    let isRefused = refused.contains(file.name) || contents.refused.names.contains(file.name)
    let isThere = contents.objects[file.name] == Int64(bytes.count) && !isRefused
    guard !isThere, case .bucket(_, _, let prefix) = place.location.kind else {
      return
    }
    let type =
      switch file.name.split(separator: ".").last {
      case "json": "application/json"
      case "jsonl": "application/x-ndjson"
      case "tar": "application/x-tar"
      default: "application/octet-stream"
      }
    try await contents.store.put(ObjectKey(bytes: prefix + file.name.utf8), bytes, contentType: type)
    outcome.objects += 1
    outcome.bytes += bytes.count
  }

  /// The files of a shard; nil when none of the images can be read. Blocking.
  private func shard(
    of entries: [CollectionEntry]
  ) throws -> (ReplicaIndex.Shard, [(ReplicaIndex.File, [UInt8])])? {
    let matrix = try writer.features(of: extractor)
    let atlas = collection.atlas
    var images: [ReplicaImage] = []
    var rows: [[UInt8]] = []
    var archive = TarWriter()
    for entry in entries {
      guard let image = ReplicaImage(entry) else { continue }
      var row = [UInt8](repeating: 0, count: extractor.dimension)
      if entry.state == .ready {
        // What is damaged here must not be damaged everywhere.
        guard atlas.verify(entry.slot), let info = atlas.info(entry.slot),
          let level = atlas.level(thumbnailLevels.count - 1, of: entry.slot),
          let features = matrix.row(entry.slot, identity: entry.identity)
        else { continue }
        let thumbnail = PixelImage(
          width: level.width, height: level.height,
          pixels: Array(UnsafeBufferPointer(start: level.pixels, count: level.width * level.height)),
          isOpaque: info.isOpaque)
        guard let files = ReplicaThumbnail.encode(thumbnail, images.count) else { continue }
        for file in files { archive.add(file.name, file.bytes) }
        row = features
      }
      images.append(image)
      rows.append(row)
    }
    guard !images.isEmpty else { return nil }
    let contents = [
      ReplicaImage.encode(images), archive.finish(), FeatureFile.encode(rows, dimension: extractor.dimension),
    ]
    let files = zip([("images", ".jsonl"), ("thumbnails", ".tar"), ("features", ".npy")], contents).map { name, bytes in
      (ReplicaIndex.File(kind: name.0, extension: name.1, bytes), bytes)
    }
    let shard = ReplicaIndex.Shard(
      count: images.count, images: files[0].0, thumbnails: files[1].0,
      features: [extractor.identifier: files[2].0])
    return (shard, files)
  }
}
