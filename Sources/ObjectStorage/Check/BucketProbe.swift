import Foundation

/// A few requests to a bucket, one after the other, that say what the answers taught.
struct BucketProbe: Sendable {
  private(set) var address: BucketAddress
  private(set) var region: String
  /// How far the server's clock is ahead of this computer's, in seconds; nil before the first answer.
  private(set) var clockOffset: Double?
  /// How long the first answer took; nil before it.
  private(set) var answerMilliseconds: Int?

  private let settings: StorageSettings
  private let engine: TransferEngine
  private var clockCorrection = 0.0

  private static let maximumTries = 3
  private static let maximumListingBytes: Int64 = 4 << 20
  private static let pageSize = 50

  init(settings: StorageSettings, address: BucketAddress) throws(StorageError) {
    self.settings = settings
    self.address = address
    region = settings.region
    engine = try TransferEngine(
      connections: 1, certificateAuthorities: settings.certificateAuthorities, proxies: settings.proxies)
  }

  /// The same server and keys, another bucket.
  func forBucket(_ name: String) throws(StorageError) -> BucketProbe {
    var probe = self
    probe.address = try settings.address(of: name, region: settings.region)
    probe.region = settings.region
    return probe
  }

  /// - Throws: `StorageError` where there are no credentials; `CancellationError`.
  mutating func list(prefix: [UInt8]) async throws -> Result<ListingPage, StorageError> {
    var items: [(name: String, value: [UInt8])] = [
      ("list-type", Array("2".utf8)), ("encoding-type", Array("url".utf8)),
      ("max-keys", Array(String(Self.pageSize).utf8)),
    ]
    if !prefix.isEmpty { items.append(("prefix", prefix)) }
    var template = HTTPRequest(url: "")
    template.maximumBodyBytes = Self.maximumListingBytes
    switch try await send(template, .list, query: CanonicalQuery(items)) {
    case .failure(let error): return .failure(error)
    case .success(let response):
      if let page = try? ListingPage(parsing: response.body) { return .success(page) }
      return .failure(
        FailureReading.notS3(
          "instead of a listing it sends \(FailureReading.summary(of: response))",
          RequestContext(operation: .list, address: address, region: region)))
    }
  }

  /// Reads the first byte of an object.
  /// - Throws: `StorageError`, `CancellationError`.
  mutating func read(_ key: ObjectKey) async throws {
    var template = HTTPRequest(url: "")
    // For servers that do not know ranges.
    template.accept = { _ in false }
    _ = try await send(template, .get(key), headers: [("range", "bytes=0-0")]).get()
  }

  /// Tries whether an object may be written, without writing one: its digest is wrong, so the server refuses it after it
  /// has allowed the writing.
  /// - Returns: The object's name, where it was stored all the same and could not be deleted.
  /// - Throws: `StorageError`, `CancellationError`.
  mutating func write(to key: ObjectKey) async throws -> ObjectKey? {
    var template = HTTPRequest(method: .put, url: "")
    template.body = Array("s3totsne tries whether it may write here.\n".utf8)
    // The MD5 of nothing.
    let headers = [
      (name: "content-md5", value: "1B2M2Y8AsgTpgAmY7PhCfg=="), (name: "content-type", value: "text/plain"),
    ]
    let result = try await send(
      template, .put(key), payloadHash: Digest.hexadecimal(Digest.sha256(template.body)), headers: headers)
    switch result {
    case .success:
      let deletion = try await send(HTTPRequest(method: .delete, url: ""), .put(key))
      if case .success = deletion { return nil }
      return key
    case .failure(let error):
      if error.kind == .badDigest { return nil }
      throw error
    }
  }

  private mutating func send(
    _ template: HTTPRequest, _ operation: RequestContext.Operation, query: CanonicalQuery = .empty,
    payloadHash: String = Digest.ofNothing, headers: [(name: String, value: String)] = []
  ) async throws -> Result<HTTPResponse, StorageError> {
    var corrections: Set<String> = []
    var tries = 0
    while true {
      tries += 1
      let credentials = try await settings.credentialSource.credentials()
      var context = RequestContext(operation: operation, address: address, region: region)
      context.signer = credentials.map { RequestSigner(credentials: $0, region: region) }
      context.requesterPays = settings.requesterPays
      context.clockCorrection = clockCorrection
      context.proxies = settings.proxies
      let start = ContinuousClock.now
      let reading: FailureReading
      switch try await engine.perform(
        template.completed(for: context, query: query, payloadHash: payloadHash, headers: headers))
      {
      case .rejected, .tooLarge: return .success(HTTPResponse(status: 200))
      case .failed(let failure, _): reading = FailureReading(failure, context)
      case .response(let response):
        learn(from: response, since: start)
        if response.isSuccess { return .success(response) }
        context.answered = Date()
        reading = FailureReading(response, context)
      }
      switch reading.correction {
      case .region(let named) where corrections.insert("region").inserted:
        address = try settings.address(of: address.bucket, region: named)
        region = named
        continue
      case .clock(let seconds) where corrections.insert("clock").inserted:
        clockCorrection = seconds
        continue
      case .credentials where corrections.insert("credentials").inserted:
        if let refused = credentials, try await settings.credentialSource.renew(refused: refused) { continue }
      default: break
      }
      guard reading.retry != .permanent, tries < Self.maximumTries else { return .failure(reading.error) }
      try await Task.sleep(for: .milliseconds(300 * tries))
    }
  }

  private mutating func learn(from response: HTTPResponse, since start: ContinuousClock.Instant) {
    if answerMilliseconds == nil {
      answerMilliseconds = Int((start.duration(to: .now) / .milliseconds(1)).rounded())
    }
    if clockOffset == nil, let date = response[header: "date"].flatMap({ Timestamp.date(http: $0) }) {
      // The header has whole seconds, so half of one is added.
      clockOffset = date.addingTimeInterval(0.5).timeIntervalSinceNow
    }
  }
}
