import Foundation
import Synchronization

/// A bucket of S3 or of a server that speaks like it, or a part of one.
final class BucketStore: ObjectStore {
  let location: Location
  let identity: String
  let maximumBytes: Int64?

  let bucket: String
  let prefix: [UInt8]
  let counters = RequestCounters()
  /// Whether a listing ever came through.
  let hasListed = Atomic(false)
  private let settings: StorageSettings
  private let engine: TransferEngine
  private let gate: OutageGate
  private let knowledge: Mutex<Knowledge>
  private let accessProbe = SharedQuestion<Bool?>()
  private let objectProbe = SharedQuestion<Bool>()

  /// How often an object is waited for while the listing says that all is well.
  private static let maximumOutages = 3

  /// What the server's answers taught; shared by all requests.
  private struct Knowledge {
    var address: BucketAddress
    var region: String
    /// nil to ask anonymously.
    var signer: RequestSigner?
    /// What to add to this computer's clock.
    var clockCorrection = 0.0
    var serverHasAnswered = false
    /// Whether a request ever succeeded: the credentials were good then.
    var hasSucceeded = false
    /// The object that came through last.
    var provenKey: ObjectKey?
    var budget = RetryBudget()

    /// Takes a new signer where credentials or region are no longer those of the last.
    mutating func sign(with credentials: Credentials?) {
      if let credentials, signer?.credentials == credentials, signer?.region == region { return }
      signer = credentials.map { RequestSigner(credentials: $0, region: region) }
    }
  }

  init(
    location: Location, endpoint: String?, bucket: String, prefix: [UInt8], options: StorageOptions
  ) throws(StorageError) {
    self.location = location
    self.bucket = bucket
    self.prefix = prefix
    maximumBytes = options.maximumBytes
    settings = try StorageSettings(options, locationEndpoint: endpoint, bucket: bucket)
    let address = try settings.address(of: bucket, region: settings.region)
    // Buckets of AWS are one name space over all regions.
    let server = settings.endpoint?.text ?? "aws"
    identity = [
      server, bucket, String(decoding: PercentEncoding.encode(prefix, safe: PercentEncoding.keySafe), as: UTF8.self),
    ]
    .joined(separator: "|")
    knowledge = Mutex(Knowledge(address: address, region: settings.region))
    gate = OutageGate(patience: options.patience)
    engine = try TransferEngine(
      connections: max(1, options.maximumConnections), certificateAuthorities: settings.certificateAuthorities,
      stallSeconds: options.stallSeconds, proxies: settings.proxies)
  }

  var counts: RequestCounts {
    var counts = counters.counts
    counts.connections = engine.connectionsOpened.load(ordering: .relaxed)
    counts.peakTransfers = engine.peakTransfers.load(ordering: .relaxed)
    return counts
  }

  var interruption: StorageInterruption? { gate.interruption }

  func tryNow() { gate.tryNow() }

  func expectAnswer() { knowledge.withLock { $0.serverHasAnswered = true } }

  /// Whether this is AWS, and no other server that speaks like it.
  var isAmazon: Bool { settings.endpoint == nil }

  /// The server, for sentences.
  var serverText: String { knowledge.withLock { $0.address.server.text } }

  func put(_ key: ObjectKey, _ body: [UInt8], contentType: String) async throws {
    var template = HTTPRequest(method: .put, url: "")
    template.body = body
    _ = try await send(
      StorageRequest(
        template, .put(key), payloadHash: Digest.hexadecimal(Digest.sha256(body)),
        headers: [("content-type", contentType)]))
  }

  // MARK: - Requests

  func context(_ operation: RequestContext.Operation) -> RequestContext {
    knowledge.withLock { knowledge in
      RequestContext(
        operation: operation, address: knowledge.address, region: knowledge.region, signer: knowledge.signer,
        requesterPays: settings.requesterPays, clockCorrection: knowledge.clockCorrection, proxies: settings.proxies)
    }
  }

  /// Sends a request until it succeeds, cannot succeed, or has been tried often enough.
  func send(_ request: StorageRequest) async throws -> StorageSuccess {
    var attempts = StorageAttempts()
    while true {
      if case .success(let success) = try await attempt(request, &attempts) { return success }
    }
  }

