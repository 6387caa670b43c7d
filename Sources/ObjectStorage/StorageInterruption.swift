/// A time in which a store reaches nothing, and waits: no network, a server that is down or asks for quiet, credentials
/// that have expired.
public struct StorageInterruption: Sendable, Equatable {
  /// What keeps it from working, in one sentence, and what to do about it where something can be done.
  public var reason: String
  /// In two or three words, for a status line: “No connection to play.min.io”.
  public var title: String
  /// When it began.
  public var since: ContinuousClock.Instant
  /// When it tries again; nil while it does.
  public var nextTry: ContinuousClock.Instant?

  /// An interruption.
  public init(
    reason: String, title: String, since: ContinuousClock.Instant, nextTry: ContinuousClock.Instant?
  ) {
    self.reason = reason
    self.title = title
    self.since = since
    self.nextTry = nextTry
  }
}
