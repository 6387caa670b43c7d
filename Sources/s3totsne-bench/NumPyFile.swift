import ArgumentParser
import Foundation

/// The NPY files of the yardstick: little-endian float32, C order, two-dimensional.
enum NumPyFile {
  static func read(_ path: String) throws -> (values: [Float], columns: Int) {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    guard data.count > 12, data.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      throw ValidationError("\(path) is no NPY file.")
    }
    let long = data[6] > 1
    let lengthBytes = long ? 4 : 2
    let headerLength = data[8..<8 + lengthBytes].reversed().reduce(0) { $0 << 8 | Int($1) }
    let begin = 8 + lengthBytes + headerLength
    let header = String(decoding: data[8 + lengthBytes..<begin], as: UTF8.self)
    let shape = header.firstMatch(of: /'shape': \((\d+), (\d+)\)/)
    guard header.contains("'<f4'"), header.contains("'fortran_order': False"), let shape, let rows = Int(shape.1),
      let columns = Int(shape.2), data.count == begin + 4 * rows * columns
    else { throw ValidationError("\(path) is no two-dimensional float32 matrix in C order.") }
    let values = [Float](unsafeUninitializedCapacity: rows * columns) { buffer, count in
      count = data[begin...].copyBytes(to: buffer) / 4
    }
    return (values, columns)
  }

  static func write(_ values: [Float], columns: Int, to path: String) throws {
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(values.count / columns), \(columns)), }"
    header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
    var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)])
    data.append(Data(header.utf8))
    values.withUnsafeBytes { data.append(contentsOf: $0) }
    try data.write(to: URL(fileURLWithPath: path))
  }
}
