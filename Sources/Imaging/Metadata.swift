internal import CExif
internal import Foundation

/// One thing that a camera or a program wrote into a picture's file.
public struct MetadataField: Hashable, Sendable {
  /// What it is about, such as `Exposure Time`.
  public var name: String
  /// What it says, such as `1/250 sec.`
  public var value: String

  /// Creates a field.
  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

extension ImageDecoder {
  /// What EXIF (CIPA DC-008) says of a picture, by libexif: of the picture itself, of how it was taken, and where, in the
  /// order of the file. Empty where there is none, or it cannot be read.
  public func metadata(of bytes: [UInt8]) -> [MetadataField] {
    guard let parsed = try? parseHeader(bytes), let range = parsed.exif, range.count <= Self.largestBlock,
      let data = exif_data_new()
    else { return [] }
    defer { exif_data_unref(data) }
    // Otherwise fields are added that the standard wants and the file has not.
    exif_data_unset_option(data, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION)
    let signature = Array("Exif\0\0".utf8)
    let block = bytes[range].starts(with: signature) ? Array(bytes[range]) : signature + bytes[range]
    exif_data_load_data(data, block, UInt32(block.count))
    let order = exif_data_get_byte_order(data)
    let (picture, _, shot, place, _) = data.pointee.ifd
    let position = Self.position(place, order)
    return fields(of: picture, EXIF_IFD_0) + fields(of: shot, EXIF_IFD_EXIF)
      + (position.map { [$0] } ?? []) + fields(of: place, EXIF_IFD_GPS, from: position == nil ? 0 : 5)
  }

  /// EXIF within other files is below 64 KB, but that of a TIFF is the whole file.
  private static let largestBlock = 64 << 20

  /// Places, lengths and blocks of bytes, which tell a reader nothing.
  private static let silentTags: Set<UInt32> = [
    0x0111, 0x0117, 0x0144, 0x0145, 0x015B, 0x0201, 0x0202, 0x02BC, 0x8649, 0x8769, 0x8773, 0x8825, 0x927C, 0xA005,
    0xEA1C,
  ]

  private func fields(
    of content: UnsafeMutablePointer<ExifContent>?, _ directory: ExifIfd, from firstTag: UInt32 = 0
  ) -> [MetadataField] {
    guard let content = content?.pointee, let entries = content.entries else { return [] }
    return (0..<Int(content.count)).compactMap { index in
      guard let entry = entries[index], entry.pointee.tag.rawValue >= firstTag,
        !Self.silentTags.contains(entry.pointee.tag.rawValue),
        let title = exif_tag_get_title_in_ifd(entry.pointee.tag, directory)
      else { return nil }
      // What the library says in place of a value that it does not know, or that is not there.
      var value = Self.value(of: entry)
      if value.hasPrefix("Internal error") { return nil }
      for missing in ["[None] (Photographer) - ", " - [None] (Editor)", "[None] (Editor)"] {
        value = value.replacing(missing, with: "")
      }
      return value.isEmpty ? nil : MetadataField(String(cString: title), value)
    }
  }

  private static func value(of entry: UnsafeMutablePointer<ExifEntry>) -> String {
    var buffer = [CChar](repeating: 0, count: 1024)
    guard exif_entry_get_value(entry, &buffer, UInt32(buffer.count)) != nil else { return "" }
    let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    let text = String(decoding: bytes, as: UTF8.self)
    // Whatever is in the file, it is one paragraph.
    return text.split { character in
      character.isWhitespace || character.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }.joined(separator: " ")
  }

  /// Latitude and longitude in degrees.
  private static func position(
    _ content: UnsafeMutablePointer<ExifContent>?, _ order: ExifByteOrder
  ) -> MetadataField? {
    guard let content else { return nil }
    func degrees(_ tag: UInt32) -> Double? {
      guard let entry = exif_content_get_entry(content, ExifTag(rawValue: tag)), entry.pointee.components == 3,
        entry.pointee.size >= 24, let data = entry.pointee.data
      else { return nil }
      let parts = (0..<3).map { index in
        let part = exif_get_rational(data + 8 * index, order)
        return part.denominator == 0 ? 0 : Double(part.numerator) / Double(part.denominator)
      }
      return parts[0] + parts[1] / 60 + parts[2] / 3600
    }
    func side(_ tag: UInt32) -> String {
      exif_content_get_entry(content, ExifTag(rawValue: tag)).map(value(of:)) ?? ""
    }
    guard let latitude = degrees(2), let longitude = degrees(4), latitude <= 90, longitude <= 180 else { return nil }
    let numbers = [latitude, longitude].map { String(format: "%.5f°", $0) }
    return MetadataField("Position", "\(numbers[0]) \(side(1)), \(numbers[1]) \(side(3))")
  }
}
