import Foundation

/// Writes a line on standard error, where progress and problems go. Nobody listening is no failure.
func writeToStandardError(_ line: String, terminator: String = "\n") {
  try? FileHandle.standardError.write(contentsOf: Data((line + terminator).utf8))
}

/// Writes text on standard output, where results go.
func writeToStandardOutput(_ text: String) throws { try writeToStandardOutput(Array(text.utf8)) }

/// Writes bytes on standard output.
func writeToStandardOutput(_ bytes: [UInt8]) throws {
  do {
    try FileHandle.standardOutput.write(contentsOf: Data(bytes))
  } catch {
    throw CommandFailure(
      .failed, kind: "output", "Standard output cannot be written: \(String(cString: strerror(errno))).")
  }
}

/// Writes one JSON object on standard output.
func writeJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  encoder.dateEncodingStrategy = .iso8601
  try writeToStandardOutput(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
}

/// Text with control characters made visible: a key must not move the cursor of the terminal that prints it.
func printable(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
  var result = ""
  for scalar in text.unicodeScalars {
    if scalar.properties.generalCategory == .control {
      let digits = String(scalar.value, radix: 16)
      result += "\\x" + (digits.count < 2 ? "0" : "") + digits
    } else {
      result.unicodeScalars.append(scalar)
    }
  }
  return result
}
