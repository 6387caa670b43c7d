/// One question to the server, as often as it takes.
struct StorageRequest: Sendable {
  var template: HTTPRequest
  var operation: RequestContext.Operation
  var query: CanonicalQuery
  var payloadHash: String
  /// Sent and signed, besides those of every request.
  var headers: [(name: String, value: String)]
  /// Answers besides 2xx that are no failures.
  var statuses: Set<Int> = []
  /// Whether what came of an answer that broke off is all that is wanted.
  var isEnough: (@Sendable (HTTPResponse) -> Bool)?
  /// Whether a successful answer, of which the body may be cut, is one that no S3 server gives to this: a web page of
  /// somebody on the way.
  var isForeign: (@Sendable (HTTPResponse) -> Bool)?
  /// Whether it waits while nothing gets through; otherwise it fails then.
  var waitsOut = true

  init(
    _ template: HTTPRequest, _ operation: RequestContext.Operation, query: CanonicalQuery = .empty,
    payloadHash: String = Digest.ofNothing, headers: [(name: String, value: String)] = []
  ) {
    self.template = template
    self.operation = operation
    self.query = query
    self.payloadHash = payloadHash
    self.headers = headers
  }
}

/// What has been tried for one question.
struct StorageAttempts: Sendable {
  var retries = RetryState()
  /// What was corrected: each kind helps once.
  var corrections: Set<String> = []
  /// When it failed first.
  var firstFailure: ContinuousClock.Instant?
  /// How many requests of the store had succeeded when it failed last.
  var successesAtFailure: Int?
  /// How often it has waited for better weather, together with all others.
  var outages = 0
}

/// How a request succeeded.
enum StorageSuccess: Sendable {
  case response(HTTPResponse)
  case rejected(head: [UInt8])
  case tooLarge(size: Int64)
}

/// What one attempt brought.
enum StorageStep: Sendable {
  case success(StorageSuccess)
  /// It failed, and it is time to try again; what there was of the answer.
  case again(partial: HTTPResponse?)
}
