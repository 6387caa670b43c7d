/// A JPEG file made by hand (ITU-T T.81) in which every block of 8 × 8 pixels is one grey: as large as one likes, in a time
/// and a memory that its pixels would not allow, and with pixels that are known exactly.
public enum FlatBlocksJPEG {
  /// The grey of a block, from 0 to 255.
  public static func gray(_ column: Int, _ row: Int) -> Int {
    let v = UInt32(truncatingIfNeeded: column &* 73_856_093 ^ row &* 19_349_663)
    return Int((v &* 2_654_435_761) >> 24)
  }

  /// A file of `columns` × `rows` blocks, in colour as cameras have it (three components, here without subsampling), in
  /// one pass from the top, or progressive: then no row can be shown before all of it is read.
  public static func bytes(columns: Int, rows: Int, progressive: Bool = false) -> [UInt8] {
    func big(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }
    func segment(_ marker: UInt8, _ body: [UInt8]) -> [UInt8] { [0xFF, marker] + big(body.count + 2) + body }
    var file: [UInt8] = [0xFF, 0xD8]
    // The first coefficient is eight times the mean: a step of eight makes it the grey itself.
    let steps: [UInt8] = [0] + [UInt8](repeating: 8, count: 64)
    file += segment(0xDB, steps)
    var frame: [UInt8] = [8]
    frame += big(8 * rows)
    frame += big(8 * columns)
    frame += [3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]
    file += segment(progressive ? 0xC2 : 0xC0, frame)
    // Twelve categories of four bits each; and one code, "nothing more in this block", of one bit.
    let categories: [UInt8] = [
      0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ]
    file += segment(0xC4, categories)
    let ends: [UInt8] = [0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    file += segment(0xC4, ends)
    let scan: [UInt8] = progressive ? [3, 1, 0, 2, 0, 3, 0, 0, 0, 0] : [3, 1, 0, 2, 0, 3, 0, 0, 63, 0]
    file += segment(0xDA, scan)

    var bits = BitWriter(reserving: columns * rows * 2)
    var previous = 0
    for row in 0..<rows {
      for column in 0..<columns {
        let value = gray(column, row) - 128
        let difference = value - previous
        previous = value
        let size = Int.bitWidth - difference.magnitude.leadingZeroBitCount
        bits.add(size, 4)
        if size > 0 { bits.add(difference > 0 ? difference : difference + (1 << size) - 1, size) }
        if !progressive { bits.add(0, 1) }
        // Two components without colour: a difference of nothing.
        for _ in 0..<2 { bits.add(0, progressive ? 4 : 5) }
      }
    }
    file += bits.finished()
    file += [0xFF, 0xD9]
    return file
  }

  /// Bits, the highest first; a byte of ones is followed by a zero.
  private struct BitWriter {
    private var bytes: [UInt8] = []
    private var word = 0
    private var count = 0

    init(reserving capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func add(_ value: Int, _ size: Int) {
      word = word << size | value & (1 << size - 1)
      count += size
      while count >= 8 {
        count -= 8
        let byte = UInt8(word >> count & 255)
        bytes.append(byte)
        if byte == 255 { bytes.append(0) }
      }
    }

    mutating func finished() -> [UInt8] {
      if count > 0 { add(1 << (8 - count) - 1, 8 - count) }
      return bytes
    }
  }
}
