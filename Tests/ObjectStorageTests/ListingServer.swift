@testable import ObjectStorage

/// Listings of made-up keys, as ListObjectsV2 answers: prefix, delimiter, tokens, pages.
struct ListingServer: Sendable {
  /// In the order of the listing.
  let keys: [[UInt8]]
  var pageSize = 1000
  var knowsDelimiter = true
  private let isByDirectory: Bool

  /// - Parameter isByDirectory: Whether keys come directory by directory, “a/b” before “a-b”, and not in the order of bytes.
  init(_ keys: some Sequence<String>, isByDirectory: Bool = false) {
    self.isByDirectory = isByDirectory
    self.keys = Set(keys).map { Array($0.utf8) }.sorted { Self.precedes($0, $1, isByDirectory) }
  }

  private static func precedes(_ left: [UInt8], _ right: [UInt8], _ isByDirectory: Bool) -> Bool {
    func rank(_ byte: UInt8) -> UInt8 { isByDirectory && byte == UInt8(ascii: "/") ? 0 : byte }
    return left.lexicographicallyPrecedes(right) { rank($0) < rank($1) }
  }

  private func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool { Self.precedes(left, right, isByDirectory) }

  func answer(_ request: FaultServer.Request) -> FaultServer.Reply {
    var query: [String: [UInt8]] = [:]
    for item in request.query.split(separator: "&") {
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      query[String(parts[0])] = parts.count > 1 ? PercentEncoding.decode(Array(parts[1].utf8)) : []
    }
    let prefix = query["prefix"] ?? []
    let delimiter = knowsDelimiter ? query["delimiter"]?.first : nil
    let start = query["continuation-token"] ?? []
    var body = "<ListBucketResult><EncodingType>url</EncodingType>"
    var count = 0
    var last: [UInt8] = []
    var folder: [UInt8]?
    var isTruncated = false
    // The first key behind `start`.
    var (low, high) = (0, keys.count)
    let wanted = precedes(start, prefix) ? prefix : start
    while low < high {
      let middle = (low + high) / 2
      if precedes(keys[middle], wanted) { low = middle + 1 } else { high = middle }
    }
    for key in keys[low...] {
      guard key.starts(with: prefix) else { break }
      guard start.isEmpty || precedes(start, key) else { continue }
      if let folder, key.starts(with: folder) {
        last = key
        continue
      }
      if count == pageSize {
        isTruncated = true
        break
      }
      count += 1
      last = key
      if let delimiter, let slash = key[prefix.count...].firstIndex(of: delimiter) {
        let common = Array(key[...slash])
        folder = common
        body += "<CommonPrefixes><Prefix>\(encoded(common))</Prefix></CommonPrefixes>"
      } else {
        body +=
          "<Contents><Key>\(encoded(key))</Key><LastModified>2026-11-23T19:31:09.000Z</LastModified>"
          + "<ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag><Size>100000</Size>"
          + "<StorageClass>STANDARD</StorageClass></Contents>"
      }
    }
    if isTruncated {
      body += "<IsTruncated>true</IsTruncated><NextContinuationToken>\(encodedToken(last))</NextContinuationToken>"
    }
    return .answer(200, body: body + "</ListBucketResult>")
  }

  private func encoded(_ key: [UInt8]) -> String {
    String(decoding: PercentEncoding.encode(key, safe: PercentEncoding.keySafe), as: UTF8.self)
  }

  private func encodedToken(_ key: [UInt8]) -> String { String(decoding: key, as: UTF8.self) }
}
