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
  /// What was added to this computer's clock.
  var clockCorrection = 0.0
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
}

/// A failed request, understood: what to do next, and what to say if nothing helps.
struct FailureReading: Sendable {
  enum Correction: Sendable, Hashable {
    /// Sign for this region instead.
    case region(String)
    /// Add this to this computer's clock.
    case clock(seconds: Double)
  }

  var error: StorageError
  var retry = RetryClass.permanent
  var correction: Correction?

  /// Clocks may differ by a quarter of an hour; below this no refusal is blamed on them.
  private static let suspiciousSkew = 240.0

  init(_ failure: TransferFailure, _ context: RequestContext) {
    let server = context.address.server.text
    let host = context.address.host
    switch failure.cause {
    case .unknownHost:
      error = StorageError(
        .unreachable, "The host “\(host)” is not known.",
        remedy: "Check the endpoint's spelling and the network connection.")
      retry = .unreachable
    case .noConnection:
      error = StorageError(
        .unreachable, "Nothing answers at \(server).",
        remedy: "Check the endpoint, its port and the network connection.")
      retry = .unreachable
    case .timedOut:
      error = StorageError(
        .unreachable, "\(server) did not answer in time (\(failure.detail)).",
        remedy: "Check the network connection, then try again.")
      retry = .unreachable
    case .interrupted:
      error = StorageError(
        .interrupted, "\(context.attempt): the connection to \(server) broke (\(failure.detail)).",
        remedy: "Try again.")
      retry = .transient(retryAfter: nil)
    case .untrustedCertificate:
      error = StorageError(
        .insecure, "The certificate of \(server) is not trusted (\(failure.detail)).",
        remedy: "If the server has a certificate authority of its own, name its file in AWS_CA_BUNDLE.")
    case .certificateFile:
      error = StorageError(
        .configuration, "The file of trusted certificates cannot be used (\(failure.detail)).",
        remedy: "Check AWS_CA_BUNDLE.")
    case .noEncryption:
      error = StorageError(
        .insecure, "No encrypted connection to \(server) (\(failure.detail)).",
        remedy: "If the server speaks plain HTTP, write http:// in the endpoint.")
    case .notHTTP:
      error = StorageError(
        .notS3, "What answers at \(server) is no S3 server (\(failure.detail)).",
        remedy: "Check the endpoint and its port.")
    case .proxy:
      error = StorageError(
        .unreachable, "The proxy for \(server) cannot be used (\(failure.detail)).",
        remedy: "Check HTTPS_PROXY, or name the host in NO_PROXY.")
      retry = .unreachable
    case .other:
      error = StorageError(.refused, "\(context.attempt): \(failure.detail).")
    }
  }

  init(_ response: HTTPResponse, _ context: RequestContext) {
    let reply = ServiceReply(parsing: response.body)
    let code = reply?.code ?? ""
    let retryAfter = response[header: "retry-after"].flatMap { Double($0) }
    error = Self.error(response, reply, context)
    error.requestID = response[header: "x-amz-request-id"].nonEmpty ?? (reply?.requestID).nonEmpty

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
    } else if response.status == 400 || response.status == 403, context.credentials != nil,
      let skew = Self.skew(response, context), abs(skew - context.clockCorrection) > Self.suspiciousSkew
    {
      correction = .clock(seconds: skew)
    }
  }

  /// How far the server's clock is ahead of this computer's, in seconds.
  private static func skew(_ response: HTTPResponse, _ context: RequestContext) -> Double? {
    response[header: "date"].flatMap { Timestamp.date(http: $0) }.map { $0.timeIntervalSince(context.answered) }
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
        .noSuchBucket, "There is no bucket “\(bucket)” at \(server).", remedy: "Check its name and the endpoint.")
    case "InvalidBucketName":
      return StorageError(.noSuchBucket, "“\(bucket)” is no name that a bucket at \(server) can have.")
    case "NoSuchKey":
      return StorageError(.noSuchKey, "\(context.attempt): it does not exist (any more).")
    case "AccessDenied", "AllAccessDisabled", "AccountProblem":
      return denied(said, context)
    case "SignatureDoesNotMatch":
      return StorageError(
        .wrongSecret, "\(server) refuses the signature: the secret key does not belong to the \(keyText(context)).",
        remedy: "Check the secret key.")
    case "InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException":
      return StorageError(
        .unknownAccessKey, "\(server) does not know the \(keyText(context)).",
        remedy: "Check the access key, and that it belongs to this server.")
    case "ExpiredToken", "TokenRefreshRequired":
      return StorageError(
        .expiredCredentials, "\(keys) has expired.", remedy: "Get a new session token (for instance “aws sso login”).")
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
      return StorageError(
        .wrongRegion, "Bucket “\(bucket)” is not in the region “\(context.region)” (\(said)).",
        remedy: "Name its region with --region.")
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
        .accessDenied, "\(context.attempt): it is not public (\(said)).", remedy: "Use an access key.")
    }
    return StorageError(
      .accessDenied, "\(context.attempt): the \(credentials) may not do this (\(said)).",
      remedy: "Ask the bucket's owner for the permission, or use another key.")
  }

  /// For answers without a body of S3's own.
  private static func errorWithoutReply(_ response: HTTPResponse, _ context: RequestContext) -> StorageError {
    let server = context.address.server.text
    switch response.status {
    case 301, 302, 303, 307, 308:
      if response[header: "x-amz-bucket-region"] != nil {
        return StorageError(
          .wrongRegion, "Bucket “\(context.bucket)” is not in the region “\(context.region)”.",
          remedy: "Name its region with --region.")
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
      remedy: "Check the endpoint and its port; a console's address is not the server's.")
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
