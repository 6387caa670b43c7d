import Collection
import Foundation
import Mapping
import ObjectStorage

/// The formats of a layout file.
public enum LayoutFormat: String, Sendable, CaseIterable {
  /// Comma-separated values (RFC 4180), with a header.
  case csv
  /// One object with an array of images.
  case json

  /// The format that a file name ends in.
  public init?(fileName: String) {
    guard let format = LayoutFormat(rawValue: fileExtension(fileName)) else { return nil }
    self = format
  }
}

/// What stands behind the last dot of a file name, in small letters.
func fileExtension(_ name: String) -> String {
  guard let dot = name.lastIndex(of: "."), !name[dot...].contains("/") else { return "" }
  return name[name.index(after: dot)...].lowercased()
}

/// Where every image lies: `key,x,y,width,height`, one image a row, in the order of keys. Depends on nothing but the
/// images and the layout, to the bit.
public struct LayoutFile: Sendable {
  private let contents: MapContents

  /// The layout of a map.
  public init(_ contents: MapContents) { self.contents = contents }

  /// The bytes of the file.
  public func encoded(_ format: LayoutFormat) throws(ExportError) -> [UInt8] {
    switch format {
    case .csv: csv
    case .json: try json()
    }
  }

  private var csv: [UInt8] {
    var text = "key,x,y,width,height\r\n"
    for image in contents.images {
      text += "\(Self.field(image.key)),\(image.x),\(image.y),\(image.width),\(image.height)\r\n"
    }
    return Array(text.utf8)
  }

  /// A field as RFC 4180 writes it: in quotes when it holds a comma or a quote. Line ends are escaped already.
  static func field(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }

  private struct Document: Encodable {
    struct Image: Encodable {
      var key: String
      var x, y: Float
      var width, height: Int
    }
    var images: [Image]
    var location: String
    var version: String
  }

  private func json() throws(ExportError) -> [UInt8] {
    try encodeJSON(
      Document(
        images: contents.images.map {
          Document.Image(key: $0.key, x: $0.x, y: $0.y, width: $0.width, height: $0.height)
        },
        location: contents.collection.location.text, version: s3totsneVersion))
  }
}

/// JSON with sorted keys, so that equal values give equal bytes.
func encodeJSON(_ value: some Encodable) throws(ExportError) -> [UInt8] {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  encoder.dateEncodingStrategy = .iso8601
  do { return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")] } catch {
    throw ExportError("The results cannot be written as JSON: \(error)")
  }
}
