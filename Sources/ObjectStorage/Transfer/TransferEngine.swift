import CCurl
import Foundation
import Synchronization

/// Transfers by libcurl's multi interface: one thread, one multi handle, easy handles used again and again, their
/// connections kept open. How many run at one time follows what the server can do.
///
/// The thread ends with the engine.
final class TransferEngine: Sendable {
  private let mailbox: Mailbox
  private let grant: DescriptorLimit.Grant
  /// Connections opened until now.
  let connectionsOpened = Atomic(0)
  /// The most transfers that ever ran at one time.
  let peakTransfers = Atomic(0)

  /// - Parameters:
  ///   - connections: Transfers at one time, at most.
  ///   - certificateAuthorities: A file of trusted certificates; nil for the system's.
  ///   - stallSeconds: A server that sends nothing for so long has stalled.
  ///   - proxies: Which way leads to a server.
  init(
    connections: Int, certificateAuthorities: String?, stallSeconds: Int = 20, proxies: ProxySettings
  ) throws(StorageError) {
    _ = globalInitialization
    grant = DescriptorLimit.connections(wanted: connections)
    let connections = grant.connections
    guard let loop = CurlLoop(connections: connections) else {
      throw StorageError(.configuration, "libcurl could not be started.")
    }
    let mailbox = Mailbox(loop)
    self.mailbox = mailbox
    let share = loop.share
    let worker = TransferWorker(mailbox: mailbox, loop: loop, connections: connections) {
      EasyHandle(
        certificateAuthorities: certificateAuthorities, stallSeconds: stallSeconds, proxies: proxies, share: share)
    }
    let thread = Thread { [weak self] in
      worker.run { opened, running in
        self?.connectionsOpened.wrappingAdd(opened, ordering: .relaxed)
        self?.peakTransfers.max(running, ordering: .relaxed)
      }
    }
    thread.name = "network"
    thread.stackSize = 1 << 20
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

/// What other threads tell the network thread.
private final class Mailbox: Sendable {
  struct Contents {
    var submitted: [Transfer] = []
    var hasCancellations = false
    var isClosed = false
    /// Whether the network thread sleeps, or is about to, and has to be woken.
    var isAsleep = false
  }

  private let contents = Mutex(Contents())
  private let loop: CurlLoop

  init(_ loop: CurlLoop) { self.loop = loop }

  func post(_ change: (inout Contents) -> Void) {
    let wakes = contents.withLock { contents in
      change(&contents)
      defer { contents.isAsleep = false }
      return contents.isAsleep
    }
    if wakes { loop.wake() }
  }

  func empty() -> Contents {
    contents.withLock { contents in
      defer {
        contents.submitted = []
        contents.hasCancellations = false
      }
      contents.isAsleep = false
      return contents
    }
  }

  /// Whether there is nothing to read; whatever is posted from now on wakes.
  func sleeps() -> Bool {
    contents.withLock { contents in
      guard contents.submitted.isEmpty, !contents.hasCancellations, !contents.isClosed else { return false }
      contents.isAsleep = true
      return true
    }
  }
}

/// The network thread. Made on another thread, then touched by its own alone.
private final class TransferWorker: @unchecked Sendable {  // Handed over once, before its thread starts.
  private let mailbox: Mailbox
  private let loop: CurlLoop
  private let newHandle: () -> EasyHandle?
  private var free: [EasyHandle] = []
  private var active: [UnsafeMutableRawPointer: EasyHandle] = [:]
  private var urgent = FirstInFirstOut<Transfer>()
  private var ordinary = FirstInFirstOut<Transfer>()
  private var control: ConcurrencyControl

  init(mailbox: Mailbox, loop: CurlLoop, connections: Int, newHandle: @escaping () -> EasyHandle?) {
    self.mailbox = mailbox
    self.loop = loop
    self.newHandle = newHandle
    control = ConcurrencyControl(maximum: connections)
  }

  /// - Parameter report: Told of connections opened, and of transfers at one time.
  func run(report: (Int, Int) -> Void) {
    blockBrokenPipeSignal()
    while true {
      let mail = mailbox.empty()
      for transfer in mail.submitted {
        if transfer.request.isUrgent { urgent.append(transfer) } else { ordinary.append(transfer) }
      }
      if mail.hasCancellations || mail.isClosed { dropUnwanted(all: mail.isClosed) }
      if mail.isClosed {
        free = []
        return
      }
      startWaiting()
      let running = active.count
      guard mailbox.sleeps() else { continue }
      loop.turn()
      let opened = collectFinished()
      if running > 0 { report(opened, running) }
    }
  }

  /// OpenSSL writes without MSG_NOSIGNAL: a server that hangs up would end the program. Blocked for this thread alone, as
  /// the signal goes to the thread that writes.
  private func blockBrokenPipeSignal() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  private func startWaiting() {
    while active.count < control.limit {
      guard let transfer = urgent.popFirst() ?? ordinary.popFirst() else {
        control.starve()
        return
      }
      // Cancelled while it waited.
      if transfer.answer.isAnswered { continue }
      guard let handle = free.popLast() ?? newHandle() else {
        transfer.answer.answer(
          .success(.failed(TransferFailure(cause: .other, detail: "libcurl is out of memory"), partial: nil)))
        continue
      }
      handle.prepare(transfer)
      active[handle.pointer] = handle
      curl_multi_add_handle(loop.multi, handle.pointer)
    }
  }

  /// - Returns: How many connections were opened for what has finished.
  private func collectFinished() -> Int {
    var remaining: Int32 = 0
    var opened = 0
    let time = ProcessInfo.processInfo.systemUptime
    while let message = curl_multi_info_read(loop.multi, &remaining) {
      guard message.pointee.msg == CURLMSG_DONE, let handle = active[message.pointee.easy_handle] else { continue }
      let code = CCurl_result(message)
      opened += handle.connectionsOpened
      if let transfer = handle.transfer { learn(from: transfer, code, time) }
      remove(handle)
      handle.finish(code)
    }
    return opened
  }

  private func learn(from transfer: Transfer, _ code: CURLcode, _ time: Double) {
    switch code {
    case CURLE_OK:
      switch transfer.response.status {
      case 200..<300: control.succeed(bytes: Int(transfer.bytesReceived), time: time)
      case 429, 503: control.refuse(time: time)
      default: break
      }
    case CURLE_OPERATION_TIMEDOUT, CURLE_COULDNT_CONNECT: control.refuse(time: time)
    default: break
    }
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
    curl_multi_remove_handle(loop.multi, handle.pointer)
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
