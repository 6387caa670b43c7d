import Foundation

/// The regions in which buckets of AWS were found when another had been asked: a line a bucket, newest first. Sparing one
/// request at every start, it is worth no word when it cannot be read or written.
struct RegionMemory: Sendable {
  let path: String

  private static let limit = 500
  /// A file larger than this is none of ours.
  private static let maximumBytes = 1 << 18

  /// The region of a bucket, if it was ever learnt; in the partition of the region that is asked first, as each has bucket
  /// names of its own.
  func region(of bucket: String, besides asked: String) -> String? {
    let found = entries().first { $0.bucket == bucket && AmazonPartition.of(region: $0.region) == .of(region: asked) }
    return found?.region
  }

  func remember(_ region: String, of bucket: String) {
    let partition = AmazonPartition.of(region: region)
    let others = entries().filter { $0.bucket != bucket || AmazonPartition.of(region: $0.region) != partition }
    let lines = ["\(bucket) \(region)\n"] + others.prefix(Self.limit - 1).map { "\($0.bucket) \($0.region)\n" }
    let temporary = path + ".\(UInt64.random(in: 0...UInt64.max))"
    let folder = (path as NSString).deletingLastPathComponent
    try? FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let isWritten = FileManager.default.createFile(
      atPath: temporary, contents: Data(lines.joined().utf8), attributes: [.posixPermissions: 0o600])
    if !isWritten || rename(temporary, path) != 0 { unlink(temporary) }
  }

  private func entries() -> [(bucket: String, region: String)] {
    var bytes: [UInt8] = []
    do throws(SystemFailure) {
      let file = try FileDescriptor(Array(path.utf8), flags: O_RDONLY | O_NONBLOCK)
      while bytes.count <= Self.maximumBytes, try file.append(to: &bytes, atMost: 65_536) > 0 {}
    } catch { return [] }
    guard bytes.count <= Self.maximumBytes else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard words.count == 2, AmazonPartition.isRegion(String(words[1])) else { return nil }
      return (String(words[0]), String(words[1]))
    }
  }
}
