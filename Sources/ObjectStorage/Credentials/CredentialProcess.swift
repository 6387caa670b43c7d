import Foundation

/// A program of the user's that prints credentials: `credential_process` of a profile.
///
/// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
struct CredentialProcess: Hashable, Sendable {
  var profile: String
  /// The line as the profile has it; it may hold a password.
  var command: Secret

  var source: String { "the credential_process of profile “\(profile)”" }

  /// A program that asks a person something in a browser may take its time.
  static let timeoutSeconds = 60.0

  /// The words of a command line as a POSIX shell splits them, and nothing else that a shell does.
  /// - Returns: nil where a quote is not closed or nothing is quoted by the last backslash.
  static func words(of line: String) -> [String]? {
    var words: [String] = []
    var word: String.UnicodeScalarView?
    var quote: Unicode.Scalar?
    var scalars = line.unicodeScalars.makeIterator()
    while let scalar = scalars.next() {
      switch (scalar, quote) {
      case ("\\", nil):
        guard let next = scalars.next() else { return nil }
        word = word ?? String.UnicodeScalarView()
        word?.append(next)
      case ("\\", "\""):
        guard let next = scalars.next() else { return nil }
        if next != "\"", next != "\\" { word?.append(scalar) }
        word?.append(next)
      case ("\"", nil), ("'", nil):
        quote = scalar
        word = word ?? String.UnicodeScalarView()
      case (_, .some(let open)) where scalar == open: quote = nil
      case (" ", nil), ("\t", nil), ("\r", nil), ("\n", nil):
        if let finished = word { words.append(String(finished)) }
        word = nil
      default:
        word = word ?? String.UnicodeScalarView()
        word?.append(scalar)
      }
    }
    guard quote == nil else { return nil }
    if let finished = word { words.append(String(finished)) }
    return words
  }

  /// Runs the program and reads what it prints. Blocks.
  /// - Throws: `StorageError`, with nothing in it of what the program printed: that may hold secrets.
  func run(environment: [String: String], timeoutSeconds: Double, isCancelled: () -> Bool) throws -> Credentials {
    guard let words = Self.words(of: command.value), let program = words.first else {
      throw failure("its quotes do not match, or it is empty", "Correct it in the configuration file.")
    }
    let name = (program as NSString).lastPathComponent
    let output: [UInt8]
    let status: ChildOutput.Status
    do {
      (output, status) = try ChildOutput.of(
        words, environment: environment, timeoutSeconds: timeoutSeconds, maximumBytes: 256 << 10,
        isCancelled: isCancelled)
    } catch let error as SystemFailure {
      throw failure("“\(name)” could not be started: \(error.reason)", "Check the path of the program.")
    }
    switch status {
    case .exited(0): break
    case .exited(127): throw failure("“\(name)” could not be started", "Check the path of the program.")
    case .exited(let code): throw failure("“\(name)” ended with exit code \(code)", byHand)
    case .signalled(let signal): throw failure("“\(name)” was ended by signal \(signal)", byHand)
    case .timedOut:
      throw failure("“\(name)” printed nothing within \(Int(timeoutSeconds.rounded(.up))) seconds", byHand)
    case .tooLarge: throw failure("“\(name)” prints too much", byHand)
    }
    guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(output)) else {
      throw failure("what “\(name)” prints is not the JSON that is wanted", byHand)
    }
    guard answer.version == 1 else {
      throw failure("“\(name)” prints version \(answer.version) of the format, and only 1 is known", nil)
    }
    guard let keyID = answer.accessKeyID.nonEmpty, let secret = answer.secretKey.nonEmpty else {
      throw failure("what “\(name)” prints has no AccessKeyId or no SecretAccessKey", byHand)
    }
    return Credentials(
      accessKeyID: keyID, secretKey: secret, sessionToken: answer.token.nonEmpty,
      expiration: answer.expiration.flatMap { Timestamp.date(anyISO8601: $0) }, source: source, renewal: byHand)
  }

  private var byHand: String { "To see why, run: aws configure export-credentials --profile \(profile)" }

  private func failure(_ why: String, _ remedy: String?) -> StorageError {
    StorageError(
      .noCredentials, "The credential_process of profile “\(profile)” gave no credentials: \(why).", remedy: remedy)
  }

  private struct Answer: Decodable {
    var version: Int
    var accessKeyID: String?
    var secretKey: String?
    var token: String?
    var expiration: String?

    enum CodingKeys: String, CodingKey {
      case version = "Version"
      case accessKeyID = "AccessKeyId"
      case secretKey = "SecretAccessKey"
      case token = "SessionToken"
      case expiration = "Expiration"
    }
  }
}
