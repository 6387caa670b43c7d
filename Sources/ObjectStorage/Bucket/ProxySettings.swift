import Foundation

/// The proxies that the environment names, as the AWS command line reads it.
struct ProxySettings: Sendable {
  private let environment: [String: String]
  /// Whether there is any: most computers have none.
  private let isEmpty: Bool

  init(environment: [String: String]) {
    self.environment = environment
    isEmpty = !environment.keys.contains { $0.lowercased().hasSuffix("_proxy") && $0.lowercased() != "no_proxy" }
  }

  /// The proxy for a server and the variable that names it; nil for a direct connection.
  func proxy(for server: EndpointAddress) -> (address: String, variable: String)? {
    found(scheme: server.scheme, host: server.host).map {
      (EndpointAddress.withoutUserInformation($0.address), $0.variable)
    }
  }

  /// The proxy for an address, with the user name and password that it may have; nil for a direct connection.
  func proxyAddress(forURL url: String) -> String? {
    guard !isEmpty, let separator = url.range(of: "://") else { return nil }
    let authority = url[separator.upperBound...].prefix { $0 != "/" && $0 != "?" }
    let host = authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
    return found(scheme: String(url[..<separator.lowerBound]), host: String(host))?.address
  }

  private func found(scheme: String, host: String) -> (address: String, variable: String)? {
    guard !isEmpty else { return nil }
    let variables = ["\(scheme)_proxy", "\(scheme.uppercased())_PROXY", "all_proxy", "ALL_PROXY"]
    // An empty one says that there is none.
    guard let variable = variables.first(where: { environment[$0] != nil }),
      let address = environment[variable]?.trimmingCharacters(in: .whitespaces), !address.isEmpty, !isExcepted(host)
    else { return nil }
    return (address.contains("://") ? address : "http://" + address, variable)
  }

  private func isExcepted(_ host: String) -> Bool {
    let list = environment["no_proxy"] ?? environment["NO_PROXY"] ?? ""
    if list.trimmingCharacters(in: .whitespaces) == "*" { return true }
    let host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    let number = Self.number(host)
    return list.split(whereSeparator: { $0 == "," || $0 == " " }).contains { entry in
      let name = entry.lowercased().drop { $0 == "." }
      if let number, let range = Self.range(name) { return range.contains(number) }
      return !name.isEmpty && (host == name || host.hasSuffix("." + name))
    }
  }

  /// Addresses whose first bits are the same.
  private struct AddressRange {
    var bytes: [UInt8]
    var bits: Int

    func contains(_ address: [UInt8]) -> Bool {
      guard address.count == bytes.count else { return false }
      return address.indices.allSatisfy { index in
        let bits = min(8, max(0, self.bits - index * 8))
        let mask = UInt8(truncatingIfNeeded: 0xFF00 >> bits)
        return address[index] & mask == bytes[index] & mask
      }
    }
  }

  /// `10.0.0.0/8`, `fd00::/8`, or one address; nil for a name.
  private static func range(_ text: Substring) -> AddressRange? {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let address = parts[0].hasPrefix("[") ? parts[0].dropFirst().prefix { $0 != "]" } : parts[0]
    guard let bytes = number(String(address)) else { return nil }
    guard parts.count == 2 else { return AddressRange(bytes: bytes, bits: bytes.count * 8) }
    return Int(parts[1]).map { AddressRange(bytes: bytes, bits: $0) }
  }

  /// The bytes of an IP address; nil for a name.
  private static func number(_ text: String) -> [UInt8]? {
    for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
      var bytes = [UInt8](repeating: 0, count: count)
      if inet_pton(family, text, &bytes) == 1 { return bytes }
    }
    return nil
  }
}
