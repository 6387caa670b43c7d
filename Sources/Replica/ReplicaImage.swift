import Collection
import Foundation
import ObjectStorage

/// What is known of one image, a line of JSON: `{"etag":…,"height":…,"id":…,"key":…,"size":…,"state":…,"width":…}`.
struct ReplicaImage: Codable, Equatable {
  enum State: String, Codable {
    /// It has a thumbnail, `<line>.jpg` with lines counted from 0, and a row of features.
    case ready
    /// It cannot be shown.
    case leftOut = "left_out"
    /// It is no image.
    case notAnImage = "not_an_image"
  }

  /// The key, where it is text.
  var key: String?
  /// The key's bytes in hexadecimal, where it is none.
  var keyBytes: String?
  var etag: String
  var size: Int64
  /// What layouts name the image by: 16 hexadecimal digits.
  var id: String
  var width: Int
  var height: Int
  var state: State
  var reason: String?

  enum CodingKeys: String, CodingKey {
    case key, etag, size, id, width, height, state, reason
    case keyBytes = "key_bytes"
  }

  /// The line of an entry; nil for one that says nothing yet.
  init?(_ entry: CollectionEntry) {
    switch entry.state {
    case .listed: return nil
    case .ready: state = .ready
    case .leftOut(let reason):
      state = .leftOut
      self.reason = reason
    case .notAnImage: state = .notAnImage
    }
    if let text = String(validating: entry.object.key.bytes, as: UTF8.self) {
      key = text
    } else {
      keyBytes = entry.object.key.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
    etag = entry.object.etag
    size = entry.object.size
    id = Self.hexadecimal(entry.identity)
    width = entry.width
    height = entry.height
  }

  static func hexadecimal(_ identity: UInt64) -> String {
    let text = String(identity, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }

  var objectKey: ObjectKey? {
    if let key { return ObjectKey(key) }
    guard let digits = keyBytes?.utf8, digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    var rest = digits[...]
    while let first = rest.popFirst(), let second = rest.popFirst() {
      guard let byte = UInt8(String(decoding: [first, second], as: UTF8.self), radix: 16) else { return nil }
      bytes.append(byte)
    }
    return ObjectKey(bytes: bytes)
  }

  /// The reason as it may be shown.
  var shownReason: String {
    let text = (reason ?? "").unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) }
    return String(text.prefix(ReplicaLimits.reasonCharacters))
  }

  /// The lines of a file; nil when one is none of ours, or there are not `count`.
  static func parse(_ bytes: [UInt8], count: Int) -> [ReplicaImage]? {
    let lines = bytes.split(separator: UInt8(ascii: "\n"))
    guard lines.count == count else { return nil }
    let decoder = JSONDecoder()
    var images: [ReplicaImage] = []
    images.reserveCapacity(count)
    for line in lines {
      guard line.count <= ReplicaLimits.lineBytes, let image = try? decoder.decode(ReplicaImage.self, from: Data(line)),
        image.isPlausible
      else { return nil }
      images.append(image)
    }
    return images
  }

  private var isPlausible: Bool {
    guard let key = objectKey, (1...ReplicaLimits.keyBytes).contains(key.bytes.count) else { return false }
    return size >= 0 && (0...1 << 24).contains(width) && (0...1 << 24).contains(height)
      && (state != .ready || (width > 0 && height > 0))
  }

  static func encode(_ images: [ReplicaImage]) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return images.flatMap { image in ((try? encoder.encode(image)).map { Array($0) } ?? []) + [UInt8(ascii: "\n")] }
  }
}
