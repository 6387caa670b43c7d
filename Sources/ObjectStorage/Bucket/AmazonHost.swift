/// The host names of AWS itself: `s3.region.amazonaws.com`, with a bucket's name before it or without.
struct AmazonHost: Hashable, Sendable {
  /// nil for a host without a bucket.
  var bucket: String?
  /// nil for hosts without a region, which lie in us-east-1.
  var region: String?
  var variant = AmazonVariant()
  /// What the host is for.
  var kind = Kind.storage

  enum Kind: Hashable, Sendable {
    case storage
    /// Access points: what stands before is no bucket's name, but goes the same way.
    case accessPoint
    /// A bucket shown as web pages: no S3 there, but the bucket's name and region.
    case website
    /// The network of caches before S3, which has no region.
    case accelerated
  }

  /// nil for every host that is not S3 of AWS.
  init?(_ host: String) {
    guard let partition = AmazonPartition.all.first(where: { host.hasSuffix("." + $0.domain) }) else { return nil }
    var labels = host.dropLast(partition.domain.utf8.count + 1)
      .split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    // From the right: region, “dualstack”, then “s3”, “s3-fips” or the old “s3-region”; what is left is the bucket.
    guard let service = labels.lastIndex(where: { $0 == "s3" || $0.hasPrefix("s3-") }) else { return nil }
    variant.usesDualStack = labels[(service + 1)...].contains("dualstack")
    let behind = labels[(service + 1)...].filter { $0 != "dualstack" }
    guard behind.count <= 1 else { return nil }
    var what = labels[service].dropFirst(2)
    if what.hasSuffix("-fips") {
      variant.usesFIPS = true
      what = what.dropLast(5)
    }
    switch what {
    case "", "-external-1": break
    case "-accesspoint": kind = .accessPoint
    case "-website": kind = .website
    case "-accelerate": kind = .accelerated
    default:
      // Names of services that are not S3, such as “s3-object-lambda”, end here.
      let named = what.dropFirst()
      if named.hasPrefix("website-") {
        kind = .website
        region = String(named.dropFirst(8))
      } else {
        region = String(named)
      }
      guard let region, AmazonPartition.isRegion(region) else { return nil }
    }
    if let named = behind.first { region = named }
    labels.removeSubrange(service...)
    bucket = labels.isEmpty ? nil : labels.joined(separator: ".")
  }

  /// The host of a region.
  static func name(region: String, variant: AmazonVariant = AmazonVariant(), kind: Kind = .storage) -> String {
    (kind == .accessPoint ? "s3-accesspoint" : "s3") + (variant.usesFIPS ? "-fips" : "")
      + (variant.usesDualStack ? ".dualstack" : "") + ".\(region).\(AmazonPartition.of(region: region).domain)"
  }
}
