import Collection
import Foundation
import Mapping
import ObjectStorage

/// The one job of the window: starts it, ends it, and brings its events to the main thread.
///
/// Every job has a generation; what a job reports after the next one has started is dropped.
@MainActor final class JobController {
  /// What has become of the latest job.
  enum State {
    /// None was started.
    case idle
    /// It runs.
    case running
    /// It is done.
    case finished(MappingReport)
    /// It could not go on.
    case failed(MappingFailure)
    /// The user ended it.
    case cancelled
  }

  private(set) var state: State = .idle
  /// The images of the open location.
  private(set) var collection: ImageCollection?
  /// The latest progress of the running job.
  private(set) var progress: MappingProgress?
  /// The latest sentence that a job wanted to be seen.
  private(set) var notes: [String] = []
  /// What a job has asked and nobody has answered yet.
  private(set) var question: MappingQuestion?
  /// The sample that is shown; nil for all images.
  private(set) var sample: MappingReport.Sample?
  /// The latest positions, for Continue.
  private(set) var latestLayout: LayoutSnapshot?
  /// The last layout that is complete, or was accepted as it was.
  private(set) var completeLayout: LayoutSnapshot?

  /// Called on the main thread for every event, after the controller's own state has taken it in.
  var onEvent: ((MappingEvent) -> Void)?

  private var job: MappingJob?
  private var generation = 0

  /// Whether a job runs.
  var isRunning: Bool {
    if case .running = state { return true }
    return false
  }

  /// Ends what runs and starts `request`.
  func start(_ request: MappingRequest) {
    job?.cancel()
    generation += 1
    let generation = generation
    state = .running
    progress = nil
    notes = []
    question = nil
    let job = MappingJob(request) { [weak self] events in
      DispatchQueue.main.async { MainActor.assumeIsolated { self?.take(events, of: generation) } }
    }
    self.job = job
    job.start()
  }

  /// Ends the running job; what it finished is kept.
  func cancel() {
    guard isRunning else { return }
    job?.cancel()
    // The user is free at once; the job's own `cancelled` belongs to an older generation by then.
    generation += 1
    state = .cancelled
    progress = nil
    if case .fetch = question { question = nil }
    onEvent?(.cancelled)
  }

  /// Does not wait for the next try of a lost connection.
  func tryNow() { job?.tryNow() }

  /// Yes to what was asked. `startAnother` is called when another job is needed for it.
  func accept(startAnother: @escaping @MainActor () -> Void) {
    defer { question = nil }
    switch question {
    case .fetch: job?.goOn()
    case .replica(let bucket):
      guard let collection else { return }
      DispatchQueue.global(qos: .userInitiated).async {
        collection.acceptReplica(bucket)
        DispatchQueue.main.async { MainActor.assumeIsolated { startAnother() } }
      }
    case nil: break
    }
  }

  /// Accepts the present positions as the layout.
  func stopHere() {
    guard isRunning else { return }
    job?.stopHere()
  }

  /// Forgets the location: another one is to be opened.
  func forgetCollection() {
    collection = nil
    sample = nil
    latestLayout = nil
    completeLayout = nil
  }

  /// Whether the latest positions are those of a layout that nobody goes on with.
  var isLayoutUnfinished: Bool { !isRunning && latestLayout.map { !$0.isFinal } ?? false }

  /// Goes back to the last complete layout from one that is unfinished; nil where there is none.
  func returnToCompleteLayout() -> LayoutSnapshot? {
    guard isLayoutUnfinished, let completeLayout else { return nil }
    latestLayout = completeLayout
    return completeLayout
  }

  /// A layout that was kept is shown, as if the job that made it had just ended.
  /// - Parameter placed: How many images were placed into it.
  func show(_ layout: LayoutSnapshot, placed: Int?) {
    latestLayout = layout
    completeLayout = layout
    guard case .finished(var report) = state else { return }
    report.images = layout.slots.count
    report.klDivergence = layout.klDivergence
    report.iterations = layout.iteration
    report.placed = placed
    state = .finished(report)
  }

  private func take(_ events: [MappingEvent], of generation: Int) {
    for event in events where generation == self.generation {
      switch event {
      case .opened(let collection): self.collection = collection
      case .known(_, _, let layout, _):
        latestLayout = latestLayout ?? layout
        completeLayout = completeLayout ?? layout
      case .sampled(let sample): self.sample = sample
      case .progress(let progress): self.progress = progress
      case .note(let note): notes.append(note)
      case .question(let question): self.question = question
      case .layout(let layout):
        latestLayout = layout
        if layout.isFinal { completeLayout = layout }
      case .finished(let report): end(.finished(report))
      case .failed(let failure): end(.failed(failure))
      case .cancelled: end(.cancelled)
      case .listed, .removed, .ready, .leftOut, .stage: break
      }
      onEvent?(event)
    }
  }

  private func end(_ state: State) {
    self.state = state
    progress = nil
    job = nil
    if case .fetch = question { question = nil }
  }
}
