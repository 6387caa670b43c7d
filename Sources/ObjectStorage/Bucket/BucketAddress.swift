/// Where a bucket or an access point is reached, and how its name is put into a request.
struct BucketAddress: Hashable, Sendable {
  /// The bucket's name, or the ARN of the access point.
  let bucket: String
  /// The server alone: what a person would recognise.
  let server: EndpointAddress
  /// What stands before the server's name in the host; nil where the bucket is part of the path.
  private let hostLabel: String?

  /// - Throws: `StorageError` where the name cannot be put where it shall go, and for what is no bucket of this kind.
  init(
    bucket: String, region: String, endpoint: EndpointAddress?, style: StorageOptions.AddressingStyle,
    variant: AmazonVariant = AmazonVariant()
  ) throws(StorageError) {
    self.bucket = bucket
    let accessPoint = AccessPoint(bucket)
    if let refusal = accessPoint?.refusal { throw refusal }
    let amazon = endpoint.map { AmazonHost($0.host) } ?? AmazonHost(AmazonHost.name(region: region))
    server =
      endpoint
      ?? EndpointAddress(
        scheme: "https",
        host: AmazonHost.name(
          region: accessPoint?.region ?? region, variant: variant, kind: accessPoint == nil ? .storage : .accessPoint))
    if amazon != nil, bucket.hasSuffix("--x-s3") || bucket.hasSuffix("--xa-s3") {
      throw StorageError(
        .configuration,
        "“\(bucket)” is a directory bucket (S3 Express One Zone), which speaks another protocol; it is not supported.",
        remedy: "Copy its images to a general purpose bucket, for instance with “aws s3 sync”.")
    }
    if let accessPoint {
      // An access point has no place in a path, whatever the style that buckets shall have.
      guard server.hasDomainName else { throw Self.noDomainName(server) }
      hostLabel = accessPoint.hostLabel
      return
    }
    switch style {
    case .path: hostLabel = nil
    case .virtual:
      guard server.hasDomainName else { throw Self.noDomainName(server) }
      hostLabel = bucket
    case .auto:
      // A certificate for *.s3.amazonaws.com covers one label only.
      hostLabel = amazon != nil && Self.isLabel(bucket) ? bucket : nil
    }
  }

  private static func noDomainName(_ server: EndpointAddress) -> StorageError {
    StorageError(
      .configuration, "Virtual-host addressing needs a host name, and \(server.text) is an address.",
      remedy: "Use --addressing-style path.")
  }

  /// Whether the bucket's name is part of the host's.
  var isVirtual: Bool { hostLabel != nil }

  /// The `Host` of requests.
  var host: String { hostLabel.map { "\($0).\(server.hostAndPort)" } ?? server.hostAndPort }

  /// The address of the bucket or access point itself, for people.
  var text: String {
    var text = url(path: path(of: nil), query: "")
    while text.hasSuffix("/") { text.removeLast() }
    return text
  }

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
