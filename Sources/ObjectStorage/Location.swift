public import Foundation

/// Why a text names no location.
public struct LocationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong, and what can be typed, in one or two sentences.
  public var message: String

  /// As `message`.
  public var description: String { message }

  /// What can be typed.
  public static let examples =
    "Type bucket/folder, s3://bucket/folder, https://endpoint/bucket/folder, /a/folder, ./folder or file:///a/folder."

  init(_ reason: String) { message = reason + " " + LocationError.examples }
}

/// A place with images: a bucket, a part of one, or a folder.
public struct Location: Hashable, Sendable {
  /// What kind of place it is.
  public enum Kind: Hashable, Sendable {
    /// A bucket and the beginning of its keys: empty, or bytes that end in `/`. An access point is named by its ARN. The
    /// endpoint is nil where the location names none: options, environment and profile then say where the bucket is.
    case bucket(endpoint: String?, name: String, prefix: [UInt8])
    /// An absolute path, without `.`, `..`, empty parts, or a slash at its end.
    case folder(path: [UInt8])
  }

  /// What kind of place it is.
  public let kind: Kind

  /// Whether it is a folder of this computer.
  public var isFolder: Bool { if case .folder = kind { true } else { false } }

  /// A location of known parts. A prefix gets the `/` that it lacks.
  public init(_ kind: Kind) {
    if case .bucket(let endpoint, let name, let prefix) = kind, let last = prefix.last, last != slash {
      self.kind = .bucket(endpoint: endpoint, name: name, prefix: prefix + [slash])
    } else {
      self.kind = kind
    }
  }

  /// Reads what a person typed. What does not begin with `/`, `.`, `~` or `file:` is a bucket, even if a folder of that
  /// name exists. Percent escapes count in `https:` and `file:` addresses only.
  ///
  /// - Parameters:
  ///   - currentDirectory: What `./folder` is relative to.
  ///   - homeDirectory: What `~` stands for; by default the user's.
  public init(
    parsing text: String, currentDirectory: String,
    homeDirectory: String = ProcessInfo.processInfo.environment["HOME"] ?? NSHomeDirectory()
  ) throws(LocationError) {
    let typed = Location.trimmed(text)
    guard !typed.isEmpty else { throw LocationError("Nothing is typed.") }
    guard !typed.utf8.contains(0) else { throw LocationError("The text has a NUL character in it.") }

    let start = typed.prefix(8).lowercased()
    if start.hasPrefix("file:") {
      self.init(.folder(path: try Location.path(ofFileAddress: typed)))
    } else if typed.hasPrefix("/") {
      self.init(.folder(path: Location.normalized(Array(typed.utf8))))
    } else if typed.hasPrefix("~") {
      guard typed == "~" || typed.hasPrefix("~/") else {
        throw LocationError("“\(typed)”: the home folder of another user has to be written out.")
      }
      self.init(.folder(path: Location.normalized(Array(homeDirectory.utf8) + Array(typed.utf8.dropFirst()))))
    } else if typed.hasPrefix(".") {
      self.init(.folder(path: Location.normalized(Array(currentDirectory.utf8) + [slash] + Array(typed.utf8))))
    } else if start.hasPrefix("s3://") {
      self.init(try Location.bucket(in: Array(typed.utf8.dropFirst(5)), endpoint: nil, typed: typed))
    } else if start.hasPrefix("http://") || start.hasPrefix("https://") {
      self.init(try Location.bucket(ofAddress: typed))
    } else if let colon = typed.range(of: "://"), !typed[..<colon.lowerBound].contains("/") {
      throw LocationError("“\(typed[..<colon.upperBound])” is nothing that can be opened.")
    } else {
      self.init(try Location.bucket(in: Array(typed.utf8), endpoint: nil, typed: typed))
    }
  }

  /// The location as title and history show it. Reading it again gives the same location; it holds no secret.
  public var text: String {
    switch kind {
    case .folder(let path):
      let text = String(decoding: path, as: UTF8.self)
      if Array(text.utf8) == path, Location.trimmed(text) == text { return text }
      return "file://" + String(decoding: PercentEncoding.encode(path, safe: PercentEncoding.keySafe), as: UTF8.self)
    case .bucket(let endpoint, let name, let prefix):
      var shown = prefix[...]
      // The last slash goes without saying, unless what stands before it would then be lost in reading.
      let before = String(decoding: prefix.dropLast(), as: UTF8.self)
      if !before.isEmpty, before.utf8.last != slash, Location.trimmed("/" + before) == "/" + before {
        shown = shown.dropLast()
      }
      guard let endpoint else {
        return prefix.isEmpty ? name : name + "/" + String(decoding: shown, as: UTF8.self)
      }
      return endpoint + "/" + name + (prefix.isEmpty ? "" : "/" + Location.escaped(shown))
    }
  }

  /// Where one object is: `s3://bucket/key`, or the absolute path of the file.
  public func address(of key: ObjectKey) -> String {
    switch kind {
    case .bucket(_, let name, _): "s3://\(name)/\(key.displayName)"
    case .folder(let path):
      String(decoding: path == [slash] ? path + key.bytes : path + [slash] + key.bytes, as: UTF8.self)
    }
  }
}

private let slash = UInt8(ascii: "/")

extension Location {
  /// The absolute path without empty parts, `.` and `..`.
  static func normalized(_ path: [UInt8]) -> [UInt8] {
    var parts: [ArraySlice<UInt8>] = []
    for part in path.split(separator: slash) where part != Array(".".utf8)[...] {
      if part == Array("..".utf8)[...] { _ = parts.popLast() } else { parts.append(part) }
    }
    return parts.isEmpty ? [slash] : parts.flatMap { [slash] + $0 }
  }

