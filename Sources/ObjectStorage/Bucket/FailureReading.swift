import Foundation

/// What was asked of the server, for the sentences of errors.
struct RequestContext: Sendable {
  enum Operation: Sendable {
    case list
    case get(ObjectKey)
    case put(ObjectKey)
  }

  var operation: Operation
  var address: BucketAddress
  var region: String
  /// nil for an anonymous request.
  var signer: RequestSigner?
  /// Whether the reader has offered to pay.
  var requesterPays = false
  /// What was added to this computer's clock.
  var clockCorrection = 0.0
  /// Which way leads to the server.
  var proxies = ProxySettings(environment: [:])
  /// When the answer came, by the uncorrected clock.
  var answered = Date()

  var credentials: Credentials? { signer?.credentials }
  var bucket: String { address.bucket }

  /// What could not be done, as the beginning of a sentence.
  var attempt: String {
    switch operation {
    case .list: "Bucket “\(bucket)” could not be listed"
    case .get(let key): "“\(key)” could not be read from bucket “\(bucket)”"
    case .put(let key): "“\(key)” could not be written to bucket “\(bucket)”"
    }
  }

  /// What the owner of the bucket has to allow, as policies name it.
  var permission: String {
    switch operation {
    case .list: "s3:ListBucket on the bucket"
    case .get: "s3:GetObject on the bucket's objects"
    case .put: "s3:PutObject on the bucket's objects"
    }
  }
}

/// A failed request, understood: what to do next, and what to say if nothing helps.
struct FailureReading: Sendable {
  enum Correction: Sendable, Hashable {
    /// Sign for this region instead.
    case region(String)
    /// Add this to this computer's clock.
    case clock(seconds: Double)
    /// Get new credentials: these have ended.
    case credentials
  }

  var error: StorageError
  var retry = RetryClass.permanent
  var correction: Correction?
  /// Whether it was not the bucket that failed, but whoever hands credentials out.
  var concernsCredentials = false
  /// Whether credentials are missing, or access, that somebody may still see to while the work waits.
  var canBeMended = false
  /// Whether it may be somebody on the way who answered, and not the server: a proxy, the sign-on page of a network.
  var mayBeTheWay = false

  /// Clocks may differ by a quarter of an hour; below this no refusal is blamed on them.
  static let suspiciousSkew = 240.0
  /// Two centuries: a computer without a battery begins in 1970, and nobody's clock is further away.
  private static let believableSkew = 6e9

  /// For a failure to get credentials.
  init(_ error: StorageError) {
    self.error = error
    switch error.kind {
    case .unreachable: retry = .unreachable
    case .serverFailure: retry = .transient(retryAfter: nil)
    case .throttled: retry = .throttled(retryAfter: nil)
    default: canBeMended = true
    }
    concernsCredentials = true
  }

  init(_ failure: TransferFailure, _ context: RequestContext) {
    let reading = ConnectionFailure(
      failure, server: context.address.server, host: context.address.host, attempt: context.attempt,
      proxies: context.proxies)
    error = reading.error
    retry = reading.retry
    mayBeTheWay = reading.mayBeTheWay
  }

  /// For an answer with status 2xx that no S3 server gives.
  init(foreign response: HTTPResponse, _ context: RequestContext) {
    let what = if case .list = context.operation { "a listing" } else { "an object" }
    error = Self.notS3("instead of \(what) it sends \(Self.summary(of: response))", context)
    retry = .unreachable
    mayBeTheWay = true
  }

  init(_ response: HTTPResponse, _ context: RequestContext) {
    let reply = ServiceReply(parsing: response.body)
    let code = reply?.code ?? ""
    let retryAfter = response[header: "retry-after"].flatMap { Double($0) }.flatMap { $0.isFinite ? $0 : nil }
    error = Self.error(response, reply, context)
    error.requestID = response[header: "x-amz-request-id"].nonEmpty ?? (reply?.requestID).nonEmpty
    canBeMended = error.kind == .expiredCredentials
    mayBeTheWay = error.kind == .notS3 || response.status == 407

    switch (response.status, code) {
    case (_, "SlowDown"), (_, "RequestLimitExceeded"), (_, "Throttling"), (_, "ThrottlingException"), (429, _):
      retry = .throttled(retryAfter: retryAfter)
    case (503, _) where retryAfter != nil: retry = .throttled(retryAfter: retryAfter)
    case (500, _), (502, _), (503, _), (504, _), (_, "RequestTimeout"), (_, "InternalError"):
      retry = .transient(retryAfter: retryAfter)
    default: break
    }

    let named = response[header: "x-amz-bucket-region"].nonEmpty ?? (reply?.region).nonEmpty
    let complainsOfRegion =
      [301, 302, 307, 308].contains(response.status)
      || [
        "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException",
      ]
      .contains(code)
    if complainsOfRegion, let named, named != context.region, StorageSettings.isPlausible(region: named) {
      correction = .region(named)
    } else if Self.expiryCodes.contains(code), context.credentials != nil {
      correction = .credentials
    } else if response.status == 400 || response.status == 403, context.credentials != nil,
      let skew = Self.skew(response, context), abs(skew - context.clockCorrection) > Self.suspiciousSkew
    {
      correction = .clock(seconds: skew)
    }
  }

