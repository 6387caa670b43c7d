import CCurl

/// One transfer: a request on its way, and who waits for it. After its submission only the network thread touches the
/// mutable parts.
final class Transfer: @unchecked Sendable {  // `answer` is safe by itself; all else belongs to the network thread.
  let request: HTTPRequest
  let answer = OneShot<TransferOutcome>()

  fileprivate(set) var response = HTTPResponse()
  fileprivate var bytesReceived: Int64 = 0
  fileprivate var headerBytes = 0
  fileprivate var hasWholeHeader = false
  fileprivate var isJudged: Bool
  fileprivate(set) var isDraining = false
  fileprivate var bodyPosition = 0
  /// Set where a callback ended the transfer on purpose.
  fileprivate(set) var verdict: TransferOutcome?

  init(_ request: HTTPRequest) {
    self.request = request
    isJudged = request.accept == nil
  }

  /// Error messages longer than this are cut.
  private static let maximumErrorBytes = 64 << 10
  /// More headers than this are ignored.
  private static let maximumHeaderBytes = 64 << 10
  /// The rest of a refused object up to this size is received and thrown away: cheaper than a new connection.
  private static let drainedBytes: Int64 = 128 << 10
  /// What `accept` sees at least.
  private static let headBytes = 32

  fileprivate func receive(header line: UnsafeRawBufferPointer) {
    let text = String(decoding: line, as: UTF8.self).trimmed()
    if text.hasPrefix("HTTP/") {
      // A new answer: the one before was “100 Continue”, a proxy's, or from a connection that had gone stale.
      response = HTTPResponse()
      headerBytes = 0
      hasWholeHeader = false
      response.status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      return
    }
    if text.isEmpty { hasWholeHeader = true }
    headerBytes += line.count
    guard headerBytes <= Self.maximumHeaderBytes, let colon = text.firstIndex(of: ":") else { return }
    response.headers.append((text[..<colon].lowercased(), text[text.index(after: colon)...].trimmed()))
  }

  /// - Returns: Whether the transfer shall go on.
  fileprivate func receive(body bytes: UnsafeRawBufferPointer) -> Bool {
    guard response.isSuccess else {
      response.body.append(contentsOf: bytes.prefix(Self.maximumErrorBytes - response.body.count))
      return true
    }
    let length = response.contentLength
    if let limit = request.maximumBodyBytes, max(length ?? 0, bytesReceived + Int64(bytes.count)) > limit {
      verdict = .tooLarge(size: length ?? bytesReceived + Int64(bytes.count))
      return false
    }
    if bytesReceived == 0, let length { response.body.reserveCapacity(Int(min(length, 64 << 20))) }
    bytesReceived += Int64(bytes.count)
    request.received?(bytes.count)
    if isDraining { return true }
    response.body.append(contentsOf: bytes)
    guard !isJudged, response.body.count >= Self.headBytes else { return true }
    if isAccepted() { return true }
    answer.answer(.success(.rejected(head: response.body)))
    guard let length, length - bytesReceived <= Self.drainedBytes else {
      verdict = .rejected(head: response.body)
      return false
    }
    isDraining = true
    response.body = []
    return true
  }

  private func isAccepted() -> Bool {
    isJudged = true
    guard let accept = request.accept else { return true }
    return response.body.withUnsafeBytes(accept)
  }

  fileprivate func send(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, request.body.count - bodyPosition)
    buffer.copyBytes(from: request.body[bodyPosition..<bodyPosition + count])
    bodyPosition += count
    return count
  }

  fileprivate func moveBody(to position: Int64) -> Bool {
    guard (0...Int64(request.body.count)).contains(position) else { return false }
    bodyPosition = Int(position)
    return true
  }

  /// The end, as curl tells it.
  fileprivate func finish(_ code: CURLcode, detail: String) {
    if let verdict {
      answer.answer(.success(verdict))
    } else if code != CURLE_OK {
      answer.answer(.success(.failed(TransferFailure(code, detail: detail))))
    } else if !hasWholeHeader {
      // To curl this is an answer without a body.
      answer.answer(.success(.failed(TransferFailure(cause: .interrupted, detail: "the answer ends in its header"))))
    } else if response.isSuccess, !isJudged, !isAccepted() {
      answer.answer(.success(.rejected(head: response.body)))
    } else {
      answer.answer(.success(.response(response)))
    }
  }
}

/// One of curl's easy handles, used for one transfer after the other. Belongs to the network thread.
final class EasyHandle {
  let pointer: UnsafeMutableRawPointer
  private(set) var transfer: Transfer?
  private var headerList: UnsafeMutablePointer<curl_slist>?
  private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

  /// A server that sends nothing for so long has stalled.
  private static let stallSeconds = 30
  private static let connectMilliseconds = 5000

