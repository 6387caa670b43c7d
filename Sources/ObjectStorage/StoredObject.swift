public import Foundation

/// One object of a listing: 48 bytes and its key.
public struct StoredObject: Hashable, Sendable {
  /// The object's name.
  public var key: ObjectKey
  /// Its size in bytes.
  public var size: Int64
  private var modifiedBits: UInt64
  private var tag: EntityTag
  private var className: StorageClassName
  /// Whether a copy of an archived object can be read for some days.
  public var isRestored = false

  private static let noDate = UInt64.max

  /// What changes when the content changes. In a bucket the ETag without its quotes; in a folder a tag of modification
  /// time, size and inode.
  public var etag: String {
    get { tag.text }
    set { tag = EntityTag(newValue) }
  }

  /// When it was last written, if the source says.
  public var modified: Date? {
    get {
      modifiedBits == Self.noDate ? nil : Date(timeIntervalSinceReferenceDate: Double(bitPattern: modifiedBits))
    }
    set { modifiedBits = newValue?.timeIntervalSinceReferenceDate.bitPattern ?? Self.noDate }
  }

  /// The storage class as the server names it; nil for a folder and for servers that name none.
  public var storageClass: String? {
    get { className.name }
    set { className = StorageClassName(newValue) }
  }

  /// An object of a listing.
  public init(key: ObjectKey, size: Int64, etag: String, modified: Date? = nil, storageClass: String? = nil) {
    self.init(key: key, size: size, tag: EntityTag(etag), modified: modified, className: StorageClassName(storageClass))
  }

  init(key: ObjectKey, size: Int64, tag: EntityTag, modified: Date?, className: StorageClassName) {
    self.key = key
    self.size = size
    self.tag = tag
    self.className = className
    modifiedBits = modified?.timeIntervalSinceReferenceDate.bitPattern ?? Self.noDate
  }

  /// Whether the object lies in an archive and cannot be read until somebody restores it.
  public var isArchived: Bool {
    guard !isRestored, let storageClass else { return false }
    return storageClass == "GLACIER" || storageClass == "DEEP_ARCHIVE"
  }
}

/// What a store has asked for since it was opened.
public struct RequestCounts: Hashable, Sendable {
  /// Pages of listings; for a folder, directories read.
  public var list = 0
  /// Objects asked for.
  public var get = 0
  /// Objects written.
  public var put = 0
  /// Requests for headers alone.
  public var head = 0
  /// Bytes of object bodies received; listings and error messages do not count.
  public var bytesFetched: Int64 = 0
  /// Requests sent again after a failure; each also counts under its own kind.
  public var retries = 0
  /// Connections opened.
  public var connections = 0
  /// The most transfers that ever ran at one time.
  public var peakTransfers = 0

  /// No requests.
  public init() {}
}

/// Whether an object is expected to be accepted when its first bytes are seen.
public enum Acceptance: Sendable {
  /// It is asked for whole.
  case likely
  /// Nothing is known: only a large one is asked for its beginning first, which is a request more when it is accepted.
  case open
  /// All but the smallest are asked for their beginning first.
  case unlikely
}

/// What became of a `get`.
public enum FetchResult: Sendable {
  /// The whole object, and the tag of what was read.
  case bytes([UInt8], etag: String)
  /// `accept` refused the object after seeing these first bytes of it.
  case rejected(head: [UInt8])
}

/// A part of a location that a listing could not read, although the rest could.
public struct ListingProblem: Hashable, Sendable {
  /// The sub-folder or file, relative to the location.
  public var key: ObjectKey
  /// Why, in one sentence.
  public var reason: String

  /// A part that could not be read.
  public init(key: ObjectKey, reason: String) {
    self.key = key
    self.reason = reason
  }
}
