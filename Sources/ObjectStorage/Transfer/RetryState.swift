/// How a failed request is to be treated, whatever its cause means to a person.
enum RetryClass: Sendable, Hashable {
  /// Asking again would get the same answer.
  case permanent
  /// The server lives and wants less; the seconds it asks to wait.
  case throttled(retryAfter: Double?)
  /// The server or the connection failed: 5xx, resets, stalls, short bodies.
  case transient(retryAfter: Double?)
  /// Nobody answers at all.
  case unreachable
}

/// The retries of one request, as a value without clock, chance or I/O.
struct RetryState: Sendable {
  enum Step: Sendable, Hashable {
    case retry(afterSeconds: Double)
    case giveUp
    /// Nothing gets through: to be waited out together with all other requests, at least so many seconds.
    case waitOut(seconds: Double)
  }

  /// Tries of one request, the first included.
  static let maximumTries = 8
  /// Where the server itself asks for patience.
  static let maximumThrottledTries = 10
  /// Where no request has ever been answered: a wrong address should be said soon.
  static let maximumFirstContactTries = 3
  static let firstDelay = 0.1
  static let firstThrottledDelay = 0.4
  /// The longest wait of a single request while others get through, also where the server asks for more: some ask for
  /// minutes, and mean fewer requests.
  static let maximumDelay = 5.0
  /// The longest wait that a server is granted when nothing gets through.
  static let maximumRetryAfter = 300.0

  /// Requests sent until now.
  private(set) var tries = 0

  /// What to do after a failure.
  /// - Parameters:
  ///   - serverHasAnswered: Whether any request to this server was ever answered.
  ///   - othersSucceed: Whether another request has succeeded since this one failed last.
  ///   - chance: Uniform in 0..<1.
  mutating func next(
    after failure: RetryClass, serverHasAnswered: Bool, othersSucceed: Bool = true, budget: inout RetryBudget,
    chance: Double
  ) -> Step {
    tries += 1
    let limit: Int
    var base = Self.firstDelay
    var asked = 0.0
    var isThrottled = false
    switch failure {
    case .permanent: return .giveUp
    case .throttled(let retryAfter):
      limit = Self.maximumThrottledTries
      base = Self.firstThrottledDelay
      asked = retryAfter ?? 0
      isThrottled = true
    case .transient(let retryAfter):
      limit = Self.maximumTries
      asked = retryAfter ?? 0
    case .unreachable:
      limit = serverHasAnswered ? Self.maximumTries : Self.maximumFirstContactTries
    }
    let granted = min(max(asked, 0), Self.maximumRetryAfter) * (1 + 0.2 * chance)
    guard tries < limit else {
      return othersSucceed || !serverHasAnswered ? .giveUp : .waitOut(seconds: granted)
    }
    // Waits that the server asks for cost nothing.
    let isAffordable = isThrottled || budget.take()
    if !othersSucceed, serverHasAnswered {
      if !isAffordable || (asked > Self.maximumDelay && tries > 1) { return .waitOut(seconds: granted) }
    }
    let full = isAffordable ? min(Self.maximumDelay, base * Double(1 << min(tries - 1, 20))) : Self.maximumDelay
    // Half fixed, half by chance: clients that failed together do not come back together.
    let delay = full * (0.5 + 0.5 * chance)
    return .retry(afterSeconds: max(delay, min(asked, Self.maximumDelay) * (1 + 0.2 * chance)))
  }
}

/// How many retries a store may still spend: it empties when a server is down, so that thousands of waiting requests do
/// not each try to the end, and fills again with every success.
struct RetryBudget: Sendable, Hashable {
  static let capacity = 500
  static let cost = 5

  private(set) var tokens = RetryBudget.capacity

  mutating func take() -> Bool {
    guard tokens >= Self.cost else { return false }
    tokens -= Self.cost
    return true
  }

  mutating func succeed() { tokens = min(Self.capacity, tokens + 1) }
}
