import CCurl
import Foundation
import Synchronization

/// Transfers by libcurl's multi interface: one thread, one multi handle, a fixed number of easy handles used again and
/// again, their connections kept open.
///
/// The thread ends with the engine.
final class TransferEngine: Sendable {
  private let mailbox: Mailbox

  /// - Parameters:
  ///   - connections: Transfers at one time.
  ///   - certificateAuthorities: A file of trusted certificates; nil for the system's.
  init(connections: Int, certificateAuthorities: String?) throws(StorageError) {
    _ = globalInitialization
    guard let multi = MultiHandle(connections: connections) else {
      throw StorageError(.configuration, "libcurl could not be started.")
    }
    let mailbox = Mailbox(multi)
    var handles: [EasyHandle] = []
    for _ in 0..<connections {
      guard let handle = EasyHandle(certificateAuthorities: certificateAuthorities) else {
        throw StorageError(.configuration, "libcurl could not be started.")
      }
      handles.append(handle)
    }
    let worker = TransferWorker(mailbox: mailbox, handles: handles)
    let thread = Thread { worker.run() }
    thread.name = "network"
    thread.stackSize = 1 << 20
    self.mailbox = mailbox
    thread.start()
  }

  deinit { mailbox.post { $0.isClosed = true } }

  /// Sends the request as soon as a connection is free.
  /// - Throws: `CancellationError` alone, and at once when the task is cancelled.
  func perform(_ request: HTTPRequest) async throws -> TransferOutcome {
    let transfer = Transfer(request)
    return try await withTaskCancellationHandler {
      mailbox.post { $0.submitted.append(transfer) }
      return try await transfer.answer.value()
    } onCancel: {
      transfer.answer.answer(.failure(CancellationError()))
      mailbox.post { $0.hasCancellations = true }
    }
  }
}

private let globalInitialization: CURLcode = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

/// curl's multi handle.
private final class MultiHandle: @unchecked Sendable {  // Only curl_multi_wakeup, which is made for it, is called from other threads.
  let pointer: UnsafeMutableRawPointer

  init?(connections: Int) {
    guard let pointer = curl_multi_init() else { return nil }
    self.pointer = pointer
    // The default keeps fewer connections than there are transfers, and so closes warm ones.
    CCurl_multiSetLong(pointer, CURLMOPT_MAXCONNECTS, connections)
    CCurl_multiSetLong(pointer, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
  }

  deinit { curl_multi_cleanup(pointer) }
}

/// What other threads tell the network thread.
private final class Mailbox: Sendable {
  struct Contents {
    var submitted: [Transfer] = []
    var hasCancellations = false
    var isClosed = false
  }

  let multi: MultiHandle
  private let contents = Mutex(Contents())

  init(_ multi: MultiHandle) { self.multi = multi }

  func post(_ change: (inout Contents) -> Void) {
    contents.withLock { change(&$0) }
    curl_multi_wakeup(multi.pointer)
  }

  func empty() -> Contents {
    contents.withLock { contents in
      defer {
        contents.submitted = []
        contents.hasCancellations = false
      }
      return contents
    }
  }
}

/// The network thread. Made on another thread, then touched by its own alone.
private final class TransferWorker: @unchecked Sendable {  // Handed over once, before its thread starts.
  private let mailbox: Mailbox
  private var free: [EasyHandle]
  private var active: [UnsafeMutableRawPointer: EasyHandle] = [:]
  private var urgent = FirstInFirstOut<Transfer>()
  private var ordinary = FirstInFirstOut<Transfer>()

  /// How long the thread sleeps with nothing to do; a posted message wakes it at once.
  private static let idleMilliseconds: Int32 = 600_000

  private var multi: UnsafeMutableRawPointer { mailbox.multi.pointer }

  init(mailbox: Mailbox, handles: [EasyHandle]) {
    self.mailbox = mailbox
    free = handles
  }

  func run() {
    while true {
      let mail = mailbox.empty()
      for transfer in mail.submitted {
        if transfer.request.isUrgent { urgent.append(transfer) } else { ordinary.append(transfer) }
      }
      if mail.hasCancellations || mail.isClosed { dropUnwanted(all: mail.isClosed) }
      if mail.isClosed { return }
      startWaiting()
      var running: Int32 = 0
      curl_multi_perform(multi, &running)
      if collectFinished() { continue }
      curl_multi_poll(multi, nil, 0, Self.idleMilliseconds, nil)
    }
  }

  private func startWaiting() {
    while !free.isEmpty, let transfer = urgent.popFirst() ?? ordinary.popFirst() {
      // Cancelled while it waited.
      if transfer.answer.isAnswered { continue }
      let handle = free.removeLast()
      handle.prepare(transfer)
      active[handle.pointer] = handle
      curl_multi_add_handle(multi, handle.pointer)
    }
  }

  /// - Returns: Whether a handle became free.
  private func collectFinished() -> Bool {
    var remaining: Int32 = 0
    var anything = false
    while let message = curl_multi_info_read(multi, &remaining) {
      guard message.pointee.msg == CURLMSG_DONE, let handle = active[message.pointee.easy_handle] else { continue }
      let code = CCurl_result(message)
      remove(handle)
      handle.finish(code)
      anything = true
    }
    return anything
  }

  /// Ends transfers for which nobody waits; those that only drain a small rest finish by themselves.
  private func dropUnwanted(all: Bool) {
    for handle in Array(active.values) {
      guard let transfer = handle.transfer, all || (transfer.answer.isAnswered && !transfer.isDraining) else {
        continue
      }
      transfer.answer.answer(.failure(CancellationError()))
      remove(handle)
      handle.abandon()
    }
    guard all else { return }
    while let transfer = urgent.popFirst() ?? ordinary.popFirst() {
      transfer.answer.answer(.failure(CancellationError()))
    }
  }

  private func remove(_ handle: EasyHandle) {
    curl_multi_remove_handle(multi, handle.pointer)
    active[handle.pointer] = nil
    free.append(handle)
  }
}

/// A queue in constant time.
private struct FirstInFirstOut<Element> {
  private var elements: [Element?] = []
  private var head = 0

  mutating func append(_ element: Element) { elements.append(element) }

  mutating func popFirst() -> Element? {
    guard head < elements.count else { return nil }
    defer {
      elements[head] = nil
      head += 1
      if head == elements.count || head > 1024 {
        elements.removeFirst(head)
        head = 0
      }
    }
    return elements[head]
  }
}
