import CCurl
import Foundation

/// One answer to ListObjectsV2.
struct ListingPage: Sendable, Equatable {
  var objects: [StoredObject] = []
  /// Where a delimiter was asked for: what keys begin with, up to it and including it.
  var commonPrefixes: [[UInt8]] = []
  var isTruncated = false
  /// Opaque; empty where the server sent none.
  var nextToken = ""
  /// How many entries the page had, left-out folder markers too.
  var entryCount = 0
  /// The last object's key as the server orders them; set where a page is put into order.
  var lastKey: ObjectKey?

  enum Failure: Error, Equatable {
    /// No XML, or another document.
    case notAListing(String)
    /// A listing that contradicts itself.
    case broken(String)
  }

  /// Nothing.
  static let empty = ListingPage()

  private init() {}

  init(parsing body: [UInt8]) throws(Failure) {
    var scanner = XMLScanner(body)
    do {
      guard case .start("ListBucketResult") = try Self.nextElement(&scanner) else {
        throw Failure.notAListing("another document came")
      }
      try read(&scanner)
    } catch let failure as XMLScanner.Failure {
      throw .notAListing("its XML cannot be read at byte \(failure.offset): \(failure.reason)")
    } catch let failure as Failure {
      throw failure
    } catch {
      throw .notAListing("\(error)")
    }
  }

  private static func nextElement(_ scanner: inout XMLScanner) throws -> XMLScanner.Token? {
    while let token = try scanner.next() {
      if case .text = token { continue }
      return token
    }
    return nil
  }

  /// Reads the children of the root, whose start has been read, to the end of the document.
  private mutating func read(_ scanner: inout XMLScanner) throws {
    // The encoding may be named behind the keys it applies to.
    var isURLEncoded = false
    while let token = try Self.nextElement(&scanner) {
      guard case .start(let name) = token else { continue }
      switch name {
      case "Contents":
        entryCount += 1
        objects.append(try Self.object(&scanner))
      case "CommonPrefixes":
        while let token = try Self.nextElement(&scanner), case .start(let name) = token {
          if name == "Prefix" { commonPrefixes.append(try Self.text(&scanner)) } else { try Self.skip(&scanner) }
        }
      case "IsTruncated": isTruncated = try Self.text(&scanner) == Array("true".utf8)
      case "NextContinuationToken": nextToken = String(decoding: try Self.text(&scanner), as: UTF8.self)
      case "EncodingType": isURLEncoded = try Self.text(&scanner) == Array("url".utf8)
      default: try Self.skip(&scanner)
      }
    }
    if isURLEncoded {
      for index in objects.indices {
        objects[index].key = ObjectKey(bytes: Self.decoded(objects[index].key.bytes))
      }
      commonPrefixes = commonPrefixes.map(Self.decoded)
    }
    objects.removeAll { $0.size == 0 && $0.key.bytes.last == UInt8(ascii: "/") }
  }

  /// Without a copy where nothing is encoded, and never with more memory than the key needs.
  private static func decoded(_ text: [UInt8]) -> [UInt8] {
    guard text.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else { return text }
    let decoded = PercentEncoding.decode(text, plusIsSpace: true)
    return decoded.count == text.count ? decoded : Array(decoded[...])
  }

  private static func object(_ scanner: inout XMLScanner) throws -> StoredObject {
    var key: [UInt8] = []
    var size: Int64 = -1
    var tag = EntityTag.text("")
    var modified: Date?
    var className = StorageClassName(nil)
    var isRestored = false
    while let token = try nextElement(&scanner), case .start(let name) = token {
      switch name {
      case "Key": key = try text(&scanner)
      case "Size": size = Int64(String(decoding: try text(&scanner), as: UTF8.self)) ?? -1
      case "ETag": tag = EntityTag(bytes: try text(&scanner))
      case "LastModified": modified = Timestamp.date(iso8601: try text(&scanner))
      case "StorageClass": className = StorageClassName(String(decoding: try text(&scanner), as: UTF8.self))
      case "RestoreStatus": isRestored = try hasExpiryDate(&scanner)
      default: try skip(&scanner)
      }
    }
    guard !key.isEmpty else { throw Failure.broken("an object has no key") }
    guard size >= 0 else { throw Failure.broken("“\(ObjectKey(bytes: key))” has no size") }
    guard size <= ListingRules.maximumSize else {
      throw Failure.broken("“\(ObjectKey(bytes: key))” is said to have \(size) bytes")
    }
    var object = StoredObject(
      key: ObjectKey(bytes: key), size: size, tag: tag, modified: modified, className: className)
    object.isRestored = isRestored
    return object
  }

  /// Of an archived object: whether a copy can be read until some date.
  private static func hasExpiryDate(_ scanner: inout XMLScanner) throws -> Bool {
    var isRestored = false
    while let token = try nextElement(&scanner), case .start(let name) = token {
      if name == "RestoreExpiryDate" { isRestored = true }
      try skip(&scanner)
    }
    return isRestored
  }

  /// An ETag without the quotes that some servers write.
  static func unquoted(_ tag: String) -> String {
    tag.count >= 2 && tag.hasPrefix("\"") && tag.hasSuffix("\"") ? String(tag.dropFirst().dropLast()) : tag
  }

  /// The text of the element whose start has been read, to its end.
  private static func text(_ scanner: inout XMLScanner) throws -> [UInt8] {
    let depth = scanner.depth
    var text: [UInt8] = []
    while scanner.depth >= depth, let token = try scanner.next() {
      if case .text(let part) = token { text = text.isEmpty ? part : text + part }
    }
    return text
  }

  private static func skip(_ scanner: inout XMLScanner) throws {
    let depth = scanner.depth
    while scanner.depth >= depth, try scanner.next() != nil {}
  }
}

/// The two ways in which servers write moments.
enum Timestamp {
  /// `2026-11-23T19:31:09.000Z`, with or without the fraction.
  static func date(iso8601 bytes: [UInt8]) -> Date? {
    func number(_ range: Range<Int>) -> Int64? {
      guard range.upperBound <= bytes.count else { return nil }
      return bytes[range].reduce(Int64?(0)) { sum, byte in
        guard let sum, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        return sum * 10 + Int64(byte - UInt8(ascii: "0"))
      }
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
      let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month), (1...31).contains(day)
    else { return nil }
    var fraction = 0.0
    if bytes.count > 20, bytes[19] == UInt8(ascii: ".") {
      var unit = 0.1
      for byte in bytes[20...].prefix(while: { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
        fraction += Double(byte - UInt8(ascii: "0")) * unit
        unit /= 10
      }
    }
    let days = CivilCalendar.days(year: year, month: month, day: day)
    return Date(timeIntervalSince1970: Double(days * 86_400 + hour * 3600 + minute * 60 + second) + fraction)
  }

  /// The `Date` header, in any form that HTTP allows.
  static func date(http text: String) -> Date? {
    let seconds = curl_getdate(text, nil)
    return seconds < 0 ? nil : Date(timeIntervalSince1970: Double(seconds))
  }
}
