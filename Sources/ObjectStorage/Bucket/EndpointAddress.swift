import Foundation

/// The address of a server: `scheme://host:port/path`, taken apart without ever passing through `URL`.
struct EndpointAddress: Hashable, Sendable {
  var scheme: String
  /// Lower case; an IPv6 address with its brackets.
  var host: String
  /// nil for the scheme's own port.
  var port: Int?
  /// Percent-encoded, without a slash at its end: "" or "/path".
  var path: String

  /// What a request's `Host` header and its signature say.
  var hostAndPort: String { port.map { "\(host):\($0)" } ?? host }

  var text: String { "\(scheme)://\(hostAndPort)\(path)" }

  /// Whether the host is a name that a bucket's name can be put before, and no address.
  var hasDomainName: Bool {
    !host.hasPrefix("[") && host.contains(where: { $0.isLetter }) && host != "localhost"
  }

  /// What is wrong with an address, as the end of a sentence.
  struct Flaw: Error, Hashable { var reason: String }

  init(scheme: String, host: String, port: Int? = nil, path: String = "") {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.path = path
  }

  /// Takes `https://host:port/path` apart.
  init(parsing text: String) throws(Flaw) {
    guard let separator = text.range(of: "://") else {
      throw Flaw(reason: "it does not begin with https:// or http://")
    }
    scheme = text[..<separator.lowerBound].lowercased()
    guard scheme == "http" || scheme == "https" else {
      throw Flaw(reason: "it does not begin with https:// or http://")
    }
    let rest = text[separator.upperBound...]
    let authorityEnd = rest.firstIndex(where: { $0 == "/" || $0 == "?" || $0 == "#" }) ?? rest.endIndex
    var authority = rest[..<authorityEnd]
    guard Self.userInformationEnd(rest) == nil else { throw Flaw(reason: Self.userInformationRemedy) }
    let tail = rest[authorityEnd...]
    guard !tail.contains("?"), !tail.contains("#") else { throw Flaw(reason: "it has a “?” or “#” in it") }

    if authority.hasPrefix("[") {
      guard let close = authority.firstIndex(of: "]") else { throw Flaw(reason: "its “[” has no “]”") }
      host = authority[...close].lowercased()
      let inside = host.dropFirst().dropLast()
      guard inside.contains(":"), inside.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." || $0 == "%" }) else {
        throw Flaw(reason: "“\(host)” is no IPv6 address")
      }
      authority = authority[authority.index(after: close)...]
    } else {
      let colon = authority.firstIndex(of: ":") ?? authority.endIndex
      host = authority[..<colon].lowercased()
      authority = authority[colon...]
    }
    let isHost = host.hasPrefix("[") || host.allSatisfy { $0.isLetter || $0.isNumber || "-._".contains($0) }
    guard !host.isEmpty, isHost else { throw Flaw(reason: "“\(host)” is no host name") }
    if authority.isEmpty || authority == ":" {
      port = nil
    } else {
      guard authority.hasPrefix(":"), let number = Int(authority.dropFirst()), (1...65535).contains(number) else {
        throw Flaw(reason: "“\(authority.dropFirst())” is no port")
      }
      port = number == (scheme == "https" ? 443 : 80) ? nil : number
    }
    // Decoded and encoded again, so that the path is sent exactly as it is signed.
    var bytes = PercentEncoding.encode(PercentEncoding.decode(Array(tail.utf8)), safe: PercentEncoding.keySafe)
    while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    path = String(decoding: bytes, as: UTF8.self)
  }

  /// The text with what may be a user name and password in it taken out.
  static func withoutUserInformation(_ text: String) -> String {
    guard let separator = text.range(of: "://") else { return text }
    let rest = text[separator.upperBound...]
    guard let at = userInformationEnd(rest) else { return text }
    return text[..<separator.upperBound] + "…" + rest[at...]
  }

  static let userInformationRemedy =
    "a user name and password in it are not supported; use the access key's own settings"

  /// The “@” behind a user name and password.
  /// - Parameter rest: What follows the scheme.
  private static func userInformationEnd(_ rest: Substring) -> Substring.Index? {
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    if let at = authority.lastIndex(of: "@") { return at }
    // A password may have a slash in it; what follows a host's colon is a number.
    guard !authority.hasPrefix("["), let colon = authority.firstIndex(of: ":"),
      authority[colon...].dropFirst().contains(where: { !$0.isNumber })
    else { return nil }
    return rest.lastIndex(of: "@")
  }
}
