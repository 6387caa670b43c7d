import Collection
import Dispatch
import Export
import Mapping
import Synchronization

/// One job from its start to its end, for a program that has nothing else to do meanwhile.
final class JobRun: Sendable {
  /// How a job ended.
  enum Outcome: Sendable {
    case finished(MappingReport, MapContents)
    case failed(MappingFailure)
    case cancelled
  }

  private struct State {
    var collection: ImageCollection?
    var layout: LayoutSnapshot?
    var outcome: Outcome?
  }

  private let state = Mutex(State())
  private let ended = DispatchSemaphore(value: 0)
  private let progress: ProgressReporter
  private let job = Mutex<MappingJob?>(nil)

  /// Starts the job.
  init(_ request: MappingRequest, progress: ProgressReporter) {
    self.progress = progress
    let job = MappingJob(request) { [weak self] events in
      for event in events { self?.receive(event) }
    }
    self.job.withLock { $0 = job }
    job.start()
  }

  /// Asks the job to end; `waitForEnd` then returns `cancelled`.
  func cancel() { job.withLock { $0 }?.cancel() }

  /// Waits for the end; to be called once, from the main thread.
  func waitForEnd() -> Outcome {
    ended.wait()
    progress.finish()
    return state.withLock { $0.outcome ?? .cancelled }
  }

  private func receive(_ event: MappingEvent) {
    progress.receive(event)
    let isEnd = state.withLock { state in
      switch event {
      case .opened(let collection): state.collection = collection
      case .layout(let snapshot): state.layout = snapshot
      case .finished(let report):
        if let collection = state.collection, let layout = state.layout {
          state.outcome = .finished(report, MapContents(collection: collection, layout: layout))
        } else {
          state.outcome = .failed(
            MappingFailure(kind: .other, what: "The job ended without a layout.", why: "", remedy: ""))
        }
      case .failed(let failure): state.outcome = .failed(failure)
      case .cancelled: state.outcome = .cancelled
      default: break
      }
      return state.outcome != nil
    }
    if isEnd { ended.signal() }
  }
}
