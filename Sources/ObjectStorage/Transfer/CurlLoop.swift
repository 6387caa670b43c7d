import CCurl
import Foundation

/// curl's multi handle driven by epoll: what a turn costs depends on the sockets that have something to say, not on how
/// many there are.
///
/// Belongs to the network thread, but for `wake`.
final class CurlLoop: @unchecked Sendable {  // `wake` writes to a descriptor that lives as long as this; see above.
  let multi: UnsafeMutableRawPointer
  /// TLS sessions, for all easy handles: a second connection skips half of the greeting.
  let share: UnsafeMutableRawPointer

  private let poller: Int32
  private let bell: Int32
  /// When curl wants to be called, in nanoseconds of the monotonic clock.
  private var deadline: UInt64?

  private static let eventsAtOnce = 128

  /// - Parameter connections: Kept open at one time; the default closes warm ones.
  init?(connections: Int) {
    guard let multi = curl_multi_init() else { return nil }
    guard let share = curl_share_init() else {
      curl_multi_cleanup(multi)
      return nil
    }
    self.multi = multi
    self.share = share
    poller = epoll_create1(Int32(EPOLL_CLOEXEC))
    bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    guard poller >= 0, bell >= 0 else { return nil }
    CCurl_share(share, CURL_LOCK_DATA_SSL_SESSION)
    CCurl_multiSetLong(multi, CURLMOPT_MAXCONNECTS, connections)
    CCurl_multiSetLong(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
    var event = epoll_event()
    event.events = EPOLLIN.rawValue
    event.data.fd = bell
    epoll_ctl(poller, EPOLL_CTL_ADD, bell, &event)
    // curl calls back only from within this object's methods.
    CCurl_multiSetCallbacks(
      multi,
      { _, socket, what, context, _ in
        CurlLoop.from(context)?.watch(socket, what)
        return 0
      },
      { _, milliseconds, context in
        CurlLoop.from(context)?.setTimer(milliseconds)
        return 0
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  deinit {
    CCurl_multiSetCallbacks(multi, nil, nil, nil)
    curl_multi_cleanup(multi)
    curl_share_cleanup(share)
    if poller >= 0 { close(poller) }
    if bell >= 0 { close(bell) }
  }

  private static func from(_ context: UnsafeMutableRawPointer?) -> CurlLoop? {
    context.map { Unmanaged<CurlLoop>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Ends the network thread's sleep, or its next one. From any thread.
  func wake() {
    var one: UInt64 = 1
    _ = write(bell, &one, 8)
  }

  /// Sleeps until there is something to do, and lets curl do it.
  func turn() {
    withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.eventsAtOnce) { events in
      let count = epoll_wait(poller, events.baseAddress, Int32(events.count), timeout)
      var running: Int32 = 0
      for index in 0..<max(0, Int(count)) {
        let event = events[index]
        if event.data.fd == bell {
          var count: UInt64 = 0
          _ = read(bell, &count, 8)
          continue
        }
        var what: Int32 = 0
        if event.events & EPOLLIN.rawValue != 0 { what |= CURL_CSELECT_IN }
        if event.events & EPOLLOUT.rawValue != 0 { what |= CURL_CSELECT_OUT }
        if event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { what |= CURL_CSELECT_ERR }
        curl_multi_socket_action(multi, event.data.fd, what, &running)
      }
      if let deadline, deadline <= Self.now {
        self.deadline = nil
        curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
      }
    }
  }

  private var timeout: Int32 {
    guard let deadline else { return -1 }
    let now = Self.now
    return deadline <= now ? 0 : Int32(clamping: (deadline - now + 999_999) / 1_000_000)
  }

  private static var now: UInt64 { monotonicNanoseconds() }

  private func setTimer(_ milliseconds: Int) {
    deadline = milliseconds < 0 ? nil : Self.now + UInt64(milliseconds) * 1_000_000
  }

  private func watch(_ socket: Int32, _ what: Int32) {
    var event = epoll_event()
    event.data.fd = socket
    switch what {
    case CURL_POLL_IN: event.events = EPOLLIN.rawValue
    case CURL_POLL_OUT: event.events = EPOLLOUT.rawValue
    case CURL_POLL_INOUT: event.events = EPOLLIN.rawValue | EPOLLOUT.rawValue
    default:
      // Fails when the socket is closed already, which took it out too.
      epoll_ctl(poller, EPOLL_CTL_DEL, socket, &event)
      return
    }
    if epoll_ctl(poller, EPOLL_CTL_ADD, socket, &event) != 0, errno == EEXIST {
      epoll_ctl(poller, EPOLL_CTL_MOD, socket, &event)
    }
  }
}

private func monotonicNanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
