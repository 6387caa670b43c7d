/// A GIF file made by hand (GIF89a).
public struct MadeGIF {
  /// One of its frames.
  public struct Frame {
    /// Where it lies on the canvas, and its dimensions.
    public var left, top, width, height: Int
    /// Whether every eighth row comes first.
    public var isInterlaced = false
    /// Which index is transparent.
    public var transparentIndex: Int?
    /// Colours of its own, red, green and blue; a power of two of them.
    public var palette: [UInt8]?
    /// Bits of an index.
    public var depth = 8
    /// The LZW data, in blocks.
    public var data: [UInt8]

    /// A frame.
    public init(left: Int = 0, top: Int = 0, width: Int, height: Int, depth: Int = 8, data: [UInt8]) {
      (self.left, self.top, self.width, self.height) = (left, top, width, height)
      (self.depth, self.data) = (depth, data)
    }
  }

  /// Dimensions of the canvas as the file states them.
  public var width, height: Int
  /// The colours of all frames, red, green and blue; a power of two of them, or none.
  public var palette: [UInt8]
  /// The frames in their order.
  public var frames: [Frame]

  /// Describes a file.
  public init(width: Int, height: Int, palette: [UInt8], frames: [Frame]) {
    (self.width, self.height, self.palette, self.frames) = (width, height, palette, frames)
  }

  /// The file.
  public var bytes: [UInt8] {
    func little(_ value: Int) -> [UInt8] { [UInt8(value & 255), UInt8(value >> 8 & 255)] }
    func sizeFlags(_ palette: [UInt8]) -> UInt8 {
      palette.isEmpty ? 0 : 0x80 | UInt8((palette.count / 3).trailingZeroBitCount - 1)
    }
    var file = Array("GIF89a".utf8) + little(width) + little(height)
    file += [sizeFlags(palette), 0, 0] + palette
    for frame in frames {
      if let index = frame.transparentIndex { file += [0x21, 0xF9, 4, 1, 0, 0, UInt8(index), 0] }
      file += [0x2C] + little(frame.left) + little(frame.top) + little(frame.width) + little(frame.height)
      file += [sizeFlags(frame.palette ?? []) | (frame.isInterlaced ? 0x40 : 0)] + (frame.palette ?? [])
      file += [UInt8(frame.depth)]
      for start in stride(from: 0, to: frame.data.count, by: 255) {
        let block = frame.data[start..<min(start + 255, frame.data.count)]
        file += [UInt8(block.count)] + block
      }
      file += [0]
    }
    return file + [0x3B]
  }

  /// LZW data of indices of `depth` bits (GIF89a, appendix F).
  public static func compressed(_ indices: some Sequence<UInt8>, depth: Int, endsProperly: Bool = true) -> [UInt8] {
    let clear = 1 << depth
    var codes: [Int: Int] = [:]
    var codeCount = clear + 2
    var bits = BitWriter()
    var size = depth + 1
    bits.write(clear, size)
    var string = -1
    for index in indices {
      if string < 0 {
        string = Int(index)
        continue
      }
      if let longer = codes[string << 8 | Int(index)] {
        string = longer
        continue
      }
      bits.write(string, size)
      if codeCount < 4096 {
        codes[string << 8 | Int(index)] = codeCount
        if codeCount == 1 << size { size += 1 }
        codeCount += 1
      } else {
        bits.write(clear, size)
        codes = [:]
        codeCount = clear + 2
        size = depth + 1
      }
      string = Int(index)
    }
    if string >= 0 {
      bits.write(string, size)
      if codeCount == 1 << size, size < 12 { size += 1 }
    }
    if endsProperly { bits.write(clear + 1, size) }
    return bits.finished()
  }

  /// LZW data of `count` indices of eight bits, all the same: as many as one likes, in few bytes.
  public static func compressed(_ index: UInt8, count: Int) -> [UInt8] {
    var bits = BitWriter()
    func size(of code: Int) -> Int { code < 512 ? 9 : code < 1024 ? 10 : code < 2048 ? 11 : 12 }
    var left = count
    var code = 258
    while left > 0 {
      bits.write(256, size(of: code))
      bits.write(Int(index), 9)
      left -= 1
      // Each code is the string before it and the index once more, and is not yet known when it is read.
      code = 258
      var length = 2
      while code < 4096, left >= length {
        bits.write(code, size(of: code))
        left -= length
        length += 1
        code += 1
      }
    }
    bits.write(257, size(of: code))
    return bits.finished()
  }

  /// Writes numbers from the lowest bit on.
  private struct BitWriter {
    private var bytes: [UInt8] = []
    private var bits: UInt64 = 0
    private var count = 0

    mutating func write(_ value: Int, _ size: Int) {
      bits |= UInt64(value) << UInt64(count)
      count += size
      while count >= 8 {
        bytes.append(UInt8(truncatingIfNeeded: bits))
        bits >>= 8
        count -= 8
      }
    }

    func finished() -> [UInt8] { count > 0 ? bytes + [UInt8(truncatingIfNeeded: bits)] : bytes }
  }
}
