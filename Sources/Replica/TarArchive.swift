/// Files in one, as POSIX calls it ustar (IEEE Std 1003.1, pax): what every `tar` reads.
struct TarWriter {
  private(set) var bytes: [UInt8] = []

  /// Adds a file; the name has at most 100 bytes of ASCII.
  mutating func add(_ name: String, _ content: [UInt8]) {
    var header = [UInt8](repeating: 0, count: TarReader.block)
    func put(_ text: String, at offset: Int) {
      header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    }
    func octal(_ number: Int, digits: Int) -> String {
      let text = String(number, radix: 8)
      return String(repeating: "0", count: digits - text.count) + text
    }
    put(name, at: 0)
    put("0000644", at: 100)
    put("0000000", at: 108)
    put("0000000", at: 116)
    put(octal(content.count, digits: 11), at: 124)
    put("00000000000", at: 136)
    put("        ", at: 148)
    put("0", at: 156)
    put("ustar\u{0}00", at: 257)
    put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6) + "\u{0} ", at: 148)
    bytes += header
    bytes += content
    bytes += [UInt8](repeating: 0, count: (TarReader.block - content.count % TarReader.block) % TarReader.block)
  }

  /// The archive, with its end.
  consuming func finish() -> [UInt8] { bytes + [UInt8](repeating: 0, count: 2 * TarReader.block) }
}

/// Reads what `TarWriter` makes, and nothing else: plain files with short names, in memory. Nothing is ever written to a
/// disk under a name from an archive.
enum TarReader {
  static let block = 512

  /// What is wrong with an archive.
  struct Failure: Error { var reason: String }

  /// The files by name.
  static func files(_ bytes: [UInt8], atMost limit: Int) throws(Failure) -> [String: Range<Int>] {
    var files: [String: Range<Int>] = [:]
    var offset = 0
    while offset + block <= bytes.count {
      let header = bytes[offset..<offset + block]
      if header.allSatisfy({ $0 == 0 }) { return files }
      func field(_ start: Int, _ length: Int) -> ArraySlice<UInt8> {
        header[offset + start..<offset + start + length].prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
      }
      func octal(_ start: Int, _ length: Int) throws(Failure) -> Int {
        guard let value = Int(String(decoding: field(start, length), as: UTF8.self), radix: 8), value >= 0 else {
          throw Failure(reason: "a number in it is none")
        }
        return value
      }
      guard field(257, 5).elementsEqual("ustar".utf8) else { throw Failure(reason: "it is no tar archive") }
      var sum = 0
      for (index, byte) in header.enumerated() { sum += (148..<156).contains(index) ? 32 : Int(byte) }
      guard try octal(148, 8) == sum else { throw Failure(reason: "a header is damaged") }
      let kind = header[offset + 156]
      guard kind == UInt8(ascii: "0"), field(345, 155).isEmpty else {
        throw Failure(reason: "it holds something that is no plain file")
      }
      let name = String(decoding: field(0, 100), as: UTF8.self)
      guard !name.isEmpty, name.utf8.allSatisfy({ isPlain($0) }), name.first != "." else {
        throw Failure(reason: "it holds a file of another name than we give")
      }
      let size = try octal(124, 12)
      offset += block
      guard size <= bytes.count - offset else { throw Failure(reason: "it is cut off") }
      guard files.count < limit, files.updateValue(offset..<offset + size, forKey: name) == nil else {
        throw Failure(reason: "it holds too many files")
      }
      offset += min((size + block - 1) / block * block, bytes.count - offset)
    }
    throw Failure(reason: "it is cut off")
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
  }
}
