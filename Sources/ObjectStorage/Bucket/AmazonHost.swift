/// The host names of AWS itself: `s3.region.amazonaws.com`, with a bucket's name before it or without.
struct AmazonHost: Hashable, Sendable {
  /// nil for a host without a bucket.
  var bucket: String?
  /// nil for hosts without a region, which lie in us-east-1.
  var region: String?

  /// nil for every host that is not S3 of AWS.
  init?(_ host: String) {
    let suffix =
      host.hasSuffix(".amazonaws.com")
      ? ".amazonaws.com" : host.hasSuffix(".amazonaws.com.cn") ? ".amazonaws.com.cn" : ""
    guard !suffix.isEmpty else { return nil }
    var labels = host.dropLast(suffix.count).split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    // From the right: region, “dualstack”, then “s3”, “s3-fips” or the old “s3-region”; what is left is the bucket.
    guard let service = labels.lastIndex(where: { $0 == "s3" || $0.hasPrefix("s3-") }) else { return nil }
    let behind = labels[(service + 1)...].filter { $0 != "dualstack" }
    guard behind.count <= 1 else { return nil }
    if let named = behind.first {
      region = named
    } else if labels[service].hasPrefix("s3-"), labels[service] != "s3-fips" {
      region = String(labels[service].dropFirst(3))
    }
    labels.removeSubrange(service...)
    bucket = labels.isEmpty ? nil : labels.joined(separator: ".")
  }

  /// The host of a region.
  static func name(region: String) -> String {
    "s3.\(region).amazonaws.com" + (region.hasPrefix("cn-") ? ".cn" : "")
  }
}
