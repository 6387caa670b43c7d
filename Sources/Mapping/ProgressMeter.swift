import Collection
import ObjectStorage
import Synchronization

/// Counts what a job has done and estimates how long the rest takes.
final class ProgressMeter: Sendable {
  private struct State {
    var stage = MappingStage.listing
    var completed = 0
    var total = 0
    var bytesPerSecond = 0.0
    var unitsPerSecond = 0.0
    var last: (time: ContinuousClock.Instant, bytes: Int64, completed: Int)?
  }
  private let state = Mutex(State())

  /// The time over which rates are smoothed, in seconds.
  private static let smoothing = 3.0

  /// Begins a stage.
  func begin(_ stage: MappingStage, total: Int) {
    state.withLock { state in
      state.stage = stage
      state.completed = 0
      state.total = total
      state.unitsPerSecond = 0
      state.bytesPerSecond = 0
      state.last = nil
    }
  }

  /// The listing is complete; what it found is still being loaded.
  func continueLoading() { state.withLock { $0.stage = .loading } }

  func add(total: Int) { state.withLock { $0.total += total } }

  func complete(_ count: Int = 1) { state.withLock { $0.completed += count } }

  func setCompleted(_ count: Int) { state.withLock { $0.completed = count } }

  /// The state of things, at most a few times a second so that the rates mean something.
  func sample(
    bytes: Int64, counts: ImageCollection.Counts, interruption: StorageInterruption? = nil
  ) -> MappingProgress {
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
        stage: state.stage, completed: state.completed, total: state.total, images: counts.ready,
        leftOut: counts.leftOut, otherFiles: counts.otherFiles, bytes: bytes,
        bytesPerSecond: isLoading ? state.bytesPerSecond : 0,
        secondsLeft: state.stage != .listing && state.unitsPerSecond > 0 && left > 0
          ? Double(left) / state.unitsPerSecond : nil, interruption: interruption)
    }
  }
}
