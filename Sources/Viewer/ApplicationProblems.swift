import Collection
import Controls
import Dispatch
import ObjectStorage
import Scene

/// Lists what was left out, in the background: of a large collection that takes longer than a frame may.
@MainActor final class ProblemReader {
  private let queue = DispatchQueue(label: "problems", qos: .userInitiated)
  private var isReading = false
  /// What is to be read next; of several only the last one counts.
  private var next: (collection: ImageCollection, answer: @MainActor ([ProblemsPanel.Problem]) -> Void)?
  private var generation = 0

  /// Reads the list and answers on the main thread, unless something else is asked for before or the location is left.
  func read(_ collection: ImageCollection, answer: @escaping @MainActor ([ProblemsPanel.Problem]) -> Void) {
    next = (collection, answer)
    readNext()
  }

  /// Answers to what was asked are no longer wanted.
  func forget() {
    generation += 1
    next = nil
  }

  private func readNext() {
    guard !isReading, let (collection, answer) = next else { return }
    next = nil
    isReading = true
    let generation = generation
    queue.async {
      let problems = collection.leftOutSlots.compactMap { slot -> ProblemsPanel.Problem? in
        guard let entry = collection.entry(slot), case .leftOut(let reason) = entry.state else { return nil }
        return ProblemsPanel.Problem(slot: slot, key: entry.object.key.displayName, reason: reason)
      }
      DispatchQueue.main.async {
        MainActor.assumeIsolated {
          self.isReading = false
          if generation == self.generation { answer(problems) }
          self.readNext()
        }
      }
    }
  }
}

// The list of images that were left out.
extension Application {
  /// Brings the list up to date while it is shown. It closes when a job has ended and nothing is left out any more.
  func refreshProblems() {
    guard problems.isShown, let collection = jobs.collection else { return }
    problemReader.read(collection) { [weak self] list in
      guard let self, problems.isShown else { return }
      problems.problems = list
      if list.isEmpty, !jobs.isRunning { closeProblems() }
      redrawMap()
    }
  }

  func showProblems() {
    guard let collection = jobs.collection else { return }
    guard collection.counts.leftOut > 0 else {
      announcement = "Nothing was left out"
      return updateStatus()
    }
    problemReader.read(collection) { [weak self] list in
      guard let self, !list.isEmpty, !problems.isShown else { return }
      if notes.isShown { closeNotes() }
      closeQuestion()
      map.send(.pointerLeft)
      problems.problems = list
      problems.isShown = true
      layOut()
      group.focus(problems.firstControl)
      updateStatus()
    }
  }

  func closeProblems() {
    problems.isShown = false
    group.focus(nil)
    redrawMap()
    updateStatus()
  }
}
