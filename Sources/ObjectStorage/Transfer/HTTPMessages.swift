/// One HTTP request, ready but for what depends on the moment it is sent.
struct HTTPRequest: Sendable {
  enum Method: String, Sendable {
    case get = "GET"
    case put = "PUT"
    case post = "POST"
    case delete = "DELETE"
  }

  var method = Method.get
  var url: String
  /// Header lines, made on the network thread when the transfer starts: a request may wait longer than a signature lasts.
  var headers: @Sendable () -> [String] = { [] }
  var body: [UInt8] = []
  /// Past any proxy that the environment names: for services of this computer or its platform.
  var isDirect = false
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
  /// The lines of the header as they arrived, each ended by LF, without the first and the empty one.
  var headerBytes: [UInt8] = []
  var body: [UInt8] = []

  var isSuccess: Bool { (200..<300).contains(status) }

  /// The value of the last header of this name.
  /// - Parameter name: In lower case.
  subscript(header name: String) -> String? {
    var found: ArraySlice<UInt8>?
    let wanted = name.utf8
    for line in headerBytes.split(separator: UInt8(ascii: "\n")) where line.count > wanted.count {
      guard line[line.startIndex + wanted.count] == UInt8(ascii: ":"),
        zip(line, wanted).allSatisfy({ ($0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 0x20 : $0) == $1 })
      else { continue }
      found = line[(line.startIndex + wanted.count + 1)...]
    }
    return found.map { value in
      let start = value.drop { $0 <= 0x20 }
      return String(
        decoding: start.prefix((start.lastIndex { $0 > 0x20 } ?? start.startIndex - 1) - start.startIndex + 1),
        as: UTF8.self)
    }
  }

  var contentLength: Int64? { self[header: "content-length"].flatMap { Int64($0) } }

  /// Which bytes of how many came; nil where the server sent the whole.
  var contentRange: ContentRange? { self[header: "content-range"].flatMap { ContentRange($0) } }
}

/// The `Content-Range` of an answer (RFC 9110, 14.4): `bytes 0-4095/20000`, or `bytes */20000` when there is no such range.
struct ContentRange: Hashable, Sendable {
  /// nil when there is no such range.
  var bytes: Range<Int64>?
  /// nil where the server does not know.
  var total: Int64?

  init?(_ text: String) {
    guard text.hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    total = Int64(parts[1])
    guard parts[0] != "*" else { return }
    let ends = parts[0].split(separator: "-")
    guard ends.count == 2, let first = Int64(ends[0]), let last = Int64(ends[1]), first >= 0, last >= first,
      last < .max
    else { return nil }
    bytes = first..<(last + 1)
  }
}

/// How a transfer ended.
enum TransferOutcome: Sendable {
  /// A complete answer, whatever its status.
  case response(HTTPResponse)
  /// `accept` said no: the answer with as much of its body as was seen.
  case rejected(HTTPResponse)
  /// The body is larger than allowed; its size, as far as known.
  case tooLarge(size: Int64)
  /// No complete answer came; what there was of a successful one.
  case failed(TransferFailure, partial: HTTPResponse?)
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
