public import Foundation

/// One object of a listing.
public struct StoredObject: Hashable, Sendable {
  /// The object's name.
  public var key: ObjectKey
  /// Its size in bytes.
  public var size: Int64
  /// What changes when the content changes. In a bucket the ETag without its quotes; in a folder a tag of modification
  /// time, size and inode.
  public var etag: String
  /// When it was last written, if the source says.
  public var modified: Date?
  /// The storage class as the server names it; nil for a folder and for servers that name none.
  public var storageClass: String?

  /// An object of a listing.
  public init(key: ObjectKey, size: Int64, etag: String, modified: Date? = nil, storageClass: String? = nil) {
    self.key = key
    self.size = size
    self.etag = etag
    self.modified = modified
    self.storageClass = storageClass
  }

  /// Whether the object lies in an archive and cannot be read until somebody restores it.
  public var isArchived: Bool { storageClass == "GLACIER" || storageClass == "DEEP_ARCHIVE" }
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

  /// No requests.
  public init() {}
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
