import Numerics
import Testing

import struct TestSupport.Computing

@Test("NaN and infinity are named by row and column", .computing, arguments: [Float.nan, .infinity, -.infinity])
func badValueIsNamed(bad: Float) {
  var values = [Float](repeating: 1, count: 12)
  values[7] = bad
  let error = #expect(throws: FeatureRowsError.self) { try FloatRows(values, dimension: 3) }
  #expect(error?.description.contains("row 2, column 1") == true)
}

@Test("rows of different length are refused", .computing)
func raggedIsRefused() {
  #expect(throws: FeatureRowsError.ragged(values: 7, dimension: 3)) {
    try FloatRows([Float](repeating: 0, count: 7), dimension: 3)
  }
}

@Test("an empty matrix has no rows", .computing)
func emptyIsEmpty() throws {
  #expect(try FloatRows([], dimension: 0).rowCount == 0)
  #expect(try FloatRows([], dimension: 5).rowCount == 0)
}

@Test("byte rows are gathered by their indices", .computing)
func byteRowsGather() {
  let bytes: [UInt8] = [0, 1, 2, 10, 11, 12, 253, 254, 255]
  bytes.withUnsafeBufferPointer { buffer in
    guard let base = buffer.baseAddress else { return }
    let rows = ByteRows(pointer: base, owner: nil, rowIndices: [2, 0], dimension: 3)
    var floats = [Float](repeating: -1, count: 6)
    rows.copyRows(0..<2, into: &floats)
    #expect(floats == [253, 254, 255, 0, 1, 2])
  }
}
