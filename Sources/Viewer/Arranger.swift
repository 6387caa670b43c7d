import Arrangements
import Dispatch
import Scene
import Synchronization

/// Computes arrangements in the background, one at a time; a newer request ends the older one.
@MainActor final class Arranger {
  /// Told to end.
  private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
  }

  private let queue = DispatchQueue(label: "arrangement", qos: .utility)
  private var running: Flag?

  /// Whether there is something to wait for.
  var isRunning: Bool { running != nil }

  /// Computes what is asked for; `done` gets it on the main thread, unless something else is asked for before.
  func compute(_ request: ArrangementRequest, done: @escaping @MainActor (Arrangement) -> Void) {
    cancel()
    let flag = Flag()
    running = flag
    queue.async {
      guard let arrangement = try? request.computed(isCancelled: { flag.isSet }) else { return }
      DispatchQueue.main.async {
        MainActor.assumeIsolated { [weak self] in
          guard let self, running === flag else { return }
          running = nil
          done(arrangement)
        }
      }
    }
  }

  /// Ends what is being computed.
  func cancel() {
    running?.set()
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
