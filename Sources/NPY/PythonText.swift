/// Reads the few Python literals that a header is made of, and never runs anything.
struct PythonText {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  /// Whether only blanks are left.
  var isAtEnd: Bool {
    mutating get {
      skipBlanks()
      return rest.isEmpty
    }
  }

  /// Whether this character comes next.
  mutating func isNext(_ character: Unicode.Scalar) -> Bool {
    skipBlanks()
    return rest.first.map { UInt32($0) == character.value } ?? false
  }

  /// Goes past this character when it comes next.
  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard isNext(character) else { return false }
    rest.removeFirst()
    return true
  }

  /// Goes past this character.
  mutating func expect(_ character: Unicode.Scalar) throws(NPYError) {
    guard skip(character) else { throw .malformedHeader("“\(character)” is missing") }
  }

  /// A string without escapes.
  mutating func string() throws(NPYError) -> String {
    skipBlanks()
    guard let quote = rest.popFirst(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\""),
      let end = rest.firstIndex(of: quote)
    else { throw .malformedHeader("a name in quotes is missing") }
    let content = rest[..<end]
    rest = rest[(end + 1)...]
    guard content.count <= 100, content.allSatisfy({ (32..<127).contains($0) && $0 != UInt8(ascii: "\\") }) else {
      throw .malformedHeader("a name in it is no plain text")
    }
    return String(decoding: content, as: UTF8.self)
  }

  /// `True` or `False`.
  mutating func boolean() throws(NPYError) -> Bool {
    skipBlanks()
    for (word, value) in [("True", true), ("False", false)] where rest.starts(with: word.utf8) {
      rest = rest.dropFirst(word.utf8.count)
      return value
    }
    throw .malformedHeader("fortran_order is neither True nor False")
  }

  /// A tuple of numbers of at least 0.
  mutating func integers() throws(NPYError) -> [Int] {
    try expect("(")
    var numbers: [Int] = []
    while !skip(")") {
      skipBlanks()
      let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      guard !digits.isEmpty, numbers.count < 64 else {
        throw .malformedHeader("the shape is no list of lengths")
      }
      guard let number = Int(String(decoding: digits, as: UTF8.self)) else { throw .tooManyElements(numbers + [.max]) }
      numbers.append(number)
      rest = rest.dropFirst(digits.count)
      // Python 2 ends long numbers so.
      _ = skip("L")
      if !skip(",") {
        try expect(")")
        break
      }
    }
    return numbers
  }

  private mutating func skipBlanks() {
    rest = rest.drop { $0 == UInt8(ascii: " ") || (9...13).contains($0) }
  }
}
