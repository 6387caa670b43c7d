import Collection
import Dispatch
import Export
import Scene

/// Puts the images of a collection into classes in the background, again and again while images come.
@MainActor final class Labeller {
  private let queue = DispatchQueue(label: "labels", qos: .utility)
  /// Answers to older questions are dropped.
  private var generation = 0
  private var isRunning = false
  /// Whether there is news since the work began.
  private var isStale = false

  /// While images come, the time between two answers is at least this, and so many times as long as one takes.
  private static let leastPause = 1.0
  private static let pauses = 4.0

  /// Makes classes; `done` gets them on the main thread, unless something else is asked for before.
  func compute(_ kind: LabelKind, of collection: ImageCollection, done: @escaping @MainActor (Labelling) -> Void) {
    generation += 1
    let generation = generation
    isRunning = true
    isStale = false
    queue.async {
      let begin = DispatchTime.now().uptimeNanoseconds
      let labelling = Labelling(by: kind, of: LabelledImage.all(of: collection))
      let seconds = Double(DispatchTime.now().uptimeNanoseconds - begin) / 1e9
      DispatchQueue.main.async {
        MainActor.assumeIsolated { [weak self] in
          guard let self, generation == self.generation else { return }
          done(labelling)
          rest(generation, max(Self.leastPause, Self.pauses * seconds)) { [weak self] in
            self?.compute(kind, of: collection, done: done)
          }
        }
      }
    }
  }

  /// After a pause, does it again if there is news by then.
  private func rest(_ generation: Int, _ seconds: Double, again: @escaping @MainActor () -> Void) {
    DispatchQueue.main.asyncAfter(deadline: .now() + seconds) {
      MainActor.assumeIsolated { [weak self] in
        guard let self, generation == self.generation else { return }
        isRunning = false
        if isStale { again() }
      }
    }
  }

  /// There is news: whether it has to be asked for anew; otherwise it will be taken in.
  func noteNews() -> Bool {
    isStale = true
    return !isRunning
  }

  /// Answers no more.
  func cancel() {
    generation += 1
    isRunning = false
    isStale = false
  }
}
