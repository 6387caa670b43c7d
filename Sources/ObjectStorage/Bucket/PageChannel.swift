import Synchronization

/// Pages of one folder on their way to whoever puts the folders together again. Who is far ahead waits.
final class PageChannel: Sendable {
  private struct State {
    var pages: [[StoredObject]] = []
    var end: Result<Void, any Error>?
    var isClosed = false
    var sender: CheckedContinuation<Void, Never>?
    var receiver: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())
  /// Pages that are kept until they are wanted.
  static let capacity = 16

  /// - Throws: `CancellationError` when nobody receives any more.
  func send(_ page: [StoredObject]) async throws {
    let receiver = state.withLock { state in
      state.pages.append(page)
      return state.receiver.take()
    }
    receiver?.resume()
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        if state.isClosed || state.pages.count < Self.capacity { return true }
        state.sender = continuation
        return false
      }
      if isFree { continuation.resume() }
    }
    if state.withLock({ $0.isClosed }) { throw CancellationError() }
  }

  func finish(throwing error: (any Error)? = nil) {
    let receiver = state.withLock { state in
      if state.end == nil { state.end = error.map { .failure($0) } ?? .success(()) }
      return state.receiver.take()
    }
    receiver?.resume()
  }

  /// The next page; nil behind the last.
  func next() async throws -> [StoredObject]? {
    while true {
      let (page, end, sender) = state.withLock { state in
        let page = state.pages.isEmpty ? nil : state.pages.removeFirst()
        return (page, state.end, state.sender.take())
      }
      sender?.resume()
      if let page { return page }
      if let end {
        try end.get()
        return nil
      }
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          if !state.pages.isEmpty || state.end != nil { return true }
          state.receiver = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    }
  }

  /// Nobody receives any more.
  func close() {
    let sender = state.withLock { state in
      state.isClosed = true
      state.pages = []
      return state.sender.take()
    }
    sender?.resume()
  }
}

/// At most so many pieces of work at one time; who comes when all places are taken waits, in the order of coming.
final class AsyncLimit: Sendable {
  private struct State {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>

  init(_ places: Int) { state = Mutex(State(free: places)) }

  func run<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
    await withCheckedContinuation { continuation in
      let isIn = state.withLock { state in
        guard state.free > 0 else {
          state.waiting.append(continuation)
          return false
        }
        state.free -= 1
        return true
      }
      if isIn { continuation.resume() }
    }
    defer { leave() }
    try Task.checkCancellation()
    return try await body()
  }

  private func leave() {
    let next: CheckedContinuation<Void, Never>? = state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}
