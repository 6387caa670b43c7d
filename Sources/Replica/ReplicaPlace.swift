public import ObjectStorage

/// Whether there is a replica, and where.
public enum ReplicaChoice: Sendable, Hashable {
  /// The bucket `ReplicaPlace.defaultBucket`, where it is certain that it is not somebody else's.
  case automatic
  /// None is read or written.
  case none
  /// This bucket, on the server of the location.
  case bucket(String)
}

/// Where the replica of a location lies: below `s3totsne-1/<hash of bucket and folder>/` in a bucket on the same server.
public struct ReplicaPlace: Sendable, Hashable {
  /// The name that is tried without being told: that of the program's ancestor.
  public static let defaultBucket = "tsnetooldata"

  /// The bucket's name.
  public let bucket: String
  /// The folder in it, as a location.
  public let location: Location

  /// The place for a location in a bucket; nil for a folder.
  public init?(for location: Location, in bucket: String) {
    guard case .bucket(let endpoint, let name, let prefix) = location.kind else { return nil }
    self.bucket = bucket
    let hash = sha256(Array(name.utf8) + [0] + prefix).prefix(32)
    self.location = Location(.bucket(endpoint: endpoint, name: bucket, prefix: Array("s3totsne-1/\(hash)/".utf8)))
  }

  /// What came of a choice.
  public enum Decision: Sendable, Hashable {
    /// Nothing is read or written.
    case nothing
    /// This place is read and written.
    case use(ReplicaPlace)
    /// The default bucket may be somebody else's: it is used when the user says Yes.
    case ask(ReplicaPlace)
  }

  /// What a choice means for a location.
  ///
  /// The default bucket is used by itself at an endpoint of one's own alone, or on AWS where ListBuckets with the same
  /// keys shows it: on AWS, bucket names are global, and somebody else's bucket must neither receive nor supply anything.
  /// Nothing is ever read or written anonymously.
  /// - Parameter storeIdentity: `ObjectStore.identity` of the location.
  public static func decide(
    _ choice: ReplicaChoice, location: Location, storeIdentity: String, options: StorageOptions
  ) async throws -> Decision {
    guard case .bucket(let endpoint, let own, _) = location.kind, !options.noSignRequest else { return .nothing }
    switch choice {
    case .none: return .nothing
    case .bucket(let name): return ReplicaPlace(for: location, in: name).map { .use($0) } ?? .nothing
    case .automatic:
      guard own != defaultBucket, let place = ReplicaPlace(for: location, in: defaultBucket) else { return .nothing }
      // The identity begins with the endpoint, or with this word.
      let server = storeIdentity.prefix { $0 != "|" }
      let isAmazon = server == "aws" || server.contains(".amazonaws.com")
      do {
        // A bucket that these keys do not own is not there, or somebody else's.
        let own = try await ownBuckets(endpoint: endpoint, options: options)
        return own.contains(defaultBucket) ? .use(place) : .nothing
      } catch is StorageError {
        // Keys that may not ask whose the bucket is: whether it answers them says whether there is a question at all.
        guard await answers(place, options: options) else { return .nothing }
        return isAmazon ? .ask(place) : .use(place)
      }
    }
  }

  private static func answers(_ place: ReplicaPlace, options: StorageOptions) async -> Bool {
    do {
      for try await _ in try openStore(place.location, options: options).list() { return true }
      return true
    } catch { return false }
  }
}
