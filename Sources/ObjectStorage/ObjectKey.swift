/// The name of one object: any bytes, compared byte by byte, as S3 orders them.
///
/// In a bucket it is the whole key, the location's prefix included. In a folder it is the path relative to that folder,
/// its parts separated by `/`; file names need not be UTF-8.
public struct ObjectKey: Hashable, Comparable, Sendable {
  /// The key as it is on the wire (before percent encoding) or in the directory.
  public let bytes: [UInt8]

  /// The key of these bytes.
  public init(bytes: [UInt8]) { self.bytes = bytes }

  /// The key whose bytes are the UTF-8 of this text.
  public init(_ text: String) { bytes = Array(text.utf8) }

  /// Byte order, a shorter key before every key that it begins.
  public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }

  /// The key as text; bytes that are no UTF-8 appear as U+FFFD.
  public var displayName: String { String(decoding: bytes, as: UTF8.self) }

  /// What stands behind the last `/`: the file name, as text.
  public var lastComponent: String {
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return displayName }
    return String(decoding: bytes[(slash + 1)...], as: UTF8.self)
  }
}

extension ObjectKey: CustomStringConvertible {
  /// The key as text.
  public var description: String { displayName }
}
