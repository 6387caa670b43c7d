import Numerics
import Synchronization
import Testing

import struct TestSupport.Computing

@Test("every index runs exactly once, whatever the number of threads", .computing, arguments: [1, 2, 3, 8])
func everyIndexRunsOnce(threads: Int) {
  let pool = ThreadPool(threads: threads)
  for round in 0..<300 {
    let count = round % 37
    let runs = (0..<count).map { _ in Counter() }
    pool.run(count) { index, worker in
      #expect(worker < threads)
      runs[index].value.add(1, ordering: .relaxed)
    }
    #expect(runs.allSatisfy { $0.value.load(ordering: .relaxed) == 1 })
  }
}

private final class Counter: Sendable {
  let value = Atomic(0)
}

@Test("pieces cover the range without gap or overlap", .computing)
func piecesCoverRange() {
  let pool = ThreadPool(threads: 3)
  let seen = (0..<1000).map { _ in Counter() }
  pool.run(over: 1000, pieces: 64) { range, piece, _ in
    #expect(range.lowerBound == piece * 64)
    for i in range { seen[i].value.add(1, ordering: .relaxed) }
  }
  #expect(seen.allSatisfy { $0.value.load(ordering: .relaxed) == 1 })
}

@Test("short loops of changing length, one right after the other, run each index once", .computing)
func loopsInARow() {
  let pool = ThreadPool(threads: 8)
  var counts = [UInt8](repeating: 0, count: 64)
  var wrong = 0
  for loop in 0..<300_000 {
    let count = 2 + loop * 7 % 60
    counts.withUnsafeMutableBufferPointer { counts in
      // Each index is one thread's, and the pool is done with all when it returns.
      nonisolated(unsafe) let counts = counts
      pool.run(count) { index, _ in counts[index] &+= 1 }
    }
    if counts[..<count].contains(where: { $0 != 1 }) || counts[count...].contains(where: { $0 != 0 }) { wrong += 1 }
    for index in counts.indices { counts[index] = 0 }
  }
  #expect(wrong == 0)
}
