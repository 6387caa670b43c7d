import Foundation
import Synchronization

/// Requests to the services that hand out credentials: few and small.
final class ServiceClient: Sendable {
  /// Made with the first request: most credentials need none.
  private let engine = Mutex<TransferEngine?>(nil)
  private let certificateAuthorities: String?
  private let proxies: ProxySettings

  /// An answer larger than this is not believed.
  private static let maximumBytes: Int64 = 1 << 20

  init(certificateAuthorities: String?, proxies: ProxySettings) {
    self.certificateAuthorities = certificateAuthorities
    self.proxies = proxies
  }

  /// How patient a request is.
  struct Patience: Sendable {
    var seconds: Double
    var attempts: Int
    /// For services of AWS.
    static let usual = Patience(seconds: 20, attempts: 3)
  }

  /// Sends a request until somebody answers.
  /// - Parameters:
  ///   - service: What is asked, as the beginning of a sentence.
  ///   - makeHeaders: The header lines, given what to add to this computer's clock: signatures hold a date.
  /// - Returns: The answer, whatever its status below 500.
  /// - Throws: `StorageError`, `CancellationError`.
  func send(
    _ method: HTTPRequest.Method = .get, _ url: String, to server: EndpointAddress, service: String,
    body: [UInt8] = [], patience: Patience = .usual, isDirect: Bool = false,
    headers makeHeaders: @escaping @Sendable (_ clockCorrection: Double) -> [(name: String, value: String)]
  ) async throws -> HTTPResponse {
    let engine = try self.engine.withLock { engine in
      if let engine { return engine }
      let made = try TransferEngine(connections: 2, certificateAuthorities: certificateAuthorities, proxies: proxies)
      engine = made
      return made
    }
    var clockCorrection = 0.0
    var attempt = 0
    while true {
      attempt += 1
      var request = HTTPRequest(method: method, url: url)
      request.body = body
      request.isDirect = isDirect
      request.maximumBodyBytes = Self.maximumBytes
      request.headers = { [clockCorrection] in makeHeaders(clockCorrection).map { "\($0.name): \($0.value)" } }
      let error: StorageError
      switch try await perform(request, engine, seconds: patience.seconds) {
      case .response(let response):
        if response.status == 400 || response.status == 403, clockCorrection == 0,
          let date = response[header: "date"].flatMap({ Timestamp.date(http: $0) }),
          abs(date.timeIntervalSinceNow) > FailureReading.suspiciousSkew
        {
          clockCorrection = date.timeIntervalSinceNow
          attempt -= 1
          continue
        }
        guard response.status >= 500 || response.status == 429 else { return response }
        error = StorageError(
          .serverFailure, "\(service) failed: \(server.text) answers \(response.status).", remedy: "Try again later.")
      case .failed(let failure, _):
        let proxies = isDirect ? ProxySettings(environment: [:]) : proxies
        let reading = ConnectionFailure(
          failure, server: server, host: server.hostAndPort, attempt: "\(service) failed", proxies: proxies)
        if reading.retry == .permanent || attempt >= patience.attempts { throw reading.error }
        error = reading.error
      case .rejected, .tooLarge:
        throw StorageError(.invalidAnswer, "\(service) failed: the answer of \(server.text) is too large.")
      }
      guard attempt < patience.attempts else { throw error }
      try await Task.sleep(for: .seconds(Double(attempt) * Double.random(in: 0.2...0.4)))
    }
  }

  private func perform(
    _ request: HTTPRequest, _ engine: TransferEngine, seconds: Double
  ) async throws -> TransferOutcome {
    try await withThrowingTaskGroup(of: TransferOutcome.self) { group in
      group.addTask { try await engine.perform(request) }
      group.addTask {
        try await Task.sleep(for: .seconds(seconds))
        return .failed(
          TransferFailure(cause: .timedOut, detail: "no answer within \(String(format: "%g", seconds)) seconds"),
          partial: nil)
      }
      defer { group.cancelAll() }
      return try await group.next() ?? .failed(TransferFailure(cause: .other, detail: "no answer"), partial: nil)
    }
  }
}

extension Timestamp {
  /// A moment of RFC 3339, with `Z`, `UTC` or an offset at its end; nil for every other text.
  static func date(anyISO8601 text: String) -> Date? {
    let bytes = Array(text.utf8)
    guard bytes.count >= 19, let date = date(iso8601: bytes) else { return nil }
    let zone = bytes[19...].drop { $0 == UInt8(ascii: ".") || (48...57).contains($0) }
    guard let sign = zone.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return date }
    let digits = zone.dropFirst().filter { (48...57).contains($0) }.map { Double($0 - 48) }
    guard digits.count == 4 else { return nil }
    let seconds = (digits[0] * 10 + digits[1]) * 3600 + (digits[2] * 10 + digits[3]) * 60
    return date.addingTimeInterval(sign == UInt8(ascii: "+") ? -seconds : seconds)
  }
}