  /// What servers say of credentials that have ended; some take an old session token for an invalid one.
  private static let expiryCodes: Set<String> = [
    "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken",
  ]

  /// How far the server's clock is ahead of this computer's, in seconds.
  private static func skew(_ response: HTTPResponse, _ context: RequestContext) -> Double? {
    response[header: "date"].flatMap { Timestamp.date(http: $0) }.map { $0.timeIntervalSince(context.answered) }
      .flatMap { abs($0) < believableSkew ? $0 : nil }
  }

  private static func error(
    _ response: HTTPResponse, _ reply: ServiceReply?, _ context: RequestContext
  ) -> StorageError {
    let server = context.address.server.text
    let bucket = context.bucket
    guard let reply else { return errorWithoutReply(response, context) }
    let said = reply.message.isEmpty ? reply.code : "\(reply.code): \(reply.message)"
    let keys = context.credentials.map { "The \($0.description)" } ?? "Without credentials, access"
    switch reply.code {
    case "NoSuchBucket":
      return StorageError(
        .noSuchBucket, "There is no bucket “\(bucket)” at \(server).",
        remedy: AmazonHost(context.address.server.host) == nil
          ? "Check its name and the endpoint."
          : "Check its name; a bucket of another server than AWS needs --endpoint-url or AWS_ENDPOINT_URL.")
    case "InvalidBucketName":
      return StorageError(.noSuchBucket, "“\(bucket)” is no name that a bucket at \(server) can have.")
    case "NoSuchKey":
      return StorageError(.noSuchKey, "\(context.attempt): it does not exist (any more).")
    case "AccessDenied", "AllAccessDisabled", "AccountProblem":
      return denied(said, context)
    case "SignatureDoesNotMatch":
      return StorageError(
        .wrongSecret, "\(server) refuses the signature: the secret key does not belong to the \(keyText(context)).",
        remedy: "Check the secret key; it is case-sensitive, and easily cut when it is copied.")
    case "InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException":
      return StorageError(
        .unknownAccessKey, "\(server) does not know the \(keyText(context)).",
        remedy: "Check the access key, and that it belongs to this server.")
    case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
      return StorageError(
        .expiredCredentials, "\(keys) has expired.", remedy: context.credentials?.renewal ?? "Use an access key.")
    case "InvalidToken":
      return StorageError(
        .expiredCredentials, "\(server) refuses the session token of the \(keyText(context)).",
        remedy: "Get a new session token, or unset AWS_SESSION_TOKEN if the key needs none.")
    case "RequestTimeTooSkewed", "RequestExpired":
      let offset = skew(response, context).map { " by \(Int(abs($0).rounded())) seconds" } ?? ""
      return StorageError(
        .clockSkew, "This computer's clock differs from that of \(server)\(offset).", remedy: "Set the clock.")
    case "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed",
      "IllegalLocationConstraintException":
      return wrongRegion(named: response[header: "x-amz-bucket-region"] ?? reply.region, said, context)
    case "BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch":
      return StorageError(
        .badDigest, "\(context.attempt): what arrived at \(server) is not what was sent (\(said)).",
        remedy: "Try again.")
    case "InvalidObjectState":
      return StorageError(
        .archived, "\(context.attempt): it lies in an archive.",
        remedy: "Restore it first, for instance with “aws s3api restore-object”.")
    case "SlowDown", "RequestLimitExceeded", "Throttling", "ThrottlingException":
      return StorageError(
        .throttled, "\(context.attempt): \(server) asks for fewer requests (\(said)).",
        remedy: "Try again later, or with fewer connections.")
    default:
      if response.status >= 500 {
        return StorageError(
          .serverFailure, "\(context.attempt): \(server) failed (\(response.status), \(said)).",
          remedy: "Try again later.")
      }
      if response.status == 403 { return denied(said, context) }
      return StorageError(.refused, "\(context.attempt): \(server) says \(said).")
    }
  }

  private static func keyText(_ context: RequestContext) -> String {
    context.credentials?.description ?? "access key"
  }

