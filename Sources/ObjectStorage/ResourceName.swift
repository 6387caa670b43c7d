import Foundation

/// Amazon resource names of buckets and access points, as people copy them from the console.
enum ResourceName {
  /// Takes `arn:partition:s3:::bucket/folder` or `arn:partition:s3:region:account:accesspoint/name/folder` apart.
  /// - Returns: The bucket's name, or the access point's ARN with a slash before its name; and what follows.
  /// - Throws: for every other ARN, with what can be opened instead.
  static func parts(of bytes: [UInt8], typed: String) throws(LocationError) -> (name: String, prefix: [UInt8]) {
    let slash = UInt8(ascii: "/")
    let colon = UInt8(ascii: ":")
    let fields = bytes.split(separator: colon, maxSplits: 5, omittingEmptySubsequences: false)
    guard fields.count == 6 else { throw LocationError("“\(typed)” is no complete ARN.") }
    let service = String(decoding: fields[2], as: UTF8.self)
    if service == "s3-outposts" {
      throw LocationError("“\(typed)” lies on an Outpost, which is not supported.")
    }
    let resource = fields[5]
    if service == "s3", fields[3].isEmpty, fields[4].isEmpty {
      let name = String(decoding: resource.prefix { $0 != slash }, as: UTF8.self)
      try Location.check(bucketName: name, typed: typed)
      return (name, Array(resource.dropFirst(name.utf8.count + 1)))
    }
    // “accesspoint/name” or “accesspoint:name”, then the folder.
    let behind = resource.dropFirst("accesspoint/".utf8.count)
    let name = behind.prefix { $0 != slash }
    let head = fields[..<5].map { String(decoding: $0, as: UTF8.self) }
    let beginning = String(decoding: resource.prefix("accesspoint/".utf8.count - 1), as: UTF8.self)
    let canonical =
      (head + ["\(beginning)/\(String(decoding: name, as: UTF8.self))"]).joined(separator: ":")
    guard AccessPoint(canonical) != nil else {
      throw LocationError(
        "“\(typed)” is no ARN of a bucket (arn:aws:s3:::bucket) or an access point "
          + "(arn:aws:s3:region:account:accesspoint/name).")
    }
    return (canonical, Array(behind.dropFirst(name.count + 1)))
  }
}

/// The address of a page of the AWS console that shows a bucket.
struct ConsoleAddress: Hashable, Sendable {
  var bucket: String
  var region: String?
  var prefix: [UInt8]

  /// nil for every other address.
  init?(_ text: String) {
    guard text.lowercased().hasPrefix("https://"),
      let host = text.dropFirst(8).split(separator: "/", maxSplits: 1).first?.lowercased(),
      host == "console.aws.amazon.com" || host.hasSuffix(".console.aws.amazon.com")
        || host.hasSuffix(".console.amazonaws.cn") || host.hasSuffix(".console.amazonaws-us-gov.com"),
      let start = text.range(of: "/s3/buckets/")
    else { return nil }
    let rest = text[start.upperBound...]
    bucket = String(rest.prefix { $0 != "?" && $0 != "/" && $0 != "#" })
    prefix = []
    let query = rest.drop { $0 != "?" }.dropFirst().prefix { $0 != "#" }
    for item in query.split(separator: "&") {
      let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2 else { continue }
      let value = PercentEncoding.decode(Array(pair[1].utf8), plusIsSpace: true)
      switch pair[0] {
      case "prefix": prefix = value
      case "region":
        let named = String(decoding: value, as: UTF8.self)
        if AmazonPartition.isRegion(named) { region = named }
      default: break
      }
    }
  }
}
