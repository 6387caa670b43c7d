/// One HTTP request, ready but for what depends on the moment it is sent.
struct HTTPRequest: Sendable {
  enum Method: String, Sendable {
    case get = "GET"
    case put = "PUT"
    case delete = "DELETE"
  }

  var method = Method.get
  var url: String
  /// Header lines, made on the network thread when the transfer starts: a request may wait longer than a signature lasts.
  var headers: @Sendable () -> [String] = { [] }
  var body: [UInt8] = []
  /// Someone waits for this: it goes before all that is not urgent.
  var isUrgent = false
  /// A successful body larger than this ends the transfer.
  var maximumBodyBytes: Int64?
  /// As in `ObjectStore.get`; asked for successful answers only.
  var accept: (@Sendable (UnsafeRawBufferPointer) -> Bool)?
  /// Told how many bytes of a successful body arrived, on the network thread.
  var received: (@Sendable (Int) -> Void)?
}

/// What a server answered.
struct HTTPResponse: Sendable {
  var status = 0
  /// In order of arrival, names in lower case.
  var headers: [(name: String, value: String)] = []
  var body: [UInt8] = []

  var isSuccess: Bool { (200..<300).contains(status) }

  subscript(header name: String) -> String? { headers.last(where: { $0.name == name })?.value }

  var contentLength: Int64? { self[header: "content-length"].flatMap { Int64($0) } }
}

/// How a transfer ended.
enum TransferOutcome: Sendable {
  /// A complete answer, whatever its status.
  case response(HTTPResponse)
  /// `accept` said no.
  case rejected(head: [UInt8])
  /// The body is larger than allowed; its size, as far as known.
  case tooLarge(size: Int64)
  case failed(TransferFailure)
}

/// Why no complete answer came.
struct TransferFailure: Sendable, Hashable {
  enum Cause: Sendable, Hashable {
    case unknownHost
    case noConnection
    case timedOut
    /// Broken in the middle, or shorter than announced.
    case interrupted
    case untrustedCertificate
    /// The certificate file cannot be used.
    case certificateFile
    case noEncryption
    /// What answered does not speak HTTP.
    case notHTTP
    case proxy
    case other
  }

  var cause: Cause
  /// The library's words.
  var detail: String
}
