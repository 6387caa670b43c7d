import Synchronization

/// One request as Signature Version 4 sees it.
struct SignableRequest: Sendable {
  var method: String
  /// The path as it is sent: encoded exactly once, never normalised.
  var path: String
  /// The query as it is sent: `CanonicalQuery.text`.
  var query: String
  /// Every header to sign, names in lower case, `host` among them.
  var headers: [(name: String, value: String)]
  /// Hexadecimal SHA-256 of the body, or `UNSIGNED-PAYLOAD`.
  var payloadHash: String
}

/// A query, encoded and sorted once: what is signed is what is sent.
struct CanonicalQuery: Sendable {
  let text: String

  static let empty = CanonicalQuery([(name: String, value: String)]())

  init(_ items: [(name: String, value: String)]) { self.init(items.map { ($0.name, Array($0.value.utf8)) }) }

  /// Values of any bytes: a prefix of keys need not be text.
  init(_ items: [(name: String, value: [UInt8])]) {
    let encoded = items.map { item in
      (
        PercentEncoding.encode(item.name.utf8, safe: PercentEncoding.querySafe),
        PercentEncoding.encode(item.value, safe: PercentEncoding.querySafe)
      )
    }
    let sorted = encoded.sorted { left, right in
      left.0 == right.0 ? left.1.lexicographicallyPrecedes(right.1) : left.0.lexicographicallyPrecedes(right.0)
    }
    text = sorted.map { String(decoding: $0.0 + Array("=".utf8) + $0.1, as: UTF8.self) }.joined(separator: "&")
  }
}

/// Signature Version 4 of AWS, as S3 wants it.
///
/// No clock and no environment: the date is an argument.
/// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
struct RequestSigner: Sendable {
  let credentials: Credentials
  let region: String
  let service: String
  private let dayKeys = DayKeyCache()

  static let algorithm = "AWS4-HMAC-SHA256"
  /// A link cannot be valid for longer than a week.
  static let maximumLinkSeconds = 604_800

  init(credentials: Credentials, region: String, service: String = "s3") {
    self.credentials = credentials
    self.region = region
    self.service = service
  }

  /// The value of the `Authorization` header.
  func authorization(for request: SignableRequest, at date: SigningDate) -> String {
    let headers = CanonicalHeaders(request.headers)
    let signature = signature(of: canonicalRequest(request, headers), at: date)
    return "\(Self.algorithm) Credential=\(credentials.accessKeyID)/\(scope(date)),"
      + "SignedHeaders=\(headers.names),Signature=\(signature)"
  }

  /// The query that makes an address valid by itself for some seconds.
  func presignedQuery(
    method: String, path: String, query: [(name: String, value: String)], host: String, at date: SigningDate,
    expiresIn seconds: Int
  ) -> String {
    let headers = CanonicalHeaders([("host", host)])
    var items = query
    items += [
      ("X-Amz-Algorithm", Self.algorithm), ("X-Amz-Credential", "\(credentials.accessKeyID)/\(scope(date))"),
      ("X-Amz-Date", date.timestamp), ("X-Amz-Expires", String(seconds)), ("X-Amz-SignedHeaders", headers.names),
    ]
    if let token = credentials.sessionToken { items.append(("X-Amz-Security-Token", token.value)) }
    let text = CanonicalQuery(items).text
    let request = SignableRequest(
      method: method, path: path, query: text, headers: [("host", host)], payloadHash: "UNSIGNED-PAYLOAD")
    return text + "&X-Amz-Signature=" + signature(of: canonicalRequest(request, headers), at: date)
  }

  private func canonicalRequest(_ request: SignableRequest, _ headers: CanonicalHeaders) -> String {
    [request.method, request.path, request.query, headers.lines, headers.names, request.payloadHash]
      .joined(separator: "\n")
  }

  private func scope(_ date: SigningDate) -> String { "\(date.day)/\(region)/\(service)/aws4_request" }

  private func signature(of canonicalRequest: String, at date: SigningDate) -> String {
    let hash = Digest.hexadecimal(Digest.sha256(Array(canonicalRequest.utf8)))
    let stringToSign = [Self.algorithm, date.timestamp, scope(date), hash].joined(separator: "\n")
    return Digest.hexadecimal(Digest.hmac(key: dayKey(date.day), Array(stringToSign.utf8)))
  }

  /// The key of one day: four of the five HMACs of a signature, and the same for all requests of that day.
  private func dayKey(_ day: String) -> [UInt8] {
    dayKeys.key(of: day) {
      var key = Digest.hmac(key: Array(("AWS4" + credentials.secretKey.value).utf8), Array(day.utf8))
      for part in [region, service, "aws4_request"] { key = Digest.hmac(key: key, Array(part.utf8)) }
      return key
    }
  }
}

/// Headers by name, their values trimmed, runs of spaces in them made one.
private struct CanonicalHeaders {
  let lines: String
  let names: String

  init(_ headers: [(name: String, value: String)]) {
    var values: [String: [String]] = [:]
    for header in headers {
      let parts = header.value.split(whereSeparator: { $0 == " " || $0 == "\t" })
      values[header.name.lowercased(), default: []].append(parts.joined(separator: " "))
    }
    let sorted = values.keys.sorted()
    lines = sorted.map { "\($0):\(values[$0, default: []].joined(separator: ","))\n" }.joined()
    names = sorted.joined(separator: ";")
  }
}

/// The last day's key.
private final class DayKeyCache: Sendable {
  private let last = Mutex<(day: String, key: [UInt8])?>(nil)

  func key(of day: String, make: () -> [UInt8]) -> [UInt8] {
    last.withLock { last in
      if let last, last.day == day { return last.key }
      let key = make()
      last = (day, key)
      return key
    }
  }
}
