import Dispatch
import Foundation
import Synchronization

/// Asks the main thread for a sign of life, again and again, and keeps the longest time it took.
final class PauseWatch: Sendable {
  private let longest = Mutex(0.0)
  private let isStopped = Mutex(false)

  /// Begins to watch.
  /// - Parameters:
  ///   - threshold: in seconds.
  ///   - onPause: called for each pause beyond it, on the watch's own thread: its seconds, and the end in seconds of the
  ///     monotonic clock.
  init(threshold: Double = .infinity, onPause: (@Sendable (_ seconds: Double, _ end: Double) -> Void)? = nil) {
    Thread.detachNewThread { [self] in
      while !isStopped.withLock({ $0 }) {
        let answered = DispatchSemaphore(value: 0)
        let asked = DispatchTime.now().uptimeNanoseconds
        DispatchQueue.main.async { answered.signal() }
        answered.wait()
        let end = DispatchTime.now().uptimeNanoseconds
        let waited = Double(end - asked) / 1e9
        longest.withLock { $0 = max($0, waited) }
        if waited > threshold { onPause?(waited, Double(end) / 1e9) }
        usleep(2000)
      }
    }
  }

  /// Ends the watch; the longest time in seconds.
  func stop() -> Double {
    isStopped.withLock { $0 = true }
    return longest.withLock { $0 }
  }
}
