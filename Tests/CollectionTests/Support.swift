import Atlas
import Features
import Foundation
import Imaging
import ObjectStorage
import TestSupport
import Testing

@testable import Collection

/// A store over a temporary folder.
func folderStore(_ folder: TemporaryDirectory) throws -> any ObjectStore {
  try openStore(
    try Location(parsing: folder.path, currentDirectory: "/"), options: StorageOptions(environment: [:]))
}

/// An object that nobody has to fetch.
func object(_ key: String, etag: String = "1", size: Int64 = 10) -> StoredObject {
  StoredObject(key: ObjectKey(key), size: size, etag: etag, modified: Date(timeIntervalSinceReferenceDate: 5.25))
}

/// A small picture of one colour.
func picture(_ color: UInt32) -> PixelImage {
  PixelImage(width: 8, height: 6, pixels: Array(repeating: 0xFF00_0000 | color, count: 48), isOpaque: true)
}

let extractor = PixelFeatures(side: 4)

extension CollectionWriter {
  /// Keeps a picture as a job does.
  @discardableResult
  func keep(_ slot: Int, _ color: UInt32, etag: String? = nil, size: Int64 = 10) throws -> Bool {
    let picture = picture(color)
    var features = [UInt8](repeating: 0, count: extractor.dimension)
    features.withUnsafeMutableBufferPointer { extractor.extract(from: picture, into: $0) }
    return try store(
      slot, header: ImageHeader(format: .png, width: 80, height: 60), thumbnail: ThumbnailPyramid(of: picture),
      features: features, by: extractor, etag: etag, size: size)
  }
}

/// Waits until nobody in this process holds the collections of a cache any more, as after the end of a program.
func closed(_ cache: TemporaryDirectory) async throws {
  let names = FileManager.default.enumerator(atPath: cache.path)?.compactMap { $0 as? String } ?? []
  for name in names where name.hasSuffix("/lock") {
    let directory = cache.file(String(name.dropLast("/lock".count)))
    try await eventually("\(name) is free") { try DirectoryLock.take(in: directory) != nil }
  }
}

/// Changes one byte where `needle` begins in a file; the needle must be there.
func damage(_ path: String, at needle: String) throws {
  var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
  let pattern = Array(needle.utf8)
  let found = bytes.indices.dropLast(pattern.count - 1).filter {
    bytes[$0] == pattern[0] && Array(bytes[$0..<($0 + pattern.count)]) == pattern
  }
  try #require(!found.isEmpty)
  for index in found { bytes[index] ^= 1 }
  try Data(bytes).write(to: URL(fileURLWithPath: path))
}
