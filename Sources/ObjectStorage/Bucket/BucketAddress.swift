/// Where a bucket is reached, and how its name is put into a request.
struct BucketAddress: Hashable, Sendable {
  let bucket: String
  /// The server alone: what a person would recognise.
  let server: EndpointAddress
  /// Whether the bucket's name is part of the host's.
  let isVirtual: Bool

  /// - Throws: `StorageError` where the name shall be part of a host that is an address.
  init(
    bucket: String, region: String, endpoint: EndpointAddress?, style: StorageOptions.AddressingStyle
  ) throws(StorageError) {
    self.bucket = bucket
    server = endpoint ?? EndpointAddress(scheme: "https", host: AmazonHost.name(region: region))
    switch style {
    case .path: isVirtual = false
    case .virtual:
      guard server.hasDomainName else {
        throw StorageError(
          .configuration, "Virtual-host addressing needs a host name, and \(server.text) is an address.",
          remedy: "Use --addressing-style path.")
      }
      isVirtual = true
    case .auto:
      // A certificate for *.s3.amazonaws.com covers one label only.
      isVirtual = AmazonHost(server.host) != nil && Self.isLabel(bucket)
    }
  }

  /// The `Host` of requests.
  var host: String { isVirtual ? "\(bucket).\(server.hostAndPort)" : server.hostAndPort }

  /// The path of a key, or of the bucket itself: what is sent and what is signed.
  func path(of key: ObjectKey?) -> String {
    var path = Array(server.path.utf8)
    if !isVirtual { path += Array("/".utf8) + PercentEncoding.encode(bucket.utf8, safe: PercentEncoding.keySafe) }
    if let key {
      path += Array("/".utf8) + PercentEncoding.encode(key.bytes, safe: PercentEncoding.keySafe)
    } else if isVirtual {
      path += Array("/".utf8)
    }
    return String(decoding: path, as: UTF8.self)
  }

  func url(path: String, query: String) -> String {
    "\(server.scheme)://\(host)\(path)" + (query.isEmpty ? "" : "?" + query)
  }

  /// Whether the name can stand before a host's: 3 to 63 lower-case letters, digits and hyphens.
  private static func isLabel(_ name: String) -> Bool {
    (3...63).contains(name.utf8.count) && !name.hasPrefix("-") && !name.hasSuffix("-")
      && name.utf8.allSatisfy { PercentEncoding.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
      && name == name.lowercased()
  }
}