  /// Without white space at both ends: text is often pasted.
  private static func trimmed(_ text: String) -> String {
    let scalars = text.unicodeScalars
    let start = scalars.drop { $0.properties.isWhitespace }
    let end = start.reversed().drop { $0.properties.isWhitespace }.startIndex.base
    return String(start[..<end])
  }

  private static func path(ofFileAddress typed: String) throws(LocationError) -> [UInt8] {
    var rest = Array(typed.utf8.dropFirst("file:".utf8.count))
    if rest.starts(with: "//".utf8) {
      let host = String(decoding: rest[2...].prefix { $0 != slash }, as: UTF8.self)
      guard host.isEmpty || host.lowercased() == "localhost" else {
        throw LocationError("“\(typed)” names another computer (\(host)); a file address has three slashes.")
      }
      rest = Array(rest[(2 + host.utf8.count)...])
    }
    let path = PercentEncoding.decode(rest)
    guard path.first == slash else { throw LocationError("“\(typed)” holds no absolute path.") }
    guard !path.contains(0) else { throw LocationError("“\(typed)” has a NUL character in it.") }
    return normalized(path)
  }

  private static func bucket(
    in bytes: [UInt8], endpoint: String?, typed: String
  ) throws(LocationError) -> Kind {
    if bytes.starts(with: "arn:".utf8) {
      let (name, prefix) = try ResourceName.parts(of: bytes, typed: typed)
      return .bucket(endpoint: endpoint, name: name, prefix: prefix)
    }
    let name = String(decoding: bytes.prefix { $0 != slash }, as: UTF8.self)
    try check(bucketName: name, typed: typed)
    return .bucket(endpoint: endpoint, name: name, prefix: Array(bytes.dropFirst(name.utf8.count + 1)))
  }

  private static func bucket(ofAddress typed: String) throws(LocationError) -> Kind {
    if let place = ConsoleAddress(typed) {
      try check(bucketName: place.bucket, typed: typed)
      return .bucket(
        endpoint: place.region.map { "https://" + AmazonHost.name(region: $0) }, name: place.bucket,
        prefix: place.prefix)
    }
    guard EndpointAddress.withoutUserInformation(typed) == typed else {
      throw LocationError(
        "“\(EndpointAddress.withoutUserInformation(typed))” cannot be used: \(EndpointAddress.userInformationRemedy).")
    }
    guard !typed.contains("?") else {
      throw LocationError(
        "“\(typed.prefix { $0 != "?" })?…” has a query; "
          + "a “?” that belongs to the folder's name is written %3F.")
    }
    let schemeEnd = typed.range(of: "://")!.upperBound
    let pathStart = typed[schemeEnd...].firstIndex(of: "/") ?? typed.endIndex
    let address: EndpointAddress
    do {
      address = try EndpointAddress(parsing: String(typed[..<pathStart]))
    } catch {
      throw LocationError("“\(EndpointAddress.withoutUserInformation(typed))” cannot be used: \(error.reason).")
    }
    let path = PercentEncoding.decode(Array(typed[pathStart...].utf8.dropFirst()))
    guard !path.contains(0) else { throw LocationError("“\(typed)” has a NUL character in it.") }
    // AWS puts the bucket's name before its own.
    if let amazon = AmazonHost(address.host), let bucket = amazon.bucket {
      var server = address
      server.host = String(address.host.dropFirst(bucket.utf8.count + 1))
      try check(bucketName: bucket, typed: typed)
      if amazon.kind == .website || amazon.kind == .accelerated {
        // The bucket itself is meant, which speaks S3 at another address.
        server = EndpointAddress(
          scheme: "https", host: amazon.region.map { AmazonHost.name(region: $0) } ?? "s3.amazonaws.com")
      }
      return .bucket(endpoint: server.text, name: bucket, prefix: path)
    }
    guard !path.isEmpty else { throw LocationError("“\(typed)” names a server but no bucket.") }
    return try bucket(in: path, endpoint: address.text, typed: typed)
  }

  static func check(bucketName name: String, typed: String) throws(LocationError) {
    guard !name.isEmpty else { throw LocationError("“\(typed)” names no bucket.") }
    // Some programs take addresses such as s3://key:secret@bucket.
    if typed.contains("@"), name.contains(where: { $0 == "@" || $0 == ":" }) {
      throw LocationError("A location holds no access key: \(EndpointAddress.userInformationRemedy).")
    }
    let allowed = name.utf8.allSatisfy { PercentEncoding.isAlphanumeric($0) || "-._".utf8.contains($0) }
    guard allowed else {
      throw LocationError("“\(name)” is no bucket: its name has letters, digits, hyphens, dots and underscores only.")
    }
    guard (3...255).contains(name.utf8.count) else {
      throw LocationError("“\(name)” is no bucket: its name has at least 3 characters.")
    }
  }

  /// Readable, with escapes only where reading it again needs them.
  private static func escaped(_ bytes: ArraySlice<UInt8>) -> String {
    let isText = String(validating: bytes, as: UTF8.self) != nil
    var text: [UInt8] = []
    for byte in bytes {
      let isPlain =
        byte < 0x80 ? byte > 0x20 && byte != 0x7F && byte != UInt8(ascii: "%") && byte != UInt8(ascii: "?") : isText
      if isPlain { text.append(byte) } else { PercentEncoding.append(byte, to: &text) }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
