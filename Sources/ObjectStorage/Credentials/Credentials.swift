/// A text that must never be printed: what describes or reflects it sees dots.
struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// For signing only.
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
  /// As the end of “the access key from …”.
  var source: String

  init(accessKeyID: String, secretKey: String, sessionToken: String? = nil, source: String) {
    self.accessKeyID = accessKeyID
    self.secretKey = Secret(secretKey)
    self.sessionToken = sessionToken.map { Secret($0) }
    self.source = source
  }

  /// Enough of the access key to recognise it.
  var abbreviatedKeyID: String {
    accessKeyID.count > 8 ? "\(accessKeyID.prefix(4))…\(accessKeyID.suffix(4))" : "…\(accessKeyID.suffix(2))"
  }

  var description: String { "access key \(abbreviatedKeyID) from \(source)" }
  var debugDescription: String { description }
  var customMirror: Mirror { Mirror(self, children: ["accessKeyID": abbreviatedKeyID, "source": source]) }
}
