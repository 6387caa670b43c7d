import Collection
import ObjectStorage
import Synchronization

/// Counts what a job has done and estimates how long the rest takes.
final class ProgressMeter: Sendable {
  private struct State {
    var stage = MappingStage.listing
    /// What this job did.
    var completed = 0
    /// What was done before it: counted, but no measure of its speed.
    var known = 0
    /// All, with what is known.
    var total = 0
    var bytesPerSecond = 0.0
    var unitsPerSecond = 0.0
    var begun = ContinuousClock.now
    var last: (time: ContinuousClock.Instant, bytes: Int64, completed: Int)?
  }
  private let state = Mutex(State())

  /// The time over which rates are smoothed, in seconds.
  private static let smoothing = 3.0
  /// The time at the beginning of a stage in which nothing can be said about its end.
  private static let silence = Duration.seconds(1.5)

  /// Begins a stage. `known` of the `total` were done before.
  func begin(_ stage: MappingStage, total: Int, known: Int = 0) {
    state.withLock { state in
      state.stage = stage
      state.completed = 0
      state.known = known
      state.total = total
      state.unitsPerSecond = 0
      state.bytesPerSecond = 0
      state.last = nil
      state.begun = .now
    }
  }

  /// The listing is complete; what it found is still being loaded.
  func continueLoading() { state.withLock { $0.stage = .loading } }

  /// There are `total` more, of which `known` are done already.
  func add(total: Int, known: Int) {
    state.withLock { state in
      state.total += total
      state.known += known
    }
  }

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
      let left = state.total - state.known - state.completed
      let isLoading = state.stage == .listing || state.stage == .loading
      return MappingProgress(
        stage: state.stage, completed: min(state.total, state.known + state.completed), total: state.total,
        known: state.known, images: counts.ready, leftOut: counts.leftOut, otherFiles: counts.otherFiles, bytes: bytes,
        bytesPerSecond: isLoading ? state.bytesPerSecond : 0,
        secondsLeft: state.stage != .listing && state.unitsPerSecond > 0 && left > 0
          && now - state.begun > Self.silence
          ? Double(left) / state.unitsPerSecond : nil, interruption: interruption)
    }
  }
}
