import Foundation
import TestSupport
import Testing

@testable import NPY

@Suite("NPY arrays", .computing)
struct NPYArrayTests {
  @Test("arrays of each type come back as they were")
  func roundTrip() throws {
    let floats = try #require(NPYArray(fileBytes: NPYArray([1.5, -0, .infinity, 3, 4, 5], shape: [3, 2]).fileBytes))
    #expect(floats.floats == [1.5, -0, .infinity, 3, 4, 5])
    #expect(floats.shape == [3, 2])
    #expect(floats.integers == nil)
    let integers = try #require(NPYArray(fileBytes: NPYArray([Int32.min, 7], shape: [2]).fileBytes))
    #expect(integers.integers == [.min, 7])
    let large = try #require(NPYArray(fileBytes: NPYArray([UInt64.max], shape: [1]).fileBytes))
    #expect(large.unsignedIntegers == [.max])
    let none = try #require(NPYArray(fileBytes: NPYArray([Float](), shape: [0, 2]).fileBytes))
    #expect(none.floats == [])
  }

  @Test("the header is NumPy's, and the data is aligned to 64 bytes")
  func header() {
    let bytes = NPYArray([Float](repeating: 1, count: 6), shape: [3, 2]).fileBytes
    #expect(bytes.starts(with: [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0]))
    #expect(bytes.count == 128 + 24)
    #expect(bytes[127] == UInt8(ascii: "\n"))
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }"
    #expect(bytes[10...].starts(with: text.utf8))
  }

  @Test("what is cut off, too long or of another kind is refused")
  func refusals() {
    let good = NPYArray([Float](repeating: 1, count: 6), shape: [3, 2]).fileBytes
    for length in 0..<good.count { #expect(NPYArray(fileBytes: Array(good.prefix(length))) == nil) }
    #expect(NPYArray(fileBytes: good + [0]) == nil)
    for (from, to) in [
      ("False", "True "), ("<f4", ">f4"), ("<f4", "|O4"), ("3, 2", "3,-2"), ("(3, 2)", "(9223372036854775807, 2)"),
    ] {
      let text = String(decoding: good[10..<128], as: UTF8.self).replacingOccurrences(of: from, with: to)
      #expect(NPYArray(fileBytes: Array(good[..<10]) + Array(text.utf8) + Array(good[128...])) == nil)
    }
  }

  @Test("a damaged file never crashes the reader")
  func fuzz() {
    var random = SplitMix64(seed: 11)
    let good = NPYArray([Int32](repeating: 1, count: 40), shape: [20, 2]).fileBytes
    for _ in 0..<2_000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if let array = NPYArray(fileBytes: bytes) { #expect(array.data.count == good.count - 128) }
    }
  }
}
