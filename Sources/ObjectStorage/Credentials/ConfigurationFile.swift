import Foundation

/// One of the two files of the AWS command line: sections of `name = value`.
///
/// An indented line below a name without a value belongs to that name and is found as `name.inner`.
struct ConfigurationFile: Sendable {
  private(set) var sections: [String: [String: String]] = [:]

  /// Nothing, for a file that does not exist.
  init() {}

  init(parsing text: String) {
    var section: String?
    var outer = ""
    for rawLine in text.split(whereSeparator: \.isNewline) {
      let line = rawLine.trimmingCharacters(in: .whitespaces)
      guard !line.isEmpty, !line.hasPrefix("#"), !line.hasPrefix(";") else { continue }
      if line.hasPrefix("["), let close = line.firstIndex(of: "]") {
        let name = line[line.index(after: line.startIndex)..<close]
        let words = name.split(whereSeparator: \.isWhitespace).map {
          $0.trimmingCharacters(in: CharacterSet(charactersIn: "\"'"))
        }
        section = words.joined(separator: " ")
        sections[section ?? "", default: [:]].merge([:]) { old, _ in old }
        outer = ""
        continue
      }
      guard let section, let equals = line.firstIndex(of: "=") else { continue }
      let name = line[..<equals].trimmingCharacters(in: .whitespaces).lowercased()
      var value = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
      // A comment behind a value needs white space before it: secrets may hold a “#”.
      if let comment = value.range(of: #"\s[#;].*$"#, options: .regularExpression) {
        value = value[..<comment.lowerBound].trimmingCharacters(in: .whitespaces)
      }
      if rawLine.first?.isWhitespace == true, !outer.isEmpty {
        sections[section]?[outer + "." + name] = value
      } else {
        outer = value.isEmpty ? name : ""
        sections[section]?[name] = value
      }
    }
  }

  /// - Throws: `StorageError` for a file that is there and cannot be read. One that is missing is empty.
  init(path: String) throws(StorageError) {
    do throws(SystemFailure) {
      // Also from pipes and devices: `/dev/null` is the usual way to have none.
      let file = try FileDescriptor(Array(path.utf8), flags: O_RDONLY)
      var bytes: [UInt8] = []
      while try file.append(to: &bytes, atMost: 65_536) > 0 {
        guard bytes.count <= Self.maximumBytes else { throw SystemFailure(code: EFBIG) }
      }
      self.init(parsing: String(decoding: bytes, as: UTF8.self))
    } catch  where error.code == ENOENT || error.code == ENOTDIR {
      self.init()
    } catch {
      throw StorageError(
        .configuration, "The file \(path) cannot be read: \(error.reason).",
        remedy: "Check the file and its permissions.")
    }
  }

  private static let maximumBytes = 16 << 20
}
