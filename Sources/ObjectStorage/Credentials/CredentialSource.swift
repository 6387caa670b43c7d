import Foundation
import Synchronization

/// Credentials that last as long as the job: asked for when they are first needed, and again before they end. However many
/// requests wait, one of them asks.
final class CredentialSource: Sendable {
  private struct State {
    var plan: CredentialPlan
    var current: Credentials?
    /// From when on new ones are asked for; nil where they do not end.
    var renewalDate: Date?
    var running: Task<Credentials, any Error>?
    /// Whether the last renewal was in vain: a person may have changed the files since.
    var hasFailed = false
  }

  private let state: Mutex<State>
  let fetcher: CredentialFetcher
  /// Looks everything up anew.
  private let lookUp: @Sendable () throws -> CredentialPlan
  private let now: @Sendable () -> Date

  /// Credentials are exchanged so long before they end, or in the last quarter of a short life.
  static let renewalSeconds = 300.0
  /// After a renewal in vain, while the old ones last still.
  private static let pauseSeconds = 30.0
  /// So long a request waits for new ones while the old ones last.
  private let graceSeconds: Double

  private struct TakesTooLong: Error {}

  init(
    plan: CredentialPlan, fetcher: CredentialFetcher, lookUp: @escaping @Sendable () throws -> CredentialPlan,
    now: @escaping @Sendable () -> Date = { Date() }, graceSeconds: Double = 3
  ) {
    self.now = now
    self.graceSeconds = graceSeconds
    var state = State(plan: plan)
    if case .fixed(let credentials) = plan { state.current = credentials }
    self.state = Mutex(state)
    self.fetcher = fetcher
    self.lookUp = lookUp
  }

  /// What was found by the lookup.
  var plan: CredentialPlan { state.withLock { $0.plan } }

  /// Credentials that last for a while; nil for anonymous requests.
  /// - Throws: `StorageError`; `CancellationError` as soon as the task is cancelled.
  func credentials() async throws -> Credentials? {
    enum Step {
      case use(Credentials?)
      case wait(Task<Credentials, any Error>, orUse: Credentials?)
    }
    let now = now()
    let step: Step = state.withLock { state in
      if case .anonymous = state.plan { return .use(nil) }
      if let current = state.current, state.renewalDate.map({ $0 > now }) ?? true {
        return .use(current)
      }
      let lasting = state.current.flatMap { ($0.expiration ?? now) > now ? $0 : nil }
      return .wait(startRenewal(&state, anew: false), orUse: lasting)
    }
    switch step {
    case .use(let credentials): return credentials
    case .wait(let task, let lasting):
      do {
        return try await Self.value(of: task, atMost: lasting == nil ? nil : graceSeconds)
      } catch let error where !(error is CancellationError) {
        guard let lasting else { throw error }
        state.withLock { state in
          guard state.current == lasting else { return }
          state.renewalDate = now.addingTimeInterval(Self.pauseSeconds)
        }
        return lasting
      }
    }
  }

  /// Gets other credentials than these, which a server has refused as ended: from whoever gave them, or from the files,
  /// where a person may have put new ones.
  /// - Returns: Whether there are others now.
  /// - Throws: `StorageError` where whoever is asked says more than the server did.
  func renew(refused: Credentials) async throws -> Bool {
    let task: Task<Credentials, any Error>? = state.withLock { state in
      if let current = state.current, !current.isSameKey(as: refused) { return nil }
      return startRenewal(&state, anew: true)
    }
    guard let task else { return true }
    return try await !Self.value(of: task).isSameKey(as: refused)
  }

  /// - Parameter anew: Whether the files are read again.
  private func startRenewal(_ state: inout State, anew: Bool) -> Task<Credentials, any Error> {
    if let running = state.running { return running }
    let plan = state.plan
    let anew = anew || state.hasFailed
    let task = Task { [fetcher, lookUp] in
      do {
        let plan = anew ? try await fetcher.lane.run { _ in try lookUp() } : plan
        let credentials = try await fetcher.credentials(of: plan)
        finish(credentials, plan)
        return credentials
      } catch {
        self.state.withLock { state in
          state.running = nil
          state.hasFailed = true
        }
        throw error
      }
    }
    state.running = task
    return task
  }

