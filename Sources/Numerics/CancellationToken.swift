import Synchronization

/// A flag that stops long computations: set by anyone, read in the inner loops.
public final class CancellationToken: Sendable {
  private let flag = Atomic(false)

  /// Makes a token that is not cancelled.
  public init() {}

  /// Asks every computation that holds this token to stop. It cannot be taken back.
  public func cancel() { flag.store(true, ordering: .relaxed) }

  /// Whether `cancel` was called.
  public var isCancelled: Bool { flag.load(ordering: .relaxed) }

  /// Throws `CancellationError` once `cancel` was called.
  public func check() throws(CancellationError) {
    if isCancelled { throw CancellationError() }
  }
}
