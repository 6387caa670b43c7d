import Numerics
import Synchronization

/// One job: a location becomes a map. It runs in the background from `start()` to `finished`, `failed` or `cancelled`.
///
/// Jobs on the same collection take turns: one that is started while another is being cancelled waits for it.
public final class MappingJob: Sendable {
  private let run: JobRun
  private let task = Mutex<Task<Void, Never>?>(nil)

  /// A job that reports to `deliver`: batches, at most 30 a second, in order, on a background queue.
  public init(_ request: MappingRequest, deliver: @escaping @Sendable ([MappingEvent]) -> Void) {
    run = JobRun(request: request, outbox: EventOutbox(deliver: deliver))
  }

  /// Starts it; once.
  public func start() {
    task.withLock { task in
      precondition(task == nil, "A job is started once.")
      task = Task.detached { [run] in await run.run() }
    }
  }

  /// Ends it: nothing but `cancelled` is reported from now on. Every finished stage is kept.
  public func cancel() {
    run.cancel()
    task.withLock { $0 }?.cancel()
  }

  /// Does not wait any longer for the next try of an interruption; without effect when there is none.
  public func tryNow() { run.tryNow() }

  /// Yes to `MappingQuestion.fetch`.
  public func goOn() { run.goOn() }

  /// Ends the layout here: the present positions become the layout, and the job finishes with it. Without effect while
  /// no layout is unfolding.
  public func stopHere() { run.stop.store(true, ordering: .relaxed) }
}
