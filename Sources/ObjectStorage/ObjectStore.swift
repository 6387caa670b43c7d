/// Where bytes come from: the objects below one location.
///
/// Every method may be called from any task. Nothing here blocks Swift's cooperative threads.
public protocol ObjectStore: Sendable {
  /// What was opened.
  var location: Location { get }

  /// What the local store knows this location by: endpoint, bucket and prefix, or the real path of the folder.
  /// Two spellings of one place have one identity; it holds no secret.
  var identity: String { get }

  /// What was asked for until now.
  var counts: RequestCounts { get }

  /// Why nothing comes in at present; nil as long as all is well.
  var interruption: StorageInterruption? { get }

  /// Ends the wait for the next try of an interruption; without effect otherwise.
  func tryNow()

  /// The location answered in an earlier run: when nothing answers now, that is waited out, and not taken for a wrong
  /// address.
  func expectAnswer()

  /// Larger objects are refused.
  var maximumBytes: Int64? { get }

  /// All objects below the location in pages, in ascending byte order of key. The first page comes at once.
  /// Ends by throwing a `StorageError`; ending the loop or cancelling the task stops the listing.
  ///
  /// Folder markers (keys of no bytes that end in `/`) are left out. A page may be empty.
  func list() -> AsyncThrowingStream<[StoredObject], any Error>

  /// Sub-folders and files that the last complete `list()` had to leave out, in key order. Always empty for a bucket.
  var listingProblems: [ListingProblem] { get }

  /// The object's bytes.
  ///
  /// - Parameter accept: Sees the first bytes (at least 32, or all) on the thread that reads, so it must be quick. Where
  ///   it says no, the transfer ends and `.rejected` is returned.
  /// - Throws: `StorageError`; `CancellationError` as soon as the task is cancelled. A task of user-initiated priority
  ///   (someone is waiting) goes ahead of others that wait for a free connection.
  func get(_ key: ObjectKey, accept: (@Sendable (UnsafeRawBufferPointer) -> Bool)?) async throws -> FetchResult

  /// The bytes of a listed object that the listing does not tell to be unreadable; `get(_:expected:accept:)` is what
  /// callers want.
  func fetch(
    _ object: StoredObject, expected: Acceptance, accept: (@Sendable (UnsafeRawBufferPointer) -> Bool)?
  ) async throws -> FetchResult

  /// An address at which any program can read the object for a while: signed for a bucket (whoever has it can read
  /// that object, so it is a secret), `file://` for a folder.
  /// - Parameter seconds: At most a week; never longer than the credentials last.
  /// - Throws: `StorageError` where no credentials can be had, `CancellationError`.
  func link(to key: ObjectKey, validFor seconds: Int) async throws -> String

  /// Writes the object whole, replacing what was there.
  /// - Throws: `StorageError`, `CancellationError`.
  func put(_ key: ObjectKey, _ body: [UInt8], contentType: String) async throws
}

extension ObjectStore {
  /// Nothing was left out.
  public var listingProblems: [ListingProblem] { [] }

  /// Nothing is interrupted.
  public var interruption: StorageInterruption? { nil }

  /// Nothing waits.
  public func tryNow() {}

  /// Nothing is ever waited for.
  public func expectAnswer() {}

  /// By key.
  public func fetch(
    _ object: StoredObject, expected: Acceptance, accept: (@Sendable (UnsafeRawBufferPointer) -> Bool)?
  ) async throws -> FetchResult {
    try await get(object.key, accept: accept)
  }

  /// Why an object cannot be read, as far as the listing tells: it is archived, or above `maximumBytes`.
  public func refusal(of object: StoredObject) -> StorageError? {
    if let limit = maximumBytes, object.size > limit {
      return StorageError.tooLarge(object.key, size: object.size, limit: limit)
    }
    if object.isArchived, let storageClass = object.storageClass {
      return StorageError.archived(object.key, storageClass: storageClass)
    }
    return nil
  }

  /// The bytes of a listed object. What the listing already tells to be unreadable (`refusal`) is refused without a request.
  ///
  /// - Parameters:
  ///   - expected: What `accept` will probably say: where that is no, an object is asked for its beginning first.
  ///   - accept: As in `get(_:accept:)` of a key.
  /// - Throws: as `get(_:accept:)` of a key.
  public func get(
    _ object: StoredObject, expected: Acceptance = .likely, accept: (@Sendable (UnsafeRawBufferPointer) -> Bool)? = nil
  ) async throws -> FetchResult {
    if let refusal = refusal(of: object) { throw refusal }
    return try await fetch(object, expected: expected, accept: accept)
  }
}

/// Opens a location: finds credentials, region and endpoint, but sends nothing yet.
///
/// Reads the configuration files of the AWS command line (small, local), so call it off the main thread where the home
/// folder may be slow.
/// - Throws: `StorageError`: no or half credentials, an unknown profile, an endpoint that is none, no such folder.
public func openStore(_ location: Location, options: StorageOptions) throws -> any ObjectStore {
  switch location.kind {
  case .folder(let path):
    return try FolderStore(location: location, path: path, options: options)
  case .bucket(let endpoint, let name, let prefix):
    return try BucketStore(
      location: location, endpoint: endpoint, bucket: name, prefix: prefix, options: options)
  }
}
