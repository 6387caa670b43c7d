import Collection
import Foundation
import ObjectStorage

/// What one writer knew of a replica when it had written everything else: `index-<SHA-256>.json`.
struct ReplicaIndex: Codable, Equatable {
  /// One object, named by its content: `<kind>-<SHA-256><extension>`.
  struct File: Codable, Equatable, Hashable {
    var name: String
    var bytes: Int
  }

  /// Some images: a line each in `images`, two files at most each in `thumbnails`, a row each in `features`.
  struct Shard: Codable, Equatable {
    var count: Int
    var images: File
    var thumbnails: File
    /// By the features' identifier.
    var features: [String: File]
  }

  /// A finished layout.
  struct Layout: Codable, Equatable {
    var key: String
    var parameters: String
    var created: Double
    var count: Int
    var positions: File
    var images: File
  }

  static let currentFormat = "s3totsne replica 1"

  var format = ReplicaIndex.currentFormat
  /// The location, for people.
  var location: String
  /// The decoder that left out what is left out.
  var decoder: String
  /// Names of indexes whose contents are in this one.
  var replaces: [String]
  var shards: [Shard]
  var layouts: [Layout]

  /// Every object that it names.
  var files: [File] {
    shards.flatMap { [$0.images, $0.thumbnails] + $0.features.values } + layouts.flatMap { [$0.positions, $0.images] }
  }

  /// The index in an object's bytes; nil where anything in it is not as we write it.
  init?(parsing bytes: [UInt8]) {
    guard let index = try? JSONDecoder().decode(ReplicaIndex.self, from: Data(bytes)), index.isPlausible else {
      return nil
    }
    self = index
  }

  init(location: String, decoder: String, replaces: [String], shards: [Shard], layouts: [Layout]) {
    self.location = location
    self.decoder = decoder
    self.replaces = replaces
    self.shards = shards
    self.layouts = layouts
  }

  var encoded: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(self)).map { Array($0) } ?? []
  }

  private var isPlausible: Bool {
    format == Self.currentFormat && shards.count <= ReplicaLimits.shards && layouts.count <= ReplicaLimits.layouts
      && replaces.count <= 10_000
      && shards.allSatisfy { shard in
        (1...ReplicaLimits.imagesPerShard).contains(shard.count) && shard.features.count <= 16
          && shard.images.isPlausible("images", ".jsonl", atMost: shard.count * ReplicaLimits.lineBytes)
          && shard.thumbnails.isPlausible("thumbnails", ".tar", atMost: shard.count * ReplicaLimits.thumbnailBytes)
          && shard.features.values.allSatisfy {
            $0.isPlausible("features", ".npy", atMost: 256 + shard.count * ReplicaLimits.featureBytes)
          }
      }
      && layouts.allSatisfy { layout in
        layout.key.utf8.count == 64 && layout.key.allSatisfy(\.isHexDigit) && layout.parameters.utf8.count < 65_536
          && (1...ReplicaLimits.imagesPerLayout).contains(layout.count)
          && layout.positions.isPlausible("positions", ".npy", atMost: 256 + 8 * layout.count)
          && layout.images.isPlausible("identities", ".npy", atMost: 256 + 8 * layout.count)
      }
  }
}

extension ReplicaIndex.File {
  /// The file that holds `bytes`.
  init(kind: String, extension ending: String, _ bytes: [UInt8]) {
    name = "\(kind)-\(sha256(bytes))\(ending)"
    self.bytes = bytes.count
  }

  fileprivate func isPlausible(_ kind: String, _ ending: String, atMost limit: Int) -> Bool {
    guard name.hasPrefix(kind + "-"), name.hasSuffix(ending), (0...limit).contains(bytes) else { return false }
    let hash = name.utf8.dropFirst(kind.utf8.count + 1).dropLast(ending.utf8.count)
    return hash.count == 64 && hash.allSatisfy { "0123456789abcdef".utf8.contains($0) }
  }
}

/// What is believed at most: a replica is whatever somebody who may write to the bucket has put there.
enum ReplicaLimits {
  static let indexBytes = 16 << 20
  static let indexes = 16
  static let shards = 8_192
  static let layouts = 10
  static let imagesPerShard = 2_000
  static let imagesPerLayout = 1 << 23
  static let lineBytes = 16_384
  /// Two JPEGs of 128 × 128 pixels, barely compressed, with their headers.
  static let thumbnailBytes = 131_072
  static let featureBytes = 512 * 512 * 3
  static let keyBytes = 4_096
  static let reasonCharacters = 300
}