  private static func denied(_ said: String, _ context: RequestContext) -> StorageError {
    guard let credentials = context.credentials else {
      return StorageError(
        .accessDenied, "\(context.attempt): it is not public (\(said)).",
        remedy: "Leave --no-sign-request out, and use an access key.")
    }
    let payer =
      context.requesterPays || AmazonHost(context.address.server.host) == nil
      ? "" : " If its readers have to pay for requests, add --request-payer requester."
    return StorageError(
      .accessDenied, "\(context.attempt): the \(credentials) may not do this (\(said)).",
      remedy: "The key needs the permission \(context.permission); ask the bucket's owner, or use another key." + payer)
  }

  /// - Parameter named: The region that the server names, which did not help or cannot be used.
  private static func wrongRegion(named: String?, _ said: String, _ context: RequestContext) -> StorageError {
    let bucket = "bucket “\(context.bucket)”"
    guard let named = named.nonEmpty, StorageSettings.isPlausible(region: named), named != context.region else {
      return StorageError(
        .wrongRegion,
        "The \(bucket) is not in the region “\(context.region)” that the request was signed for (\(said)).",
        remedy: "Name its region with --region or AWS_REGION.")
    }
    return StorageError(
      .wrongRegion, "The \(bucket) answers in \(named); the request was signed for \(context.region) (\(said)).",
      remedy: "Use --region \(named), and an endpoint of that region.")
  }

  /// For answers without a body of S3's own.
  private static func errorWithoutReply(_ response: HTTPResponse, _ context: RequestContext) -> StorageError {
    let server = context.address.server.text
    switch response.status {
    case 301, 302, 303, 307, 308:
      if response[header: "x-amz-bucket-region"] != nil {
        return wrongRegion(named: response[header: "x-amz-bucket-region"], "\(response.status)", context)
      }
      let target = response[header: "location"].map { " to \(withoutQuery($0))" } ?? ""
      return StorageError(
        .notS3, "\(server) sends the request elsewhere\(target), which an S3 server does not do.",
        remedy: "Check the endpoint, and whether it needs https://.")
    case 403 where response.body.isEmpty: return denied("403", context)
    case 404 where response.body.isEmpty:
      if case .get = context.operation {
        return StorageError(.noSuchKey, "\(context.attempt): it does not exist (any more).")
      }
      return StorageError(
        .noSuchBucket, "There is no bucket “\(context.bucket)” at \(server).",
        remedy: "Check its name and the endpoint.")
    case 407:
      return StorageError(
        .unreachable, "The proxy on the way to \(server) asks for a user name and a password.",
        remedy: "Put them into the proxy's address (http://user:password@proxy:port), or name the host in NO_PROXY.")
    case 400
    where String(decoding: response.body.prefix(200), as: UTF8.self).contains("HTTP request to an HTTPS server"):
      return StorageError(
        .notS3, "What answers at \(server) wants an encrypted connection.", remedy: "Write https:// in the endpoint.")
    case 429:
      return StorageError(
        .throttled, "\(context.attempt): \(server) asks for fewer requests.", remedy: "Try again later.")
    case 500...:
      return StorageError(
        .serverFailure, "\(context.attempt): \(server) failed (\(response.status)).", remedy: "Try again later.")
    default:
      return notS3("it answers \(response.status) with \(summary(of: response))", context)
    }
  }

  /// For an answer that no S3 server gives.
  static func notS3(_ evidence: String, _ context: RequestContext) -> StorageError {
    StorageError(
      .notS3, "What answers at \(context.address.server.text) is no S3 server: \(evidence).",
      remedy: "Check the endpoint and its port; the address of a console or a web page is not that of the S3 server.")
  }

  /// What a body looks like, in a few words.
  static func summary(of response: HTTPResponse) -> String {
    if response.body.isEmpty { return "nothing" }
    let start = String(decoding: response.body.prefix(4096), as: UTF8.self)
    if start.lowercased().contains("<html") || response[header: "content-type"]?.hasPrefix("text/html") == true {
      if let open = start.range(of: "<title>", options: .caseInsensitive),
        let close = start.range(of: "</title>", options: .caseInsensitive, range: open.upperBound..<start.endIndex)
      {
        let title = start[open.upperBound..<close.lowerBound].prefix(80)
        return "the web page “\(title.split(whereSeparator: \.isWhitespace).joined(separator: " "))”"
      }
      return "a web page"
    }
    let printable = start.unicodeScalars.prefix(60).map { $0.properties.generalCategory == .control ? " " : String($0) }
    return "“\(printable.joined())”"
  }

  private static func withoutQuery(_ address: String) -> String {
    EndpointAddress.withoutUserInformation(String(address.prefix { $0 != "?" }.prefix(200)))
  }
}