  /// Sends a request once. After a failure that may pass, waits as long as is useful before it returns.
  func attempt(_ asked: StorageRequest, _ attempts: inout StorageAttempts) async throws -> StorageStep {
    let pass = asked.waitsOut ? try await gate.enter() : .free
    var isReported = pass == .free
    defer { if !isReported { gate.leave() } }
    do {
      try await renewSigner()
    } catch let error as StorageError {
      isReported = true
      try await wait(after: FailureReading(error), asked, pass, &attempts)
      return .again(partial: nil)
    }
    var used = context(asked.operation)
    count(asked.operation)
    let outcome = try await engine.perform(
      asked.template.completed(
        for: used, query: asked.query, payloadHash: asked.payloadHash, headers: asked.headers))
    isReported = true
    var reading: FailureReading
    var partial: HTTPResponse?
    switch outcome {
    case .rejected(let response) where asked.isForeign?(response) == true,
      .response(let response) where response.isSuccess && asked.isForeign?(response) == true:
      reading = FailureReading(foreign: response, used)
    case .rejected(let response):
      succeed(asked.operation)
      return .success(.rejected(head: response.body))
    case .tooLarge(let size):
      succeed(asked.operation)
      return .success(.tooLarge(size: size))
    case .response(let response) where response.isSuccess || asked.statuses.contains(response.status):
      succeed(asked.operation)
      return .success(.response(response))
    case .response(let response):
      knowledge.withLock { $0.serverHasAnswered = true }
      used.answered = Date()
      reading = FailureReading(response, used)
    case .failed(let failure, let rest):
      if let rest, asked.isEnough?(rest) == true {
        succeed(asked.operation)
        return .again(partial: rest)
      }
      reading = FailureReading(failure, used)
      partial = rest
    }
    do {
      if let correction = reading.correction,
        try await correct(correction, used, corrected: &attempts.corrections)
      {
        counters.retries.increment()
        if pass == .probe { gate.leave() }
        return .again(partial: nil)
      }
      if reading.error.kind == .accessDenied { try await judgeRefusal(&reading, asked.operation) }
    } catch let error as StorageError where reading.correction == .credentials {
      // Whoever hands credentials out says more than the server did.
      reading = FailureReading(error)
    } catch {
      if pass == .probe { gate.leave() }
      throw error
    }
    try await wait(after: reading, asked, pass, &attempts)
    return .again(partial: partial)
  }

  /// Finds out whether a refusal concerns all of the location, which could be read before: a VPN has gone, or a policy has
  /// changed. That can be waited for; what is wrong with one object cannot.
  private func judgeRefusal(_ reading: inout FailureReading, _ operation: RequestContext.Operation) async throws {
    if case .put = operation { return }
    guard hasListed.load(ordering: .relaxed) else { return }
    switch try await accessProbe.ask({ try await self.mayList() }) {
    case true?: break
    case false?: reading.canBeMended = true
    case nil: reading.retry = .unreachable
    }
  }

  /// Asks for the smallest listing there is, past everything that waits; nil where no server answers that.
  private func mayList() async throws -> Bool? {
    var template = HTTPRequest(url: "")
    template.isUrgent = true
    counters.list.increment()
    counters.retries.increment()
    let used = context(.list)
    let outcome = try await engine.perform(
      template.completed(for: used, query: listingQuery(prefix, pageSize: 1)))
    guard case .response(let response) = outcome else { return nil }
    if response.isSuccess { return Self.beginsLikeListing(response) ? true : nil }
    return FailureReading(response, used).error.kind == .accessDenied ? false : nil
  }

  /// Waits until a request that failed is to be sent again.
  /// - Throws: the failure, where that makes no sense (any more).
  func wait(
    after reading: FailureReading, _ asked: StorageRequest, _ pass: OutageGate.Pass, _ attempts: inout StorageAttempts
  ) async throws {
    let successes = gate.successes
    let firstFailure = attempts.firstFailure ?? .now
    // What succeeded before the last try says nothing of the weather since.
    let othersSucceed = successes > attempts.successesAtFailure ?? successes
    attempts.firstFailure = firstFailure
    attempts.successesAtFailure = successes
    let chance = Double.random(in: 0..<1)
    var retry = reading.retry
    var step = knowledge.withLock { knowledge -> RetryState.Step in
      // What once was good and has ended may be made good again by somebody.
      if reading.canBeMended, knowledge.hasSucceeded { return .waitOut(seconds: 0) }
      // So may somebody who has come between: the server was the right one before.
      if reading.mayBeTheWay, knowledge.hasSucceeded { retry = .unreachable }
      return attempts.retries.next(
        after: retry, serverHasAnswered: knowledge.serverHasAnswered, othersSucceed: othersSucceed,
        budget: &knowledge.budget, chance: chance)
    }
    if pass == .probe {
      if case .giveUp = step, case .permanent = retry {
        // Somebody answers, so the others may go on.
        gate.succeed()
      } else if case .retry(let seconds) = step {
        step = .waitOut(seconds: seconds)
      } else if case .giveUp = step {
        step = .waitOut(seconds: 0)
      }
    }
    if case .waitOut = step, !reading.canBeMended, !reading.mayBeTheWay {
      let isAlone: Bool
      do { isAlone = try await self.isAlone(asked, attempts) } catch {
        // Others wait for what the one that tries reports.
        if pass == .probe { gate.leave() }
        throw error
      }
      if isAlone {
        if pass == .probe { gate.succeed() }
        step =
          attempts.retries.tries < RetryState.maximumTries && attempts.outages < Self.maximumOutages
          ? .retry(afterSeconds: RetryState.maximumDelay) : .giveUp
      }
    }
    switch step {
    case .giveUp: throw reading.error
    case .retry(let seconds):
      counters.retries.increment()
      try await Task.sleep(for: .seconds(seconds))
    case .waitOut(let seconds):
      guard asked.waitsOut else { throw reading.error }
      counters.retries.increment()
      try gate.fail(
        reading.error, title: outageTitle(reading), pass: pass, since: firstFailure, atLeast: seconds,
        chance: chance)
      attempts = StorageAttempts(outages: attempts.outages + 1)
    }
  }

