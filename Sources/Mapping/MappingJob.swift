/// One job: a location becomes a map. It runs in the background from `start()` to `finished`, `failed` or `cancelled`.
public final class MappingJob: Sendable {
  private let request: MappingRequest
  private let deliver: @Sendable ([MappingEvent]) -> Void

  /// A job that reports to `deliver`: batches, at most 30 a second, in order, on a background queue.
  public init(_ request: MappingRequest, deliver: @escaping @Sendable ([MappingEvent]) -> Void) {
    self.request = request
    self.deliver = deliver
  }

  /// Starts it; once.
  public func start() {}

  /// Ends it: nothing but `cancelled` is reported from now on. Every finished stage is kept.
  public func cancel() {}

  /// Ends the layout here: the present positions become the layout, and the job finishes with it.
  public func stopHere() {}
}
