import Foundation
import Synchronization

/// A bucket of S3 or of a server that speaks like it, or a part of one.
final class BucketStore: ObjectStore {
  let location: Location
  let identity: String
  let maximumBytes: Int64?

  private let bucket: String
  private let prefix: [UInt8]
  private let settings: StorageSettings
  private let engine: TransferEngine
  private let counters = RequestCounters()
  private let knowledge: Mutex<Knowledge>

  /// What the server's answers taught; shared by all requests.
  private struct Knowledge {
    var address: BucketAddress
    var region: String
    /// nil to ask anonymously.
    var signer: RequestSigner?
    /// What to add to this computer's clock.
    var clockCorrection = 0.0
    var serverHasAnswered = false
    var budget = RetryBudget()
  }

  /// A listing's answer larger than this is not believed.
  private static let maximumListingBytes: Int64 = 64 << 20
  /// So many pages without an object in a row are not believed.
  private static let maximumEmptyPages = 1000
  private static let pageSize = 1000

  init(
    location: Location, endpoint: String?, bucket: String, prefix: [UInt8], options: StorageOptions
  ) throws(StorageError) {
    self.location = location
    self.bucket = bucket
    self.prefix = prefix
    maximumBytes = options.maximumBytes
    settings = try StorageSettings(options, locationEndpoint: endpoint)
    let address = try BucketAddress(
      bucket: bucket, region: settings.region, endpoint: settings.endpoint, style: settings.addressingStyle)
    // Buckets of AWS are one name space over all regions.
    let server = settings.endpoint?.text ?? "aws"
    identity = [
      server, bucket, String(decoding: PercentEncoding.encode(prefix, safe: PercentEncoding.keySafe), as: UTF8.self),
    ]
    .joined(separator: "|")
    let signer = settings.credentials.map { [settings] in RequestSigner(credentials: $0, region: settings.region) }
    knowledge = Mutex(Knowledge(address: address, region: settings.region, signer: signer))
    engine = try TransferEngine(
      connections: max(1, options.maximumConnections), certificateAuthorities: settings.certificateAuthorities)
  }

  var counts: RequestCounts { counters.counts }

  // MARK: - Objects

  func get(_ key: ObjectKey, accept: (@Sendable (UnsafeRawBufferPointer) -> Bool)?) async throws -> FetchResult {
    let counters = counters
    var template = HTTPRequest(url: "")
    template.isUrgent = Task.currentPriority >= .userInitiated
    template.maximumBodyBytes = maximumBytes
    template.accept = accept
    template.received = { counters.bytesFetched.wrappingAdd(Int64($0), ordering: .relaxed) }
    switch try await send(template, .get(key)) {
    case .response(let response):
      return .bytes(response.body, etag: ListingPage.unquoted(response[header: "etag"] ?? ""))
    case .rejected(let head): return .rejected(head: head)
    case .tooLarge(let size): throw StorageError.tooLarge(key, size: size, limit: maximumBytes ?? size)
    }
  }

  func put(_ key: ObjectKey, _ body: [UInt8], contentType: String) async throws {
    var template = HTTPRequest(method: .put, url: "")
    template.body = body
    _ = try await send(
      template, .put(key), payloadHash: Digest.hexadecimal(Digest.sha256(body)),
      headers: [("content-type", contentType)])
  }

  // MARK: - Listing

