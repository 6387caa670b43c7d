import CCurl
import Foundation

/// One answer to ListObjectsV2.
struct ListingPage: Sendable, Equatable {
  var objects: [StoredObject] = []
  var isTruncated = false
  /// Opaque; empty where the server sent none.
  var nextToken = ""
  /// How many entries the page had, left-out folder markers too.
  var entryCount = 0

  enum Failure: Error, Equatable {
    /// No XML, or another document.
    case notAListing(String)
    /// A listing that contradicts itself.
    case broken(String)
  }

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
      case "IsTruncated": isTruncated = try Self.text(&scanner) == Array("true".utf8)
      case "NextContinuationToken": nextToken = String(decoding: try Self.text(&scanner), as: UTF8.self)
      case "EncodingType": isURLEncoded = try Self.text(&scanner) == Array("url".utf8)
      default: try Self.skip(&scanner)
      }
    }
    if isURLEncoded {
      for index in objects.indices {
        objects[index].key = ObjectKey(
          bytes: PercentEncoding.decode(objects[index].key.bytes, plusIsSpace: true))
      }
    }
    objects.removeAll { $0.size == 0 && $0.key.bytes.last == UInt8(ascii: "/") }
  }

  private static func object(_ scanner: inout XMLScanner) throws -> StoredObject {
    var object = StoredObject(key: ObjectKey(bytes: []), size: -1, etag: "")
    while let token = try nextElement(&scanner), case .start(let name) = token {
      switch name {
      case "Key": object.key = ObjectKey(bytes: try text(&scanner))
      case "Size": object.size = Int64(String(decoding: try text(&scanner), as: UTF8.self)) ?? -1
      case "ETag": object.etag = unquoted(String(decoding: try text(&scanner), as: UTF8.self))
      case "LastModified": object.modified = Timestamp.date(iso8601: try text(&scanner))
      case "StorageClass":
        let name = String(decoding: try text(&scanner), as: UTF8.self)
        object.storageClass = name.isEmpty ? nil : name
      default: try skip(&scanner)
      }
    }
    guard !object.key.bytes.isEmpty else { throw Failure.broken("an object has no key") }
    guard object.size >= 0 else { throw Failure.broken("“\(object.key)” has no size") }
    return object
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
