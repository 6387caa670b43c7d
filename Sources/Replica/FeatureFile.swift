/// Rows of bytes as NumPy's NPY format, version 1.0, has them: `|u1`, C order, n × dimension.
enum FeatureFile {
  static func encode(_ rows: [[UInt8]], dimension: Int) -> [UInt8] {
    var bytes = header(count: rows.count, dimension: dimension)
    bytes.reserveCapacity(bytes.count + rows.count * dimension)
    for row in rows { bytes += row }
    return bytes
  }

  /// Where the rows begin; nil for anything but what `encode` makes of `count` rows.
  static func start(of bytes: [UInt8], count: Int, dimension: Int) -> Int? {
    let header = header(count: count, dimension: dimension)
    guard bytes.starts(with: header), bytes.count == header.count + count * dimension else { return nil }
    return header.count
  }

  private static func header(count: Int, dimension: Int) -> [UInt8] {
    var text = Array("{'descr': '|u1', 'fortran_order': False, 'shape': (\(count), \(dimension)), }".utf8)
    text += [UInt8](repeating: UInt8(ascii: " "), count: 63 - (10 + text.count) % 64)
    text.append(UInt8(ascii: "\n"))
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.count & 255), UInt8(text.count >> 8)] + text
  }
}
