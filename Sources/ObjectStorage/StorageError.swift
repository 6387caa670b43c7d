/// Why a location or an object could not be read or written, said so that a person can act on it.
public struct StorageError: Error, Hashable, Sendable {
  /// What kind of failure it is, for programs.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// The bucket does not exist.
    case noSuchBucket
    /// The folder does not exist, or is none.
    case noSuchFolder
    /// The object does not exist (any more).
    case noSuchKey
    /// The keys are right but do not allow this, or the file's permissions do not.
    case accessDenied
    /// The secret key does not fit the access key.
    case wrongSecret
    /// The server does not know the access key.
    case unknownAccessKey
    /// The session token or the credentials have expired.
    case expiredCredentials
    /// No credentials were found.
    case noCredentials
    /// Settings contradict each other, are incomplete or cannot be understood.
    case configuration
    /// The bucket lies in another region, and correcting that once did not help.
    case wrongRegion
    /// The clock of this computer is wrong, and correcting that once did not help.
    case clockSkew
    /// No connection: wrong endpoint, no network, or the server does not answer.
    case unreachable
    /// No trusted encrypted connection.
    case insecure
    /// Something answers, but it is no S3 server.
    case notS3
    /// The server asks to be slower, and did so for every try.
    case throttled
    /// The server failed at every try.
    case serverFailure
    /// The connection broke in the middle at every try.
    case interrupted
    /// The server's answer contradicts the protocol.
    case invalidAnswer
    /// The object lies in an archive.
    case archived
    /// The object is larger than allowed.
    case tooLarge
    /// Reading or writing a file failed.
    case fileSystem
    /// What arrived at the server is not what was announced.
    case badDigest
    /// The server refused for a reason of its own, which the message names.
    case refused
  }

  /// What kind of failure it is.
  public var kind: Kind
  /// What happened, to what and why: one or two sentences.
  public var message: String
  /// What to do about it, where something can be done.
  public var remedy: String?
  /// The server's name of this request, for its administrator.
  public var requestID: String?

  /// A failure.
  public init(_ kind: Kind, _ message: String, remedy: String? = nil, requestID: String? = nil) {
    self.kind = kind
    self.message = message
    self.remedy = remedy
    self.requestID = requestID
  }

  /// Whether the cause lies in the location or the way to it, so that other objects will fail in the same way; false for
  /// what is wrong with one object.
  public var concernsWholeLocation: Bool {
    switch kind {
    case .noSuchKey, .accessDenied, .archived, .tooLarge, .fileSystem, .interrupted, .invalidAnswer, .badDigest,
      .refused, .serverFailure:
      false
    default: true
    }
  }
}

extension StorageError: CustomStringConvertible {
  /// Message and remedy.
  public var description: String {
    var text = message
    if let remedy { text += " " + remedy }
    if let requestID { text += " (request \(requestID))" }
    return text
  }
}

extension StorageError {
  static func tooLarge(_ key: ObjectKey, size: Int64, limit: Int64) -> StorageError {
    StorageError(
      .tooLarge, "\(key.displayName) has \(size) bytes, more than the limit of \(limit).",
      remedy: "Raise --max-bytes to show it.")
  }

  static func archived(_ key: ObjectKey, storageClass: String) -> StorageError {
    StorageError(
      .archived, "\(key.displayName) lies in the archive (\(storageClass)) and cannot be read.",
      remedy: "Restore it first, for instance with “aws s3api restore-object”.")
  }
}
