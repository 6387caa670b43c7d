import Dispatch
import Foundation
import Glibc
import Synchronization

/// A thread for work that nobody waits for, one piece after another: where others have something to do, they come first. A
/// frame that is drawn on all processors takes as long as the slowest of them.
final class PatientThread: Sendable {
  private let queue = Queue()

  /// How much the thread yields: it gets a tenth of what others do.
  private static let niceness: Int32 = 10

  private final class Queue: Sendable {
    let works = Mutex<[@Sendable () -> Void]>([])
    let count = DispatchSemaphore(value: 0)

    func add(_ work: @escaping @Sendable () -> Void) {
      works.withLock { $0.append(work) }
      count.signal()
    }

    /// Waits for work; nil when there will be none.
    func next() -> (@Sendable () -> Void)? {
      count.wait()
      return works.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }
  }

  /// Starts it.
  init(name: String) {
    let thread = Thread { [queue] in
      // Linux gives every thread a niceness of its own; 0 is the one that asks.
      _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
      while let work = queue.next() { work() }
    }
    thread.name = name
    thread.start()
  }

  deinit { queue.count.signal() }

  /// Has something done, after all that was asked for before.
  func async(_ work: @escaping @Sendable () -> Void) { queue.add(work) }
}
