import Foundation

/// A text that must never be printed: what describes or reflects it sees dots.
struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// For signing, and for handing on to the service that it is meant for.
  let value: String

  init(_ value: String) { self.value = value }

  var description: String { "•••" }
  var debugDescription: String { description }
  var customMirror: Mirror { Mirror(self, children: []) }
}

/// An access key with its secret, and where both were found.
struct Credentials: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  var accessKeyID: String
  var secretKey: Secret
  /// For credentials that end after some hours.
  var sessionToken: Secret?
  /// When they end; nil where nobody said.
  var expiration: Date?
  /// As the end of “the access key from …”.
  var source: String
  /// What a person can do when they have ended.
  var renewal: String

  init(
    accessKeyID: String, secretKey: String, sessionToken: String? = nil, expiration: Date? = nil, source: String,
    renewal: String = "Get new credentials."
  ) {
    self.accessKeyID = accessKeyID
    self.secretKey = Secret(secretKey)
    self.sessionToken = sessionToken.map { Secret($0) }
    self.expiration = expiration
    self.source = source
    self.renewal = renewal
  }

  /// Enough of the access key to recognise it.
  var abbreviatedKeyID: String {
    accessKeyID.count > 8 ? "\(accessKeyID.prefix(4))…\(accessKeyID.suffix(4))" : "…\(accessKeyID.suffix(2))"
  }

  /// Whether a server would take them for the same.
  func isSameKey(as other: Credentials) -> Bool {
    accessKeyID == other.accessKeyID && secretKey == other.secretKey && sessionToken == other.sessionToken
  }

  var description: String { "access key \(abbreviatedKeyID) from \(source)" }
  var debugDescription: String { description }
  var customMirror: Mirror { Mirror(self, children: ["accessKeyID": abbreviatedKeyID, "source": source]) }
}
