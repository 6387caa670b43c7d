import Foundation

/// Which proxy libcurl takes for a request: it reads the environment of the process by itself, and this says what it found.
struct ProxySettings: Sendable {
  private let environment: [String: String]

  init(environment: [String: String] = ProcessInfo.processInfo.environment) { self.environment = environment }

  /// The proxy for a server and the variable that names it; nil for a direct connection.
  func proxy(for server: EndpointAddress) -> (address: String, variable: String)? {
    // The upper-case HTTP_PROXY is not read: in a CGI program it would be whatever a client sends as its “Proxy” header.
    let names =
      (server.scheme == "https" ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy"]) + ["all_proxy", "ALL_PROXY"]
    guard let variable = names.first(where: { environment[$0] != nil }), let address = environment[variable].nonEmpty,
      !isExcepted(server.host)
    else { return nil }
    let shown = EndpointAddress.withoutUserInformation(address.contains("://") ? address : "http://" + address)
    return (shown, variable)
  }

  private func isExcepted(_ host: String) -> Bool {
    let list = environment["no_proxy"] ?? environment["NO_PROXY"] ?? ""
    if list.trimmingCharacters(in: .whitespaces) == "*" { return true }
    return list.split(whereSeparator: { $0 == "," || $0 == " " }).contains { entry in
      let name = entry.lowercased().drop { $0 == "." }
      return !name.isEmpty && (host == name || host.hasSuffix("." + name))
    }
  }
}
