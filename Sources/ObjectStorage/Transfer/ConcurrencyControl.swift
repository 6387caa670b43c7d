/// How many transfers may run at one time, as a value without clock or I/O: it doubles while that brings more, then looks
/// now and then whether more has become useful, halves when the server asks for less, and comes back step by step
/// (additive increase, multiplicative decrease, as TCP does).
struct ConcurrencyControl: Sendable, Hashable {
  /// Transfers at one time.
  private(set) var limit: Int
  /// Never more.
  let maximum: Int

  private enum Phase: Hashable {
    /// Twice as many after every window that brought clearly more than the one before.
    case doubling
    /// More did not help.
    case steady
    /// More is being tried; the limit and the rate before.
    case trying(limit: Int, rate: Double)
    /// Grows slowly after the server had asked for less.
    case recovering
  }

  /// With which it starts.
  static let initial = 32
  static let minimum = 2
  /// More transfers are worth it when they bring so many times the rate.
  private static let gain = 1.1
  /// A window lasts at least so many seconds, and until each transfer has ended once on the average.
  private static let windowSeconds = 0.1
  /// Seconds between two tries whether more would help.
  private static let restSeconds = 3.0
  /// The answers to one burst of requests count as one refusal.
  private static let refusalSeconds = 1.0
  /// What a request costs besides its bytes, in bytes.
  private static let requestBytes = 32_768

  private var phase = Phase.doubling
  private var windowStart: Double?
  private var windowBytes = 0.0
  private var windowCount = 0
  private var isSaturated = true
  private var lastRate = 0.0
  private var lastChange = -Double.infinity
  private var lastRefusal = -Double.infinity

  init(maximum: Int) {
    self.maximum = max(1, maximum)
    limit = min(Self.initial, self.maximum)
  }

  /// There was less to do than could have been done: what is measured now says nothing.
  mutating func starve() { isSaturated = false }

  /// A transfer has succeeded.
  /// - Parameters:
  ///   - bytes: Of its body.
  ///   - time: Now, in seconds.
  mutating func succeed(bytes: Int, time: Double) {
    guard let start = windowStart else {
      beginWindow(time)
      return
    }
    windowBytes += Double(bytes + Self.requestBytes)
    windowCount += 1
    let seconds = time - start
    guard windowCount >= limit, seconds >= Self.windowSeconds else { return }
    if isSaturated { judge(rate: windowBytes / seconds, time) }
    beginWindow(time)
  }

  /// The server asks for less, or no longer answers in time.
  mutating func refuse(time: Double) {
    guard time - lastRefusal >= Self.refusalSeconds else { return }
    lastRefusal = time
    set(max(min(Self.minimum, maximum), limit / 2), .recovering, time)
    beginWindow(time)
  }

  private mutating func beginWindow(_ time: Double) {
    windowStart = time
    windowBytes = 0
    windowCount = 0
    isSaturated = true
  }

  private mutating func judge(rate: Double, _ time: Double) {
    switch phase {
    case .doubling:
      if rate > lastRate * Self.gain {
        if limit < maximum { set(min(maximum, limit * 2), .doubling, time) } else { set(limit, .steady, time) }
      } else {
        // The last doubling was for nothing.
        set(max(min(Self.initial, maximum), limit / 2), .steady, time)
      }
    case .steady:
      if time - lastChange >= Self.restSeconds, limit < maximum {
        set(min(maximum, limit + max(2, limit / 4)), .trying(limit: limit, rate: rate), time)
      }
    case .trying(let before, let rateBefore):
      // In proportion to what was added, half of it is asked for.
      let wanted = 1 + 0.5 * Double(limit - before) / Double(before)
      set(rate > rateBefore * wanted ? limit : before, .steady, rate > rateBefore * wanted ? -.infinity : time)
    case .recovering:
      set(min(maximum, limit + max(1, limit / 16)), limit < maximum ? .recovering : .steady, time)
    }
    lastRate = rate
  }

  private mutating func set(_ limit: Int, _ phase: Phase, _ time: Double) {
    self.limit = limit
    self.phase = phase
    lastChange = time
  }
}
