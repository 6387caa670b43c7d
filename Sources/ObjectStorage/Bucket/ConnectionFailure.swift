/// A server that could not be talked to, understood: the same sentences for S3 and for the services that give credentials.
struct ConnectionFailure: Sendable {
  var error: StorageError
  var retry: RetryClass
  /// As in `FailureReading`.
  var mayBeTheWay = false

  /// - Parameters:
  ///   - host: What was looked up: the server's name, or the bucket's before it.
  ///   - attempt: What could not be done, as the beginning of a sentence.
  init(
    _ failure: TransferFailure, server: EndpointAddress, host: String, attempt: String,
    proxies: ProxySettings
  ) {
    retry = .unreachable
    let shown = server.text
    let proxy = proxies.proxy(for: server)
    if let refusal = Self.proxyRefusal(failure) {
      error = Self.proxyError(refusal, proxy, server)
      retry = .permanent
      mayBeTheWay = true
      return
    }
    switch failure.cause {
    case .unknownHost:
      error = StorageError(
        .unreachable, "The host “\(host)” is not known (DNS).", remedy: Self.remedyForUnknownHost(host, server))
    case .noConnection:
      if let proxy {
        error = StorageError(
          .unreachable, "Nothing answers at the proxy \(proxy.address) from \(proxy.variable), the way to \(shown).",
          remedy: "Correct \(proxy.variable), or name \(server.host) in NO_PROXY.")
      } else {
        error = StorageError(
          .unreachable, "Nothing answers at \(shown).",
          remedy: "Check the endpoint, its port and the network connection.")
      }
    case .timedOut:
      error = StorageError(
        .unreachable, "\(shown) did not answer in time (\(failure.detail)).",
        remedy: proxy == nil
          ? "Check the network connection (VPN, firewall), then try again. If only a proxy leads out, set HTTPS_PROXY."
          : "Check the network connection and the proxy, then try again.")
    case .interrupted:
      error = StorageError(
        .interrupted, "\(attempt): the connection to \(shown) broke (\(failure.detail)).", remedy: "Try again.")
      retry = .transient(retryAfter: nil)
    case .untrustedCertificate:
      (error, retry) = (Self.untrusted(failure.detail, server, host), .permanent)
      mayBeTheWay = true
    case .certificateFile:
      error = StorageError(
        .configuration, "The file of trusted certificates cannot be used (\(failure.detail)).",
        remedy: "Check AWS_CA_BUNDLE, ca_bundle in the profile, or --ca-bundle.")
      retry = .permanent
    case .noEncryption:
      // Also what a connection lost in the greeting looks like.
      error = StorageError(
        .insecure, "No encrypted connection to \(shown) (\(failure.detail)).",
        remedy: "If the server speaks plain HTTP, write http:// in the endpoint.")
    case .notHTTP:
      error = StorageError(
        .notS3, "What answers at \(shown) is no S3 server (\(failure.detail)).",
        remedy: "Check the endpoint and its port.")
      retry = .permanent
      mayBeTheWay = true
    case .proxy: error = Self.proxyError(failure.detail, proxy, server)
    case .other:
      error = StorageError(.refused, "\(attempt): \(failure.detail).")
      retry = .permanent
    }
  }

  /// A name that a proxy or a resolver does not know has been mistyped, or put together wrongly.
  private static func remedyForUnknownHost(_ host: String, _ server: EndpointAddress) -> String {
    if let region = AmazonHost(server.host)?.region {
      return "Check the network connection, and whether “\(region)” is a region (--region)."
    }
    if host != server.hostAndPort {
      return "If the server \(server.text) does not take the bucket's name as part of its own, "
        + "use --addressing-style path. Otherwise check the endpoint's spelling and the network connection."
    }
    return "Check the endpoint's spelling and the network connection."
  }

  private static func untrusted(_ detail: String, _ server: EndpointAddress, _ host: String) -> StorageError {
    let why = detail.lowercased()
    var remedy =
      "If the server has a certificate authority of its own, name its file in AWS_CA_BUNDLE or with --ca-bundle."
    if why.contains("subject name") || why.contains("hostname") || why.contains("not match") {
      remedy =
        host == server.hostAndPort
        ? "The certificate is for another name: use that name in the endpoint."
        : "The certificate is not for names with the bucket before it: use --addressing-style path."
    } else if why.contains("not yet valid") {
      remedy = "Check this computer's clock."
    } else if why.contains("expired") {
      remedy = "The server's owner has to renew it; if it is new, check this computer's clock."
    }
    return StorageError(
      .insecure, "The certificate of \(server.text) is not trusted (\(detail)).", remedy: remedy)
  }

  /// What a proxy answered instead of making the connection.
  private static func proxyRefusal(_ failure: TransferFailure) -> String? {
    guard failure.detail.contains("CONNECT tunnel failed") || failure.detail.contains("from proxy after CONNECT") else {
      return nil
    }
    let status = failure.detail.split(whereSeparator: { !$0.isNumber }).first { $0.count == 3 } ?? ""
    return status == "407" ? "it asks for a user name and a password" : "it answers \(status) to the request to connect"
  }

  private static func proxyError(
    _ why: String, _ proxy: (address: String, variable: String)?, _ server: EndpointAddress
  ) -> StorageError {
    let named = proxy.map { "\($0.address) from \($0.variable)" } ?? "in the environment"
    let variable = proxy?.variable ?? "HTTPS_PROXY"
    return StorageError(
      .unreachable, "The proxy \(named) does not lead to \(server.text): \(why).",
      remedy: why.contains("password")
        ? "Put them into \(variable) (http://user:password@proxy:port), or name \(server.host) in NO_PROXY."
        : "Correct \(variable), or name \(server.host) in NO_PROXY.")
  }
}
