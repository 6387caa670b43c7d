import Synchronization

/// `RequestCounts`, counted from any thread.
final class RequestCounters: Sendable {
  let list = Atomic(0)
  let get = Atomic(0)
  let put = Atomic(0)
  let retries = Atomic(0)
  let bytesFetched = Atomic<Int64>(0)

  var counts: RequestCounts {
    var counts = RequestCounts()
    counts.list = list.load(ordering: .relaxed)
    counts.get = get.load(ordering: .relaxed)
    counts.put = put.load(ordering: .relaxed)
    counts.retries = retries.load(ordering: .relaxed)
    counts.bytesFetched = bytesFetched.load(ordering: .relaxed)
    return counts
  }
}

extension Atomic where Value == Int {
  func increment() { wrappingAdd(1, ordering: .relaxed) }
}