  func list() -> AsyncThrowingStream<[StoredObject], any Error> {
    AsyncThrowingStream { continuation in
      let task = Task {
        do {
          try await self.list { continuation.yield($0) }
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  private func list(page deliver: ([StoredObject]) -> Void) async throws {
    var token: String?
    var seenTokens: Set<Int> = []
    var emptyPages = 0
    while true {
      var page = try await listPage(token: token)
      guard page.objects.allSatisfy({ $0.key.bytes.starts(with: prefix) }) else {
        throw invalidListing("it holds keys that do not begin with the folder's name")
      }
      // Servers that list a file system by directory mix up “a/b” and “a-b”.
      if zip(page.objects, page.objects.dropFirst()).contains(where: { $1.key < $0.key }) {
        page.objects.sort { $0.key < $1.key }
      }
      if !page.objects.isEmpty { deliver(page.objects) }
      guard page.isTruncated else { return }
      emptyPages = page.entryCount == 0 ? emptyPages + 1 : 0
      guard emptyPages < Self.maximumEmptyPages else { throw invalidListing("it goes on without objects") }
      guard !page.nextToken.isEmpty else { throw invalidListing("it says that more follows, but not how to get it") }
      guard seenTokens.insert(page.nextToken.hashValue).inserted else {
        throw invalidListing("it goes round in a circle")
      }
      token = page.nextToken
    }
  }

  private func invalidListing(_ why: String) -> StorageError {
    StorageError(
      .invalidAnswer,
      "The listing of bucket “\(bucket)” from \(knowledge.withLock { $0.address.server.text }) is wrong: \(why).",
      remedy: "This is a fault of the server.")
  }

  private func listPage(token: String?) async throws -> ListingPage {
    var query: [(name: String, value: [UInt8])] = [
      ("list-type", Array("2".utf8)), ("encoding-type", Array("url".utf8)),
      ("max-keys", Array(String(Self.pageSize).utf8)),
    ]
    if !prefix.isEmpty { query.append(("prefix", prefix)) }
    if let token { query.append(("continuation-token", Array(token.utf8))) }
    var template = HTTPRequest(url: "")
    // Fetching waits for the listing, so the listing goes first.
    template.isUrgent = true
    template.maximumBodyBytes = Self.maximumListingBytes
    guard case .response(let response) = try await send(template, .list, query: CanonicalQuery(query)) else {
      throw invalidListing("a page is larger than \(Self.maximumListingBytes >> 20) MB")
    }
    do {
      return try ListingPage(parsing: response.body)
    } catch ListingPage.Failure.broken(let why) {
      throw invalidListing(why)
    } catch ListingPage.Failure.notAListing {
      throw FailureReading.notS3(
        "instead of a listing it sends \(FailureReading.summary(of: response))", context(.list))
    }
  }

  // MARK: - Requests

  enum Success {
    case response(HTTPResponse)
    case rejected(head: [UInt8])
    case tooLarge(size: Int64)
  }

  private func context(_ operation: RequestContext.Operation) -> RequestContext {
    knowledge.withLock { knowledge in
      RequestContext(
        operation: operation, address: knowledge.address, region: knowledge.region, signer: knowledge.signer,
        clockCorrection: knowledge.clockCorrection)
    }
  }

  /// Sends a request until it succeeds, cannot succeed, or has been tried often enough.
  func send(
    _ template: HTTPRequest, _ operation: RequestContext.Operation, query: CanonicalQuery = .empty,
    payloadHash: String = Digest.ofNothing, headers: [(name: String, value: String)] = []
  ) async throws -> Success {
    var retries = RetryState()
    var corrections: Set<String> = []
    while true {
      var used = context(operation)
      let request = complete(template, used, query: query, payloadHash: payloadHash, headers: headers)
      count(operation)
      let reading: FailureReading
      switch try await engine.perform(request) {
      case .rejected(let head):
        succeed()
        return .rejected(head: head)
      case .tooLarge(let size):
        succeed()
        return .tooLarge(size: size)
      case .response(let response) where response.isSuccess:
        succeed()
        return .response(response)
      case .response(let response):
        knowledge.withLock { $0.serverHasAnswered = true }
        used.answered = Date()
        reading = FailureReading(response, used)
      case .failed(let failure): reading = FailureReading(failure, used)
      }
      if let correction = reading.correction, try correct(correction, corrected: &corrections) {
        counters.retries.increment()
        continue
      }
      let chance = Double.random(in: 0..<1)
      let step = knowledge.withLock { knowledge in
        retries.next(
          after: reading.retry, serverHasAnswered: knowledge.serverHasAnswered, budget: &knowledge.budget,
          chance: chance)
      }
      guard case .retry(let seconds) = step else { throw reading.error }
      counters.retries.increment()
      try await Task.sleep(for: .seconds(seconds))
    }
  }

  /// The request with address, date and signature, as the present knowledge has them.
  private func complete(
    _ template: HTTPRequest, _ context: RequestContext, query: CanonicalQuery, payloadHash: String,
    headers: [(name: String, value: String)]
  ) -> HTTPRequest {
    let key: ObjectKey? =
      switch context.operation {
      case .list: nil
      case .get(let key), .put(let key): key
      }
    let path = context.address.path(of: key)
    let signer = context.signer
    let clockCorrection = context.clockCorrection
    var request = template
    request.url = context.address.url(path: path, query: query.text)
    let host = context.address.host
    let method = request.method.rawValue
    request.headers = {
      guard let signer else { return headers.map { "\($0.name): \($0.value)" } }
      let date = SigningDate(Date(timeIntervalSinceNow: clockCorrection))
      var lines = headers + [("x-amz-content-sha256", payloadHash), ("x-amz-date", date.timestamp)]
      if let token = signer.credentials.sessionToken { lines.append(("x-amz-security-token", token.value)) }
      let signable = SignableRequest(
        method: method, path: path, query: query.text, headers: lines + [("host", host)], payloadHash: payloadHash)
      lines.append(("Authorization", signer.authorization(for: signable, at: date)))
      return lines.map { "\($0.name): \($0.value)" }
    }
    return request
  }

  private func count(_ operation: RequestContext.Operation) {
    switch operation {
    case .list: counters.list.increment()
    case .get: counters.get.increment()
    case .put: counters.put.increment()
    }
  }

  private func succeed() {
    knowledge.withLock {
      $0.serverHasAnswered = true
      $0.budget.succeed()
    }
  }

  /// Learns from a refusal.
  /// - Parameter corrected: What this request has corrected before: each kind helps once.
  /// - Returns: Whether to ask again at once.
  private func correct(_ correction: FailureReading.Correction, corrected: inout Set<String>) throws -> Bool {
    switch correction {
    case .region(let region):
      guard corrected.insert("region").inserted else { return false }
      let address = try BucketAddress(
        bucket: bucket, region: region, endpoint: settings.endpoint, style: settings.addressingStyle)
      knowledge.withLock { knowledge in
        knowledge.region = region
        knowledge.address = address
        knowledge.signer = settings.credentials.map { RequestSigner(credentials: $0, region: region) }
      }
    case .clock(let seconds):
      guard corrected.insert("clock").inserted else { return false }
      knowledge.withLock { $0.clockCorrection = seconds }
    }
    return true
  }
}
