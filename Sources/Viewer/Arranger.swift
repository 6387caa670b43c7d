import Arrangements
import Dispatch
import Numerics
import Scene

/// Computes arrangements in the background, one at a time; a newer request ends the older one.
@MainActor final class Arranger {
  private let queue = DispatchQueue(label: "arrangement", qos: .utility)
  private var running: CancellationToken?

  /// Whether there is something to wait for.
  var isRunning: Bool { running != nil }

  /// Computes what is asked for; `done` gets it on the main thread, unless something else is asked for before.
  func compute(_ request: ArrangementRequest, done: @escaping @MainActor (Arrangement) -> Void) {
    cancel()
    let token = CancellationToken()
    running = token
    queue.async {
      guard let arrangement = try? request.computed(isCancelled: { token.isCancelled }) else { return }
      DispatchQueue.main.async {
        MainActor.assumeIsolated { [weak self] in
          guard let self, running === token else { return }
          running = nil
          done(arrangement)
        }
      }
    }
  }

  /// Ends what is being computed.
  func cancel() {
    running?.cancel()
    running = nil
  }
}

// Arrangements in the window.
extension Application {
  /// Whether the arrangement that is wanted is not there yet.
  var isArranging: Bool { arranger.isRunning }

  /// Has computed what the scene wants.
  func arrange() {
    arranger.cancel()
    if let request = map.scene.arrangementRequest {
      arranger.compute(request) { [weak self] arrangement in
        self?.map.send(.arranged(arrangement, request.mode, version: request.version))
        self?.updateStatus()
      }
    }
    updateStatus()
  }
}
