import Foundation
import Numerics
import TestSupport
import Testing

@testable import NPY

private let fixtures = packageRoot + "/Tests/NPYTests/Fixtures/"

@Suite("NPY matrices that NumPy wrote", .computing)
struct NumPyFilesTests {
  /// What `make.py` puts into files of floats, of signed and of unsigned numbers.
  private static let contents: [Character: [Float]] = [
    "f": [0.5, -1.25, 3, 60_000, 6.103515625e-05, 5.9604644775390625e-08],
    "i": [0, 1, -2, 100, -128, 127],
    "u": [0, 1, 2, 100, 128, 255],
    "b": [0, 1, 0, 1, 0, 1],
  ]

  @Test("every type, byte order, array order and version is read as NumPy meant it")
  func types() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: fixtures)
      .filter { $0.hasSuffix(".npy") && !$0.hasPrefix("bad-") }
    #expect(names.count == 45)
    for name in names {
      let matrix = try NPYMatrix(path: fixtures + name)
      #expect(matrix.rowCount == 3 && matrix.columnCount == 2, "\(name)")
      let expected = Self.contents[name.hasPrefix("version") ? "f" : name.first ?? " "]
      var found = matrix.floats()
      // NumPy rounds 60,000 to the nearest 16-bit float, which is 60,000 itself.
      #expect(found == expected, "\(name)")
      try matrix.checkFinite(threads: 2)
      found = [Float](repeating: -7, count: 2)
      found.withUnsafeMutableBufferPointer { matrix.rows.copyRows(1..<2, into: $0.baseAddress!) }
      #expect(found == Array(expected?[2..<4] ?? []), "\(name)")
    }
  }

  @Test("8-bit matrices in C order are handed out as bytes of the mapped file")
  func bytes() throws {
    for name in ["u1-c", "b1-c"] { #expect(try NPYMatrix(path: fixtures + name + ".npy").rows is ByteRows) }
    for name in ["u1-fortran", "i1-c"] { #expect(!(try NPYMatrix(path: fixtures + name + ".npy").rows is ByteRows)) }
  }

  @Test(
    "what is no matrix of numbers is refused with what is wrong and what to do",
    arguments: [
      ("bad-number", NPYError.notAMatrix([]), "()"),
      ("bad-vector", .notAMatrix([5]), "(5,)"),
      ("bad-cube", .notAMatrix([2, 3, 4]), "reshape"),
      ("bad-no-rows", .noRows, "no rows"),
      ("bad-no-columns", .noColumns(rows: 3), "no columns"),
      ("bad-complex", .unsupportedType("complex numbers"), "astype"),
      ("bad-text", .unsupportedType("text"), "text"),
      ("bad-dates", .unsupportedType("dates"), "dates"),
      ("bad-records", .unsupportedType("records of several fields"), "records"),
      ("bad-objects", .unsupportedType("Python objects"), "objects"),
      ("bad-long-double", .unsupportedType("of the type “<f16”"), "<f16"),
    ])
  func refusals(_ name: String, _ expected: NPYError, _ said: String) {
    #expect(throws: expected) { try NPYMatrix(path: fixtures + name + ".npy") }
    #expect(expected.description.contains(said))
  }

  @Test("NaN, infinities and numbers beyond 32 bits are found at the first row and column that hold one")
  func notFinite() throws {
    for (name, expected) in [
      ("bad-nan", NPYError.notFinite(row: 1, column: 1, value: "nan")),
      ("bad-infinity", .notFinite(row: 2, column: 0, value: "-inf")),
      ("bad-too-large", .notFinite(row: 1, column: 0, value: "1e+300")),
    ] {
      let matrix = try NPYMatrix(path: fixtures + name + ".npy")
      for threads in [1, 3] { #expect(throws: expected) { try matrix.checkFinite(threads: threads) } }
    }
  }

  @Test("a file that is not there, a folder and an empty file are told apart")
  func system() throws {
    let folder = try TemporaryDirectory("npy")
    let empty = try folder.write([], to: "empty.npy")
    #expect(throws: NPYError.notNPY) { try NPYMatrix(path: empty) }
    #expect(throws: NPYError.system("No such file or directory")) { try NPYMatrix(path: folder.file("none.npy")) }
    #expect(throws: NPYError.system("It is a folder")) { try NPYMatrix(path: folder.path) }
  }
}

@Suite("NPY matrices, by properties", .computing)
struct NPYMatrixPropertyTests {
  @Test("every 16-bit float is read as the processor reads it")
  func halves() {
    for bits in UInt16.min...UInt16.max {
      let (mine, its) = (NPYRows.float(half: bits), Float(Float16(bitPattern: bits)))
      #expect(mine.bitPattern == its.bitPattern || (mine.isNaN && its.isNaN))
    }
  }

  @Test("a random matrix comes back from every type, order and byte order, through a file and through a pipe")
  func roundTrips() async throws {
    var random = TestSupport.SplitMix64(seed: 3)
    let folder = try TemporaryDirectory("npy")
    for element in NPYElement.allCases {
      for (isBigEndian, isFortran) in [(false, false), (true, false), (false, true), (true, true)] {
        let (rows, columns) = (Int.random(in: 1...300, using: &random), Int.random(in: 1...40, using: &random))
        let values = (0..<rows * columns).map { _ in
          Float(Int.random(in: element.rawValue.hasPrefix("b") ? 0...1 : 0...127, using: &random))
        }
        var bytes = try NPYHeader(
          element: element, isBigEndian: isBigEndian, isFortranOrder: isFortran, shape: [rows, columns]
        ).encoded
        for i in 0..<rows * columns {
          let value = isFortran ? values[(i % rows) * columns + i / rows] : values[i]
          let stored = Self.bytes(of: value, element)
          bytes += isBigEndian ? stored.reversed() : stored
        }
        let path = try folder.write(bytes, to: "matrix.npy")
        #expect(try NPYMatrix(path: path).floats() == values, "\(element) \(isBigEndian) \(isFortran)")
        let pipe = Pipe()
        let writing = Task.detached { [bytes] in
          try pipe.fileHandleForWriting.write(contentsOf: bytes)
          try pipe.fileHandleForWriting.close()
        }
        let piped = try NPYMatrix(descriptor: pipe.fileHandleForReading.fileDescriptor)
        try await writing.value
        #expect(piped.floats() == values)
      }
    }
  }

  /// Little end first.
  private static func bytes(of value: Float, _ element: NPYElement) -> [UInt8] {
    let bits: UInt64 =
      switch element {
      case .float16: UInt64(Float16(value).bitPattern)
      case .float32: UInt64(value.bitPattern)
      case .float64: Double(value).bitPattern
      default: UInt64(value)
      }
    return (0..<element.size).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
  }

  @Test("the place of a value that is not finite is right in any order, wherever it stands")
  func places() throws {
    var random = TestSupport.SplitMix64(seed: 5)
    let folder = try TemporaryDirectory("npy")
    for _ in 0..<40 {
      let (rows, columns) = (Int.random(in: 1...3000, using: &random), Int.random(in: 1...90, using: &random))
      let isFortran = Bool.random(using: &random)
      let places = (0..<2).map { _ in Int.random(in: 0..<rows * columns, using: &random) }
      let first = places.min() ?? 0
      var data = [Float](repeating: 1, count: rows * columns)
      for place in places {
        data[isFortran ? (place % columns) * rows + place / columns : place] = place == first ? .nan : .infinity
      }
      let header = try NPYHeader(
        element: .float32, isBigEndian: false, isFortranOrder: isFortran, shape: [rows, columns])
      let path = try folder.write(header.encoded + data.withUnsafeBytes { Array($0) }, to: "matrix.npy")
      let matrix = try NPYMatrix(path: path)
      let expected = NPYError.notFinite(row: first / columns, column: first % columns, value: "nan")
      #expect(throws: expected) { try matrix.checkFinite(threads: 2) }
    }
  }

  @Test("a file cut off anywhere, or going on, is refused; through a pipe too")
  func cutOff() throws {
    let folder = try TemporaryDirectory("npy")
    let good = NPYArray([Float](repeating: 1, count: 12), shape: [3, 4]).fileBytes
    for length in 0..<good.count {
      let path = try folder.write(Array(good.prefix(length)), to: "short.npy")
      let pipe = Pipe()
      try pipe.fileHandleForWriting.write(contentsOf: good.prefix(length))
      try pipe.fileHandleForWriting.close()
      let expected: NPYError =
        length < 6
        ? .notNPY : length < 128 ? .headerCutOff : .cutOff(expected: good.count, found: length)
      #expect(throws: expected) { try NPYMatrix(path: path) }
      #expect(throws: expected) { try NPYMatrix(descriptor: pipe.fileHandleForReading.fileDescriptor) }
    }
    let long = try folder.write(good + [0], to: "long.npy")
    #expect(throws: NPYError.trailingBytes(expected: good.count)) { try NPYMatrix(path: long) }
  }

  @Test("a header that promises more memory than there is costs none of it")
  func enormous() throws {
    let folder = try TemporaryDirectory("npy")
    for (shape, expected) in [
      ("(1000000000, 1000000000000)", NPYError.tooManyElements([1_000_000_000, 1_000_000_000_000])),
      ("(99999999999999999999, 2)", .tooManyElements([.max])),
      ("(0, 9223372036854775807)", .tooManyElements([0, .max])),
      ("(0, 3)", .noRows),
      ("(1000000000, 1000000)", .cutOff(expected: 4_000_000_000_000_128, found: 136)),
      ("(-1, 3)", .malformedHeader("the shape is no list of lengths")),
      ("3", .malformedHeader("“(” is missing")),
    ] {
      let bytes = Self.file(text: "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }")
      let path = try folder.write(bytes, to: "large.npy")
      #expect(throws: expected) { try NPYMatrix(path: path) }
      let pipe = Pipe()
      try pipe.fileHandleForWriting.write(contentsOf: bytes)
      try pipe.fileHandleForWriting.close()
      #expect(throws: expected) { try NPYMatrix(descriptor: pipe.fileHandleForReading.fileDescriptor) }
    }
    let blank = try folder.write(NPYHeader.magic + [1, 0, 0, 0], to: "blank.npy")
    #expect(throws: NPYError.headerCutOff) {
      try NPYMatrix(path: try folder.write(NPYHeader.magic + [2, 0], to: "c.npy"))
    }
    #expect(throws: NPYError.malformedHeader("it is empty")) { try NPYMatrix(path: blank) }
    // Four bytes of length: 4 GB of header.
    let path = try folder.write(
      NPYHeader.magic + [2, 0, 255, 255, 255, 255] + [UInt8](repeating: 32, count: 99), to: "h.npy")
    #expect(throws: NPYError.headerTooLong(4_294_967_295)) { try NPYMatrix(path: path) }
    let next = try folder.write(NPYHeader.magic + [4, 0] + [UInt8](repeating: 32, count: 99), to: "v.npy")
    #expect(throws: NPYError.unknownVersion(4)) { try NPYMatrix(path: next) }
  }

  /// A file of version 1 with this text for a header, filled up to 128 bytes, and two floats.
  private static func file(text: String) -> [UInt8] {
    let padding = [UInt8](repeating: UInt8(ascii: " "), count: 117 - text.utf8.count)
    return NPYHeader.magic + [1, 0, 118, 0] + Array(text.utf8) + padding + [UInt8(ascii: "\n")]
      + [UInt8](repeating: 0, count: 8)
  }

  @Test("a header may be written in any way that Python reads alike, and in no other")
  func spelling() throws {
    for text in [
      #"{"shape":(1,2),"descr":"<f4","fortran_order":False}"#,
      "{ 'fortran_order' : False , 'shape' : ( 1L , 2L , ) , 'descr' : '<f4' , } ",
      "\n{'descr': '=f4', 'fortran_order': True, 'shape': (1, 2)}\n",
    ] {
      let header = try NPYHeader(parsing: Self.file(text: text))
      #expect(header.shape == [1, 2] && header.element == .float32 && !header.isBigEndian)
    }
    for text in [
      "", "{}", "{'descr': '<f4', 'fortran_order': False}", "{'descr': '<f4', 'fortran_order': 0, 'shape': (1, 2)}",
      "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)} exit()",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), 'more': 1}",
      "{'descr': '<f4, 'fortran_order': False, 'shape': (1, 2)}", "{'shape': (1 2)", "{'shape': (1,,2)",
      "{'shape': [1, 2]",
    ] {
      #expect(throws: NPYError.self) { try NPYHeader(parsing: Self.file(text: text)) }
    }
  }

  @Test("a damaged file is read or refused, and never ends the program")
  func fuzz() throws {
    var random = TestSupport.SplitMix64(seed: 17)
    let folder = try TemporaryDirectory("npy")
    let good = NPYArray([Float](repeating: 1, count: 12), shape: [3, 4]).fileBytes
    var readable = 0
    for _ in 0..<1_500 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<128, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let path = try folder.write(bytes, to: "damaged.npy")
      guard let matrix = try? NPYMatrix(path: path) else { continue }
      readable += 1
      #expect(matrix.floats().count == matrix.rowCount * matrix.columnCount)
    }
    // Damage to the blanks alone leaves a file that NumPy would read too.
    #expect(readable < 1_500)
  }
}
