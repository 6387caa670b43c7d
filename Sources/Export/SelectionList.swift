public import Collection
import Foundation
public import Mapping
import ObjectStorage

/// The formats of a list of images.
public enum ListFormat: String, Sendable, CaseIterable {
  /// Where each image is, one a line.
  case txt
  /// Comma-separated values (RFC 4180), with a header.
  case csv
  /// One object with an array of images.
  case json

  /// The format that a file name ends in.
  public init?(fileName: String) {
    guard let format = ListFormat(rawValue: fileExtension(fileName)) else { return nil }
    self = format
  }
}

/// Some images of a collection, in the order of keys: where each is, what is known of it, and where it lies on the map.
public struct SelectionList: Sendable {
  private struct Image: Encodable {
    var address: String
    var etag: String
    var height: Int
    var key: String
    var modified: Date?
    var size: Int64
    var width: Int
    var x, y: Float?
  }
  private struct Document: Encodable {
    var images: [Image]
    var location: String
    var version: String
  }

  private let images: [Image]
  private let location: String

  /// The images in `slots`; places are those of `layout`, where they have one there.
  public init(_ slots: [Int], of collection: ImageCollection, layout: LayoutSnapshot?) {
    var places: [Int: (Float, Float)] = [:]
    if let layout {
      for (index, slot) in layout.slots.enumerated() {
        places[Int(slot)] = (layout.positions[2 * index], layout.positions[2 * index + 1])
      }
    }
    images = slots.compactMap { collection.entry($0) }.sorted { $0.object.key < $1.object.key }.map { entry in
      let place = places[entry.slot]
      return Image(
        address: Self.line(collection.location.address(of: entry.object.key)), etag: entry.object.etag,
        height: entry.height, key: escapedKey(entry.object.key.bytes), modified: entry.object.modified,
        size: entry.object.size, width: entry.width, x: place?.0, y: place?.1)
    }
    location = collection.location.text
  }

  /// An address is written as it is, so that other programs take it, unless it would break the line it stands in.
  private static func line(_ address: String) -> String {
    address.unicodeScalars.contains { $0.properties.generalCategory == .control }
      ? escapedKey(Array(address.utf8)) : address
  }

  /// The bytes of the file.
  public func encoded(_ format: ListFormat) throws(ExportError) -> [UInt8] {
    switch format {
    case .txt: Array(images.map { $0.address + "\n" }.joined().utf8)
    case .csv: csv
    case .json: try encodeJSON(Document(images: images, location: location, version: s3totsneVersion))
    }
  }

  private var csv: [UInt8] {
    var text = "key,address,size,width,height,x,y\r\n"
    for image in images {
      let fields = [
        LayoutFile.field(image.key), LayoutFile.field(image.address), "\(image.size)", "\(image.width)",
        "\(image.height)", image.x.map { "\($0)" } ?? "", image.y.map { "\($0)" } ?? "",
      ]
      text += fields.joined(separator: ",") + "\r\n"
    }
    return Array(text.utf8)
  }
}