  /// Whether an object fails while nothing is wrong with the server: what came through before still does. Where nothing
  /// has, outages that the listing knows nothing of are waited out a few times.
  private func isAlone(_ asked: StorageRequest, _ attempts: StorageAttempts) async throws -> Bool {
    guard case .get = asked.operation, asked.waitsOut else { return false }
    if let key = knowledge.withLock({ $0.provenKey }) {
      return try await objectProbe.ask { try await self.comesThrough(key) }
    }
    guard attempts.outages >= Self.maximumOutages, hasListed.load(ordering: .relaxed) else { return false }
    return try await accessProbe.ask { try await self.mayList() } == true
  }

  /// Asks for the first byte of an object, past everything that waits.
  private func comesThrough(_ key: ObjectKey) async throws -> Bool {
    var template = HTTPRequest(url: "")
    template.isUrgent = true
    // For servers that do not know ranges.
    template.maximumBodyBytes = 1
    counters.get.increment()
    counters.retries.increment()
    let outcome = try await engine.perform(
      template.completed(
        for: context(.get(key)), query: .empty, payloadHash: Digest.ofNothing, headers: [("range", "bytes=0-0")]))
    switch outcome {
    case .response(let response): return response.isSuccess && !Self.isWebPage(response, insteadOf: nil)
    case .tooLarge: return true
    case .rejected, .failed: return false
    }
  }

  private func outageTitle(_ reading: FailureReading) -> String {
    let server = knowledge.withLock { $0.address.server.hostAndPort }
    return switch reading.error.kind {
    case .expiredCredentials: "The credentials have expired"
    case .accessDenied: "No access to \(bucket) any more"
    case _ where reading.concernsCredentials: "No new credentials"
    case .throttled: "\(server) asks for a pause"
    case .serverFailure: "\(server) fails"
    default: "No connection to \(server)"
    }
  }

  /// Sees to it that requests are signed with credentials that last for a while.
  /// - Throws: `StorageError`, `CancellationError`.
  func renewSigner() async throws {
    let credentials = try await settings.credentialSource.credentials()
    knowledge.withLock { $0.sign(with: credentials) }
  }

  private func count(_ operation: RequestContext.Operation) {
    switch operation {
    case .list: counters.list.increment()
    case .get: counters.get.increment()
    case .put: counters.put.increment()
    }
  }

  private func succeed(_ operation: RequestContext.Operation) {
    knowledge.withLock {
      $0.serverHasAnswered = true
      $0.hasSucceeded = true
      if case .get(let key) = operation { $0.provenKey = key }
      $0.budget.succeed()
    }
    gate.succeed()
  }

  /// Learns from a refusal.
  /// - Parameter corrected: What this request has corrected before: each kind helps once.
  /// - Returns: Whether to ask again at once.
  private func correct(
    _ correction: FailureReading.Correction, _ context: RequestContext, corrected: inout Set<String>
  ) async throws -> Bool {
    switch correction {
    case .region(let region):
      guard corrected.insert("region").inserted else { return false }
      let address = try settings.address(of: bucket, region: region)
      knowledge.withLock { knowledge in
        knowledge.region = region
        knowledge.address = address
      }
      if let memory = settings.regionMemory {
        DispatchQueue.global().async { [bucket] in memory.remember(region, of: bucket) }
      }
    case .clock(let seconds):
      guard corrected.insert("clock").inserted else { return false }
      knowledge.withLock { $0.clockCorrection = seconds }
    case .credentials:
      guard corrected.insert("credentials").inserted, let refused = context.credentials else { return false }
      return try await settings.credentialSource.renew(refused: refused)
    }
    return true
  }
}
