import CKernels
import Foundation
import Synchronization

/// Threads that stay, for loops of a fraction of a millisecond.
///
/// The threads inherit the priority (nice value) of the thread that makes the pool, so a pool made on a background queue
/// does not slow a window down. The caller of `run` works along and blocks: never call it on Swift's cooperative pool.
/// Results must not depend on which thread runs which index; then they do not depend on the number of threads either.
package final class ThreadPool {
  /// How many threads work, the caller included.
  package let threads: Int
  private let shared = PoolState()
  private var handles: [pthread_t] = []

  package init(threads: Int) {
    self.threads = max(1, threads)
    for worker in stride(from: 1, to: self.threads, by: 1) {
      let seat = Unmanaged.passRetained(PoolSeat(state: shared, worker: worker))
      var handle = pthread_t()
      let failure = pthread_create(&handle, nil, poolThreadMain, seat.toOpaque())
      if failure == 0 {
        handles.append(handle)
      } else {
        seat.release()  // fewer threads do the same work, later
      }
    }
  }

  deinit {
    shared.stop()
    for handle in handles { pthread_join(handle, nil) }
  }

  /// Runs `body(index, worker)` for every index below `count`, at once on all threads, and returns when all are done.
  /// `worker`, below `threads`, numbers the thread, for scratch memory.
  package func run(_ count: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
    if handles.isEmpty || count <= 1 {
      for index in 0..<count { body(index, 0) }
    } else {
      withoutActuallyEscaping(body) { escapable in
        var box = escapable
        withUnsafeMutablePointer(to: &box) { shared.run(count, UnsafeMutableRawPointer($0)) }
      }
    }
  }

  /// Cuts `0..<count` into pieces of `size` (the last one smaller) and runs `body(range, piece, worker)` for each.
  package func run(
    over count: Int, pieces size: Int, _ body: (_ range: Range<Int>, _ piece: Int, _ worker: Int) -> Void
  ) {
    run((count + size - 1) / size) { piece, worker in
      body(piece * size..<min(count, (piece + 1) * size), piece, worker)
    }
  }
}

private typealias PoolBody = (Int, Int) -> Void

private final class PoolSeat {
  let state: PoolState
  let worker: Int
  init(state: PoolState, worker: Int) {
    self.state = state
    self.worker = worker
  }
}

private func poolThreadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  let seat = Unmanaged<PoolSeat>.fromOpaque(argument).takeRetainedValue()
  seat.state.work(seat.worker)
  return nil
}

/// What the threads share. `ticket` holds the number of the loop and how many of its indices are left, so that one
/// compare-and-exchange claims an index of exactly the loop that was looked at. A late thread can claim nothing of a loop
/// that is over, nor of the next one while that is being set up, and nobody waits for threads that sleep.
// @unchecked: all fields are atomics, or the mutex and conditions that guard sleeping.
private final class PoolState: @unchecked Sendable {
  private let ticket = Atomic<UInt64>(0)
  private let total = Atomic<Int>(0)
  private let body = Atomic<UInt>(0)
  private let remaining = Atomic<Int>(0)
  private let sleepers = Atomic<Int>(0)
  private let callerSleeps = Atomic<Bool>(false)
  private let stopped = Atomic<Bool>(false)
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let work = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let done = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// Looks before sleeping: some 20 µs, longer than the gaps between the loops of an iteration.
  private let patience = 400

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(work, nil)
    pthread_cond_init(done, nil)
  }

  deinit {
    pthread_cond_destroy(done)
    pthread_cond_destroy(work)
    pthread_mutex_destroy(mutex)
    done.deallocate()
    work.deallocate()
    mutex.deallocate()
  }

  func run(_ count: Int, _ pointer: UnsafeMutableRawPointer) {
    body.store(UInt(bitPattern: pointer), ordering: .relaxed)
    total.store(count, ordering: .relaxed)
    remaining.store(count, ordering: .relaxed)
    let loop = (ticket.load(ordering: .relaxed) >> 32) &+ 1
    ticket.store(loop << 32 | UInt64(count), ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
      pthread_mutex_lock(mutex)
      pthread_cond_broadcast(work)
      pthread_mutex_unlock(mutex)
    }
    claim(worker: 0)
    var looks = 0
    while remaining.load(ordering: .acquiring) > 0 {
      looks += 1
      if looks < patience {
        ck_pause()
        continue
      }
      pthread_mutex_lock(mutex)
      callerSleeps.store(true, ordering: .sequentiallyConsistent)
      while remaining.load(ordering: .sequentiallyConsistent) > 0 { pthread_cond_wait(done, mutex) }
      callerSleeps.store(false, ordering: .sequentiallyConsistent)
      pthread_mutex_unlock(mutex)
    }
  }

  func work(_ worker: Int) {
    var seen: UInt64 = 0
    while true {
      var looks = 0
      while ticket.load(ordering: .acquiring) >> 32 == seen && !stopped.load(ordering: .relaxed) {
        looks += 1
        if looks < patience {
          ck_pause()
          continue
        }
        pthread_mutex_lock(mutex)
        sleepers.add(1, ordering: .sequentiallyConsistent)
        while ticket.load(ordering: .sequentiallyConsistent) >> 32 == seen
          && !stopped.load(ordering: .sequentiallyConsistent)
        {
          pthread_cond_wait(work, mutex)
        }
        sleepers.subtract(1, ordering: .sequentiallyConsistent)
        pthread_mutex_unlock(mutex)
      }
      if stopped.load(ordering: .sequentiallyConsistent) { return }
      seen = ticket.load(ordering: .acquiring) >> 32
      claim(worker: worker)
    }
  }

  func stop() {
    pthread_mutex_lock(mutex)
    stopped.store(true, ordering: .sequentiallyConsistent)
    pthread_cond_broadcast(work)
    pthread_mutex_unlock(mutex)
  }

  /// Not inlined: the call takes a reference to the closure, which must be given back before `remaining` tells the
  /// caller that nobody uses the closure any more (it checks that none is left).
  @inline(never)
  private static func call(_ body: UnsafeMutablePointer<PoolBody>, _ index: Int, _ worker: Int) {
    body.pointee(index, worker)
  }

  private func claim(worker: Int) {
    var current = ticket.load(ordering: .acquiring)
    while true {
      let left = Int(current & 0xffff_ffff)
      guard left > 0 else { return }
      let (claimed, found) = ticket.compareExchange(
        expected: current, desired: current - 1, ordering: .acquiringAndReleasing)
      guard claimed else {
        current = found
        continue
      }
      // What belongs to the loop is looked at only now: it stays as long as an index is claimed and not done.
      let index = total.load(ordering: .relaxed) - left
      if let raw = UnsafeMutableRawPointer(bitPattern: body.load(ordering: .relaxed)) {
        Self.call(raw.assumingMemoryBound(to: PoolBody.self), index, worker)
      }
      if remaining.subtract(1, ordering: .sequentiallyConsistent).newValue == 0,
        callerSleeps.load(ordering: .sequentiallyConsistent)
      {
        pthread_mutex_lock(mutex)
        pthread_cond_signal(done)
        pthread_mutex_unlock(mutex)
      }
      current = ticket.load(ordering: .acquiring)
    }
  }
}
