import CCurl

/// One transfer: a request on its way, and who waits for it. After its submission only the network thread touches the
/// mutable parts.
final class Transfer: @unchecked Sendable {  // `answer` is safe by itself; all else belongs to the network thread.
  let request: HTTPRequest
  let answer = OneShot<TransferOutcome>()

  private(set) var response = HTTPResponse()
  private(set) var bytesReceived: Int64 = 0
  private var hasWholeHeader = false
  /// Of all answers to this request, those before the last included.
  private var headerBytes = 0
  private var answers = 0
  private var isJudged: Bool
  private(set) var isDraining = false
  private var bodyPosition = 0
  /// The announced length of a successful body.
  private var length: Int64?
  /// Set where a callback ended the transfer on purpose.
  private(set) var verdict: TransferOutcome?

  init(_ request: HTTPRequest) {
    self.request = request
    isJudged = request.accept == nil
  }

  /// Error messages longer than this are cut.
  private static let maximumErrorBytes = 64 << 10
  /// More headers than this end the transfer.
  private static let maximumHeaderBytes = 256 << 10
  /// So many answers such as “100 Continue” before the last are not believed.
  private static let maximumAnswers = 20
  /// The rest of a refused object up to this size is received and thrown away: cheaper than a new connection.
  private static let drainedBytes: Int64 = 128 << 10
  /// Memory is taken for so much of an announced body at once; for more when it comes.
  private static let reservedBytes: Int64 = 8 << 20
  /// What `accept` sees at least.
  static let headBytes = 32

  /// - Returns: Whether the transfer shall go on.
  func receive(header line: UnsafeRawBufferPointer) -> Bool {
    headerBytes += line.count
    guard headerBytes < Self.maximumHeaderBytes else {
      return refuse("more than \(Self.maximumHeaderBytes >> 10) KB of headers")
    }
    if line.starts(with: "HTTP/".utf8) {
      // A new answer: the one before was “100 Continue”, a proxy's, or from a connection that had gone stale.
      response = HTTPResponse()
      response.headerBytes.reserveCapacity(1024)
      hasWholeHeader = false
      answers += 1
      if answers > Self.maximumAnswers { return refuse("one preliminary answer after the other") }
      let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
      response.status = words.count > 1 ? Int(String(decoding: words[1], as: UTF8.self).prefix(3)) ?? 0 : 0
      return true
    }
    if line.allSatisfy({ $0 <= 0x20 }) {
      hasWholeHeader = true
      return true
    }
    response.headerBytes.append(contentsOf: line)
    return true
  }

  private func refuse(_ why: String) -> Bool {
    verdict = .failed(TransferFailure(cause: .notHTTP, detail: why), partial: nil)
    return false
  }

  /// - Returns: Whether the transfer shall go on.
  func receive(body bytes: UnsafeRawBufferPointer) -> Bool {
    guard response.isSuccess else {
      response.body.append(contentsOf: bytes.prefix(Self.maximumErrorBytes - response.body.count))
      return true
    }
    if bytesReceived == 0 { length = response.contentLength }
    if let limit = request.maximumBodyBytes, max(length ?? 0, bytesReceived + Int64(bytes.count)) > limit {
      verdict = .tooLarge(size: length ?? bytesReceived + Int64(bytes.count))
      return false
    }
    if bytesReceived == 0, let length { response.body.reserveCapacity(Int(min(length, Self.reservedBytes))) }
    bytesReceived += Int64(bytes.count)
    request.received?(bytes.count)
    if isDraining { return true }
    response.body.append(contentsOf: bytes)
    guard !isJudged, response.body.count >= Self.headBytes else { return true }
    if isAccepted() { return true }
    answer.answer(.success(.rejected(response)))
    guard let length, length - bytesReceived <= Self.drainedBytes else {
      verdict = .rejected(response)
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

  func send(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, request.body.count - bodyPosition)
    buffer.copyBytes(from: request.body[bodyPosition..<bodyPosition + count])
    bodyPosition += count
    return count
  }

  func moveBody(to position: Int64) -> Bool {
    guard (0...Int64(request.body.count)).contains(position) else { return false }
    bodyPosition = Int(position)
    return true
  }

  /// The end, as curl tells it.
  func finish(_ code: CURLcode, detail: String) {
    if let verdict {
      answer.answer(.success(verdict))
    } else if code != CURLE_OK {
      let isUseful = hasWholeHeader && response.isSuccess && isJudged && !isDraining && !response.body.isEmpty
      answer.answer(
        .success(.failed(TransferFailure(code, detail: detail), partial: isUseful ? response : nil)))
    } else if !hasWholeHeader {
      // To curl this is an answer without a body.
      answer.answer(
        .success(
          .failed(TransferFailure(cause: .interrupted, detail: "the answer ends in its header"), partial: nil)))
    } else if response.isSuccess, !isJudged, !isAccepted() {
      answer.answer(.success(.rejected(response)))
    } else {
      answer.answer(.success(.response(response)))
    }
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
