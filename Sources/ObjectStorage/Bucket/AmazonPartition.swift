/// One of the separate worlds of AWS: regions, and the domain they lie in.
///
/// After `partitions.json`, which every AWS SDK carries.
struct AmazonPartition: Hashable, Sendable {
  /// The partition's name in ARNs, such as `aws-cn`.
  let name: String
  let domain: String
  /// The domain of services other than S3 where IPv6 is wanted too.
  let dualStackDomain: String
  /// What the names of its regions begin with.
  let regionPrefixes: [String]

  static let standard = AmazonPartition(
    name: "aws", domain: "amazonaws.com", dualStackDomain: "api.aws", regionPrefixes: [])

  static let all = [
    standard,
    AmazonPartition(
      name: "aws-cn", domain: "amazonaws.com.cn", dualStackDomain: "api.amazonwebservices.com.cn",
      regionPrefixes: ["cn-"]),
    AmazonPartition(
      name: "aws-us-gov", domain: "amazonaws.com", dualStackDomain: "api.aws", regionPrefixes: ["us-gov-"]),
    AmazonPartition(
      name: "aws-iso", domain: "c2s.ic.gov", dualStackDomain: "api.aws.ic.gov", regionPrefixes: ["us-iso-"]),
    AmazonPartition(
      name: "aws-iso-b", domain: "sc2s.sgov.gov", dualStackDomain: "api.aws.scloud", regionPrefixes: ["us-isob-"]),
    AmazonPartition(
      name: "aws-iso-e", domain: "cloud.adc-e.uk", dualStackDomain: "api.cloud-aws.adc-e.uk",
      regionPrefixes: ["eu-isoe-"]),
    AmazonPartition(
      name: "aws-iso-f", domain: "csp.hci.ic.gov", dualStackDomain: "api.aws.hci.ic.gov",
      regionPrefixes: ["us-isof-", "eu-isof-"]),
    AmazonPartition(
      name: "aws-eusc", domain: "amazonaws.eu", dualStackDomain: "api.amazonwebservices.eu", regionPrefixes: ["eusc-"]),
  ]

  /// The partition that a region lies in.
  static func of(region: String) -> AmazonPartition {
    all.first { partition in partition.regionPrefixes.contains { region.hasPrefix($0) } } ?? standard
  }

  /// Whether a name has the form of a region of AWS: `us-east-1`, `us-gov-west-1`, `us-iso-east-1`.
  static func isRegion(_ name: String) -> Bool {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 3, let number = parts.last, !number.isEmpty, number.utf8.allSatisfy({ (48...57).contains($0) })
    else { return false }
    return parts.dropLast().allSatisfy { part in
      !part.isEmpty && part.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
    }
  }
}

/// Which of the hosts of AWS are asked for, where there is a choice.
struct AmazonVariant: Hashable, Sendable {
  /// Hosts whose cryptography is validated (FIPS 140).
  var usesFIPS = false
  /// Hosts that answer over IPv6 too.
  var usesDualStack = false
}
