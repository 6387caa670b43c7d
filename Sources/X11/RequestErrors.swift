internal import CX11
internal import Glibc
internal import Synchronization

/// A request the server refused.
struct RequestError: Hashable, Sendable {
  var code: UInt8
  var request: UInt8
  var minorRequest: UInt8
  var serial: UInt
}

/// Xlib has one error handler in a process and calls it wherever the error is read; what it needs lies here.
private struct ErrorState {
  var isTrapping = false
  var trapped: RequestError?
  /// Errors already told, without their serial numbers, so that each kind is told once.
  var told: Set<RequestError> = []
}

private let errorState = Mutex(ErrorState())

enum RequestErrors {
  /// Errors are recorded while trapped and otherwise told once on standard error; none ends the process.
  static func installHandlers() {
    XSetErrorHandler { display, event in
      guard let event = event?.pointee else { return 0 }
      let error = RequestError(
        code: event.error_code, request: event.request_code, minorRequest: event.minor_code, serial: event.serial)
      let isNews = errorState.withLock { state in
        if state.isTrapping {
          if state.trapped == nil { state.trapped = error }
          return false
        }
        var kind = error
        kind.serial = 0
        return state.told.insert(kind).inserted
      }
      if isNews {
        var text = [CChar](repeating: 0, count: 160)
        XGetErrorText(display, CInt(error.code), &text, CInt(text.count))
        let reason = text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        let line =
          "The X server refused request \(error.request).\(error.minorRequest) (serial \(error.serial)): \(reason)\n"
        let message = Array(("s3totsne: " + line).utf8)
        _ = write(STDERR_FILENO, message, message.count)
      }
      return 0
    }
    // Xlib's own handler prints a message of its own; what a lost display means is decided by `Connection`.
    XSetIOErrorHandler { _ in 0 }
  }

  /// Runs requests, waits until the server has done them, and returns the first error among them.
  @MainActor static func trap(_ display: OpaquePointer, _ requests: () -> Void) -> RequestError? {
    XSync(display, False)
    let before = errorState.withLock { state in
      let before = (state.isTrapping, state.trapped)
      (state.isTrapping, state.trapped) = (true, nil)
      return before
    }
    requests()
    XSync(display, False)
    return errorState.withLock { state in
      let caught = state.trapped
      (state.isTrapping, state.trapped) = before
      return caught
    }
  }
}
