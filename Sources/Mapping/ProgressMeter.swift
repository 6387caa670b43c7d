import Synchronization

/// Counts what a job has done and estimates how long the rest takes.
final class ProgressMeter: Sendable {
  private struct State {
    var stage = MappingStage.listing
    var completed = 0
    var total = 0
    var images = 0
    var leftOut = 0
    var otherFiles = 0
    var bytesPerSecond = 0.0
    var unitsPerSecond = 0.0
    var last: (time: ContinuousClock.Instant, bytes: Int64, completed: Int)?
  }
  private let state = Mutex(State())

  /// The time over which rates are smoothed, in seconds.
  private static let smoothing = 3.0

  /// Begins a stage. Listing goes over into loading without losing its counts.
  func begin(_ stage: MappingStage, total: Int) {
    state.withLock { state in
      let continues = state.stage == .listing && stage == .loading
      state.stage = stage
      if continues { return }
      state.completed = 0
      state.total = total
      state.unitsPerSecond = 0
      state.bytesPerSecond = 0
      state.last = nil
    }
  }

  func add(total: Int) { state.withLock { $0.total += total } }

  func complete(_ count: Int = 1) { state.withLock { $0.completed += count } }

  func setCompleted(_ count: Int) { state.withLock { $0.completed = count } }

  func count(images: Int = 0, leftOut: Int = 0, otherFiles: Int = 0) {
    state.withLock { state in
      state.images += images
      state.leftOut += leftOut
      state.otherFiles += otherFiles
    }
  }

  /// The state of things, at most a few times a second so that the rates mean something.
  func sample(bytes: Int64) -> MappingProgress {
    state.withLock { state in
      let now = ContinuousClock.now
      if let last = state.last {
        let seconds = (now - last.time).seconds
        if seconds > 0.05 {
          let weight = min(1, seconds / Self.smoothing)
          func blend(_ rate: inout Double, _ newest: Double) {
            rate = rate == 0 ? newest : rate + weight * (newest - rate)
          }
          blend(&state.bytesPerSecond, Double(bytes - last.bytes) / seconds)
          blend(&state.unitsPerSecond, Double(state.completed - last.completed) / seconds)
          state.last = (now, bytes, state.completed)
        }
      } else {
        state.last = (now, bytes, state.completed)
      }
      let left = state.total - state.completed
      let isLoading = state.stage == .listing || state.stage == .loading
      return MappingProgress(
        stage: state.stage, completed: state.completed, total: state.total, images: state.images,
        leftOut: state.leftOut, otherFiles: state.otherFiles, bytes: bytes,
        bytesPerSecond: isLoading ? state.bytesPerSecond : 0,
        secondsLeft: state.stage != .listing && state.unitsPerSecond > 0 && left > 0
          ? Double(left) / state.unitsPerSecond : nil)
    }
  }
}
