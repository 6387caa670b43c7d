/// An access point of a bucket, named by its ARN: `arn:aws:s3:region:account:accesspoint/name`.
///
/// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html
struct AccessPoint: Hashable, Sendable {
  /// `s3`, or `s3-object-lambda`.
  let service: String
  /// Empty for an access point of several regions.
  let region: String
  let account: String
  let name: String

  /// nil for every text that is no ARN of an access point.
  init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 6, parts[0] == "arn", AmazonPartition.all.contains(where: { $0.name == parts[1] }),
      parts[2] == "s3" || parts[2] == "s3-object-lambda",
      parts[3].isEmpty || StorageSettings.isPlausible(region: parts[3]),
      parts[4].utf8.count == 12, parts[4].utf8.allSatisfy({ (48...57).contains($0) })
    else { return nil }
    let resource = parts[5]
    guard resource.hasPrefix("accesspoint/") || resource.hasPrefix("accesspoint:") else { return nil }
    service = parts[2]
    region = parts[3]
    account = parts[4]
    name = String(resource.dropFirst("accesspoint/".count))
    let isName = name.utf8.allSatisfy {
      PercentEncoding.isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
    }
    guard (3...63).contains(name.utf8.count), isName else { return nil }
  }

  /// Whether it stands for buckets in several regions.
  var isMultiRegion: Bool { region.isEmpty || name.hasSuffix(".mrap") }

  /// What stands before the server's name in the host.
  var hostLabel: String { "\(name)-\(account)" }

  /// Why it cannot be opened; nil where it can.
  var refusal: StorageError? {
    if isMultiRegion {
      return StorageError(
        .configuration,
        "“\(name)” is a multi-region access point, which takes signatures of version 4A only; these are not built in.",
        remedy: "Open one of its buckets, or an access point of one region.")
    }
    if service != "s3" {
      return StorageError(
        .configuration, "“\(name)” is an Object Lambda access point, which is not supported.",
        remedy: "Open the bucket behind it, or an ordinary access point.")
    }
    if name.contains(".") {
      return StorageError(.configuration, "“\(name)” is no name of an access point.", remedy: "Check the ARN.")
    }
    return nil
  }
}