  /// - Parameter certificateAuthorities: A file of trusted certificates; nil for the system's.
  init?(certificateAuthorities: String?) {
    guard let pointer = curl_easy_init() else { return nil }
    self.pointer = pointer
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    setLong(CURLOPT_NOSIGNAL, 1)
    setLong(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    setLong(CURLOPT_BUFFERSIZE, 256 << 10)
    setLong(CURLOPT_UPLOAD_BUFFERSIZE, 256 << 10)
    setLong(CURLOPT_PATH_AS_IS, 1)
    setLong(CURLOPT_FOLLOWLOCATION, 0)
    setLong(CURLOPT_CONNECTTIMEOUT_MS, Self.connectMilliseconds)
    setLong(CURLOPT_LOW_SPEED_LIMIT, 1)
    setLong(CURLOPT_LOW_SPEED_TIME, Self.stallSeconds)
    setLong(CURLOPT_DNS_SHUFFLE_ADDRESSES, 1)
    setLong(CURLOPT_TCP_KEEPALIVE, 1)
    setLong(CURLOPT_QUICK_EXIT, 1)
    CCurl_setText(pointer, CURLOPT_PROTOCOLS_STR, "http,https")
    CCurl_setText(pointer, CURLOPT_USERAGENT, "s3totsne")
    if let certificateAuthorities { CCurl_setText(pointer, CURLOPT_CAINFO, certificateAuthorities) }
    CCurl_setPointer(pointer, CURLOPT_ERRORBUFFER, errorText)
    // The handle outlives its transfers, and curl calls back only from curl_multi_perform while one is added.
    let context = Unmanaged.passUnretained(self).toOpaque()
    CCurl_setPointer(pointer, CURLOPT_PRIVATE, context)
    CCurl_setPointer(pointer, CURLOPT_HEADERDATA, context)
    CCurl_setPointer(pointer, CURLOPT_WRITEDATA, context)
    CCurl_setPointer(pointer, CURLOPT_READDATA, context)
    CCurl_setPointer(pointer, CURLOPT_SEEKDATA, context)
    CCurl_setTake(pointer, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
      EasyHandle.transfer(context)?.receive(header: UnsafeRawBufferPointer(start: bytes, count: size * count))
      return size * count
    }
    CCurl_setTake(pointer, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
      let buffer = UnsafeRawBufferPointer(start: bytes, count: size * count)
      guard let transfer = EasyHandle.transfer(context), transfer.receive(body: buffer) else { return 0 }
      return buffer.count
    }
    CCurl_setTake(pointer, CURLOPT_READFUNCTION) { bytes, size, count, context in
      EasyHandle.transfer(context)?.send(into: UnsafeMutableRawBufferPointer(start: bytes, count: size * count)) ?? 0
    }
    CCurl_setSeek(pointer) { context, offset, origin in
      guard origin == SEEK_SET, EasyHandle.transfer(context)?.moveBody(to: Int64(offset)) == true else {
        return CURL_SEEKFUNC_FAIL
      }
      return CURL_SEEKFUNC_OK
    }
  }

  deinit {
    curl_easy_cleanup(pointer)
    curl_slist_free_all(headerList)
    errorText.deallocate()
  }

  private static func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer? {
    guard let context else { return nil }
    return Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue().transfer
  }

  private func setLong(_ option: CURLoption, _ value: Int) { CCurl_setLong(pointer, option, value) }

  /// Makes the handle ready for the transfer; it then has to be added to the multi handle.
  func prepare(_ transfer: Transfer) {
    self.transfer = transfer
    errorText[0] = 0
    let request = transfer.request
    CCurl_setText(pointer, CURLOPT_URL, request.url)
    // Handles are used again: what one request said must not stay.
    CCurl_setText(pointer, CURLOPT_CUSTOMREQUEST, request.method == .delete ? request.method.rawValue : nil)
    switch request.method {
    case .get, .delete: setLong(CURLOPT_HTTPGET, 1)
    case .put:
      setLong(CURLOPT_UPLOAD, 1)
      CCurl_setOffset(pointer, CURLOPT_INFILESIZE_LARGE, curl_off_t(request.body.count))
    }
    // Without “Expect”, which costs a second where a server does not know it.
    var list: UnsafeMutablePointer<curl_slist>?
    for line in request.headers() + ["Expect:"] { list = curl_slist_append(list, line) }
    CCurl_setList(pointer, CURLOPT_HTTPHEADER, list)
    curl_slist_free_all(headerList)
    headerList = list
  }

  /// Tells who waits how the transfer ended; the handle has been removed from the multi handle.
  func finish(_ code: CURLcode) {
    transfer?.finish(
      code, detail: errorText[0] == 0 ? String(cString: curl_easy_strerror(code)) : String(cString: errorText))
    transfer = nil
  }

  /// Forgets a transfer for which nobody waits any more.
  func abandon() { transfer = nil }
}

extension StringProtocol {
  fileprivate func trimmed() -> String {
    let start = drop { $0.isWhitespace }
    return String(start.prefix(upTo: start.lastIndex { !$0.isWhitespace }.map(start.index(after:)) ?? start.startIndex))
  }
}

extension TransferFailure {
  init(_ code: CURLcode, detail: String) {
    self.detail = detail
    cause =
      switch code {
      case CURLE_COULDNT_RESOLVE_HOST: .unknownHost
      case CURLE_COULDNT_CONNECT: .noConnection
      case CURLE_OPERATION_TIMEDOUT: .timedOut
      case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_SEND_FAIL_REWIND:
        .interrupted
      case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH: .untrustedCertificate
      case CURLE_SSL_CACERT_BADFILE: .certificateFile
      case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_SSL_CERTPROBLEM: .noEncryption
      case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING: .notHTTP
      case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY: .proxy
      default: .other
      }
  }
}