  private func finish(_ credentials: Credentials, _ plan: CredentialPlan) {
    state.withLock { state in
      state.running = nil
      state.hasFailed = false
      state.plan = plan
      state.current = credentials
      state.renewalDate = nil
      guard plan.needsAsking, let expiration = credentials.expiration else { return }
      let left = expiration.timeIntervalSince(now())
      // What ended before it came was dated by another clock: the server will say when it has really ended.
      if left > 0 { state.renewalDate = expiration.addingTimeInterval(-min(Self.renewalSeconds, left / 4)) }
    }
  }

  /// The task's value; a cancelled waiter goes at once, and the others' task goes on.
  /// - Throws: what the task throws; `TakesTooLong` after that many seconds.
  private static func value(
    of task: Task<Credentials, any Error>, atMost seconds: Double? = nil
  ) async throws -> Credentials {
    let answer = OneShot<Credentials>()
    let timer = seconds.map { seconds in
      Task {
        try await Task.sleep(for: .seconds(seconds))
        answer.answer(.failure(TakesTooLong()))
      }
    }
    defer { timer?.cancel() }
    return try await withTaskCancellationHandler {
      Task { answer.answer(await task.result) }
      return try await answer.value()
    } onCancel: {
      answer.answer(.failure(CancellationError()))
    }
  }
}

/// What looks at it sees where credentials come from, and neither them nor the environment.
extension CredentialSource: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  var description: String { "credentials from \(plan.source)" }
  var debugDescription: String { description }
  var customMirror: Mirror { Mirror(self, children: ["plan": plan]) }
}

/// Carries a plan out.
struct CredentialFetcher: Sendable, CustomReflectable {
  var environment: [String: String]
  var region: String
  var endpoints: ServiceEndpoints
  var cache: CommandLineCache
  var client: ServiceClient
  /// Programs and files may block.
  let lane = BlockingLane(label: "credentials", width: 1)

  /// The environment may hold secrets.
  var customMirror: Mirror { Mirror(self, children: ["region": region]) }

  init(
    environment: [String: String], region: String, endpoints: ServiceEndpoints, cache: CommandLineCache,
    client: ServiceClient
  ) {
    self.environment = environment
    self.region = region
    self.endpoints = endpoints
    self.cache = cache
    self.client = client
  }

  /// - Throws: `StorageError`, `CancellationError`.
  func credentials(of plan: CredentialPlan) async throws -> Credentials {
    switch plan {
    case .anonymous: throw StorageError(.noCredentials, "Anonymous requests have no credentials.")
    case .fixed(let credentials): return credentials
    case .role(let role, let source):
      if role.deviceSerial != nil {
        return try await lane.run { [cache] _ in
          guard let session = cache.credentials(of: role, source: plan.source) else {
            throw CommandLineCache.deviceNeeded(role)
          }
          return session
        }
      }
      let own = try await credentials(of: source)
      return try await tokens().assume(role, with: own, source: plan.source)
    case .webIdentity(let role):
      let token = try await lane.run { _ in try TokenFile(path: role.tokenFile).read() }
      return try await tokens().assume(role, token: token, source: plan.source)
    case .singleSignOn(let signOn):
      return try await SignOnService(
        client: client, signOn: signOn, endpoint: endpoints.endpoint(of: .signOn, region: signOn.region),
        tokenEndpoint: endpoints.endpoint(of: .signOnTokens, region: signOn.region), lane: lane
      ).credentials()
    case .process(let process):
      let environment = environment
      return try await lane.run { isCancelled in
        try process.run(
          environment: environment, timeoutSeconds: CredentialProcess.timeoutSeconds, isCancelled: isCancelled)
      }
    case .container(let container):
      return try await MetadataClient(client: client, lane: lane).credentials(of: container, source: plan.source)
    case .instance(let instance):
      return try await MetadataClient(client: client, lane: lane).credentials(of: instance, source: plan.source)
    }
  }

  private func tokens() throws(StorageError) -> SecurityTokenService {
    SecurityTokenService(
      client: client, endpoint: try endpoints.endpoint(of: .tokens, region: region), region: region)
  }
}
